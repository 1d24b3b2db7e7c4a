"""`main`: a function whose parameters, typed as `path=value`, make it a program."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal, NamedTuple

import attrs
import pytest

import callsheet
from callsheet import Config, build, lazy


class Norm(Enum):
    batch = 1
    layer = 2


@dataclass(frozen=True)
class Model:
    depth: int = 18
    norm: Norm = Norm.batch


@dataclass
class Train:
    """What a training takes.

    Args:
        data: Where the images are.
    """

    data: Path
    model: Model = Model()
    lr: float = 1e-3
    """Length of a step."""
    mode: Literal["fast", "slow"] = "fast"
    sizes: list[int] = field(default_factory=lambda: [1, 2])
    resume: str | None = None
    amp: bool = False
    steps: int = field(init=False)

    def __post_init__(self) -> None:
        if self.lr < 0:
            raise ValueError("lr is negative")
        self.steps = round(1 / self.lr)


@attrs.define
class Positive:
    width: int = attrs.field(default=8, validator=attrs.validators.gt(0))


@dataclass
class Parsed:
    text: str = "{}"

    def __post_init__(self) -> None:
        json.loads(self.text)


@attrs.define
class Optim:
    lr: float = 0.1
    betas: list[float] = attrs.Factory(list)


class Size(NamedTuple):
    width: int
    height: int = 1


class Net(Config[dict]):
    width: int = 8
    half: object = "${.width}"


@callsheet.main
def train(config: Train) -> Train:
    """Give back what was said."""
    return config


@callsheet.main
def several(
    seed: int,
    model: Model,
    optim: Optim,
    size: Size,
    net: Net,
    deep: Model = Model(50),
    maybe: Model | None = None,
    extra: dict[str, Any] = {"a": [1]},
    template: str = "${x}",
) -> dict[str, Any]:
    return dict(locals())


@dataclass
class Step:
    lr: float = 0.1


@dataclass
class Adam(Step):
    """Adapt."""

    lr: float = 0.001
    beta: float = 0.9


@dataclass
class SGD(Step):
    """Go down."""

    momentum: float = 0.0


@callsheet.main
def choose(step: Step = Adam(), other: Adam | SGD | None = None) -> Any:
    return step, other


@pytest.fixture
def refused(capsys, monkeypatch):
    """A function that runs a program which must refuse what was typed, and gives what it says."""
    monkeypatch.setattr(sys, "argv", ["train.py"])

    def run(program: Callable[..., Any], *words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            program.main(words)
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    return run


def test_the_fields_of_a_single_parameter_are_what_paths_start_in():
    made = train.main(["data=images", "model.depth=34", "lr=1", "sizes+=[3]", "amp=true", "mode=slow"])
    assert made == Train(Path("images"), Model(34), 1.0, "slow", [1, 2, 3], None, True)


def test_what_is_frozen_in_a_tuple_can_be_typed():
    @callsheet.main
    def train(models: tuple[Model, ...] = (Model(), Model())):
        return models

    assert train.main(["models.1.depth=34"]) == (Model(), Model(34))


def test_constructors_see_what_was_typed(capsys):
    assert train.main(["data=x", "lr=0.1"]).steps == 10
    with pytest.raises(SystemExit, match="2"):
        train.main(["data=x", "lr=-1"])
    assert "lr is negative\n" in capsys.readouterr().err


def test_what_a_constructor_or_validator_refuses_is_a_fault_at_its_place(capsys):
    @callsheet.main
    def several(net: Positive, seed: int = 0):
        raise ValueError("of the function itself")

    with pytest.raises(SystemExit, match="2"):
        several.main("net.width=-2")
    told = capsys.readouterr().err
    assert told.split("\n", 1)[1] == "  net  'width' must be > 0: -2\n       lazy(Positive)(width=-2)\n"
    assert told.split(":", 1)[1].startswith(" 1 fault, several was not called\n")
    with pytest.raises(ValueError, match="of the function itself"):
        several.main("net.width=2")

    @callsheet.main
    def reading(parsed: Parsed):
        return parsed

    with pytest.raises(json.JSONDecodeError):  # a fault of the constructor's own code keeps its traceback
        reading.main("text='{bad'")


def test_each_of_several_parameters_has_its_name():
    made = several.main(
        ["seed=1", "size.width=3", "deep.norm=layer", "net.width=2", "optim.betas=[0.5]", "extra.a.0=7"]
    )
    assert made == {
        "seed": 1,
        "model": Model(),
        "optim": Optim(0.1, [0.5]),
        "size": Size(3),
        "net": Net(2, 2),
        "deep": Model(50, Norm.layer),
        "maybe": None,
        "extra": {"a": [7]},
        "template": "${x}",
    }
    assert type(made["extra"]) is dict
    assert type(made["extra"]["a"]) is list


def test_a_config_arrives_as_a_config_that_can_be_built():
    net = several.main(["seed=1", "size.width=3", "net.width=2"])["net"]
    assert type(net) is Net
    assert net.build() == {"width": 2, "half": 2}


def test_defaults_are_not_changed_by_what_is_typed():
    several.main(["seed=1", "size.width=1", "extra.a.0=7", "deep.depth=1"])
    made = several.main(["seed=1", "size.width=1"])
    assert made["extra"] == {"a": [1]}
    assert made["deep"] == Model(50)


def test_a_value_may_refer_to_another():
    assert several.main(["seed=4", "size.width=${seed}", "size.height=${.width}"])["size"] == Size(4, 4)


def test_all_faults_are_told_together(refused):
    words = "model.dept=3", "lr=x", "mode=f", "--lr=3", "model.norm=foo", "sizes"
    assert (
        refused(train, *words)
        == """\
train.py: 7 faults, train was not called
  model.dept  no such argument of test_script.Model             command line
              did you mean  model.depth = 18  (default)?
  lr          must be float, found 'x'                          command line
              Train(..., lr: float = 0.001, ...)
  mode        must be one of 'fast', 'slow', found 'f'          command line
              Train(..., mode: Literal['fast', 'slow'] = 'fast', ...)
              there is no option --lr                           command line
              write  lr=3
  model.norm  must be one of batch, layer, found 'foo'          command line
              Model(depth: int = 18, norm: Norm = Norm.batch)
              'sizes' is not an override: there is no '='
              write  path=value
  data        is required by test_script.Train
              Train(data, model, lr, mode, sizes, resume, amp)
"""
    )


def test_what_only_a_check_sees_is_told_before_the_function_is_called(refused):
    assert "seed         must be int, found [1]" in refused(several, "seed=[1]", "size.width=1", "size.height=[]")
    assert "data" in refused(train, "data=${nothing}")


def test_a_value_that_sweeps_is_refused(refused):
    assert "is a sweep, and only one value can stand here" in refused(train, "data=x", "lr=1,2")


def test_a_class_that_is_declared_or_inherits_can_be_put_in_the_place_of_another_with_its_own_defaults():
    assert choose.main(["step=SGD", "step.momentum=0.5", "other=Adam"]) == (SGD(0.1, 0.5), Adam())
    assert choose.main(["step.lr=3", "step=SGD"]) == (SGD(3.0), None)
    assert choose.main(["other=SGD", "other=null"]) == (Adam(), None)
    assert choose.main("step=SGD") == (SGD(), None)


def test_a_class_that_does_not_fit_is_refused(refused):
    assert refused(choose, "step=SGDD").splitlines()[1:] == [
        "  step  must be one of Step, Adam, SGD, found 'SGDD'            command line",
        "        did you mean  step=SGD?",
    ]
    assert "SGD does not take beta, which was typed before" in refused(choose, "step.beta=1", "step=SGD")
    assert "other  must be Adam | SGD | None, found 'Step'" in refused(choose, "other=Step")
    assert "step  must be Step, found 'SGD'" in refused(choose, "step='SGD'")


def test_a_program_is_the_function_that_it_was():
    assert train(Train(Path("x"))).data == Path("x")
    assert pickle.loads(pickle.dumps(train)) is train
    assert build(lazy(train)(lazy(Train)(Path("x")))) == Train(Path("x"))


def test_what_the_function_raises_is_not_touched():
    @callsheet.main
    def fails(x: int = 1):
        return 1 / x

    with pytest.raises(ZeroDivisionError) as caught:
        fails.main(["x=0"])
    assert not hasattr(caught.value, "__notes__")


def test_further_names_go_to_who_takes_them_and_positions_cannot_be_typed():
    @callsheet.main
    def takes(x: int = 1, *rest: int, **more: int):
        return x, rest, more

    @callsheet.main
    def by_position(x: int, /):
        return x

    assert takes.main(["y=3"]) == (1, (), {"y": 3})
    with pytest.raises(callsheet.CallsheetError, match="takes x by position only"):
        by_position.main(["x=1"])


def test_only_a_function_becomes_a_program():
    with pytest.raises(TypeError, match="main turns a function into a program"):
        callsheet.main(Train)


def test_a_script_reads_its_command_line(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import callsheet\n@callsheet.main\ndef train(lr: float = 0.1):\n    print(lr)\n\ntrain.main()\nprint('after')\n"
    )

    def run(*words: str) -> Any:
        done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr

    assert run("lr=3") == (0, "3.0\nafter\n", "")
    code, out, err = run("lrr=3")
    assert (code, out) == (2, "")
    assert "did you mean  lr = 0.1  (default)?" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train.py"]


@pytest.fixture
def helped(capsys, monkeypatch):
    """A function that asks a program for help, and gives what it prints."""
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setenv("COLUMNS", "80")

    def run(program: Callable[..., Any], *words: str, code: int = 0) -> Any:
        with pytest.raises(SystemExit) as ended:
            program.main(words)
        assert ended.value.code == code
        return capsys.readouterr()

    return run


def test_help_groups_by_component_and_follows_what_was_typed(helped):
    assert (
        helped(train, "model.norm=layer", "--help", "data=x").out
        == """\
usage: python train.py [PATH=VALUE]...

Give back what was said.

Train
What a training takes.
  data=x            Path           command line
      Where the images are.
  lr=0.001          float          default
      Length of a step.
  mode=fast         fast | slow    default
  sizes=[1,2]       list[int]      default
  resume=null       str | None     default
  amp=false         bool           default

model: Model
  model.depth=18    int            default
  model.norm=layer  batch | layer  command line, was batch
"""
    )


def test_help_names_what_is_required_and_each_parameter(helped):
    said = helped(several, "-h").out
    assert said.startswith("usage: python train.py [PATH=VALUE]...\n\n  seed=…")
    rows = [" ".join(line.split()) for line in said.splitlines()]
    for row in ("seed=… int, required", "net: Net", "net.width=8 int default", "deep.depth=50 int default"):
        assert row in rows


def test_help_shows_the_class_that_was_chosen(helped):
    said = helped(choose, "step=SGD", "step.lr=2", "--help").out
    assert "\nstep: SGD\nGo down.\n  step.lr=2.0        float              command line, was 0.1\n" in said
    assert "step.momentum=0.0" in said


def test_help_tells_what_is_wrong_after_it(helped):
    said = helped(train, "lr=x", "model.depth=3", "--help", code=2)
    assert "model.depth=3 " in said.out
    assert said.err.startswith("train.py: 1 fault\n  lr  must be float, found 'x'")


def test_a_script_can_be_asked_for_help_on_a_terminal_without_colours(tmp_path):
    pty = pytest.importorskip("pty", reason="Windows has none")
    script = tmp_path / "train.py"
    script.write_text("import callsheet\n@callsheet.main\ndef train(lr: float = 0.1): ...\n\ntrain.main()\n")

    def run(**more: str) -> str:
        ours, theirs = pty.openpty()
        environment = {
            **{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")},
            "TERM": "xterm",
            **more,
        }
        subprocess.run([sys.executable, str(script), "--help"], stdout=theirs, env=environment, check=True)
        os.close(theirs)
        found = b""
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                found += part
        os.close(ours)
        return found.decode().replace("\r\n", "\n")

    plain = "usage: python train.py [PATH=VALUE]...\n\n  lr=0.1  float  default\n"
    assert run(NO_COLOR="1") == run(TERM="dumb") == plain
    assert run() == plain.replace("default", "\x1b[2mdefault\x1b[0m")


def test_whoever_stops_listening_to_its_help_is_told_nothing(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("import callsheet\n@callsheet.main\ndef train(lr: float = 0.1): ...\n\ntrain.main()\n")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        said = subprocess.run([sys.executable, str(script), "--help"], stdout=out, stderr=subprocess.PIPE, text=True)
    assert (said.stderr, said.returncode) == ("", 0)


SPAWNING = """
import multiprocessing, pickle
from dataclasses import dataclass
import callsheet
from callsheet import build, hash_of, lazy, to_data

@dataclass
class Model:
    depth: int = 1

@callsheet.main
def train(model: Model = Model(), lr: float = 0.1):
    return model.depth * lr

def described():
    spec = lazy(train)(lazy(Model)(3), lr=2)
    return hash_of(spec), str(to_data(spec)), build(spec)

def child(queue, pickled):
    spec = pickle.loads(pickled)
    queue.put((__name__, train.main(["model.depth=4", "lr=1"]), described(), build(spec), spec == pickle.loads(pickled)))

if __name__ == "__main__":
    mine = described()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue, pickle.dumps(lazy(train)(lazy(Model)(3), lr=2))))
    process.start()
    name, typed, theirs, built, same = queue.get(timeout=60)
    process.join()
    print(name, typed, theirs == mine, built, same)
    train.main()
"""


def test_in_a_process_that_a_program_has_started_its_functions_have_the_same_names(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SPAWNING)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("__mp_main__ 4.0 True 6 True\n", "")
