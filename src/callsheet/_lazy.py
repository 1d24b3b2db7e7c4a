"""What a user says about a spec: describe a call, ask for its target, arguments, values and their origins."""

from __future__ import annotations

import sys
from _collections_abc import Iterator, MutableMapping

from ._items import (
    CALLS,
    check_names,
    given_itself,
    label_of,
    origin_of,
    raw_item,
    settle_step,
    signature_text,
    target_text,
)
from ._origin import Origin, locate
from ._path import format_path, parse_path
from ._read import LATER, Values, read
from ._ref import Ref, moved
from ._signature import EMPTY, Signature, signature_of
from ._spec import SHARING, Call, Partial, attach, delete_item, given, here, new_call, set_item
from ._target import Name, parse_name, resolve
from ._tree import ATOMS, KINDS, Kind, fold, kind_of, steps_of, within_default
from ._tree import walk as walk_steps
from ._word import write_value
from .errors import ArgumentError, CycleError, Fault, PathError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar, overload

    from ._origin import Site

    P = ParamSpec("P")
    R = TypeVar("R")

_raw = object.__getattribute__
_SIMPLE = ATOMS - {str}


class Lazy:
    """What `lazy(T)` and `partial(T)` give: called like `T`, it makes the spec of that call."""

    __slots__ = ("_cls", "_target")
    __callsheet_unfinished__ = True

    def __init__(self, cls: type[Call], target: Any) -> None:
        self._cls = cls
        self._target = target

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        frame = sys._getframe(1)
        site = (frame.f_code, frame.f_lasti)
        for key, value in kwargs.items():
            if type(value) not in _SIMPLE:
                kwargs[key] = attach(value, site)
        made = new_call(self._cls, self._target, [attach(v, site) for v in args] if args else [], kwargs, site)
        if type(self._target) is not Name:
            check_names(made, kwargs, site)
            if args:
                _check_positions(made, site)
        return made

    def __repr__(self) -> str:
        return f"{'lazy' if self._cls is Call else 'partial'}({label_of(self._target)})"


def _check_positions(call: Any, site: Site) -> None:
    signature = signature_of(_raw(call, "__target__")) if given_itself(call) else None
    if signature is None:
        return
    fault = positions_fault(call, signature, locate(site, len(signature.slots)).where)
    if fault is not None:
        raise ArgumentError(fault)


def positions_fault(call: Any, signature: Signature, origin: str, *, path: str = "") -> Fault | None:
    """What is wrong with the positional arguments of a call: more than its target takes, or one given by name too."""
    args, kwargs = _raw(call, "__args__"), _raw(call, "__dict__")
    label = target_text(call)
    taken = len(signature.slots)
    if len(args) > taken and not signature.more_positional:
        problem = f"{label} takes {taken} positional argument{'' if taken == 1 else 's'}, found {len(args)}"
        return Fault(path, problem, origin=origin, advice=[signature_text(call, signature)])
    if given_itself(call):
        for parameter in signature.slots[: len(args)]:
            if parameter.name in kwargs and parameter.name in signature.named:
                problem = f"{label} is given {parameter.name} by position and by name"
                return Fault(path, problem, origin=origin, advice=[signature_text(call, signature)])
    return None


if TYPE_CHECKING:

    @overload
    def lazy(target: str) -> Callable[..., Any]: ...

    @overload
    def lazy(target: Callable[P, R]) -> Callable[P, R]: ...

    def lazy(target: Any) -> Any: ...

    @overload
    def partial(target: str) -> Callable[..., Any]: ...

    @overload
    def partial(target: Callable[..., R]) -> Callable[..., Callable[..., R]]: ...

    def partial(target: Any) -> Any: ...

else:

    def lazy(target):
        """Describe a call instead of making it: `lazy(Net)(width=64)`.

        Args:
            target: Any callable, its name as text (`"pkg.module.Class"`), or a
                spec that is built into the callable first.

        Returns:
            A function with the target's own parameters, which gives a `Call`. To
            a type checker the result is what the target returns.

        Raises:
            TypeError: The target can never be called.

        >>> lazy(dict)(a=1)
        lazy(dict)(a=1)
        """
        return Lazy(Call, as_target(target))

    def partial(target):
        """Describe a `functools.partial`: `partial(Adam)(lr=1e-3)` builds to a callable that wants the parameters.

        Args:
            target: As for `lazy`.

        Returns:
            A function with the target's own parameters, which gives a `Partial`.

        Raises:
            TypeError: The target can never be called.

        >>> partial(int)(base=2)
        partial(int)(base=2)
        """
        return Lazy(Partial, as_target(target))


def as_target(target: Any) -> Any:
    """What a call calls, from what a user gives for it.

    Raises:
        TypeError: It can never be called.
    """
    if isinstance(target, str):
        return parse_name(target)
    if type(target) in CALLS or type(target) in (Name, Ref):
        return attach(target)
    if not callable(target):
        raise TypeError(f"{target!r} cannot be called, so no call of it can be described")
    return target


def target(call: Any) -> Any:
    """What a call calls: the callable itself, imported if it was only named; a spec where it is one.

    Args:
        call: A `Call` or `Partial`; or a config, whose class says what it calls.

    Raises:
        TargetError: It cannot be imported.
        TypeError: It is nothing of these.
        SpecError: It is a config, and its class does not say what it builds.

    >>> target(lazy("os.path.join")("a")).__name__
    'join'
    """
    kind = kind_of(type(call))
    if type(call) not in CALLS and kind is not None and kind.call is not None:
        call = kind.call(call)
    _refuse_others(call, "target")
    found = _raw(call, "__target__")
    return resolve(found) if type(found) is Name else found


class Arguments(MutableMapping):  # type: ignore[type-arg]
    """The arguments of a call as a dict that edits it: positions by number, the others by name."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __getitem__(self, key: Any) -> Any:
        if key not in self._call:
            raise KeyError(key)
        return self._call[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        set_item(self._call, key, value, here())

    def __delitem__(self, key: Any) -> None:
        if key not in self._call:
            raise KeyError(key)
        delete_item(self._call, key)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._call)

    def __len__(self) -> int:
        return len(self._call)

    def __repr__(self) -> str:
        return repr(dict(self))


def arguments(call: Any) -> Arguments:
    """The arguments of a call, as a mapping through which they can be read and edited.

    Raises:
        TypeError: It is no call; the fields of a config or dataclass are its attributes.

    >>> call = lazy(dict)(a=1)
    >>> arguments(call)["b"] = 2
    >>> call
    lazy(dict)(a=1, b=2)
    """
    _refuse_others(call, "arguments")
    return Arguments(call)


def _refuse_others(x: Any, verb: str) -> None:
    if type(x) in CALLS:
        return
    kind = kind_of(type(x))
    fields = kind is not None and kind.family == "fields"
    advice = "what it holds are its attributes" if fields else "describe it with lazy(...)"
    raise TypeError(f"{verb} is for calls, not for {type(x).__qualname__}: {advice}")


def locate_path(spec: Any, path: str | tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """The holder, the key and the raw value at a path; references on the way are followed.

    Raises:
        PathError: There is nothing there; the error names what is.
    """
    steps = parse_path(path) if isinstance(path, str) else path
    holder: Any = None
    key: Any = None
    value = spec
    for n, step in enumerate(steps):
        holder = through(spec, value)
        key = settle_step(holder, step)
        try:
            value = raw_item(holder, key)
        except LookupError:
            raise PathError(nothing_at(holder, steps, n)) from None
    return holder, key, value


def through(root: Any, value: Any) -> Any:
    """What a path goes on in: the node or value that a reference comes to."""
    if type(value) is not Ref:
        return value
    found = Values(root).of(value)
    return value if found is LATER else found


def nothing_at(holder: Any, steps: tuple[Any, ...], n: int) -> Fault:
    """The fault of a path whose step `n` leads nowhere: the nearest names first, then all that there are."""
    above = format_path(steps[:n]) or "the spec"
    kind = kind_of(type(holder))
    if kind is None or type(holder) is Ref:
        return Fault(format_path(steps), f"leads into {above}, which is {holder!r} and holds nothing")
    keys = kind.items(holder)[0]
    close: list[Any] = nearest(str(steps[n]), [key for key in keys if isinstance(key, str)])
    if not close:
        close = [key for key in keys if type(key) not in _NAMES and steps[n] in (repr(key), write_value(key))]
    advice = [f"did you mean  {format_path((*steps[:n], close[0], *steps[n + 1 :]))}?"] if close else []
    names = [str(key) if type(key) in _NAMES else f"[{key!r}]" for key in keys[:12]]
    shown = ", ".join(names) + (", …" if len(keys) > 12 else "")
    advice.append(f"{above} holds  {shown}" if keys else f"{above} is empty")
    return Fault(format_path(steps), "is not there", advice=advice)


_NAMES = (str, int)
"""Types of keys that stand in a path as they are."""


def get(spec: Any, path: str, default: Any = EMPTY) -> Any:
    """The value at a path.

    Args:
        spec: Any spec.
        path: `a.b[0]["k"]`.
        default: Given where there is nothing at the path.

    Raises:
        PathError: There is nothing at the path and no default.

    >>> get({"a": [1, 2]}, "a[1]")
    2
    """
    try:
        return read(locate_path(given(spec), path)[2])
    except PathError:
        if default is EMPTY:
            raise
        return default


def origin(spec: Any, path: str) -> Origin:
    """Who set the value at a path.

    Args:
        spec: A spec.
        path: Where in it.

    Returns:
        The origin; its `chain()` tells what was replaced.

    Raises:
        PathError: There is nothing at the path.

    >>> origin(lazy(dict)(a=1), "a").kind
    'python'
    """
    holder, key, _ = locate_path(given(spec), path)
    return origin_of(holder, key)


def plain(x: Any) -> Any:
    """Mappings and lists as plain dicts and lists, at any depth, references read; calls and dataclasses stay.

    Raises:
        PathError: A reference leads to nothing.
        CycleError: A list or mapping refers to what it stands in.

    >>> plain({"a": [1, {"b": 2}]})
    {'a': [1, {'b': 2}]}
    """
    values = Values()
    trail: list[Any] = []

    def items(ref: Ref) -> tuple[list[Any], list[Any]]:
        found = values.of(ref)
        return ([], []) if found is LATER else ([None], [found])

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) is Ref:
            return values[0] if values else x
        if kind.family == "dict":
            return dict(zip(keys, values, strict=True))
        return values if kind.family == "list" else kind.remake(x, keys, values)

    table = {cls: kind if kind and kind.family in ("dict", "list", "tuple") else None for cls, kind in KINDS.items()}
    table[Ref] = Kind(items, make, family="ref")  # type: ignore[arg-type]
    try:
        return fold(x, make, kinds=table, trail=trail)
    except CycleError:
        if not any(type(frame[0]) is Ref for frame in trail):
            raise
        path = format_path(frame[2][frame[4]] for frame in trail if frame[2] != [None])
        raise CycleError(Fault(path, "is a reference to what it stands in")) from None


def walk(spec: Any) -> Iterator[tuple[str, Any]]:
    """Everything that a spec holds, from the root down: `(path, value)`, each node once.

    Args:
        spec: Any spec.

    Raises:
        CycleError: The spec contains itself.
        DepthError: It is nested too deeply.

    >>> [path for path, value in walk({"a": [1, {"b": 2}]})]
    ['', 'a', 'a[0]', 'a[1]', 'a[1].b']
    """
    for steps, value in walk_steps(given(spec)):
        yield format_path(steps), value


def rewrite(spec: Any, change: Callable[[str, Any], Any]) -> Any:
    """A copy of a spec in which each value is what `change` made of it, from the leaves up.

    Args:
        spec: Any spec.
        change: Called with a path and a value, its own parts already changed;
            returns the value that shall stand there. A node is asked once.

    Raises:
        CycleError: The spec contains itself.

    >>> rewrite({"a": 1, "b": [2]}, lambda path, x: x * 10 if isinstance(x, int) else x)
    {'a': 10, 'b': [20]}
    """
    spec = given(spec)
    if kind_of(type(spec)) is None:
        return change("", spec)
    trail: list[Any] = []
    made: dict[int, Any] = {}
    refs: list[Ref] = []

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        steps = steps_of(trail)
        before = kind.items(x)[1]
        for n, value in enumerate(values):
            if kind_of(type(before[n])) is None:
                found = change(format_path((*steps, keys[n])), value)
                values[n] = value if found is value else attach(found)
        remade = kind.remake(x, keys, values)
        if type(remade) is Ref:
            refs.append(remade)
        found = change(format_path(steps), remade)
        if not within_default(trail):
            made[id(x)] = found
        return found

    whole = fold(spec, make, kinds=SHARING, trail=trail)
    for ref in refs:  # of which the node that one leads to is made anew already
        moved(ref, lambda old, base=ref.__base__: old if old is base else made.get(id(old), old))  # type: ignore[misc]
    return whole
