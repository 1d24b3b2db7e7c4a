"""Executors by name: those that packages bring, and profiles of the project; each is a spec like any other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from inspect import signature
from typing import Any

from callsheet._build import build
from callsheet._check import check
from callsheet._grammar import Override
from callsheet._lazy import lazy
from callsheet._project import project_settings
from callsheet._said import parse_all
from callsheet._spec import attach
from callsheet._variants import apply_beside
from callsheet.errors import Fault, RunError, nearest
from callsheet.run._job import Executor

GROUP = "callsheet.executors"
"""The entry points by which packages bring executors, those of this package among them."""


def executor_spec(words: Sequence[str], fields: Mapping[str, Any], *, by: str = "--on") -> tuple[str, Any]:
    """What `--on` names, as a spec.

    Args:
        words: `cluster`, the name of a profile or an executor; `cluster.timeout_min=60`, which also names it.
        fields: What other options say of it; None says nothing.
        by: What names it: `--on`, in Python `on`.

    Returns:
        The name, and the call that makes the executor.

    Raises:
        RunError: There is none of that name, or several are named; or it has nothing that an option says.
        OverrideError: It has no such field, or that takes no such value.
    """
    names = dict.fromkeys(word.partition("=")[0].partition(".")[0] for word in words)
    if len(names) > 1:
        raise RunError(Fault(by, f"names {len(names)} executors: {', '.join(names)}", advice=["one at a time"]))
    (name,) = names or ("process",)
    kind, profile = _described(name, by)
    _refuse_options(kind, name, [field for field, value in fields.items() if value is not None])
    spec: Any = attach({name: lazy(kind)()})
    apply_beside(spec, _said(name, profile), where=f"[tool.callsheet.executors.{name}]")
    apply_beside(spec, _said(name, {key: value for key, value in fields.items() if value is not None}), where="option")
    apply_beside(spec, parse_all([word for word in words if "=" in word]), where=by)
    return name, spec[name]


def _said(name: str, fields: Mapping[str, Any]) -> list[Override]:
    return parse_all([f"{name}.{field}={json.dumps(value)}" for field, value in fields.items()])


def executor_of(spec: Any, *, by: str = "--on") -> Executor:
    """The executor that a spec describes.

    Args:
        spec: The call that makes it.
        by: What names it: `--on`, in Python `on`.

    Raises:
        SpecError: Its fields are wrong.
        RunError: They cannot be had together.
    """
    check(spec)
    try:
        executor: Executor = build(spec)
    except ValueError as error:
        raise RunError(Fault(by, str(error))) from None
    return executor


def names() -> list[str]:
    """What `--on` can name: the profiles of the project, then what packages bring."""
    return [*dict.fromkeys([*project_settings().executors, *_kinds()])]


_OPTIONS = {"memory_gb": "memory", "timeout_min": "timeout"}
"""Options that are called otherwise than the fields that they say."""


def _refuse_options(kind: Any, name: str, fields: Sequence[str]) -> None:
    """Refuse an option that says a field which an executor has not."""
    for field in fields:
        if field not in signature(kind).parameters:
            problem = f"is for processes of this machine, and {name} has no {field}: it is {kind.__qualname__}"
            raise RunError(Fault(f"--{_OPTIONS.get(field, field)}", problem, advice=["--on process"]))


def _described(name: str, by: str) -> tuple[Any, dict[str, Any]]:
    """The class of an executor, and the fields that its profile has."""
    profile, kinds = project_settings().executors.get(name), _kinds()
    kind = name if profile is None else str(profile.get("on", ""))
    if kind not in kinds:
        where = "" if profile is None else f"[tool.callsheet.executors.{name}]"
        raise _unknown(kind, names() if profile is None else kinds, where, by)
    return kinds[kind].load(), {field: value for field, value in (profile or {}).items() if field != "on"}


def _kinds() -> dict[str, Any]:
    from importlib.metadata import entry_points  # slow to import, and needed where an executor is named

    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def _unknown(name: str, known: Iterable[str], where: str, by: str) -> RunError:
    close = nearest(name, list(known))
    advice = [f"did you mean  {close[0]}?"] if close else []
    problem = f"there is no executor {name!r}" if name else 'says not which executor it is:  on = "slurm"'
    return RunError(Fault(by, problem, origin=where, advice=[*advice, f"there are  {', '.join(known)}"]))
