"""The plan of a sweep: one file whose first line says what all trials have in common, then a line for each drawn trial.

A trial's line is written when the trial is first drawn, so that a `random()`
in a config does not change it later. What a worker is told to run it verifies
by a digest of these two lines.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callsheet._decode import decode
from callsheet._storage import unwritable
from callsheet.errors import Fault, RunError
from callsheet.run._planindex import SIZE, Record, head
from callsheet.run._store import GOES_ON, sync, take_lock

FORMAT = 3


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
        overrides: The texts of the sweep, axes unexpanded.
        repeat: How many replicates each trial has; a job's index counts them, trial by trial.
        alone: Whether this is one submission for itself, which finds nothing finished.
    """

    experiment: str
    entry: str
    config: str
    configs: tuple[str, ...]
    project: str
    paths: tuple[str, ...]
    overrides: tuple[str, ...]
    repeat: int = 1
    alone: bool = False
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
        point: Where in a space it was drawn, as data; None of a finite sweep.
        needs: What it says that it needs, by the names of `Needs`.
    """

    index: int
    entry: str
    overrides: tuple[str, ...]
    identity: str
    spec: Any
    origins: dict[str, Any] = field(repr=False)
    files: dict[str, str] = field(default_factory=dict, repr=False)
    point: dict[str, Any] | None = None
    needs: dict[str, Any] = field(default_factory=dict)

    def read_spec(self, where: str) -> Any:
        """The spec, trusted as the plan is."""
        return decode(self.spec, policy=None, where=where)


class Plan:
    """A plan's folder: the trials, where each stands, the files that were read for them, and the runs that tried them.

    `plan.jsonl` has the header's line, then a line for each drawn trial. `plan.index` has a record of fixed size for
    each place of the sweep, by which a trial is found without reading the others; one that is drawn is so from the
    moment its record is there. Both only grow, under a lock.

    Args:
        folder: Where it is.

    Attributes:
        file: Its trials.
        runs: Where its runs are: around it, wherever all of them were moved or are mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "plan.jsonl"
        self.runs = folder.parent.parent
        self._index = folder / "plan.index"
        self._redo = folder / "redo"

    @classmethod
    def of(cls, runs: Path, header: Header, source: str) -> Plan:
        """The plan of an entry, override texts and a digest of what its trials are drawn from; nothing is made."""
        key = json.dumps([header.entry, header.overrides, header.config, header.repeat, source])
        return cls(runs / ".sweeps" / hashlib.sha256(key.encode()).hexdigest()[:12])

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.folder.name

    def add(self, header: Header, trials: Sequence[PlannedTrial]) -> None:
        """Write down trials, and the header where this is a new plan; of a trial what was written first counts.

        Raises:
            RunError: They cannot be written; what was written before stays as it is.
        """
        try:
            self._add(header, trials)
        except OSError as error:
            raise RunError(unwritable(f"the plan {self.file}", error, GOES_ON)) from error

    def _add(self, header: Header, trials: Sequence[PlannedTrial]) -> None:
        (self.folder / "trials").mkdir(parents=True, exist_ok=True)
        lock = take_lock(self.folder / "lock", wait=True)
        assert lock is not None
        try:
            first = self._started(header)
            new = {trial.index: trial for trial in reversed(trials) if not self._is_drawn(trial.index)}
            self._note_files(pair for trial in new.values() for pair in trial.files.items())
            records = self._append(first, [new[index] for index in sorted(new)])
            with open(self._index, "r+b") as file:
                for index, record in records:
                    file.seek(SIZE * (index + 1))
                    file.write(record)
                sync(file)
        finally:
            os.close(lock)

    def _is_drawn(self, index: int) -> bool:
        record = self.record(index)
        return record is not None and self.is_sound(record)

    def _started(self, header: Header) -> bytes:
        """The header's line; both files are begun anew where they do not go together."""
        first = self._header_line()
        with open(self._index, "ab+") as file:
            file.seek(0)
            if first and file.read(SIZE) == head(first):
                return first
        first = json.dumps(vars(header), ensure_ascii=False).encode()
        self._index.write_bytes(b"")
        with open(self.file, "wb") as file:
            file.write(first + b"\n")
            sync(file)
        with open(self._index, "wb") as file:
            file.write(head(first))
            sync(file)
        return first

    def _append(self, first: bytes, trials: Sequence[PlannedTrial]) -> list[tuple[int, bytes]]:
        records = []
        with open(self.file, "ab") as file:
            file.write(b"\n")  # ends what a killed writer left half
            for trial in trials:
                line = json.dumps(vars(trial), ensure_ascii=False).encode()
                records.append(
                    (trial.index, Record(file.tell(), len(line), _digest(first, line), key_of(trial)).pack())
                )
                file.write(line + b"\n")
            sync(file)
        return records

    def digest_of(self, header: Header, trial: PlannedTrial) -> str:
        """What the digest of a trial is, or will be once it is written down."""
        first = self._header_line() or json.dumps(vars(header), ensure_ascii=False).encode()
        return _digest(first, json.dumps(vars(trial), ensure_ascii=False).encode()).hex()

    def header(self) -> Header:
        """What all its trials have in common.

        Raises:
            RunError: There is no such plan, or its file is damaged.
        """
        try:
            header = _read_header(self._header_line())
        except (ValueError, TypeError, KeyError):
            raise RunError(Fault("", f"there is no plan {self.file}, or it is damaged")) from None
        return header

    def _header_line(self) -> bytes:
        try:
            with open(self.file, "rb") as file:
                line = file.readline()
        except FileNotFoundError:
            return b""
        return line[:-1] if line.endswith(b"\n") else b""

    def record(self, index: int) -> Record | None:
        """Where a trial stands; None where it is not drawn."""
        try:
            with open(self._index, "rb") as file:
                file.seek(SIZE * (index + 1))
                return Record.unpack(file.read(SIZE))
        except FileNotFoundError:
            return None

    def records(self) -> Iterator[tuple[int, Record]]:
        """The drawn trials in order, by their indices."""
        try:
            file = open(self._index, "rb")  # noqa: SIM115  (closed below)
        except FileNotFoundError:
            return
        with file:
            at = SIZE
            while True:
                at = max(at, _after_hole(file, at) // SIZE * SIZE)
                file.seek(at)
                block = file.read(SIZE * 4096)
                for start in range(0, len(block), SIZE):
                    record = Record.unpack(block[start : start + SIZE])
                    if record is not None:
                        yield (at + start) // SIZE - 1, record
                if len(block) < SIZE * 4096:
                    return
                at += len(block)

    def read(self, index: int, digest: str) -> tuple[Header, PlannedTrial]:
        """The header and a trial, whose digest must be the one that was given.

        Args:
            index: The trial's, or that of one of its replicates.
            digest: What the trial's record says.

        Raises:
            RunError: There is no such plan or trial, or the file is not what it was.
        """
        first = self._header_line()
        changed = RunError(
            Fault(
                "",
                f"trial {index} of {self.file} is not what was submitted",
                advice=["submit it again: the plan was changed"],
            )
        )
        try:
            header = _read_header(first)
            record = self.record(index // header.repeat)
        except (ValueError, TypeError, KeyError):
            header, record = None, None
            if first:
                raise changed from None
        if record is None or header is None:
            raise RunError(Fault("", f"the plan {self.file} has no trial {index}"))
        line = self._line(record)
        if _digest(first, line).hex() != digest:
            raise changed
        return header, _read(PlannedTrial, line)

    def trial(self, index: int) -> PlannedTrial | None:
        """A trial as it was drawn; None where it is not, or its line is damaged."""
        record = self.record(index)
        return _read(PlannedTrial, self._line(record)) if record is not None and self.is_sound(record) else None

    def is_sound(self, record: Record) -> bool:
        """Whether the header and a trial's line are what they were when it was drawn."""
        return _digest(self._header_line(), self._line(record)) == record.digest

    def _line(self, record: Record) -> bytes:
        with open(self.file, "rb") as file:
            file.seek(record.start)
            return file.read(record.length)

    def files(self) -> set[tuple[str, str]]:
        """What was read for the trials beside the configs: each file with the digest that it had."""
        try:
            lines = (self.folder / "files.jsonl").read_bytes().split(b"\n")
        except FileNotFoundError:
            return set()
        found = set()
        for line in lines:
            try:
                path, digest = json.loads(line)
            except (ValueError, TypeError):
                continue  # what a killed writer left half: no trial of it was drawn
            found.add((path, digest))
        return found

    def _note_files(self, pairs: Iterable[tuple[str, str]]) -> None:
        new = set(pairs) - self.files()
        if new:
            with open(self.folder / "files.jsonl", "ab") as file:
                file.writelines(b"\n" + json.dumps(pair).encode() for pair in sorted(new))
                file.write(b"\n")
                sync(file)

    def run_of(self, index: int, *, redo: str = "") -> str | None:
        """The id of the run that tried a trial last, since it was last to be run again.

        Args:
            index: The job's index.
            redo: The token of a redo; what was tried before it does not count either.
        """
        noted = self._noted(index)
        if not noted or noted[-1].startswith("redo ") or (redo and f"redo {redo}" not in noted):
            return None
        return noted[-1]

    def begin_redo(self) -> str:
        """The token of the redo that goes on here, a new one where none does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with open(self._redo, "x", encoding="utf-8") as file:
                file.write(os.urandom(6).hex() + "\n")
        except FileExistsError:
            pass
        return self._redo.read_text(encoding="utf-8").strip() or "again"

    def end_redo(self) -> None:
        """Let a later redo begin anew."""
        self._redo.unlink(missing_ok=True)

    def redo(self, index: int, token: str) -> None:
        """Let what has tried a trial before not count any more; once for each token."""
        if f"redo {token}" not in self._noted(index):
            self._note(index, f"redo {token}")

    def is_redone(self, index: int) -> bool:
        """Whether a trial is run again in the redo that goes on."""
        try:
            token = self._redo.read_text(encoding="utf-8").strip()
        except OSError:
            return False
        return f"redo {token or 'again'}" in self._noted(index)

    def note_run(self, index: int, run_id: str) -> None:
        """Say which run tries a trial now; called by whoever holds the trial's lock."""
        self._note(index, run_id)

    def _noted(self, index: int) -> list[str]:
        try:
            text = (self.folder / "trials" / str(index)).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line for line in text.split("\n")[:-1] if line]

    def _note(self, index: int, line: str) -> None:
        with open(self.folder / "trials" / str(index), "a", encoding="utf-8") as file:
            file.write(("\n" if file.tell() else "") + line + "\n")  # also after what a killed writer left half

    def lock_path(self, index: int) -> Path:
        """The file whose lock says that some process runs the trial."""
        return self.folder / "trials" / f"{index}.lock"


def key_of(trial: PlannedTrial | str) -> bytes:
    """What stands for an identity where many are compared: 16 bytes."""
    identity = trial if isinstance(trial, str) else trial.identity
    return hashlib.sha256(identity.encode()).digest()[:16]


def _digest(header: bytes, line: bytes) -> bytes:
    return hashlib.sha256(header + b"\n" + line).digest()[:16]


def _after_hole(file: Any, at: int) -> int:
    """Where a file has data again, from a place on; the place itself where nobody can tell."""
    try:
        return os.lseek(file.fileno(), at, os.SEEK_DATA)
    except (OSError, AttributeError):
        return at


def _read_header(line: bytes) -> Header:
    data = json.loads(line)
    data.pop("runs", None)  # in plans of format 2: where they were then
    header: Header = _made(Header, data)
    return header


def _read(cls: type[Any], line: bytes) -> Any:
    return _made(cls, json.loads(line))


def _made(cls: type[Any], data: dict[str, Any]) -> Any:
    return cls(
        **{key: tuple(value) if isinstance(value, list) and key != "spec" else value for key, value in data.items()}
    )
