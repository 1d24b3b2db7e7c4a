"""A trial made ready to be sent: its entry found and checked, its spec resolved and turned into data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from callsheet._encode import to_plan_data
from callsheet._items import CALLS
from callsheet._lazy import get, walk
from callsheet._lineage import origins_of
from callsheet._resolve import resolve
from callsheet._signature_cache import SignatureCache
from callsheet._spec import Mapping
from callsheet._storage import read_bytes
from callsheet._sweep import Sweep, Trial
from callsheet._tree import kind_of
from callsheet.errors import Fault, LoadError, PathError, SaveError, SpecError
from callsheet.run._command import faults_below, identity_of
from callsheet.run._plan import PlannedTrial
from callsheet.run._shape import needs_at
from callsheet.run._trials import experiments_named


def plan_trial(
    trial: Trial, entry: str, configs: Sequence[str] = (), *, cache: SignatureCache | None = None
) -> PlannedTrial:
    """Check a trial and give what its worker needs.

    Args:
        trial: What is planned.
        entry: The path of what is built; "" for `main`, or the whole spec where there is none.
        configs: The files that all trials are known to read.
        cache: What is remembered of signatures, for several trials in a row.

    Raises:
        SpecError: It is faulty.
        SaveError: It holds what is not data.
    """
    path = entry_of(trial.spec, entry)
    check_entry(trial.spec, path, cache)
    resolved = resolve(trial.spec)
    data = sendable(resolved)  # before the hash, which would name what is no data by its place below the entry
    return PlannedTrial(
        index=trial.index,
        entry=path,
        overrides=trial.overrides,
        identity=identity_of(resolved, path),
        spec=data,
        origins=origins_of(trial.spec),
        point=trial.point,
        needs=needs_at(resolved, path).as_data(),
        files={path: digest_of(path) for path in trial.files if path not in configs},
    )


def sendable(spec: Any) -> Any:
    """A spec as data that a worker reads.

    Raises:
        SaveError: It holds live objects; `faults` names each.
    """
    try:
        return to_plan_data(spec)
    except SaveError as error:
        advice = ["callsheet run  builds it here, in one process"]
        raise SaveError(
            *(
                Fault(
                    fault.path,
                    f"cannot be sent to a worker: {fault.problem.partition(': ')[2]}",
                    origin=fault.origin,
                    advice=[*fault.advice, *advice],
                )
                for fault in error.faults
            )
        ) from None


def entry_of(spec: Any, entry: str, file: str = "FILE") -> str:
    """The path of what shall be built: the one asked for, else `main`, else the whole where that is a call.

    Args:
        spec: The whole spec.
        entry: What was asked for, or "".
        file: What an error calls the file of the spec.

    Raises:
        PathError: There is no such path, or nothing was asked for and there is no `main`.
    """
    if entry:
        get(spec, entry)
        return entry
    kind = kind_of(type(spec))
    if type(spec) in CALLS or (kind is not None and kind.family == "fields"):
        return ""
    if not isinstance(spec, Mapping) or "main" not in spec:
        raise PathError(Fault("main", "is not there, and it is what a run builds", advice=_instead(spec, file)))
    return "main"


def _instead(spec: Any, file: str) -> list[str]:
    """What can be done with a spec that has no `main`."""
    experiments = commands_of(spec, file)
    if experiments:
        return experiments
    names = [path for path, value in walk(spec) if type(value) in CALLS and path.isidentifier()]
    return [f"name what to build:  {file}:{names[0]}" if names else "assign a call to it:  main = lazy(fit)(...)"]


def commands_of(spec: Any, file: str) -> list[str]:
    """The commands that run the experiments of a spec, of which there may be none; of many the first."""
    return [f"callsheet {verb} {file}:{name}" for name, verb in [*experiments_named(spec).items()][:_NAMED]]


_NAMED = 5
"""Experiments that an error names."""


def check_entry(spec: Any, path: str, cache: SignatureCache | None = None) -> None:
    """Check what building an entry reaches, by what a cache remembers of signatures.

    Raises:
        SpecError: With every fault.
    """
    faults = faults_below(spec, path, cache)
    if faults:
        raise SpecError(*faults)


def faults_of(faults: Sequence[tuple[int, Fault]], sweep: Sweep, count: int) -> list[Fault]:
    """Each fault once, with the trials that have it where others have not.

    Args:
        faults: Faults, each with the place of the trial that has it.
        sweep: What the trials are of.
        count: How many were checked.
    """
    found: dict[tuple[object, ...], tuple[Fault, list[int]]] = {}
    for n, fault in faults:
        found.setdefault((fault.path, fault.problem, fault.origin, fault.advice), (fault, []))[1].append(n)
    told = []
    for fault, trials in found.values():
        advice = list(fault.advice)
        if len(trials) < count:
            own = " ".join(sweep.choices_of(trials[0]))
            more = f"  and in {len(trials) - 1} more" if len(trials) > 1 else ""
            advice.append(f"in trial {trials[0]}:  {own}{more}")
        told.append(Fault(fault.path, fault.problem, origin=fault.origin, advice=advice))
    return told


def digest_of(path: str) -> str:
    """What tells a file from another one at its place; "" where there is none."""
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()[:16]
    except (OSError, LoadError):
        return ""  # it is gone
