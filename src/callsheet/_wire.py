"""The words of the wire form: its keys, and how odd keys and places are written."""

from __future__ import annotations

from ._leaf import MISSING, is_long, write_leaf
from ._path import format_path
from ._tree import ATOMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    Reading = Generator[Any, Any, Any]
    Steps = tuple[object, ...]

FORMAT = 1
"""The version of the wire form."""

RESERVED = frozenset(
    [
        "_target_",
        "_args_",
        "_partial_",
        "_kwargs_",
        "_type_",
        "_fields_",
        "_value_",
        "_items_",
        "_same_",
        "_ref_",
        "_then_",
        "_nodes_",
        "_format_",
        "_root_",
        "_allow_",
    ]
)
"""Keys that mean something."""

PLAIN = frozenset((int, float, bool, type(None)))
"""Types of JSON whose values stand for themselves."""


class _Odd:
    """A key that is no name or number, as a step of a place: told by its wire form, which reading sees too."""

    __slots__ = ("text",)

    def __init__(self, wire: Any) -> None:
        self.text = repr(wire)

    def __repr__(self) -> str:
        return self.text


def key_step(key: Any) -> Any:
    """A key as a step of a place."""
    if type(key) is str or type(key) is int:
        return key
    try:
        return _Odd(key_wire(key))
    except Unnamed:
        return key  # it has a fault of its own


def place_text(steps: Steps) -> str:
    # A place may stand where a text with `${` would be read as a reference.
    return format_path(map(key_step, steps)).replace("${", "\\u0024{")


class Unnamed(Exception):
    """A callable that no other process could find."""


def atom_wire(x: Any) -> Any:
    if type(x) is str and x == "???":
        return {"_value_": "str", "of": x}
    if type(x) is float and (x != x or x in (float("inf"), float("-inf"))):
        return {"_value_": "float", "of": repr(x)}
    return leaf_wire(x) if type(x) in (bytes, complex) or (type(x) is int and is_long(x)) else x


def leaf_wire(x: Any) -> Any:
    if x is MISSING:
        return "???"
    written = write_leaf(x)
    return None if written is None else {"_value_": written[0], "of": written[1]}


def key_wire(key: Any) -> Any:
    if type(key) is tuple:
        return {"_value_": "tuple", "of": [key_wire(member) for member in key]}
    if type(key) in ATOMS:
        return atom_wire(key)
    written = leaf_wire(key)
    if written is None:
        raise Unnamed(key)
    return written


def below(place: str, key: Any) -> str:
    """The place of what stands under a key of what stands at a place."""
    if type(key) is str and key.isidentifier():
        return f"{place}.{key}" if place else key
    text = place_text((key,)) if type(key) is not _Odd else format_path([key])
    return place + text if text.startswith("[") else f"{place}.{text}" if place else text
