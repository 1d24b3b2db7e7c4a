"""What a person waits for at a prompt: help, one completion, a config shown; beside peers and a bare Python.

The goal of a program of dataclasses is out of reach for what it imports by itself: `import dataclasses` takes more
than Python's start does. What Callsheet adds to the same dataclasses is a row of its own. `diff` has no goal: its
changes are dataclasses, for which it pays likewise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from measure import process_times

GOAL = 4

_FIELDS = """
from dataclasses import dataclass, field

@dataclass
class Model:
    depth: int = 18
    width: int = 64
    norm: str = "batch"

@dataclass
class Optim:
    lr: float = 1e-3
    beta: float = 0.9
    decay: float = 0.0

@dataclass
class Train:
    model: Model = field(default_factory=Model)
    optim: Optim = field(default_factory=Optim)
    steps: int = 1000
    seed: int = 0
"""

_PROGRAMS = {
    "callsheet": _FIELDS + "import callsheet\n@callsheet.main\ndef train(config: Train): ...\ntrain.main()\n",
    "tyro": _FIELDS + "import tyro\ntyro.cli(Train)\n",
    "draccus": _FIELDS + "import draccus\ndraccus.parse(config_class=Train)\n",
    "jsonargparse": _FIELDS + "from jsonargparse import auto_cli\ndef train(c: Train): ...\nauto_cli(train)\n",
    "chz": (
        "import chz\n"
        + _FIELDS.replace("@dataclass", "@chz.chz")
        .replace("field(default_factory=", "chz.field(default_factory=")
        .replace("from dataclasses import dataclass, field\n", "")
        + "try:\n    chz.entrypoint(Train, allow_hyphens=True)\nexcept SystemExit:\n    pass\n"  # which is 1
    ),
    "hydra": _FIELDS
    + """
import hydra
from hydra.core.config_store import ConfigStore
ConfigStore.instance().store(name="config", node=Train)
@hydra.main(version_base=None, config_name="config")
def train(config): ...
train()
""",
}
"""The same configuration as a program, by the package that reads its command line."""

_PARAMETERS = """
import callsheet
@callsheet.main
def train(depth: int = 18, width: int = 64, norm: str = "batch", lr: float = 1e-3, beta: float = 0.9): ...
train.main()
"""
"""A program without dataclasses, whose import costs as much as Python's start and more."""

_CONF = """
from callsheet import lazy
from slow import Net, fit, sgd
model = lazy(Net)(width=64, depth=18, norm="batch")
optim = lazy(sgd)(lr=1e-3, beta=0.9, decay=0.0)
main = lazy(fit)(model=model, optim=optim, steps=1000, seed=0)
more = {"x": 0}
"""
_SLOW = """
import time
end = time.process_time() + 1
while time.process_time() < end:
    pass

class Net:
    def __init__(self, width: int = 32, depth: int = 18, norm: str = "batch"): ...

def sgd(lr: float = 0.1, beta: float = 0.9, decay: float = 0.0): ...

def fit(model, optim, steps: int = 10, seed: int = 1): ...
"""
"""What the config names takes a second to import."""


def rows() -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """The rows: a label, the goal, and the processor seconds of whole processes; "plain" is `python -c pass`."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {f"{name}_program": text for name, text in _PROGRAMS.items()}
        for name, text in {
            **programs,
            "fields": _FIELDS,
            "parameters": _PARAMETERS,
            "conf": _CONF,
            "slow": _SLOW,
        }.items():
            Path(folder, f"{name}.py").write_text(text)
        os.utime(Path(folder, "slow.py"), (1, 1))
        known = [name for name in _PROGRAMS if find_spec(name) is not None]
        python, command = sys.executable, [os.path.join(os.path.dirname(sys.executable), "callsheet")]
        plain = {"plain": ([python, "-c", "pass"], {})}
        cold, warm = {"CALLSHEET_CACHE": ""}, {"CALLSHEET_CACHE": os.path.join(folder, "cache")}
        subprocess.run(
            [*command, "check", "conf.py"],
            cwd=folder,
            env={**os.environ, **warm},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        asked = {"_CALLSHEET_COMPLETE": "fish"}
        overrides = [f"model.{name}={n}" for n, name in enumerate(("width", "depth"))]
        overrides += [f"optim.{name}=0.{n}" for n, name in enumerate(("lr", "beta", "decay"), 1)]
        overrides += ["main.steps=1", "main.seed=2", "+more.a=1", "+more.b=1", "+more.c=1"]
        helped = {name: ([python, f"{name}_program.py", "--help"], {}) for name in known}
        for label, program, more in (
            ("program of parameters, --help", ["parameters.py", "--help"], {}),
            ("program of parameters, one completion", ["parameters.py", "d"], asked),
            ("program of dataclasses, one completion", ["callsheet_program.py", "optim."], asked),
        ):
            yield label, GOAL, process_times({**plain, "callsheet": ([python, *program], more)}, folder)
        alone = {"alone": ([python, "fields.py"], {})}
        found = process_times({**plain, **helped, **alone}, folder)
        bare = found.pop("alone")
        yield "program of dataclasses, --help", GOAL, found
        beyond = {"plain": found["plain"], "callsheet": found["callsheet"] - bare}
        yield "the same, beyond its dataclasses", None, beyond
        for label, more in (("nothing remembered", cold), ("remembered", warm)):
            table = {
                f"help, {label}": ([*command, "help", "conf.py"], more),
                f"one completion, {label}": ([*command, "run", "conf.py", "optim."], {**asked, **more}),
                f"show, 10 overrides, {label}": ([*command, "show", "conf.py", *overrides], more),
                f"diff, 10 overrides, {label}": ([*command, "diff", "conf.py", *overrides], more),
            }
            for name, program in table.items():
                yield (
                    name,
                    None if name.startswith("diff") else GOAL,
                    process_times({**plain, "callsheet": program}, folder, codes=(0, 1)),
                )
