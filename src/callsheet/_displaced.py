"""References that lead to a node which something else has taken the place of."""

from __future__ import annotations

from ._items import CALLS, origin_of
from ._layout import layout
from ._path import format_path
from ._ref import Ref, operand_items, remake_operands
from ._spec import DISPLACED
from ._tree import KINDS, Kind, kind_of, walk
from .errors import CycleError, DepthError, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

_raw = object.__getattribute__
_HELD = {**KINDS, Ref: Kind(operand_items, remake_operands, family="ref")}
"""As `copy` sees a spec: what only a reference leads to is not held."""
_LONGEST = 60


def displaced_faults(spec: Any, *, root: Any = None, only: Collection[int] | None = None) -> list[Fault]:
    """The references that lead to a call which stood in the spec until `cfg.a = x` put something else there.

    Such a call is built beside the one that took its place, which is hardly what is meant: an optimizer would train
    a model that nobody uses. A call that never stood in the spec is another matter, and so is one that was moved.

    Args:
        spec: What is looked through.
        root: What the calls may stand in; the spec itself by default.
        only: The ids of the containers that count; all by default.
    """
    held: dict[int, set[int]] = {}
    whole = spec if root is None else root

    def stands(call: Any, top: Any) -> bool:
        if id(top) not in held:
            held[id(top)] = {id(x) for _, x in walk(top, kinds=_HELD) if type(x) in CALLS}
        return id(call) in held[id(top)]

    found = []
    try:
        for steps, x in walk(spec):
            kind = kind_of(type(x))
            if kind is None or (only is not None and id(x) not in only):
                continue
            for key, value in zip(*kind.items(x), strict=True):
                base = value.__base__ if type(value) is Ref else None
                if type(base) not in CALLS or _raw(base, "__held__") != DISPLACED:
                    continue
                if not stands(base, whole) and (value.__root__ is None or not stands(base, value.__root__)):
                    found.append(_fault((*steps, key), base, origin_of(x, key).where))
    except (CycleError, DepthError):
        return []  # which has a fault of its own
    return found


def _fault(steps: tuple[Any, ...], call: Any, origin: str) -> Fault:
    text = layout(call, width=10_000).partition("\n")[0]
    shown = text if len(text) <= _LONGEST else text[: _LONGEST - 4] + " ..."
    advice = ["let it lead to what stands there now, or edit the call instead of putting another in its place"]
    return Fault(format_path(steps), f"refers to {shown}, which was replaced", origin=origin, advice=advice)
