"""What `a += more`, `a -= more` and `a[0:2] = more` make of what stands there."""

from __future__ import annotations

from ._convert import Mismatch
from ._equal import equal
from ._items import LISTS
from ._layout import layout
from ._spec import attach, new_list, note_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._grammar import Override


def amended(before: Any, more: Any, said: Override, *, absent: bool) -> Any:
    """What `a += more`, `a -= more` or `a[0:2] = more` makes of what stands there, as Python does it.

    Raises:
        Mismatch: It cannot be done, or nothing stands there.
    """
    verb = {"append": "added to", "remove": "taken from"}.get(said.operation, "edited")
    problem = f"cannot be {verb} by {said.text.partition('=')[2] or said.text}: "
    if absent:
        raise Mismatch(problem + "nothing is set there")
    if isinstance(before, list | tuple):
        if not isinstance(more, list | tuple):
            sign = "+=" if said.operation == "append" else "-="
            raise Mismatch(f"{problem}it is {layout(before)}, and takes a list: {said.path}{sign}[…]")
        # As they are kept: iterating would read references.
        items, added = (list(list.__iter__(x) if isinstance(x, list) else x) for x in (before, more))
        sites, sites_added = _sites(before, len(items)), _sites(more, len(added))
        _edit_items(items, sites, added, sites_added, said, problem)
        if not isinstance(before, list):
            return tuple(items)
        made = new_list(items)
        for n, site in enumerate(sites):
            if site is not None:
                note_origin(made, n, site)
        return made
    try:
        if said.operation == "splice":
            raise TypeError
        return attach(before + more if said.operation == "append" else before - more)
    except TypeError:
        raise Mismatch(f"{problem}it is {layout(before)}") from None


def _sites(holder: Any, count: int) -> list[Any]:
    """Who set each element, as far as that is noted."""
    if type(holder) not in LISTS:
        return [None] * count
    known = holder.__origins__ or {}
    return [known.get(n, holder.__site__) for n in range(count)]


def _edit_items(
    items: list[Any], sites: list[Any], added: list[Any], sites_added: list[Any], said: Override, problem: str
) -> None:
    if said.operation == "append":
        items += added
        sites += sites_added
    elif said.span is not None:
        items[slice(*said.span)] = added
        sites[slice(*said.span)] = sites_added
    else:
        for value in added:
            n = next((n for n, item in enumerate(items) if equal(item, value)), None)
            if n is None:
                raise Mismatch(f"{problem}it holds no {layout(value)}: it is {layout(items)}")
            del items[n], sites[n]
