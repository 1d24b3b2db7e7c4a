"""A config as Python-like text, a sorted line for each value: made to be read, not to be run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet._layout import layout
from callsheet._literal import CODE_KINDS, Code, Display, call_code, code_text, text_code
from callsheet._target import parse_name

from ._calls import target_text

_WIDTH = 88


def text_of(cfg: Any, prefix: str) -> str:
    """The lines for plain data in which calls are dicts with a `_target_`."""
    if not isinstance(cfg, Mapping) or "_target_" in cfg:
        return _laid_out("", _code(cfg))
    return "".join(_laid_out(f"{left} = ", _code(value)) for left, value in _lines(cfg, prefix))


def _lines(cfg: Mapping[Any, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key in sorted(cfg, key=str):
        value = cfg[key]
        inner = isinstance(value, Mapping) and "_target_" not in value
        found += _lines(value, f"{prefix}{key}.") if inner else [(f"{prefix}{key}", value)]
    return found


def _laid_out(head: str, code: Code | Display) -> str:
    return head + layout(code, width=_WIDTH, indent=len(head), kinds=CODE_KINDS, leaf=code_text) + "\n"


def _code(x: Any) -> Code | Display:
    if isinstance(x, Mapping):
        items = {key: _code(x[key]) for key in sorted(x, key=str) if key != "_target_"}
        if "_target_" not in x:
            return Display("{", [f"{key!r}: " for key in items], "}", list(items.values()))
        target = target_text(x["_target_"])
        callee = _shown(target) if isinstance(target, str) else _flat(target)
        return call_code(f"{callee}(", [], {str(key): value for key, value in items.items()})
    if isinstance(x, list | tuple):
        return Display("[", [""] * len(x), "]", [_code(value) for value in x])
    return text_code(x) if isinstance(x, str) else Code(repr(x))


def _shown(target: str) -> str:
    return parse_name(target).dotted if "#" in target else target


def _flat(target: Any) -> str:
    code = _code(target)
    return layout(code, width=10_000, kinds=CODE_KINDS, leaf=code_text)
