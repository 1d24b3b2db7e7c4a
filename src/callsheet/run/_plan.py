"""The plan of a sweep: one file whose first line says what all trials have in common, then a line for each drawn trial.

A trial's line is written when the trial is first drawn, so that a `random()`
in a config does not change it later. What a worker is told to run it verifies
by a digest of these two lines.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from callsheet._decode import decode
from callsheet.errors import Fault, RunError
from callsheet.run._store import take_lock

FORMAT = 1


@dataclass(frozen=True)
class Header:
    """What all trials of a plan have in common.

    Attributes:
        experiment: The name under which runs are numbered.
        entry: The path of what is built, as it was asked for; "" for `main`.
        config: The config file, or "".
        configs: All config files that it takes from, absolute.
        project: The project's root.
        paths: Folders that a worker puts first on `sys.path`.
        runs: The directory of the runs.
        overrides: The texts of the sweep, axes unexpanded.
    """

    experiment: str
    entry: str
    config: str
    configs: tuple[str, ...]
    project: str
    paths: tuple[str, ...]
    runs: str
    overrides: tuple[str, ...]
    format: int = FORMAT


@dataclass(frozen=True)
class PlannedTrial:
    """One trial, drawn.

    Attributes:
        index: Its place in the sweep.
        entry: The path of what is built; "" for the whole spec.
        overrides: The texts that made it.
        identity: The hash of what its entry reaches.
        spec: The whole resolved spec, as data.
        origins: Where each value came from.
        files: Files that were read for it beside the configs, with the digest of each.
    """

    index: int
    entry: str
    overrides: tuple[str, ...]
    identity: str
    spec: Any
    origins: dict[str, Any] = field(repr=False)
    files: dict[str, str] = field(default_factory=dict, repr=False)

    def read_spec(self, where: str) -> Any:
        """The spec, trusted as the plan is."""
        return decode(self.spec, policy=None, where=where)


class Plan:
    """A plan's folder: `plan.jsonl`, and for each trial the runs that tried it.

    Args:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "plan.jsonl"

    @classmethod
    def of(cls, runs: Path, header: Header, source: str) -> Plan:
        """The plan of an entry, override texts and a digest of what its trials are drawn from; nothing is made."""
        key = json.dumps([header.entry, header.overrides, header.config, source])
        return cls(runs / ".sweeps" / hashlib.sha256(key.encode()).hexdigest()[:12])

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    def lines(self) -> tuple[bytes, dict[int, bytes]]:
        """The header's line, and the lines of the drawn trials by index; what a killed writer left half is no line."""
        try:
            header, *rest = self.file.read_bytes().split(b"\n")[:-1] or [b""]
        except FileNotFoundError:
            return b"", {}
        found: dict[int, bytes] = {}
        for line in rest:
            try:
                found.setdefault(json.loads(line)["index"], line)
            except (ValueError, KeyError, TypeError):
                continue
        return header, found

    def drawn(self) -> dict[int, PlannedTrial]:
        """The drawn trials by index."""
        return {index: _read(PlannedTrial, line) for index, line in self.lines()[1].items()}

    def add(self, header: Header, trials: Sequence[PlannedTrial]) -> None:
        """Write the lines of trials, and the header's where this is a new plan; of an index the first line counts."""
        (self.folder / "trials").mkdir(parents=True, exist_ok=True)
        lock = take_lock(self.folder / "lock", wait=True)
        assert lock is not None
        try:
            raw = self.file.read_bytes() if self.file.exists() else b""
            lines = [] if b"\n" in raw else [asdict(header)]
            lines += [asdict(trial) for trial in trials]
            with open(self.file, "ab" if b"\n" in raw else "wb") as file:
                file.write(b"" if raw.endswith(b"\n") or b"\n" not in raw else b"\n")
                file.writelines(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
        finally:
            os.close(lock)

    def digests(self) -> dict[int, str]:
        """For each drawn trial what a worker compares with what it reads."""
        header, lines = self.lines()
        return {index: _digest(header, line) for index, line in lines.items()}

    def read(self, index: int, digest: str) -> tuple[Header, PlannedTrial]:
        """The header and a trial, whose digest must be the one that was given.

        Raises:
            RunError: There is no such plan or trial, or the file is not what it was.
        """
        header, lines = self.lines()
        line = lines.get(index)
        if line is None:
            raise RunError(Fault("", f"the plan {self.file} has no trial {index}"))
        if _digest(header, line) != digest:
            raise RunError(
                Fault(
                    "",
                    f"trial {index} of {self.file} is not what was submitted",
                    advice=["submit it again: the plan was changed"],
                )
            )
        return _read(Header, header), _read(PlannedTrial, line)

    def run_of(self, index: int) -> str | None:
        """The id of the run that tried a trial last."""
        try:
            return (self.folder / "trials" / str(index)).read_text(encoding="utf-8").split("\n")[-2]
        except (FileNotFoundError, IndexError):
            return None

    def note_run(self, index: int, run_id: str) -> None:
        """Say which run tries a trial now; called by whoever holds the trial's lock."""
        with open(self.folder / "trials" / str(index), "a", encoding="utf-8") as file:
            file.write(run_id + "\n")

    def lock_path(self, index: int) -> Path:
        """The file whose lock says that some process runs the trial."""
        return self.folder / "trials" / f"{index}.lock"


def _digest(header: bytes, line: bytes) -> str:
    return hashlib.sha256(header + b"\n" + line).hexdigest()[:32]


def _read(cls: type[Any], line: bytes) -> Any:
    data = json.loads(line)
    return cls(
        **{key: tuple(value) if isinstance(value, list) and key != "spec" else value for key, value in data.items()}
    )
