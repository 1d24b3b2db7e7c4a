"""How a spec's containers are taken apart and put together, and copied."""

from __future__ import annotations

from .._items import CALLS, label_of
from .._loose import leading_back
from .._ref import Ref, moved, operand_items, remake_operands
from .._tree import ATOMS, ENTER, KINDS, STANDARD, TARGET, Kind, dict_form, fold, list_form, within_default
from ._parts import (
    CLASSES,
    LIVE,
    PLAIN,
    items_of,
    mapping_of_atoms,
    new_call,
    new_list,
    new_mapping,
    plain_class,
    with_origins,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    S = TypeVar("S")

_raw = object.__getattribute__
_set = object.__setattr__


def call_items(call: Any) -> tuple[list[Any], list[Any]]:
    kwargs, args, target = _raw(call, "__dict__"), _raw(call, "__args__"), _raw(call, "__target__")
    if type(target) in CALLS or type(target) is Ref:
        return [TARGET, *range(len(args)), *kwargs], [target, *args, *kwargs.values()]
    if args:
        return [*range(len(args)), *kwargs], [*args, *kwargs.values()]
    return list(kwargs), list(kwargs.values())


def _call_remake(call: Any, keys: list[Any], values: list[Any]) -> Any:
    target, args, kwargs = call_parts(call, keys, values)
    made = new_call(plain_class(call), target, args, kwargs, _raw(call, "__site__"))
    _set(made, "__held__", _raw(call, "__held__"))
    return with_origins(made, call)


def call_parts(call: Any, keys: list[Any], values: list[Any]) -> tuple[Any, list[Any], dict[str, Any]]:
    """What a kind's items say of a call: its target, positional arguments and named arguments."""
    start = 1 if keys[:1] == [TARGET] else 0
    stop = start + len(_raw(call, "__args__"))
    target = values[0] if start else _raw(call, "__target__")
    return target, values[start:stop], dict(zip(keys[stop:], values[stop:], strict=True))


def described(partial: Any) -> Any:
    """A `functools.partial` as the `Partial` that it stands for; a call is what it is."""
    return (
        partial
        if type(partial) in CALLS
        else new_call(CLASSES["partial"], partial.func, list(partial.args), dict(partial.keywords))
    )


def _plain_partial(x: Any, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return type(x)(target, *args, **kwargs)


def _mapping_items(x: Any) -> tuple[list[Any], list[Any]]:
    items = items_of(x)
    return list(items), list(items.values())


def _mapping_remake(x: Any, keys: list[Any], values: list[Any]) -> Any:
    return with_origins(new_mapping(dict(zip(keys, values, strict=True)), _raw(x, "__site__")), x)


def _list_items(x: Any) -> tuple[list[Any], list[Any]]:
    return list(range(len(x))), list(list.__iter__(x))


def _list_remake(x: Any, keys: list[Any], values: list[Any]) -> Any:
    return with_origins(new_list(values, x.__site__), x)


def _call_form(call: Any, keys: list[Any]) -> tuple[str, list[str], str]:
    return _form("lazy", call, keys)


def _partial_form(call: Any, keys: list[Any]) -> tuple[str, list[str], str]:
    return _form("partial", call, keys)


def _form(word: str, call: Any, keys: list[Any]) -> tuple[str, list[str], str]:
    labels = ["" if isinstance(key, int) else f"{key}=" for key in keys if key is not TARGET]
    return f"{word}({label_of(_raw(call, '__target__'))})(", labels, ")"


def _instance_form(x: Any, keys: list[Any]) -> tuple[str, list[str], str]:
    return f"{label_of(_raw(x, '__target__'))}(", [f"{key}=" for key in keys], ")"


def _call_head(call: Any) -> Any:
    target = _raw(call, "__target__")
    return None if type(target) in CALLS or type(target) is Ref else target


def _no_head(x: Any) -> None:
    """What tells one dict from another is its items."""


CALL = Kind(call_items, _call_remake, node=True, family="call", head=_call_head, form=_call_form)
PARTIAL = Kind(call_items, _call_remake, node=True, family="partial", head=_call_head, form=_partial_form)
INSTANCE = Kind(call_items, _call_remake, node=True, family="fields", head=_call_head, form=_instance_form)
MAPPING = Kind(_mapping_items, _mapping_remake, family="dict", head=_no_head, form=dict_form)
LIST = Kind(_list_items, _list_remake, family="list", head=_no_head, form=list_form)
STANDARD["functools", "partial"] = Kind(
    lambda x: call_items(described(x)),
    lambda x, keys, values: _plain_partial(x, *call_parts(described(x), keys, values)),
    node=True,
    family="partial",
    head=lambda x: _call_head(described(x)),
    form=lambda x, keys: _partial_form(described(x), keys),
    call=lambda x: described(x),
)


def _shared(kind: Kind | None) -> Kind | None:
    if kind is None or kind.family not in ("dict", "list"):
        return kind
    return Kind(kind.items, kind.remake, node=True, family=kind.family)


SHARING = {cls: _shared(kind) for cls, kind in KINDS.items()}
"""As `rewrite` sees it: a dict that two places hold is one dict in the copy as well."""

_CONTAINED = {**SHARING, Ref: Kind(operand_items, remake_operands, family="ref")}
"""As `copy` sees it: what only a reference leads to is not contained."""


def register(cls: type, live: type, kind: Kind, among: set[type]) -> None:
    """Make a class of containers known, with the one that reads references: users see one class."""
    live.__name__, live.__qualname__ = cls.__name__, cls.__qualname__
    CLASSES[kind.family] = cls
    LIVE[cls], PLAIN[live] = live, cls
    for each in (cls, live):
        among.add(each)
        KINDS[each] = kind
        SHARING[each] = _CONTAINED[each] = _shared(kind)


def copy(spec: S) -> S:
    """A copy of a spec: sharing inside is kept, references to nodes inside lead into the copy.

    A node that only a reference reaches is not inside: it stays the same node,
    unless it leads back inside, on its own or through other references.

    Raises:
        CycleError: The spec contains itself.

    >>> copy({"a": [1, 2]})
    {'a': [1, 2]}
    """
    return copied(spec, {})  # type: ignore[no-any-return]


def copied(spec: Any, memo: dict[int, Any]) -> Any:
    """A copy in which what `memo` holds already, by `id`, is not made again; it gets what is made."""
    bound: list[Ref] = []
    before = frozenset(memo)
    trail: list[Any] = []

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if id(x) in before and not within_default(trail):
            return memo[id(x)]
        made = kind.remake(x, keys, values)
        if kind.family == "ref":
            bound.append(made)
        else:
            memo[id(x)] = made
        return made

    def short(x: Any, kind: Kind) -> Any:
        if type(x) is not CLASSES["dict"] or before or not ATOMS.issuperset(map(type, x.__dict__.values())):
            return ENTER
        origins = x.__origins__
        made = memo[id(x)] = mapping_of_atoms(x.__dict__.copy(), x.__site__, dict(origins) if origins else None)
        return made

    made = fold(spec, make, short=short, kinds=_CONTAINED, trail=trail)
    around = leading_back(bound, memo)
    if around:
        before = frozenset(memo)
        fold(around, make, kinds=_CONTAINED, trail=trail)
        del memo[id(around)]  # which is gone when the memo is asked again

    def own(x: Any) -> Any:
        return memo.get(id(x), x)

    for ref in bound:
        moved(ref, own)
    return made
