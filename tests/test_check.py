"""Every fault of a spec is found at once, and nothing is built or bent for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from callsheet import MISSING, build, check, lazy, load, partial, ref
from callsheet._spec import attach
from callsheet.errors import SpecError
from saying import told


class Model:
    def __init__(
        self, width: int = 32, names: list[str] | None = None, mode: Literal["a", "b"] = "a", rate: float = 0.1
    ):
        raise AssertionError("check built something")


class Small(Model):
    pass


class Other:
    pass


def fit(model: Model, steps: int | None = None, **more: Any):
    raise AssertionError("check called something")


def untyped(x, y=None):
    return x


@dataclass
class Config:
    size: Any = None


SIGNATURE = "Model(width: int = 32, names: list[str] | None = None, mode: Literal['a', 'b'] = 'a', rate: float = 0.1)"


@pytest.mark.parametrize(
    "spec",
    [
        lazy(fit)(lazy(Model)()),
        lazy(fit)(lazy(Small)(), steps=3, anything="else"),
        lazy(fit)(lazy(Model)(width=True)),
        lazy(Model)(rate=1),
        lazy(Model)(names=["a"], mode="b"),
        lazy(untyped)(object()),
        partial(fit)(),
        lazy("os.path.join")("a", "b"),
        {"a": 1, "b": [lazy(len)("x")]},
        Config(lazy(Model)()),
        3,
        None,
    ],
)
def test_what_is_right_passes_and_nothing_is_called(spec):
    assert check(spec) is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"width": "64x"}, "width  must be int, found '64x'"),
        ({"width": 1.5}, "width  must be int, found 1.5"),
        ({"width": None}, "width  must be int, found None"),
        ({"mode": "c"}, "mode  must be Literal['a', 'b'], found 'c'"),
    ],
)
def test_a_value_that_does_not_fit_shows_both_sides(given, problem):
    text = told(lambda: check(lazy(Model)(**given)), SpecError)
    path = problem.partition("  ")[0]
    assert text == f"{problem:<72}here\n{' ' * len(path)}  {SIGNATURE}"


def test_all_faults_come_together_in_the_order_of_the_spec():
    spec = lazy(dict)(
        optim=lazy(f"{__name__}:untyped")(1, z=2),
        names=lazy(f"{__name__}:untyped")(),
        gone=lazy("no_such_package.thing")(),
        typo=lazy("os.path.joinn")("a"),
        not_callable=lazy("os.path:sep")(),
        width=lazy(Model)(width="x"),
        lost=ref("not.there"),
        rows=[MISSING],
    )
    assert told(lambda: check(spec), SpecError) == "\n".join(
        [
            f"{'optim.z       no such argument of test_check.untyped':<72}here",
            f"{'names.x       is required by test_check.untyped':<72}here",
            "              untyped(x, y=None)",
            f"{'gone          cannot import no_such_package.thing: no module named':<72}".rstrip()
            + " 'no_such_package'",
            "              set by here",
            "              the command looks in the project's root and in --path DIR",
            "              in Python, sys.path is yours to set",
            f"{'typo          cannot import os.path.joinn: posixpath has no ' + repr('joinn'):<72}here",
            "              did you mean  join?",
            f"{'not_callable  os.path.sep is ' + repr('/') + ', which cannot be called':<72}here",
            f"{'width.width   must be int, found ' + repr('x'):<72}here",
            f"              {SIGNATURE}",
            f"{'lost          refers to not.there, where nothing is':<72}here",
            f"{'rows[0]       must be given':<72}here",
        ]
    )


def test_a_call_whose_class_does_not_fit_is_told_before_it_is_made():
    text = told(lambda: check(lazy(fit)(lazy(Other)())), SpecError)
    assert text.split("\n", 1)[0] == f"{'[0]  must be Model, found a call of Other':<72}here"


def test_check_changes_nothing():
    spec = lazy(fit)(lazy(Model)(names=["a"]), steps=2)
    before = repr(spec)
    check(spec)
    assert repr(spec) == before
    with pytest.raises(AssertionError, match="check built something"):
        build(spec)


def test_a_module_that_fails_to_import_is_told_with_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_one.py").write_text("raise RuntimeError('no licence')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert told(lambda: check({"a": lazy("broken_one.thing")()}), SpecError) == (
        f"{'a  broken_one.thing cannot be imported: RuntimeError: no licence':<72}here"
    )


def test_a_fault_of_a_node_held_twice_is_told_once():
    bad = lazy("os.path.join")(nope=1)
    assert told(lambda: check([bad, [bad]]), SpecError).count("nope") == 1


def test_a_list_that_an_override_typed_becomes_the_declared_tuple(project):
    project("shop.py", "def fit(betas: tuple[float, float] = (0.9, 0.99)): return betas\n")
    project("conf.py", "from callsheet import lazy\nfrom shop import fit\nmain = lazy(fit)()\n")
    spec = load("conf.py", ["main.betas=[1,2]"])
    check(spec)
    assert build(spec.main) == (1.0, 2.0)


def test_a_name_that_is_the_runs_and_the_specs_own_is_a_clash():
    spec = attach({"run": {"dir": "mine", "lr": 0.1}, "main": lazy(dict)(a="${run.dir}", b="${run.lr}")})
    with pytest.raises(SpecError) as caught:
        check(spec)
    (fault,) = caught.value.faults
    assert (fault.path, fault.problem, fault.advice) == (
        "main.a",
        "refers to run.dir, which is both the run's and the spec's own",
        ("rename it in the spec",),
    )
