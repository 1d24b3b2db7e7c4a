"""Trials that are forked from a process which has imported what they need; what tells how each of them ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from callsheet.errors import Fault, RunError
from callsheet.run._processes import end_session, has_members, send_signal

_DYING_S = 5.0
"""Seconds that processes which were killed are waited for."""

_UNLUCKY = 3
"""Servers in a row, none of which could start a trial before the code had changed again."""


class Forks:
    """The servers of one submission: one at a time takes trials, those before it end with the last of theirs."""

    def __init__(self) -> None:
        self._servers: list[_Server] = []
        self._unlucky = 0
        self._is_refused = False

    def start(self, argv: Sequence[str], log: Path, gpus: Sequence[str] | None) -> Fork:
        """Ask for a fork that does what a worker of this command would do.

        Args:
            argv: The command of a worker, with plan, index and digest at its end.
            log: Where it writes until it has a run directory.
            gpus: The devices that it sees, as of a `ProcessRequest`.
        """
        wanted = {"argv": list(argv), "log": str(log), "gpus": None if gpus is None else ",".join(gpus)}
        fork = Fork(self, wanted)
        self.place(fork)
        return fork

    def place(self, fork: Fork) -> None:
        """Let the server that takes trials make a fork."""
        server = self._servers[-1] if self._servers else None
        if server is None or not server.takes():
            server = _Server(Path(fork.wanted["argv"][-3]))
            self._servers.append(server)
        server.add(fork)

    def listen(self) -> None:
        """Take in what servers have told.

        Raises:
            RunError: What was imported cannot be forked; the error says why.
        """
        problem = ""
        for server in list(self._servers):
            server.listen()
            if server.has_started:
                self._unlucky = 0
            for fork in server.take_stale():
                self._unlucky += not server.has_started
                if self._unlucky >= _UNLUCKY:
                    problem = "the code of the project changes whenever it is imported"
                    fork.end(None)
                else:
                    self.place(fork)
            problem = problem or server.refusal
            if not server.takes() and not server.forks:
                server.close()
                self._servers.remove(server)
        if problem and not self._is_refused:
            self._is_refused = True
            raise RunError(Fault("", f"trials cannot be forked: {problem}", advice=["run them without  --warm"]))

    def close(self) -> None:
        """Let the servers end."""
        for server in self._servers:
            server.close()
        self._servers = []


class Fork:
    """A process that a server forks: what a parent needs of it, as of its own child.

    Attributes:
        wanted: What the server is asked for.
        server: Whom it was asked for last.
        pid: The process, which begins a session; 0 until it is there.
        since: When it was there, by the monotonic clock.
        code: Its exit code, once that is known; below 0 the signal that ended it.
    """

    def __init__(self, forks: Forks, wanted: dict[str, Any]) -> None:
        self.wanted = wanted
        self.server: _Server | None = None
        self.pid = 0
        self.since: float | None = None
        self.code: int | None = None
        self.is_stale = False
        self.was_refused = False
        self._forks = forks
        self._dead_at: float | None = None

    @property
    def index(self) -> int:
        """The job's."""
        return int(self.wanted["argv"][-2])

    def poll(self) -> int | None:
        """Its exit code, None as long as it has none."""
        self._forks.listen()
        if self._dead_at is not None and has_members(self.pid) and time.monotonic() < self._dead_at + _DYING_S:
            return None
        return self.code

    def signal(self, number: int) -> bool:
        """Send a signal to all its processes, and give whether there are any; one that is not there yet never is."""
        if self.pid:
            return send_signal(self.pid, number)
        if number and self.code is None:
            self.code = -number
        return False

    def handle(self) -> int | None:
        """A descriptor that is readable when something has become of it."""
        return self.server.fileno() if self.server is not None else None

    def begin(self, pid: int) -> None:
        """It is there."""
        if self.code is not None:  # nobody wants it any more
            end_session(pid)
            return
        self.pid, self.since = pid, time.monotonic()

    def end(self, code: int | None) -> None:
        """It has ended, by itself, or was not even begun where there is no code."""
        self.was_refused = code is None
        if self.code is None:
            self.code = 1 if code is None else code

    def lose(self, why: str, code: int) -> None:
        """Its server is gone, so nobody will ever know how it ends: end it."""
        with open(self.wanted["log"], "a", encoding="utf-8") as file:
            file.write(f"callsheet: {why}\n")
        if self.pid:
            self.code, self._dead_at = -signal.SIGKILL, time.monotonic()
            end_session(self.pid)
        else:
            self.end(code)


class _Server:
    """A process that imports and forks, seen from its parent.

    Args:
        plan: The plan whose trials it forks.

    Attributes:
        forks: Those that have not ended, by the indices of their jobs.
        has_started: Whether it has begun any that stood.
        refusal: Why it cannot fork, in words; "" unless it said so.
    """

    def __init__(self, plan: Path) -> None:
        self.forks: dict[int, Fork] = {}
        self.has_started = False
        self.refusal = ""
        self._stale: list[Fork] = []
        self._is_old = False
        self._rest = b""
        self._surroundings = _surroundings()
        self.log = plan.parent / "logs" / "warm.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._socket, theirs = socket.socketpair()
        with theirs, open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "callsheet.run.warm", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        self._socket.setblocking(False)

    def takes(self) -> bool:
        """Whether a trial that it forks now would be what a new process is."""
        return not self._is_old and self._surroundings == _surroundings()

    def fileno(self) -> int | None:
        """What is readable when it has told something."""
        return self._socket.fileno() if self._socket.fileno() >= 0 else None

    def add(self, fork: Fork) -> None:
        """Ask for a fork."""
        fork.server, fork.is_stale = self, False
        fork.pid, fork.since = 0, None
        self.forks[fork.index] = fork
        try:
            self._socket.setblocking(True)
            self._socket.sendall(json.dumps(fork.wanted).encode() + b"\n")
            self._socket.setblocking(False)
        except OSError:
            self._lose()

    def take_stale(self) -> list[Fork]:
        """The forks that found other code than what it had imported, and did nothing; each once."""
        found, self._stale = self._stale, []
        return found

    def listen(self) -> None:
        """Take in what it has told."""
        while self.fileno() is not None:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._lose()
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))

    def _take(self, told: dict[str, Any]) -> None:
        if "refused" in told:
            self.refusal = told["refused"]
            self._is_old = True
            self.forks.pop(told["index"]).end(None)
            return
        fork = self.forks[told["index"]]
        if "started" in told:
            self.has_started = True
            fork.begin(told["started"])
        elif "stale" in told:
            fork.is_stale = self._is_old = True
        else:
            del self.forks[fork.index]
            if fork.is_stale and fork.code is None:
                self._stale.append(fork)
            else:
                fork.end(told["code"])

    def _lose(self) -> None:
        """It is gone, without having been told to."""
        self._end()
        code = self._process.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        for fork in self.forks.values():
            fork.lose(f"the process that imports for all trials {how}; its output: {self.log}", code if code < 0 else 1)
        self.forks = {}

    def close(self) -> None:
        """Let it end; what it has forked goes on, unless nobody wanted it any more before it was there."""
        if self.fileno() is not None and any(not fork.pid for fork in self.forks.values()):
            end_session(self._process.pid)
            self._socket.settimeout(_DYING_S)
            self.listen()  # up to the end: who has begun meanwhile has said so
        self._end()

    def _end(self) -> None:
        self._is_old = True
        self._socket.close()
        try:
            self._process.wait(_DYING_S)
        except subprocess.TimeoutExpired:
            end_session(self._process.pid)
            self._process.wait()


def _surroundings() -> tuple[dict[str, str], str]:
    """What a new process would take over."""
    return dict(os.environ), os.getcwd()
