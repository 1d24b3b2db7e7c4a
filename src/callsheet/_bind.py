"""References bound to the root and the place where they stand, resolvers to the functions that answer."""

from __future__ import annotations

from ._configfile import show_file
from ._levels import Survey, container_of, origin_at, path_of
from ._path import format_path
from ._project import project_settings
from ._read import unknown_resolver
from ._target import parse_name, resolve
from ._tree import kind_of, walk
from ._written import Asked, inside
from .errors import CallsheetError, Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._ref import Ref


def bind_all(
    spec: Any,
    *,
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    error: type[CallsheetError] = LoadError,
) -> None:
    """Bind the references of a spec that are bound to nothing yet.

    Args:
        spec: Where absolute paths start, and what is looked through.
        resolvers: The functions that `${name:...}` can ask; with None, names that are not known may stay so.
        error: What is raised.

    Raises:
        CallsheetError: A relative reference stands in what is held at two places where it would mean two things, or
            a resolver is not known. `faults` has each.
    """
    survey = Survey(spec)
    faults = [fault for fault, _ in survey.clashes()]
    places: dict[int, tuple[Any, ...]] = {}
    for ref, level in survey.refs:
        _set(ref, "__held__", True)
        for part in inside(ref):
            if part.__root__ is None:
                _set(part, "__root__", container_of(level, part.__dots__) if part.__dots__ else spec)
            elif part.__root__ is not spec and not part.__dots__ and type(part.__base__) is tuple:
                places = places or {id(x): steps for steps, x in walk(spec) if kind_of(type(x)) is not None}
                _start_here(part, spec, places)
            base = part.__base__
            if type(base) is Asked and base.function is None and base.name != "env" and resolvers is not None:
                base.function = resolvers.get(base.name) or _of_project(base.name)
                if base.function is None:
                    fault = unknown_resolver(base.name, {**project_settings().resolvers, **resolvers})
                    where = format_path(path_of(level))
                    faults.append(Fault(where, fault.problem, origin=origin_at(level), advice=fault.advice))
    if faults:
        raise error(*faults)


def _start_here(part: Ref, spec: Any, places: Mapping[int, tuple[Any, ...]]) -> None:
    """Let a reference of a file that stands in a spec by now start in the spec: that is how it reads there."""
    steps = places.get(id(part.__root__))
    if steps is not None:
        _set(part, "__base__", (*steps, *part.__base__))
        _set(part, "__root__", spec)


def _of_project(name: str) -> Callable[..., Any] | None:
    """The function that the project's `pyproject.toml` names for a resolver, imported when it is first asked."""
    project = project_settings()
    if name not in project.resolvers:
        return None
    function = parse_name(project.resolvers[name], where=show_file(project.file))
    return lambda *args: resolve(function)(*args)


def bind_new(value: Any, root: Any) -> bool:
    """Bind the absolute references of a value that will be put into a spec; give whether it has relative ones too."""
    if kind_of(type(value)) is None:
        return False
    relative = False
    for ref, _ in Survey(value).refs:
        for part in inside(ref):
            if part.__root__ is None and part.__dots__:
                relative = True
            elif part.__root__ is None:
                _set(part, "__root__", root)
    return relative


def loosen(ref: Ref) -> None:
    """Take a relative reference off the place where it was bound, so that `bind_all` binds it where it stands."""
    for part in inside(ref):
        if part.__dots__:
            _set(part, "__root__", None)


def unbind(ref: Ref) -> None:
    """Take a reference off the root that it was bound to."""
    for part in inside(ref):
        _set(part, "__root__", None)


_set = object.__setattr__
