"""What `a += more`, `a -= more` and `a[0:2] = more` make of what stands there."""

from __future__ import annotations

from ._convert import Mismatch
from ._equal import equal
from ._layout import layout
from ._spec import attach, new_list

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
        items = list(list.__iter__(before) if isinstance(before, list) else before)
        _edit_items(items, list(list.__iter__(more) if isinstance(more, list) else more), said, problem)
        return new_list(items) if isinstance(before, list) else tuple(items)
    try:
        if said.operation == "splice":
            raise TypeError
        return attach(before + more if said.operation == "append" else before - more)
    except TypeError:
        raise Mismatch(f"{problem}it is {layout(before)}") from None


def _edit_items(items: list[Any], more: list[Any], said: Override, problem: str) -> None:
    if said.operation == "append":
        items += more
    elif said.span is not None:
        items[slice(*said.span)] = more
    else:
        for value in more:
            n = next((n for n, item in enumerate(items) if equal(item, value)), None)
            if n is None:
                raise Mismatch(f"{problem}it holds no {layout(value)}: it is {layout(items)}")
            del items[n]
