"""What users read when something is wrong: whole texts, in `error_texts.txt`; each advice in them does what it says.

After a change on purpose, `CALLSHEET_TEXTS=write pytest tests/cli/test_error_texts.py` writes the file anew.
"""

import os
import shlex
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
    "best.yaml": "epochs: 5\n",
    "more.txt": "epochs=3\nmodle.width=8\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with all that is wrong in it, and one run."""
    project = Project(tmp_path_factory.mktemp("texts"))
    for name, text in FILES.items():
        project.write(name, text)
    project("run", "conf.py", "--runs", "done")
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
