"""Whether two specs are the same experiment, and the hash that agrees."""

from __future__ import annotations

import sys

from ._leaf import write_leaf
from ._path import format_path
from ._target import Name, name_of, parse_name
from ._tree import ATOMS, ENTER, KINDS, Kind, fold, kind_of, steps_of, walk
from .errors import CallsheetError, Fault, SaveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

_PATIENCE = 100_000
"""Pairs compared before a look whether a container holds itself."""

_TEXT = frozenset((str,))
_HEADLESS = frozenset(("dict", "list", "tuple"))


def equal(a: Any, b: Any) -> bool:  # noqa: C901  (one loop, which must call nothing for a leaf)
    """What the verb `equal` tells, of what is kept as a spec keeps it."""
    pairs: list[tuple[Any, Any]] = [(a, b)]
    partner: dict[int, Any] = {}  # id of a node of `a` -> its node of `b`
    back: dict[int, Any] = {}
    links: set[tuple[int, int]] = set()  # references that were compared already
    defaults: list[tuple[Any, Any, dict[int, Any], dict[int, Any]]] = []
    count = 0
    kinds, atoms = KINDS, ATOMS
    while pairs or defaults:
        if not pairs:
            *pair, partner, back = defaults.pop()
            links.clear()
            pairs.append((pair[0], pair[1]))
        x, y = pairs.pop()
        cls, other = type(x), type(y)
        if cls in atoms:
            if cls is not other or (x != y and (x == x or y == y or not same_leaf(x, y))):
                return False
            continue
        kind = kinds[cls] if cls in kinds else kind_of(cls)
        if kind is None:
            if not same_leaf(x, y):
                return False
            continue
        kind_y = kinds[other] if other in kinds else kind_of(other)
        if kind_y is None or kind.family != kind_y.family:
            return False
        count += 1
        if count == _PATIENCE:
            _refuse_cycles(a, b)
        if kind.node:
            if id(x) in partner or id(y) in back:
                if partner.get(id(x)) is not y or back.get(id(y)) is not x:
                    return False
                if count < _PATIENCE:
                    count = _PATIENCE
                    _refuse_cycles(a, b)
                continue
            partner[id(x)], back[id(y)] = y, x
        if kind.link:
            if (id(x), id(y)) in links:
                continue
            links.add((id(x), id(y)))
        if kind.family not in _HEADLESS:
            head, head_y = kind.head(x), kind_y.head(y)
            if head is not head_y and not _same_head(head, head_y, pairs):
                return False
        keys, values = kind.items(x)
        keys_y, values_y = kind_y.items(y)
        if len(keys) != len(keys_y):
            return False
        if kind.family == "dict" and not (_TEXT.issuperset(map(type, keys)) and _TEXT.issuperset(map(type, keys_y))):
            keys, keys_y = [*map(key_label, keys)], [*map(key_label, keys_y)]
        if keys != keys_y:
            of_y = dict(zip(keys_y, values_y, strict=True))
            try:
                values_y = [of_y[key] for key in keys]
            except KeyError:
                return False
        types = [*map(type, values)]
        if atoms.issuperset(types):
            if types != [*map(type, values_y)]:
                return False
            if values == values_y:
                continue
        if kind.owned is not None or kind_y.owned is not None:
            theirs, others = default_keys(kind, x), default_keys(kind_y, y)
            for n, key in enumerate(keys):
                if key in theirs or key in others:
                    scopes = {} if key in theirs else partner, {} if key in others else back
                    defaults.append((values[n], values_y[n], *scopes))
                    values[n] = values_y[n] = None
        for v, w in zip(values, values_y, strict=True):
            # Atoms here rather than through the list: they are most of a spec.
            if type(v) in atoms:
                if type(v) is not type(w) or (v != w and (v == v or w == w or not same_leaf(v, w))):
                    return False
            else:
                pairs.append((v, w))
    return True


def default_keys(kind: Kind, x: Any) -> Collection[Any]:
    """The keys of a container whose values are default objects of its class, which share with nothing."""
    return kind.owned(x) if kind.owned is not None else ()


def key_label(key: Any) -> Any:
    """A key of a dict so that `==` tells types apart, and does not tell a value from its written form."""
    if type(key) is str:
        return key
    try:
        return (repr(_digestible(key, ())),)
    except SaveError:
        return type(key), key


def _refuse_cycles(a: Any, b: Any) -> None:
    for whole in (a, b):
        for _ in walk(whole):
            pass


def _same_head(x: Any, y: Any, pairs: list[tuple[Any, Any]]) -> bool:
    if _is_container(x) and _is_container(y):  # a target that is itself a call
        pairs.append((x, y))
        return True
    return bool(head_key(x) == head_key(y))


def _is_container(x: Any) -> bool:
    return kind_of(type(x)) is not None


def head_key(x: Any) -> Any:
    """A target or class so that `==` compares it by name, imported or not."""
    if type(x) is Name:
        return x.key
    if callable(x):
        named = name_of(x)
        if named is not None:
            return named.key
    return Unnamed(x) if type(x) is _FUNCTION else x


class Unnamed:
    """A function under whose name nothing is found, as a lambda: equal where one file has the same code at one line."""

    __slots__ = ("function",)

    def __init__(self, function: Any) -> None:
        self.function = function

    def __repr__(self) -> str:
        code = self.function.__code__
        return f"{code.co_name} at {code.co_filename}:{code.co_firstlineno}"

    def __hash__(self) -> int:
        return hash((self.function.__code__, self.function.__code__.co_filename))

    def __eq__(self, other: object) -> bool:
        if type(other) is not Unnamed:
            return False
        todo, seen = [(self.function, other.function)], set()
        while todo:
            x, y = todo.pop()
            if x is y or (id(x), id(y)) in seen:  # one that calls itself holds itself
                continue
            seen.add((id(x), id(y)))
            if type(x) is not _FUNCTION or type(y) is not _FUNCTION:
                if not _same_data(x, y):
                    return False
                continue
            held, theirs = _held(x), _held(y)
            code, code_y = x.__code__, y.__code__
            if code != code_y or code.co_filename != code_y.co_filename or len(held) != len(theirs):
                return False
            todo += zip(held, theirs, strict=True)
        return True


_FUNCTION: Any = type(equal)


def _held(function: Any) -> list[Any]:
    """What a function holds beside its code: its defaults, and what stands in the cells around it."""
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return defaults + [_content(cell) for cell in function.__closure__ or ()]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # nothing was put in it yet
        return cell


def _same_data(x: Any, y: Any) -> bool:
    try:
        return hash_of(x) == hash_of(y)
    except CallsheetError:  # a live object, or what holds itself
        return False


def same_leaf(x: Any, y: Any) -> bool:
    """Whether two values that hold nothing are equal, in type too."""
    if x is y:
        return True
    written, other = write_leaf(x), write_leaf(y)
    if written is None or other is None:
        return written is other and type(x) is type(y) and _same_live(x, y)
    return bool(leaf_key(written) == leaf_key(other))


def _same_live(x: Any, y: Any) -> bool:
    """Objects that are no data: arrays by their elements, others as they say, if they do."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(x, numpy.ndarray | numpy.generic):
        return (x.dtype, x.shape) == (y.dtype, y.shape) and equal(x.tolist(), y.tolist())
    if type(x) is _FUNCTION:
        return bool(head_key(x) == head_key(y))
    try:
        return bool(x == y)
    except (RuntimeError, TypeError, ValueError):  # a tensor or table, whose `==` has no truth value
        return False


def leaf_key(written: tuple[str, Any]) -> Any:
    """What two leaves that are equal have in common, from their written forms."""
    tag, of = written
    if tag == "name":
        return tag, _name_key(of)
    if tag == "enum" and isinstance(of[1], str):
        return "name", f"{_name_key(of[0])}.{of[1]}"  # as the file says that imports the class
    if tag == "enum":
        return tag, _name_key(of[0]), of[1]
    if tag in ("set", "frozenset"):
        return tag, sorted(map(_member_key, of), key=repr)
    if tag == "complex":
        return tag, [repr(float(part) + 0.0) for part in of]  # as for floats, -0.0 is 0.0
    return tag, of


def _member_key(member: Any) -> Any:
    tag, of = member
    if tag == "tuple":
        return tag, [_member_key(inner) for inner in of]
    return leaf_key((tag, of))


def _name_key(text: str) -> str:
    return parse_name(text).key


def hash_of(spec: Any) -> str:
    """What the verb `hash_of` tells, of what is kept as a spec keeps it."""
    from hashlib import sha256

    for _ in walk(spec):  # names a cycle, or a depth that no verb follows
        pass
    digest = sha256()
    numbers: dict[tuple[int, int], int] = {}
    told: set[tuple[int, int]] = set()
    links: dict[tuple[int, int], _Digest] = {}
    todo: list[tuple[tuple[object, ...], Any, int]] = [((), spec, 0)]
    scopes = 0
    while todo:
        steps, x, scope = todo.pop()
        kind = kind_of(type(x))
        if kind is None:
            digest.update(_leaf_bytes(x, steps))
            continue
        if kind.link:
            found: list[Any] = []
            digest.update(_link_digest(x, steps, scope, numbers, links, found))
            todo += [((*steps, "ref"), node, scope) for node in reversed(found)]
            continue
        if kind.node:
            number = numbers.setdefault((scope, id(x)), len(numbers))
            digest.update(b"@%d" % number)
            if (scope, id(x)) in told:
                continue
            told.add((scope, id(x)))
        theirs = default_keys(kind, x)
        for inner, value in reversed(_open(x, kind, steps, digest)):
            scopes += 1
            todo.append((inner, value, scopes if theirs and inner[-1] in theirs else scope))
    return digest.hexdigest()


def _open(x: Any, kind: Kind, steps: tuple[object, ...], digest: Any) -> list[tuple[tuple[object, ...], Any]]:
    """Digest a container's own part; give its children in an order that does not depend on how it was written."""
    keys, values = kind.items(x)
    items = list(zip(keys, values, strict=True))
    if kind.family not in ("list", "tuple"):
        labelled = sorted([(repr(_digestible(key, steps)), n) for n, (key, _) in enumerate(items)])
        items = [items[n] for _, n in labelled]
    head = kind.head(x)
    inner = _is_container(head)
    labels = None if kind.family in ("list", "tuple") else [_digestible(k, steps) for k, _ in items]
    own = None if inner or head is None else _digestible(head, steps)
    digest.update(repr((kind.family, own, inner, len(items), labels)).encode())
    children = [((*steps, key), value) for key, value in items]
    return [((*steps, "target"), head), *children] if inner else children


class _Digest(bytes):
    """What is digested already."""


class _LinkKinds(dict):  # type: ignore[type-arg]
    """A reference with what is handed to it, dicts in an order of their own; nodes are leaves."""

    def __missing__(self, cls: type) -> Kind | None:
        kind = kind_of(cls)
        found = self[cls] = None if kind is None or kind.node else _in_order(kind)
        return found


def _in_order(kind: Kind) -> Kind:
    def items(x: Any) -> tuple[list[Any], list[Any]]:
        keys, values = kind.items(x)
        labels = [repr(_digestible(key, ())) for key in keys]
        order = sorted(range(len(keys)), key=labels.__getitem__)
        return [labels[n] for n in order], [values[n] for n in order]

    ordered = kind.family in ("list", "tuple")
    return Kind(kind.items if ordered else items, kind.remake, family=kind.family, head=kind.head)


_LINKS: dict[type, Kind | None] = _LinkKinds()


def _link_digest(
    ref: Any,
    steps: tuple[object, ...],
    scope: int,
    numbers: dict[tuple[int, int], int],
    links: dict[tuple[int, int], _Digest],
    found: list[Any],
) -> _Digest:
    """The digest of a reference: nodes by their numbers, so that it is the same wherever the reference stands.

    Args:
        ref: The reference.
        steps: Where it stands.
        scope: In which its nodes are numbered.
        numbers: By scope and `id`, the numbers of nodes; new ones are added.
        links: By scope and `id`, the digests of references; new ones are added.
        found: What gets the nodes that were met for the first time.
    """
    from hashlib import sha256

    trail: list[Any] = []

    def leaf(x: Any) -> Any:
        if kind_of(type(x)) is None:
            return _Digest(_leaf_bytes(x, (*steps, *steps_of(trail))))
        if (scope, id(x)) not in numbers:
            found.append(x)
        return _Digest(b"@%d" % numbers.setdefault((scope, id(x)), len(numbers)))

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        here = (*steps, *steps_of(trail))
        parts = [bytes(v if type(v) is _Digest else _leaf_bytes(v, here)) for v in values]
        own = None if kind.head(x) is None else _digestible(kind.head(x), here)
        made = _Digest(sha256(repr((kind.family, own, keys, parts)).encode()).digest())
        if kind.link:
            links[scope, id(x)] = made
        return made

    def short(x: Any, kind: Kind) -> Any:
        return links.get((scope, id(x)), ENTER) if kind.link else ENTER

    digest: _Digest = fold(ref, make, leaf=leaf, short=short, kinds=_LINKS, trail=trail)
    return digest


def _leaf_bytes(x: Any, steps: tuple[object, ...]) -> bytes:
    return repr(_digestible(x, steps)).encode("utf-8", "surrogatepass")


def _digestible(x: Any, steps: tuple[object, ...]) -> Any:
    if type(x) is tuple:  # a head, or the key of a dict
        return ("tuple", [_digestible(member, steps) for member in x])
    written = write_leaf(x)
    if written is None:
        raise SaveError(
            Fault(
                format_path(steps),
                f"is a live object and has no identity: {_short(x)}",
                advice=["name it: define it at the top level of a module, or describe it with lazy(...)"],
            )
        )
    return leaf_key(written)


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."
