"""What `glob` chooses from: the choices that a type declares, else the files that are variants of a path."""

from __future__ import annotations

import os

from ._alternatives import Choice, Glob
from ._datafile import SUFFIXES
from ._files import load_said
from ._override import declared_for
from ._storage import full_path, is_remote
from ._swap import Surroundings, candidates
from ._word import Word, typed, write_value
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._grammar import Override
    from ._hint import Form
    from ._trust import Policy


def without_globs(overrides: Sequence[Override], source: Any, *, where: str, policy: Policy | None) -> list[Override]:
    """The overrides with each `glob` as the choice that it comes to.

    Args:
        overrides: As they were said.
        source: The spec, or the path of its file.
        where: Who said them.
        policy: What data may import.

    Raises:
        OverrideError: Nothing fits, or there is nothing to choose from.
    """
    if not any(isinstance(said.sweep, Glob) for said in overrides):
        return list(overrides)
    spec, folder = source, ""
    if isinstance(source, str):
        spec = load_said(source, [said for said in overrides if not said.is_sweep], where=where, policy=policy)
        folder = "" if is_remote(source) else os.path.dirname(full_path(source))
    return [_chosen(said, spec, folder, where) if isinstance(said.sweep, Glob) else said for said in overrides]


def _chosen(said: Override, spec: Any, folder: str, where: str) -> Override:
    glob = said.sweep
    assert isinstance(glob, Glob)
    known = _declared(declared_for(spec, said, where))
    if not known:
        around = Surroundings(dict, folder, lambda path: path, (".py", *SUFFIXES))
        known = {name: Word(f"@{name}") for name in candidates(said, around)}
    names = glob.chosen(list(known))
    if not names:
        problem = "glob chooses from nothing here" if not known else f"glob fits none of {', '.join(known)}"
        advice = ["it knows the values of Literal, Enum and bool, and the files in the folder of the path"]
        raise OverrideError(Fault(said.path, problem, origin=where, advice=advice if not known else []))
    values = [known[name] for name in names]
    return said.like(choices=values, _texts=[*map(write_value, values)], sweep=Choice(values, glob.tags))


def _declared(form: Form) -> dict[str, Any]:
    """The values that a type lists, by the text that stands for each."""
    if form.kind == "union":
        return {name: value for part in form.parts for name, value in _declared(part).items()}
    if form.kind == "literal":
        return {str(value): _word(value) for value in form.of}
    if form.kind != "class":
        return {}
    if form.of is bool:
        return {"true": True, "false": False}
    return {name: Word(name) for name in getattr(form.of, "__members__", ())}


def _word(value: Any) -> Any:
    """A text as one would type it: without quotes where it stays a text."""
    plain = isinstance(value, str) and value.replace("-", "_").isidentifier() and isinstance(typed(value), str)
    return Word(value) if plain else getattr(value, "name", value)
