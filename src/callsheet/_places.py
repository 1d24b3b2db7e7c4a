"""Where in data stands what a path of its spec names: for the lines of a file, and for sharing in YAML."""

from __future__ import annotations

from ._tree import TARGET
from ._wire import below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Place = tuple[Any, Any]
    """A dict or list of the data, and the key under which something stands there."""

_OF_CALLS = frozenset(("_target_", "_args_", "_partial_", "_kwargs_", "_format_", "_nodes_"))
_OF_INSTANCES = frozenset(("_type_", "_fields_", "_format_", "_nodes_"))
_OF_FILES = frozenset(("_format_", "_nodes_"))


class Places:
    """The places of some data; only what is asked for is opened, since aliases may make the whole very large.

    >>> data = {"a": {"_target_": "m:f", "_args_": [1]}}
    >>> Places(data).find("a[0]")
    ([1], 0)
    """

    def __init__(self, data: Any) -> None:
        self.data = data
        is_dict = type(data) is dict
        self.root = (
            data["_root_"] if is_dict and not data.keys() - _OF_FILES - {"_root_"} and "_root_" in data else data
        )
        self.found: dict[str, Place] = {}
        self.opened: set[str] = set()
        if is_dict and "_nodes_" in data:
            self.found["_nodes_"] = (data, "_nodes_")

    def find(self, path: str) -> Place | None:
        """The place of a path as `format_path` writes it, or None."""
        if path not in self.found:
            for n in range(len(path)):
                if not n or path[n] in ".[":
                    self._open(path[:n])
        return self.found.get(path)

    def _open(self, path: str) -> None:
        if path in self.opened or (path and path not in self.found):
            return
        self.opened.add(path)
        holder, key = self.found.get(path, ((self.root,), 0))
        for inner, place in _children(holder[key], path):
            self.found.setdefault(inner, place)


def _children(x: Any, path: str) -> Iterator[tuple[str, Place]]:
    """What stands directly below, as the decoder sees it."""
    if type(x) is list:
        yield from _positions(x, path)
    if type(x) is not dict:
        return
    if "_target_" in x:
        yield below(path, TARGET), (x, "_target_")
        yield from _positions(x.get("_args_"), path)
        yield from _named(x.get("_kwargs_", x), path, _OF_CALLS)
    elif "_type_" in x:
        yield from _named(x.get("_fields_", x), path, _OF_INSTANCES)
    elif "_value_" in x:
        yield from _positions(x.get("of"), path)
    elif "_ref_" in x:
        for n, step in enumerate(x.get("_then_") or ()):
            yield from _operands(step, path, n)
    elif type(x.get("_items_")) is list:
        for pair in x["_items_"]:
            if type(pair) is list and len(pair) == 2:
                wire = pair[0]
                plain = type(wire) is dict and wire.get("_value_") == "str"
                yield below(path, wire.get("of") if plain else wire), (pair, 1)
    else:
        yield from _named(x, path, frozenset() if path else _OF_FILES)


def _positions(x: Any, path: str) -> Iterator[tuple[str, Place]]:
    if type(x) is list:
        for n in range(len(x)):
            yield f"{path}[{n}]", (x, n)


def _named(x: Any, path: str, others: frozenset[str]) -> Iterator[tuple[str, Place]]:
    if type(x) is dict:
        for key in x:
            if key not in others:
                yield below(path, key), (x, key)


def _operands(step: Any, path: str, n: int) -> Iterator[tuple[str, Place]]:
    if type(step) is not list or len(step) < 2:
        return
    if step[0] == "call" and len(step) == 3 and type(step[1]) is list and type(step[2]) is dict:
        places: list[Place] = [(step[1], m) for m in range(len(step[1]))]
        places += [(step[2], name) for name in step[2]]
    else:
        places = [(step, 1)]
    for m, place in enumerate(places):
        yield below(path, f"then{n}.{m}"), place
