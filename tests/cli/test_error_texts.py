"""What users read when something is wrong: whole texts, in `error_texts.txt`; each advice in them does what it says.

After a change on purpose, `CALLSHEET_TEXTS=write pytest tests/cli/test_error_texts.py` writes the file anew.
"""

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from command import Project, masked

TEXTS = Path(__file__).with_name("error_texts.txt")

FILES = {
    "conf.py": """
        from callsheet import lazy, ref
        from train import Net, Adam, digits, fit

        epochs = 5
        model = lazy(Net)(width=64, classes=10)
        _small = lazy(Net)(width=8)
        data = lazy(digits)(batch_size=64, seed=0)
        optim = lazy(Adam)(ref(model).parameters(), lr=1e-3)
        main = lazy(fit)(model, data, optim, epochs=epochs)
    """,
    "train.py": """
        from dataclasses import dataclass


        class Net:
            def __init__(self, width: int = 32, classes: int = 10):
                self.width = width

            def parameters(self):
                return [self.width]


        class Adam:
            def __init__(self, params: list, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)):
                self.params, self.lr = params, lr


        class Closure:
            def __init__(self, closure, tolerance: float = 1e-9): ...


        def digits(batch_size: int = 64, seed: int = 0):
            return batch_size


        def fit(model: Net, data, optim: Adam, epochs: int = 5):
            if epochs == 13:
                raise ValueError("13 epochs bring no luck")
            return {"accuracy": 1 - optim.lr}


        @dataclass
        class Schedule:
            steps: int = 10
            warmup: int = 1

            def __post_init__(self):
                self.marks = [*range(self.warmup, self.steps)]


        def login(token: str):
            return token
    """,
    "argument.py": "from callsheet import lazy\nfrom train import Net\nmodel = lazy(Net)(widht=64, classes='ten')\n",
    "missing.py": "from callsheet import MISSING, lazy\nfrom train import fit\nmain = lazy(fit)(epochs=MISSING)\n",
    "cyclic.py": 'a = "${b}"\nb = "${a}"\n',
    "dangling.py": 'from callsheet import lazy\nfrom train import Net\nmodel = lazy(Net)(width=8)\nsize = "${model.widht}"\n',
    "environment.py": 'out = "${env:OUT_OF_THIS_WORLD}"\n',
    "untrusted.json": '{"model": {"_target_": "train:Net", "width": 8}}\n',
    "cut.json": '{"epochs": 5,\n "model": \n',
    "cut.yaml": "model: {width: 8\nepochs: 5\n",
    "syntax.py": "epochs = 5\nmodel = = 3\n",
    "module.py": "from callsheet import lazy\nfrom trian import Net\nmodel = lazy(Net)(width=8)\n",
    "name.py": "from callsheet import lazy\nfrom train import Nett\nmodel = lazy(Nett)(width=8)\n",
    "raises.py": "def half(x):\n    return x / 0\n\n\nlr = half(3)\n",
    "many.py": "from callsheet import lazy\nfrom train import Net\nnets = [lazy(Net)(width='w') for _ in range(500)]\n",
    "literal.py": 'from callsheet import Secret, lazy\nfrom train import login\nmain = lazy(login)(Secret("hunter2"))\n',
    "secret.py": 'from callsheet import Secret, lazy\nfrom train import login\nmain = lazy(login)(Secret("env:NO_SUCH_KEY"))\n',
    "schedule.py": 'from callsheet import ref\nfrom train import Schedule\nsteps = 3\nschedule = Schedule(steps=ref("steps"))\n',
    "live.py": "from callsheet import lazy\nfrom train import digits\nmain = lazy(digits)(seed=lambda: 3)\n",
    "nothing.py": "from callsheet import lazy\nfrom train import Net\nmodel = lazy(Net)(width=8)\n",
    "expts.py": """
        from dataclasses import dataclass, replace
        from callsheet.run import HPGroup


        @dataclass(frozen=True)
        class Run:
            cmd: str
            name: str = "nets"


        @dataclass(frozen=True)
        class Config:
            hp: object
            run: Run


        R1 = Run("echo {{hp.lr}}")
        C1 = Config(HPGroup(lr=[0.1, 0.2]), R1)
        C2 = replace(C1, hp={"lr": 0.3})
    """,
    "best.yaml": "epochs: 5\n",
    "more.txt": "epochs=3\nmodle.width=8\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with all that is wrong in it, one run, and one run of other code."""
    project = Project(tmp_path_factory.mktemp("texts"))
    for name, text in FILES.items():
        project.write(name, text)
    project("run", "conf.py", "--runs", "done")
    project.write("train.py", FILES["train.py"] + "\n        older = True\n")
    project("run", "conf.py", "--runs", "stale")
    project.write("train.py", FILES["train.py"])
    return project


def saids():
    """The texts of the file: title, command, output."""
    for part in TEXTS.read_text().split("\n\n# ")[1:]:
        title, command, *lines = part.rstrip("\n").split("\n")
        yield pytest.param(command.removeprefix("$ "), "\n".join(lines), id=title)


def words_of(command):
    """What is typed behind `callsheet`."""
    return shlex.split(command)[1:]


def printed(project, command):
    """All that a command prints, and its exit code in a line of its own; paths and ids of today left out."""
    said = project(*words_of(command), code=None)
    text = said.out + said.err + f"exit {said.code}"
    return masked(text.replace(str(project.root), "PROJECT"))


@pytest.mark.parametrize(("command", "expected"), [*saids()])
def test_an_error_says_what_failed_where_it_came_from_what_is_allowed_and_what_to_do(folder, command, expected):
    text = printed(folder, command)
    if os.environ.get("CALLSHEET_TEXTS") == "write":
        whole = TEXTS.read_text()
        begin = whole.index(f"\n$ {command}\n") + len(f"\n$ {command}\n")
        end = whole.find("\n\n# ", begin)
        TEXTS.write_text(whole[:begin] + text + (whole[end:] if end >= 0 else "\n"))
    else:
        assert text == expected


# --- advice -----------------------------------------------------------------------------------------------------------


class Try:
    """A copy of the project in which advice is followed."""

    def __init__(self, root, command, fault):
        self.cmd = Project(root)
        self.words = words_of(command)
        self.fault = fault
        self.env = {}

    def override(self, text):
        """Type another override in the place of the last."""
        self.words[-1] = text

    def file(self, entry):
        """Name a part of the file."""
        self.words[1] += entry

    def name(self, meant):
        """Write a name that was meant for the one that is told, wherever that stands: what is typed, or in a file."""
        found = re.search(
            r"(?:refers to|cannot import|there is no file|no option|no run has|invalid value for \S+) '?([^\s',:]+)",
            self.fault["problem"],
        )
        wrong = found[1] if found else self.fault["path"]
        for old, new in zip(reversed(wrong.split(".")), reversed(meant.split(".")), strict=False):
            self.write(rf"(?<![\w-]){re.escape(old)}\b", new)

    def write(self, pattern, new):
        """Replace a text in what is typed, and in the file that is told."""
        self.words = [re.sub(pattern, lambda _: new, word) for word in self.words]
        for file in {self.words[1].partition(":")[0], self.fault["origin"].rpartition(":")[0]}:
            path = self.cmd.root / file
            if path.is_file() and file != "conf.py":
                path.write_text(re.sub(pattern, lambda _: new, path.read_text()))


def typed(way, text):
    way.override(*shlex.split(text))


def mean(way, text):
    if text.startswith("callsheet "):
        way.words[0] = text.split()[1]
    elif text.endswith("(…)"):
        way.override(re.sub(r"\w+\(", text.removesuffix("…)"), way.words[-1], count=1))
    elif "=" in text and " = " not in text:
        way.override(text)
    else:
        way.name(re.split(r" = |  ", text)[0])


def describe(way, name):
    way.write("import ref", "import lazy, ref")
    way.write(rf"= {name}(?=\()", f"= lazy({name})")


def run_command(way, text):
    given = {"FILE": "conf.py", "PATH=VALUE": "epochs=3"}
    words = [given.get(word, word) for word in shlex.split(text)]
    way.words = words if len(words) > 1 else [words[0], *way.words[1:]]


def draw(way, option):
    way.words += [option, "2", "--runs", "drawn"]


def in_project(way, text):
    way.cmd.write("pyproject.toml", f"[tool.callsheet]\n{text}\n")


def in_python(way, text):
    way.cmd.write("tried.py", f"from callsheet import check, load\nloaded = {text}\ncheck(loaded)\n")
    way.words = ["show", "tried.py"]


def defer(way, name):
    way.write(rf"= {name}\((.*)", f"= __import__('callsheet').lazy({name})(steps=ref('steps'))")


ADVICE = {
    r"did you mean  (.*)\?": mean,
    r"(?:to add it|for the text|for one value):  (.*)": typed,
    r"(?:to try each:  )?callsheet (.*?)(?:  (?:tells more|makes one).*)?": run_command,
    r"to allow it in Python: +(.*)": in_python,
    r"on the command line: +(--.*)": lambda way, text: way.words.extend(text.split()),
    r"in pyproject.toml: +(.*)  under \[tool.callsheet\]": in_project,
    r"(--force)  writes over it": lambda way, text: way.words.append(text),
    r"set it:  export (\w+)=…": lambda way, text: way.env.update({text: "k"}),
    r"set it, or give a default:  (.*)": lambda way, text: way.write(r"\$\{env:\w+\}", text),
    r"write  (\w+=)…": lambda way, text: way.words.__setitem__(slice(2, None), [f"{text}3"]),
    r"write  (Secret\(\"env:API_KEY\"\))  or .*": lambda way, text: (
        way.write(r"Secret\(\"hunter2\"\)", text),
        way.env.update(API_KEY="k"),
    ),
    r".* was given what must be built first: write  lazy\((\w+)\)\(…\)  in its place": defer,
    r"there are  (@\w+).*": lambda way, text: way.override(f"{way.words[-1].partition('=')[0]}={text}"),
    r"or write  (.*=@)file\.py:name": lambda way, text: way.override(f"{text}nothing.py:model"),
    r"name what to build:  \S+(:\w+)": lambda way, text: way.file(text),
    r"(?:give a path several values|name some), as in  (.*)": lambda way, text: way.override(text),
    r"(?:say how many|or draw some):  (--trials) N": draw,
    r"name it:  (--maximize) NAME  or  --minimize NAME": lambda way, text: way.words.extend(
        [text, "accuracy", "--runs", "learned"]
    ),
    r"(--\w+)  (?:counts|runs) .*": lambda way, text: way.words.append(text),
    r"there (?:is|are) \d+ runs?: callsheet (runs)  lists .*": lambda way, text: way.words.__setitem__(
        slice(0, 2), [text]
    ),
    r"write  lazy\((\w+)\)\(…\)  in its place": describe,
    r"to filter, compare a name:  (.*)": lambda way, text: way.write(r"optim\.lr", *shlex.split(text)),
    r"results have (\w+)": lambda way, text: way.write("acuracy", text),
}
"""What advice says, and how one does it."""

TRIED = set()
"""What helps with no fault but tells more, and so is tried once."""

TOLD = (
    r"\w+\(.*\)|the spec holds  .*|[\w.]+:\d+  .*|Usage: callsheet .*|the command looks .*|in Python, sys\.path .*"
    r"|\S+=\S+  comes here by \S+|each run has  .*|these have  .*|there are runs of .*|changed since: .*|epochs?[<=57]+|define it .*|write  path=value| *\^|.*(= =|\[1, 2|choice\(1,2|itn\(3\)|^epochs: 5|^\"model\":).*"
)
"""Lines that say what is allowed, or show what stands there."""


def advising():
    """The texts that advise something: all but data, and the user's own exceptions."""
    for part in saids():
        command, expected = part.values
        if "--json" not in command and "\nTraceback" not in expected and "{\n" not in expected:
            yield part


@pytest.mark.parametrize(("command", "expected"), [*advising()])
def test_whoever_follows_an_advice_meets_that_fault_no_more(folder, tmp_path, command, expected):
    faults = folder(*words_of(command), "--json", code=None).data
    for n, fault in enumerate(faults["faults"][:3] if isinstance(faults, dict) and "faults" in faults else []):
        for m, line in enumerate(fault["advice"]):
            found = [(do, match) for text, do in ADVICE.items() if (match := re.fullmatch(text, line))]
            assert found or re.fullmatch(TOLD, line), f"nobody tries the advice {line!r}"
            if found and line not in TRIED:
                root = tmp_path / f"{n}-{m}"
                shutil.copytree(folder.root, root)
                way = Try(root, command, fault)
                (do, match), *_ = found
                do(way, match[1])
                said = way.cmd(*way.words, code=None, env=way.env)
                assert fault["problem"] not in said.err or fault["path"] not in said.err, (line, way.words, said)
                assert "Traceback" not in said.err
                TRIED.update([line] if "--help" in line else [])
                assert said.code == 0 or len(faults["faults"]) > 1 or way.words[0] == "diff", (line, way.words, said)
