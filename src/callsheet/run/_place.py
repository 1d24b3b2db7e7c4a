"""Where an experiment belongs, what its trials are drawn from, and which plan that makes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from callsheet._configfile import read_source, show_file
from callsheet._equal import hash_of
from callsheet._files import config_files
from callsheet._project import home_of
from callsheet._storage import full_path, is_remote, read_bytes
from callsheet._sweep import Sweep
from callsheet.errors import Fault, RunError
from callsheet.run._command import experiment_of
from callsheet.run._plan import Header, Plan
from callsheet.run._trial import digest_of, entry_of, sendable


@dataclass(frozen=True)
class Place:
    """Where an experiment belongs.

    Attributes:
        project: The project's root.
        runs: The directory of the runs.
        experiment: The name under which they are numbered.
        config: The config file, absolute, or "".
        paths: Folders that workers put first on `sys.path`.
    """

    project: Path
    runs: Path
    experiment: str
    config: str = ""
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: str = "", *, runs: str | None = None, paths: Sequence[str] = ()) -> Place:
        """The place of a config file, or of the working directory where there is none.

        Raises:
            RunError: Runs cannot be there.
        """
        project = Path(home_of(config))
        stem = Path(config).stem if config else "python"
        directory = Path(runs).absolute() if runs else project / "runs"
        if directory.exists() and not directory.is_dir():
            advice = ["--runs DIR  keeps runs elsewhere"]
            raise RunError(Fault("", f"runs cannot be kept in {directory}: it is a file", advice=advice))
        return cls(project, directory, stem, full_path(config) if config else "", (*paths, str(project)))

    def named_by(self, trials: Sweep, entry: str) -> Place:
        """The same, named as the experiment at an entry says, where it does."""
        if trials.is_space:
            return self
        spec, file = trials.trial(0).spec, show_file(self.config) if self.config else "FILE"
        return replace(self, experiment=experiment_of(spec, entry_of(spec, entry, file), self.experiment))

    def configs(self) -> tuple[str, ...]:
        """The config file and those that it takes from."""
        return tuple(config_files(self.config)) if self.config else ()


class Source:
    """What the trials of a sweep are drawn from, as it was when it was first looked at.

    Args:
        sweep: The sweep.
        configs: The config file and those that it takes from.
        salt: What keeps the trials apart from those of the same sweep.

    Attributes:
        configs: As they were given.
        digest: Of what the trials are drawn from.
    """

    def __init__(self, sweep: Sweep, configs: tuple[str, ...], salt: bytes) -> None:
        self.configs = configs
        self._sweep = sweep
        self._salt = salt
        self._stamps = _stamps_of(configs)
        self.digest = self._digest()

    def refuse_changed(self) -> None:
        """Stop where trials would no longer be of the config with which the sweep began.

        Raises:
            RunError: A config was changed.
        """
        stamps = _stamps_of(self.configs)
        if stamps == self._stamps:
            return
        if self._digest() != self.digest:
            changed = [path for path in self.configs if stamps.get(path) != self._stamps.get(path)]
            problem = (
                f"{', '.join(map(show_file, changed))} was changed while the sweep ran: what was not drawn is left"
            )
            raise RunError(Fault("", problem, advice=["the same command goes on, with what the files say then"]))
        self._stamps = stamps

    def _digest(self) -> str:
        source = hashlib.sha256()
        for path in self.configs:
            source.update(read_source(path).encode() if path.endswith(".py") else read_bytes(path))
        if not self.configs:
            sendable(self._sweep.source)
            source.update(hash_of(self._sweep.source).encode())
        if self._sweep.is_space:
            source.update(b"drawn")  # numbers mean other trials than in the finite sweep of the same texts
        source.update(self._salt)
        return source.hexdigest()


def _stamps_of(configs: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """For each local file what changes with its content."""
    found: dict[str, tuple[int, ...]] = {}
    for path in configs:
        if not is_remote(path):
            try:
                stat = os.stat(path)
            except FileNotFoundError:
                continue
            found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def current_plan(place: Place, header: Header, source: str) -> Plan:
    """The plan of these configs for which every other file that its trials have read is what it was then."""
    while True:
        plan = Plan.of(place.runs, header, source)
        read = sorted(plan.files())
        now = [(path, digest_of(path)) for path, _ in read]
        if now == read:
            return plan
        source = hashlib.sha256(json.dumps([source, now]).encode()).hexdigest()
