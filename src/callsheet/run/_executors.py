"""Executors by name: those that packages bring, and profiles of the project; each is a spec like any other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from callsheet._build import build
from callsheet._check import check
from callsheet._lazy import lazy
from callsheet._project import project_settings
from callsheet._said import parse_all
from callsheet._spec import attach
from callsheet._variants import apply_beside
from callsheet.errors import ArgumentError, Fault, RunError, nearest
from callsheet.run._job import Executor

GROUP = "callsheet.executors"
"""The entry points by which packages bring executors, those of this package among them."""


def executor_spec(words: Sequence[str], fields: Mapping[str, Any]) -> tuple[str, Any]:
    """What `--on` names, as a spec.

    Args:
        words: `cluster`, the name of a profile or an executor; `cluster.timeout_min=60`, which also names it.
        fields: What other options say of it; None says nothing.

    Returns:
        The name, and the call that makes the executor.

    Raises:
        RunError: There is none of that name, or several are named.
        ArgumentError: It has no such field.
        OverrideError: It has no such field, or that takes no such value.
    """
    said = [word for word in words if "=" in word]
    names = dict.fromkeys(word.partition("=")[0].partition(".")[0] for word in words)
    if len(names) > 1:
        raise RunError(Fault("--on", f"names {len(names)} executors: {', '.join(names)}", advice=["one at a time"]))
    (name,) = names or ("process",)
    spec: Any = attach({name: _described(name, {key: value for key, value in fields.items() if value is not None})})
    apply_beside(spec, parse_all(said), where="--on")
    return name, spec[name]


def executor_of(spec: Any) -> Executor:
    """The executor that a spec describes.

    Raises:
        SpecError: Its fields are wrong.
        RunError: They cannot be had together.
    """
    check(spec)
    try:
        executor: Executor = build(spec)
    except ValueError as error:
        raise RunError(Fault("--on", str(error))) from None
    return executor


def names() -> list[str]:
    """What `--on` can name: the profiles of the project, then what packages bring."""
    return [*dict.fromkeys([*project_settings().executors, *_kinds()])]


def _described(name: str, fields: Mapping[str, Any]) -> Any:
    settings, kinds = project_settings(), _kinds()
    profile = settings.executors.get(name)
    if profile is None:
        if name not in kinds:
            raise _unknown(name, names())
        return lazy(kinds[name].load())(**fields)
    where = f"[tool.callsheet.executors.{name}]"
    kind = str(profile.get("on", ""))
    if kind not in kinds:
        raise _unknown(kind, kinds, where)
    try:
        return lazy(kinds[kind].load())(**{key: value for key, value in {**profile, **fields}.items() if key != "on"})
    except ArgumentError as error:
        told = (Fault(f"{name}.{f.path}", f.problem, origin=where, advice=f.advice) for f in error.faults)
        raise ArgumentError(*told) from None


def _kinds() -> dict[str, Any]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def _unknown(name: str, known: Iterable[str], where: str = "") -> RunError:
    close = nearest(name, list(known))
    advice = [f"did you mean  {close[0]}?"] if close else []
    problem = f"there is no executor {name!r}" if name else 'says not which executor it is:  on = "slurm"'
    return RunError(Fault("--on", problem, origin=where, advice=[*advice, f"there are  {', '.join(known)}"]))
