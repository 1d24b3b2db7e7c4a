"""Overrides of a part that is named by `FILE:NAME`: what follows the colon need not be said again."""

from __future__ import annotations

from ._files import load_said
from ._lazy import get
from ._path import parse_path
from .errors import PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._grammar import Override
    from ._trust import Policy


def from_entry(
    source: Any, entry: str, overrides: Sequence[Override], *, policy: Policy | None
) -> list[Override | None]:
    """Overrides as they start in the whole spec; one that starts with no name of that starts in the entry.

    Args:
        source: A spec, or the path of a config file.
        entry: The path of the part; "" for none.
        overrides: Each of one value or several.
        policy: What a data file may import.

    Returns:
        For each the one that starts in the whole; None for one that starts with nothing of either.

    Raises:
        PathError: There is no such entry.
    """
    start = parse_path(entry)[0] if entry else ""
    if not entry or all(not said.steps or said.steps[0] == start for said in overrides):
        return list(overrides)
    spec = load_said(source, [], where="", policy=policy) if isinstance(source, str) else source
    part = get(spec, entry)
    found: list[Override | None] = []
    for said in overrides:
        first = said.steps[0] if said.steps else None
        if first is None or said.operation in ("add", "force") or holds(spec, first):
            found.append(said)
        elif holds(part, first):
            found.append(said.like(steps=(*parse_path(entry), *said.steps), typed=said.path))
        else:
            found.append(None)
    return found


def holds(x: Any, name: Any) -> bool:
    """Whether there is something of a name in a part of a spec."""
    try:
        get(x, str(name))
    except PathError:
        return False
    return True
