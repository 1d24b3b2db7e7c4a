"""Where an engine keeps its data: a folder of its own, and ports of its own on loopback."""

import contextlib
import fcntl
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class EngineError(Exception):
    """An engine could not be installed, started or reached; the text says why, with the end of its log."""


def engines_folder() -> Path:
    """Where running engines have their data: `CALLSHEET_ENGINES`, or a folder among the system's temporary files."""
    return Path(os.environ.get("CALLSHEET_ENGINES") or Path(tempfile.gettempdir(), "callsheet-engines")).absolute()


def cache_folder() -> Path:
    """Where is kept what takes long to make: `CALLSHEET_ENGINES_CACHE`, or a folder of the user's cache."""
    named = os.environ.get("CALLSHEET_ENGINES_CACHE")
    return Path(named or Path.home() / ".cache" / "callsheet-engines").absolute()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time: the others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Place:
    """The folder of one engine, and what is remembered there."""

    folder: Path
    first_port: int

    def path(self, *parts: str) -> Path:
        """A file of this engine; the folder that it lies in is there afterwards."""
        found = self.folder.joinpath(*parts)
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def made(self, *parts: str) -> Path:
        """A folder of this engine, which is there afterwards."""
        found = self.folder.joinpath(*parts)
        found.mkdir(parents=True, exist_ok=True)
        return found

    def write(self, name: str, text: str, mode: int = 0o644) -> Path:
        """Write a file of this engine, with the mode that it is to have."""
        path = self.path(name)
        path.write_text(text)
        path.chmod(mode)
        return path

    def port(self, use: str) -> int:
        """The port for a use, the same at each start: the next free one of this engine, when first asked for."""
        path = self.path("ports.json")
        ports: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        if use not in ports:
            ports[use] = next(port for port in range(self.first_port, 32_000) if _free(port, {*ports.values()}))
            path.write_text(json.dumps(ports, indent=1))
        return ports[use]


def _free(port: int, taken: set[int]) -> bool:
    """Whether nobody listens on a port, on any address."""
    if port in taken:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def tell(folder: Path, name: str, reached: dict[str, Any] | None) -> None:
    """Write into `engines.json` how an engine is reached; None: it is no longer there."""
    path = folder / "engines.json"
    with locked(folder / "engines.lock"):
        told = json.loads(path.read_text()) if path.exists() else {}
        told.pop(name, None)
        if reached is not None:
            told[name] = reached
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(told, indent=1) + "\n")
        fresh.replace(path)
