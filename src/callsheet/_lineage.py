"""The story of each value: what it is and what it replaced, with who set it; and what was left to defaults."""

from __future__ import annotations

from ._items import CALLS, origin_of, raw_item, target_text
from ._layout import layout
from ._path import format_path
from ._ref import Ref
from ._signature import EMPTY, signature_of
from ._target import Name, resolve
from ._tree import KINDS, kind_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._origin import Origin


def origins_of(spec: Any) -> dict[str, list[dict[str, Any]]]:
    """For each path of a spec, its value and those it replaced: each with where it came from, the latest first.

    `holds` marks a value that holds others, which have paths of their own. What stood for several values, of which a
    sweep has chosen one, is told as it was written.
    """
    found = {}
    names: dict[int, str] = {}
    paths: dict[Any, str] = {}  # of nodes, by their steps
    for steps, value in walk(spec):
        kind = kind_of(type(value))
        if kind is not None and kind.node and type(value) is not Ref:
            names[id(value)] = paths[steps] = format_path(steps)
    for steps, value in walk(spec, kinds={**KINDS, Ref: None}):
        if not steps:
            continue
        holder = spec
        for step in steps[:-1]:
            holder = raw_item(holder, step)
        latest = origin_of(holder, steps[-1])
        chain = [_link(v, o, names) for v, o in ((value, latest), *latest.chain())]
        if kind_of(type(value)) is not None and type(value) is not Ref:
            chain[0]["holds"] = True
        found[paths.get(steps) or format_path(steps)] = chain
    return found


def _link(value: Any, origin: Origin, names: dict[int, str]) -> dict[str, Any]:
    if origin.kind == "space":
        return {"value": origin.text, "kind": origin.kind, "where": origin.where, "text": ""}
    text = layout(value, width=1000, names={} if type(value) in CALLS else names)
    return {"value": text, "kind": origin.kind, "where": origin.where, "text": origin.text}


def overridden(spec: Any) -> dict[int, Origin]:
    """What overrides have put into a spec, by identity, each with its override: a file may have taken it from there."""
    found: dict[int, Origin] = {}
    for _, holder in walk(spec):
        kind = kind_of(type(holder))
        for key, value in zip(*kind.items(holder), strict=True) if kind is not None else ():
            origin = origin_of(holder, key)
            if origin.kind in ("override", "sweep") and origin.text:
                found.setdefault(id(value), origin)
    return found


def defaults_of(spec: Any) -> dict[str, dict[str, str]]:
    """For each call of a spec, the defaults that its target takes because nothing was set."""
    found = {}
    for steps, value in walk(spec):
        if type(value) not in CALLS:
            continue
        target = object.__getattribute__(value, "__target__")
        if type(target) in CALLS or type(target) is Ref:
            continue
        try:
            signature = signature_of(resolve(target) if type(target) is Name else target)
        except Exception:  # noqa: BLE001, S112  (a target that cannot be imported: the build raises it in a moment)
            continue
        if signature is None:
            continue
        given = {parameter.name for parameter in signature.slots[: sum(isinstance(key, int) for key in value)]}
        left = {
            name: layout(parameter.default)
            for name, parameter in signature.named.items()
            if name not in value and name not in given and parameter.default is not EMPTY
        }
        if left:
            found[f"{format_path(steps)}: {target_text(value)}"] = left
    return found
