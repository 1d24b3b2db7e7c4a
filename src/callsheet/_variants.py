"""Overrides of a spec that is loaded already, with the variants that lie beside the file it was loaded from."""

from __future__ import annotations

import os

from ._datafile import SUFFIXES, DataFile, load_data
from ._impose import Imposer, numbered, raise_all
from ._items import CALLS, LISTS, MAPPINGS
from ._override import apply_all
from ._running import READ
from ._session import Session
from ._spec import attach
from ._storage import is_remote
from ._swap import Surroundings, names_of, variant_word
from ._trust import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._grammar import Override
    from ._journal import Journal
    from .errors import CallsheetError

_raw = object.__getattribute__


def apply_beside(
    spec: Any,
    overrides: Sequence[Override],
    *,
    where: str,
    kinds: dict[str, str] | None = None,
    journal: Journal | None = None,
) -> Any:
    """Apply overrides in place, where nothing frozen holds what they change.

    Args:
        spec: Whatever their paths start in; where it was loaded from a file, variants are looked for beside that.
        overrides: Each of one value.
        where: Who said them.
        kinds: The kind of origin of an override, by its text, where it is not "override".
        journal: Gets notes of what is changed.

    Returns:
        The spec; another one where it is frozen and what it holds has changed.

    Raises:
        OverrideError: With a fault for each that does not fit.
        LoadError: The file of a variant cannot be read.
    """
    kinds = kinds or {}
    if not kinds and not any(map(variant_word, overrides)):
        return apply_all(spec, overrides, where=where, journal=journal)
    said, imposer = numbered(overrides), Imposer(where, kinds, journal)
    around = _beside(spec, said, imposer)
    errors: list[CallsheetError] = []
    for one in said:
        spec, found = imposer.impose(spec, one, around)
        errors += found
    raise_all(errors)
    return spec


def _beside(spec: Any, overrides: list[Override], imposer: Imposer) -> Surroundings:
    """What the words of overrides can name: the spec's first level, and the files beside its own."""
    names = names_of(spec)
    file, policy = _file_of(spec)
    found: dict[str, Any] = {}

    def read(path: str) -> Any:
        if path not in found:
            found[path] = variant(path)
        return found[path]

    def variant(path: str) -> Any:
        if not path.endswith(".py"):
            made, files = attach(load_data(path, policy)), [path]
        else:
            session = Session(path, [], imposer, policy)
            made = session.variant(overrides, around)
            files = [*session.sources, *session.data]
        noted = READ.get()
        if noted is not None:
            noted.update(dict.fromkeys(files))
        return made

    around = Surroundings(lambda: names, os.path.dirname(file), read, (".py", *SUFFIXES))
    return around


def _file_of(spec: Any) -> tuple[str, Policy | None]:
    """The file that a spec was loaded from, "" for none, and what data may import beside it."""
    loaded = type(spec) in MAPPINGS or type(spec) in LISTS or type(spec) in CALLS
    site = _raw(spec, "__site__") if loaded else None
    source = site[0] if site is not None and len(site) == 3 else ""
    if isinstance(source, DataFile):
        return ("" if is_remote(source.path) else source.path), source.policy
    return (source if isinstance(source, str) else ""), Policy(())
