"""Values as a spec keeps them."""

from __future__ import annotations

from .._items import CALLS, DEFERRED, LISTS, MAPPINGS
from .._ref import Ref, like
from .._reftext import parse_text
from .._tree import ATOMS, ENTER, Kind, fold, kind_of
from ..errors import Fault, SpecError
from ._kinds import call_items, call_parts, described
from ._parts import CLASSES, mapping_of_atoms, new_call, new_list, new_mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._origin import Site

_raw = object.__getattribute__
_set = object.__setattr__


def attach(value: Any, site: Site | None = None) -> Any:
    """A value as a spec keeps it: dicts and lists as its own, texts with `${` as references, nodes as they are.

    Raises:
        SpecError: A one-shot iterator, or a `lazy(...)` that was not called.
        CycleError: A dict or list holds itself.
    """
    cls = type(value)
    if cls is str:
        return parse_text(value) if "${" in value else value
    if cls in ATOMS:
        return value
    if cls in CALLS:
        held = _raw(value, "__held__")
        if held < 2:
            _set(value, "__held__", held + 1)
        return value
    if cls is Ref:
        if value.__held__:
            value = like(value, value.__base__, value.__steps__)  # each place has its own, which is bound there
        _set(value, "__held__", True)
        return value
    if cls in MAPPINGS or cls in LISTS or cls in DEFERRED or (cls is tuple and _SIMPLE.issuperset(map(type, value))):
        return value
    if _RAW[cls] is not None:
        return fold(
            value,
            lambda x, kind, keys, values: _attached(x, kind, keys, values, site),
            leaf=attach,
            short=lambda x, kind: _attached_atoms(x, site),
            kinds=_RAW,
        )
    if hasattr(cls, "__callsheet_unfinished__"):
        raise SpecError(Fault("", f"{value!r} was not called", advice=[f"write  {value!r}()  with its arguments"]))
    if hasattr(cls, "__next__") and hasattr(cls, "__iter__"):
        raise SpecError(
            Fault(
                "",
                f"a one-shot iterator ({cls.__name__}) can be read only once",
                advice=["write  list(...)  around it"],
            )
        )
    if kind_of(cls) is not None:
        _hold_often(value)
    return value


def given(spec: Any) -> Any:
    """What is given to a verb, as a spec keeps it.

    In dicts, lists and tuples of ordinary Python, a text with `${` is a reference as it would be in a spec. What
    holds no such text stays what it is, and nothing looks into what a spec keeps already.

    Raises:
        PathError: A text with `${` is no reference.
        CycleError: A dict or list holds itself.
    """
    todo, seen = [spec], set()
    while todo:
        x = todo.pop()
        cls = type(x)
        values: Any
        if cls is list or cls is tuple:
            values = x
        elif _is_plain_partial(cls):
            values = (*x.args, *x.keywords.values())
        elif _RAW[cls] is not None:
            values = x.values()
        else:
            continue
        if id(x) in seen or _SIMPLE.issuperset(map(type, values)):
            continue
        seen.add(id(x))
        for value in values:
            if type(value) is str:
                if "${" in value:
                    return attach(spec)
            elif type(value) not in ATOMS:
                todo.append(value)
    return spec


def given_within(spec: Any, root: Any) -> tuple[Any, Any]:
    """`given` for a part and for the whole in which its paths start, if there is one; the part stays in its place."""
    if root is None:
        return given(spec), None
    part, whole = list.__iter__(given([spec, root]))
    return part, whole


def _is_plain_partial(cls: type) -> bool:
    return cls.__name__ == "partial" and cls.__module__ == "functools"


class _RawKinds(dict):  # type: ignore[type-arg]
    """The containers of ordinary Python data; whatever else holds something (a dataclass) is kept as it is."""

    def __missing__(self, cls: type) -> Kind | None:
        found: Kind | None = None
        if cls.__name__ == "OrderedDict" and cls.__module__ == "collections":
            found = self[dict]
        elif _is_plain_partial(cls):
            found = _RAW_PARTIAL
        self[cls] = found
        return found


# What is one thing in ordinary Python data is one thing wherever it stands: it becomes one mapping, or one `Partial`.
_RAW: dict[type, Kind | None] = _RawKinds(
    {
        dict: Kind(lambda x: (list(x), list(x.values())), lambda x, keys, values: x, node=True),
        list: Kind(lambda x: (list(range(len(x))), list(x)), lambda x, keys, values: x, node=True),
        tuple: Kind(lambda x: (list(range(len(x))), list(x)), lambda x, keys, values: x, family="tuple"),
    }
)
_RAW_PARTIAL = Kind(lambda x: call_items(described(x)), lambda x, keys, values: x, node=True, family="partial")


def _attached(x: Any, kind: Kind, keys: list[Any], values: list[Any], site: Site | None) -> Any:
    values = [parse_text(v) if type(v) is str and "${" in v else v for v in values]
    if type(x) is list:
        return new_list(values, site)
    if kind.family == "tuple":
        kept = tuple(values)
        _hold_often(kept)
        return kept
    if kind.family == "partial":
        return new_call(CLASSES["partial"], *call_parts(described(x), keys, values), site)
    return new_mapping(dict(zip(keys, values, strict=True)), site)


_SIMPLE = ATOMS - {str}
"""Types of values that stay as they are; a text may hold a reference."""


def _attached_atoms(x: Any, site: Site | None) -> Any:
    """A dict, list or tuple that holds atoms only and no reference, at once."""
    if type(x) is not dict:
        if type(x) not in (list, tuple) or not _SIMPLE.issuperset(map(type, x)):
            return ENTER
        return new_list(list(x), site) if type(x) is list else x
    for value in x.values():
        cls = type(value)
        if cls not in ATOMS or (cls is str and "${" in value):
            return ENTER
    return mapping_of_atoms(x.copy(), site)


def _hold_often(value: Any) -> None:
    """Mark the calls in a tuple or dataclass as held more than once: those are no slots that can be counted."""
    todo, seen = [value], set()
    while todo:
        x = todo.pop()
        kind = kind_of(type(x))
        if kind is None or id(x) in seen:
            continue
        seen.add(id(x))
        if type(x) in CALLS:
            _set(x, "__held__", 2)
        elif type(x) is not Ref:
            todo += kind.items(x)[1]
