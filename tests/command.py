"""A project folder in which the real command is run, as a user would in a terminal."""

from __future__ import annotations

import compileall
import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import callsheet

CONF = """
    # conf.py                       the config file looks like the code that will be executed
    from callsheet import lazy, ref
    from train import Net, Adam, digits, fit                        # ordinary code that knows nothing of Callsheet

    epochs = 5
    model = lazy(Net)(width=64, classes=10)
    data  = lazy(digits)(batch_size=64, seed=0)
    optim = lazy(Adam)(ref(model).parameters(), lr=1e-3)            # a method of the model that will be built
    main  = lazy(fit)(model, data, optim, epochs=epochs)            # the same model: built once
"""
"""The config of DESIGN's listing."""

TRAIN = """
    class Net:
        def __init__(self, width: int = 32, classes: int = 10):
            self.width = width

        def parameters(self):
            return [self.width]


    class Adam:
        def __init__(self, params: list, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)):
            self.params, self.lr = params, lr


    def digits(batch_size: int = 64, seed: int = 0):
        return batch_size


    def fit(model: Net, data, optim: Adam, epochs: int = 5):
        for epoch in range(1, epochs + 1):
            loss = 1 / (epoch * model.width)
            print(f"epoch {epoch}/{epochs}   loss {loss:.3f}")
        return {"loss": loss, "accuracy": 1 - loss - optim.lr}
"""
"""What it names, without anything that takes time to import."""


# The commands write no bytecode, since a project's module may change twice in a second; ours is compiled before.
compileall.compile_dir(os.path.dirname(callsheet.__file__), quiet=2)


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    out: str
    err: str
    code: int

    @property
    def data(self) -> Any:
        """Standard output as JSON, in the strict form that every language reads."""
        return json.loads(self.out, parse_constant=lambda name: float(f"{name} is no JSON"))


class Project:
    """A folder with a `pyproject.toml`, in which commands run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs = root / "runs"
        self.write("pyproject.toml", "")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def listing(self) -> Project:
        """Write the two files of DESIGN's listing."""
        self.write("conf.py", CONF)
        self.write("train.py", TRAIN)
        return self

    def config(self, text: str, **modules: str) -> Project:
        """Write `conf.py`, and ordinary modules by name."""
        self.write("conf.py", text)
        for name, content in modules.items():
            self.write(f"{name}.py", content)
        return self

    def start(self, *words: str, module: str = "callsheet", **options: Any) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, as a shell does."""
        environment = {**os.environ, "COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1", **options.pop("env", {})}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": self.root, **options}
        argv = [sys.executable, "-m", module, *words]
        return subprocess.Popen(argv, text=True, env=environment, start_new_session=True, **options)

    def __call__(self, *words: str, code: int | None = 0, **options: Any) -> Said:
        """Run a command; its exit code must be as said."""
        process = self.start(*words, stdin=subprocess.DEVNULL, **options)
        out, err = process.communicate()
        said = Said(out, err, process.returncode)
        assert code is None or said.code == code, said
        assert "Traceback" not in err or process.returncode == 1, err
        return said

    def screen(self, *words: str, columns: int = 80, module: str = "callsheet", **env: str) -> str:
        """All that a command prints at a terminal of some columns, with its colours unless `NO_COLOR` is given."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        named = {"COLUMNS": "", "NO_COLOR": "1", "FORCE_COLOR": "", "TERM": "xterm", **env}
        process = self.start(*words, module=module, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=named)
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal closes with its last user
            while part := os.read(ours, 4096):
                shown += part
        os.close(ours)
        process.wait()
        return shown.decode().replace("\r\n", "\n")

    def ids(self) -> list[str]:
        """The ids of all runs, in the order in which they were numbered."""
        found = [path for path in self.runs.glob("*") if not path.name.startswith(".")]
        return sorted((path.name for path in found), key=lambda name: self.read("run.json", name).get("number", 0))

    def file(self, name: str, run: str | None = None) -> Path:
        """A file of a run; of the only one if none is named."""
        if run is None:
            (run,) = self.ids()
        return self.runs / run / name

    def read(self, name: str, run: str | None = None) -> Any:
        """The data in a file of a run; of the only one if none is named."""
        path = self.file(name, run)
        return json.loads(path.read_text()) if path.exists() else {}

    def text(self, name: str, run: str | None = None) -> str:
        """The text in a file of a run; of the only one if none is named."""
        return self.file(name, run).read_text()

    def git(self, *words: str) -> None:
        """Run a git command here, whoever this machine's user is."""
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=self.root, check=True, capture_output=True)

    def commit(self) -> None:
        """Make the project a git repository in which everything so far is committed."""
        self.write(".gitignore", "runs/\n__pycache__/\n")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("commit", "-qm", "all")


def until(condition: Callable[[], Any], *, limit_s: float = 30) -> Any:
    """Wait until something is so, and give what it gives; a test that waits in vain fails."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"not so within {limit_s} s")


def is_alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if sys.platform == "linux":
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def masked(text: str) -> str:
    """Text with ids of runs written as `ID001`, in the order in which they appear."""
    seen: dict[str, str] = {}
    return re.sub(r"(?<![.\w])[0-9a-f]{6}\b", lambda m: seen.setdefault(m[0], f"ID{len(seen) + 1:04}"), text)
