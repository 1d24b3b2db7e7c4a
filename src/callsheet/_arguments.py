"""Arguments of a call taken away, set together, and kept for another target."""

from __future__ import annotations

from ._items import (
    CALLS,
    MAPPINGS,
    check_names,
    origin_of,
    raw_item,
    settle_step,
    target_text,
    unknown_argument,
)
from ._lazy import as_target, nothing_at
from ._origin import Origin, locate
from ._read import read
from ._ref import Ref
from ._signature import EMPTY, signature_of
from ._spec import INSTANCES, Call, attach, delete_item, here, new_call, set_item, settle_class
from ._target import Name, resolve
from ._tree import TARGET, kind_of
from .errors import ArgumentError, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ._origin import Site
    from ._signature import Signature

_raw = object.__getattribute__
_set = object.__setattr__


def pop(spec: Any, name: Any, default: Any = EMPTY) -> Any:
    """Take an argument away from a call, or an item from a mapping, and give its value.

    Args:
        spec: A call or a mapping; it is changed.
        name: The argument's name or position, or the key.
        default: Given where there is none.

    Raises:
        PathError: There is none and no default. It is a `KeyError`, as of `dict.pop`.
        TypeError: `spec` is neither a call nor a mapping.

    >>> from callsheet import lazy
    >>> call = lazy(dict)(a=1, b=2)
    >>> pop(call, "a"), pop(call, "a", None), call
    (1, None, lazy(dict)(b=2))
    """
    _refuse_others(spec, "pop")
    key = settle_step(spec, name)
    try:
        value = read(raw_item(spec, key))
    except LookupError:
        if default is not EMPTY:
            return default
        raise PathError(nothing_at(spec, (name,), 0)) from None
    delete_item(spec, key)
    return value


def update(spec: Any, arguments: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (), /, **more: Any) -> None:
    """Set several arguments of a call, or items of a mapping: all of them, or none where one does not fit.

    Args:
        spec: A call or a mapping; it is changed.
        arguments: Names (or positions) and values, as `dict.update` takes them.
        more: Further ones by name.

    Raises:
        ArgumentError: The callable was given itself and does not take a name; `faults` has all that it does not.
        IndexError: The call has no such positional argument.
        TypeError: `spec` is neither a call nor a mapping.

    >>> from callsheet import lazy
    >>> call = lazy(dict)(a=1)
    >>> update(call, {"b": 2}, c=3)
    >>> call
    lazy(dict)(a=1, b=2, c=3)
    """
    _refuse_others(spec, "update")
    site = here()
    new = {key: attach(value, site) for key, value in dict(arguments, **more).items()}
    if type(spec) in CALLS:
        check_names(spec, [key for key in new if isinstance(key, str)], site)
        positions = len(_raw(spec, "__args__"))
        for key in new:
            if isinstance(key, int) and not 0 <= key < positions:
                raise IndexError(f"{target_text(spec)} has {positions} positional arguments")
    for key, value in new.items():
        set_item(spec, key, value, site)


def _refuse_others(spec: Any, verb: str) -> None:
    if type(spec) not in CALLS and type(spec) not in MAPPINGS:
        raise TypeError(f"{verb} is for calls and mappings, not for {type(spec).__qualname__}")


def swap(call: Any, target: Any, /, **arguments: Any) -> dict[Any, Any]:
    """Let a call call something else, with the arguments, by name, that fit.

    The call itself is changed, so that every place that holds it and every reference to it follows. Positional
    arguments are kept by the names that the old target has for them; both targets are imported to know their
    parameters, under the policy of a data file where one named them.

    Args:
        call: A `Call` or `Partial`.
        target: A callable, its name as text, or a spec that is built into it; as for `lazy`.
        arguments: Further arguments of the new target; they win over those that are kept.

    Returns:
        The arguments that the new target does not take, by name or position: they are gone.

    Raises:
        ArgumentError: The new target does not take one of `arguments`; nothing is changed.
        TargetError: A target cannot be imported.
        TypeError: `call` is no call, or `target` can never be called.

    >>> import shutil
    >>> from callsheet import lazy
    >>> call = lazy(shutil.copy)("a", "b", follow_symlinks=False)
    >>> swap(call, shutil.move)
    {'follow_symlinks': False}
    >>> call
    lazy(move)(src='a', dst='b')
    """
    return swap_target(call, target, arguments, here())


def swap_target(
    call: Any,
    target: Any,
    arguments: Mapping[str, Any],
    site: Site | None,
    *,
    origin: Origin | None = None,
    signature: Callable[[Any], Signature | None] | None = None,
) -> dict[Any, Any]:
    """`swap`, where `site` or `origin` says who did it, and `signature` what a target takes.

    Raises:
        ArgumentError, TargetError, TypeError: As for `swap`.
    """
    if type(call) not in CALLS or type(call) in INSTANCES:
        raise TypeError(f"swap is for calls, not for {type(call).__qualname__}: describe it with lazy(...)")
    new, signature = as_target(target), signature or _signature
    new_signature = signature(new)
    args, named = _raw(call, "__args__"), _raw(call, "__dict__")
    old_signature = signature(_raw(call, "__target__")) if args else None
    kept = _kept_positions(len(args), old_signature, new_signature)
    by_name = {n: name for n, name in enumerate(_names(args, old_signature)) if n >= kept and name is not None}
    where = origin.where if origin is not None else locate(site, TARGET).where
    if new_signature is not None:
        _refuse_unknown(new, new_signature, arguments, where)
    origins = {key: origin_of(call, n) for n, key in by_name.items()}
    moved = {by_name[n]: args[n] for n in by_name if by_name[n] not in named}
    values = {**moved, **named}
    positional = {parameter.name for parameter in new_signature.slots[:kept]} if new_signature is not None else ()
    unknown = set() if new_signature is None else {*new_signature.unknown(values), *(values.keys() & positional)}
    dropped = {n: read(args[n]) for n in range(kept, len(args)) if n not in by_name}
    dropped.update((name, read(value)) for name, value in values.items() if name in unknown and name not in arguments)
    _put_together(call, new, args[:kept], {k: v for k, v in values.items() if k not in unknown}, origins)
    _raw(call, "__origins__")[TARGET] = origin or site
    for name, value in arguments.items():
        set_item(call, name, value, site, origin=origin)
    return dropped


def _put_together(call: Any, target: Any, args: list[Any], named: dict[str, Any], origins: dict[Any, Any]) -> None:
    known = _raw(call, "__origins__") or {}
    kept = {key: found for key, found in known.items() if key in named or (isinstance(key, int) and key < len(args))}
    _set(call, "__target__", target)
    _set(call, "__args__", args)
    _set(call, "__dict__", named)
    _set(call, "__origins__", {**{k: v for k, v in origins.items() if k in named}, **kept})
    settle_class(call)


def _signature(target: Any) -> Signature | None:
    """What a target takes; None where that is not known before it is built."""
    if kind_of(type(target)) is not None or type(target) is Ref:
        return None
    return signature_of(resolve(target) if type(target) is Name else target)


def _names(args: list[Any], signature: Signature | None) -> list[str | None]:
    """The names that positional arguments have, None for those that can have none."""
    slots = signature.slots if signature is not None else []
    named = [slot.name if signature is not None and slot.name in signature.named else None for slot in slots]
    return [*named, *[None] * len(args)][: len(args)]


def _kept_positions(count: int, old: Signature | None, new: Signature | None) -> int:
    """How many arguments stay positional: all, where some can have no name and the new target takes the same."""
    if not count or (old is None and new is None):
        return count
    before, after = _names([None] * count, old), _names([None] * count, new)
    if None not in before:
        return 0
    first = before.index(None)
    fits = new is None or new.more_positional or len(new.slots) >= count
    return count if fits and (before[:first] == after[:first]) else 0


def _refuse_unknown(target: Any, signature: Signature, arguments: Mapping[str, Any], where: str) -> None:
    unknown = signature.unknown(arguments)
    if unknown:
        call = new_call(Call, target, [], dict(arguments))
        raise ArgumentError(*(unknown_argument(name, call, signature, where) for name in unknown))
