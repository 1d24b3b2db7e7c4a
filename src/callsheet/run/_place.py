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
        """The place of a config file, or of the working directory where there is none."""
        project = Path(home_of(config))
        stem = Path(config).stem if config else "python"
        directory = Path(runs).absolute() if runs else project / "runs"
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


def source_of(sweep: Sweep, configs: Sequence[str], salt: bytes) -> str:
    """A digest of what the trials are drawn from."""
    source = hashlib.sha256()
    for path in configs:
        source.update(read_source(path).encode() if path.endswith(".py") else read_bytes(path))
    if not configs:
        sendable(sweep.source)
        source.update(hash_of(sweep.source).encode())
    if sweep.is_space:
        source.update(b"drawn")  # numbers mean other trials than in the finite sweep of the same texts
    source.update(salt)
    return source.hexdigest()


def stamps_of(configs: Sequence[str]) -> dict[str, tuple[int, ...]]:
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
