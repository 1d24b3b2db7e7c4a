"""A process that imports what trials need and forks one for each: `python -m callsheet.run.warm DESCRIPTOR`."""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import json
import os
import select
import socket
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from callsheet._items import CALLS
from callsheet._lazy import walk
from callsheet._target import Name, resolve
from callsheet.errors import CallsheetError
from callsheet.run import worker
from callsheet.run._chance import Chance
from callsheet.run._execute import at
from callsheet.run._plan import Header, Plan, PlannedTrial
from callsheet.run._provenance import Code, code_of

_raw = object.__getattribute__


def main(argv: list[str]) -> int:
    """Fork trials until whoever asks for them is gone.

    Args:
        argv: The number of the descriptor of a socket on which they are asked for.

    Returns:
        In a fork the exit code of its trial; elsewhere it does not return.
    """
    return _Server(socket.socket(fileno=int(argv[0]))).serve()


class _Server:
    """What asks come from and reports go to, and the forks that have not ended.

    Args:
        asks: Lines of JSON, in both directions.
    """

    def __init__(self, asks: socket.socket) -> None:
        self._asks = asks
        self._rest = b""
        self._forks: dict[int, tuple[int, int | None]] = {}
        self._chance = Chance()
        self._imports: _Imports | None = None

    def serve(self) -> int:
        """Do what is asked for; returns in forks alone."""
        while True:
            self._reap()
            for wanted in self._wanted():
                refusal = self._prepare(wanted["argv"])
                if refusal:
                    self._say(index=int(wanted["argv"][-2]), refused=refusal)
                elif self._fork(wanted):
                    return self._run(wanted)

    def _wanted(self) -> Iterator[dict[str, Any]]:
        """What is asked for now; waits for that, or for a fork to end."""
        handles = [handle for _, handle in self._forks.values() if handle is not None]
        timeout = None if len(handles) == len(self._forks) else 0.02
        if self._asks.fileno() not in select.select([self._asks.fileno(), *handles], [], [], timeout)[0]:
            return
        try:
            data = self._asks.recv(65536)
        except OSError:
            data = b""
        if not data:  # nobody asks any more; what runs goes on
            os._exit(0)
        *lines, self._rest = (self._rest + data).split(b"\n")
        yield from map(json.loads, lines)

    def _reap(self) -> None:
        for pid, (index, handle) in list(self._forks.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._forks[pid]
                if handle is not None:
                    os.close(handle)
                self._say(index=index, code=os.waitstatus_to_exitcode(status))

    def _say(self, **told: Any) -> None:
        with contextlib.suppress(OSError):  # nobody listens any more
            self._asks.sendall(json.dumps(told).encode() + b"\n")

    def _prepare(self, argv: list[str]) -> str:
        """Import what a trial needs; gives why it cannot be forked, if so."""
        try:
            plan = Plan(Path(argv[-3]).parent)
            header, trial = plan.read(int(argv[-2]), argv[-1])
        except CallsheetError:
            return ""  # its worker says so
        if self._imports is None:
            self._imports = _Imports(header, plan.runs)
        refusal = self._imports.add(trial, argv[-3])
        self._chance.prepare()
        return refusal

    def _fork(self, wanted: dict[str, Any]) -> bool:
        """Fork; gives whether this is the fork."""
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._forks[pid] = int(wanted["argv"][-2]), _open_handle(pid)
            return False
        return True

    def _run(self, wanted: dict[str, Any]) -> int:
        """Be what a new process would be that is started as a worker."""
        os.setsid()
        for _, handle in self._forks.values():
            if handle is not None:
                os.close(handle)
        log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        if wanted["gpus"] is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = wanted["gpus"]
        index, code = int(wanted["argv"][-2]), None
        if self._imports is not None:
            code = self._imports.current_code()
            if code is None:
                self._say(index=index, stale=True)
                return 0
        self._say(index=index, started=os.getpid())
        self._asks.close()
        sys.orig_argv = wanted["argv"]
        sys.argv = [str(worker.__file__), *wanted["argv"][-3:]]
        self._chance.renew()
        return worker.main(wanted["argv"][-3:], code=code)


class _Imports:
    """What is imported for the trials of a plan.

    Args:
        header: What they have in common.
        runs: Where its runs are.
    """

    def __init__(self, header: Header, runs: Path) -> None:
        self._header = header
        self._runs = runs
        self._known: set[str] = set()
        self._code = self._code_now()  # before anything is imported
        sys.path[:0] = [path for path in header.paths if path not in sys.path]
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._refusal = ""

    def add(self, trial: PlannedTrial, where: str) -> str:
        """Import what a trial names.

        What fails is left to the trial, which then fails as in a process of its own.

        Args:
            trial: A trial.
            where: Its plan, for errors.

        Returns:
            Why there can be no forks; "" where they can be.
        """
        new = [name for name in _names(trial, where) if name.text not in self._known]
        if new:
            self._known.update(name.text for name in new)
            for name in new:
                with contextlib.suppress(Exception, SystemExit):
                    _import(name)
            for path in _own_files():
                self._stamps.setdefault(path, _stamp(path))
            self._refusal = _refusal()
            gc.collect()
            gc.freeze()  # what is shared with forks is not written to for being looked through
        return self._refusal

    def current_code(self) -> Code | None:
        """The code of the project now; None where it is not what was imported."""
        code = self._code_now()
        is_same = code.version == self._code.version and all(_stamp(path) == was for path, was in self._stamps.items())
        return code if is_same else None

    def _code_now(self) -> Code:
        header = self._header
        return code_of(Path(header.project), header.configs, self._runs)


def _names(trial: PlannedTrial, where: str) -> Iterator[Name]:
    """What the entry of a trial names: targets, classes of instances, classes and functions."""
    for _, value in walk(at(trial.read_spec(where), trial.entry)):
        found = _raw(value, "__target__") if type(value) in CALLS else value
        if type(found) is Name:
            yield found


def _import(name: Name) -> None:
    """Import what holds an object; of what a config defines, what the config imports at its top."""
    if not name.digest:
        resolve(name)
        return
    with open(name.module, "rb") as file:
        tree = ast.parse(file.read())
    for statement in tree.body:
        modules = []
        if isinstance(statement, ast.Import):
            modules = [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and not statement.level and statement.module:
            modules = [statement.module]
        for module in modules:
            with contextlib.suppress(Exception, SystemExit):
                importlib.import_module(module)


def _refusal() -> str:
    """Why this process cannot be forked as it is now; "" where it can."""
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        return f"what they import has started {_count(len(others), 'thread')}, which no fork has: {', '.join(others)}"
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is not None and cuda.is_initialized():
        return "what they import has begun to use CUDA, which no fork can go on with"
    return _refusal_of_libraries()


def _refusal_of_libraries() -> str:
    """Why the threads that libraries have started by themselves forbid forks.

    OpenBLAS ends its own before a fork and starts them again; those that outlive a fork belong to who does not.
    """
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    try:
        count = len(os.listdir("/proc/self/task")) - 1
    except OSError:
        return ""  # the system does not tell
    if not count:
        return ""
    return f"libraries that they import run {_count(count, 'thread')}, as of a first operation of PyTorch on import"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"


def _own_files() -> Iterator[str]:
    """The files of what is imported, but for Python's own and those of installed packages."""
    installed = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and not path.startswith(installed):
            yield path


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _open_handle(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
