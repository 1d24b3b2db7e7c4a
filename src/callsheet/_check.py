"""Checking: every fault of a spec, found without building anything."""

from __future__ import annotations

from ._convert import Mismatch, convert, hint_text
from ._displaced import displaced_faults
from ._equal import equal
from ._grammar import parse, plain_value
from ._items import CALLS, origin_of, raw_item, read, signature_text
from ._layout import layout
from ._lazy import plain
from ._leaf import MISSING, Datum
from ._origin import Origin
from ._path import format_path
from ._ready import faults_of
from ._ref import Ref
from ._secret import Secret
from ._signature import EMPTY, signature_of
from ._spec import PARTIALS, attach, set_item
from ._target import Name, resolve
from ._tree import ATOMS, kind_of
from ._tree import walk as walk_steps
from .errors import Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

_raw = object.__getattribute__


def check(spec: Any, *, root: Any = None) -> None:
    """Find everything that is wrong with a spec, without building it.

    Argument names, required and missing values, targets that cannot be
    imported, references that lead nowhere or in a circle, and values that do
    not fit the annotations of what they are given to. What was set by an
    override becomes the declared type here, where the target was only named
    when it was set.

    Args:
        spec: A call, or anything that holds calls.
        root: Where references by path start that are bound to no loaded file;
            the spec itself by default.

    Raises:
        SpecError: Something is wrong; `faults` has every reason.

    >>> from callsheet import lazy
    >>> check(lazy("os.path.join")("a", b=1))
    Traceback (most recent call last):
    callsheet.errors.SpecError: b  no such argument of posixpath.join ...
    """
    faults = find_faults(spec, root=root)
    if faults:
        raise SpecError(*faults)


def find_faults(spec: Any, *, root: Any = None, only: Collection[int] | None = None) -> list[Fault]:
    """What `check` raises, as a list; override texts become the declared types on the way.

    Args:
        spec: What shall be checked.
        root: Where references by path start; the spec itself by default.
        only: The ids of the containers that count; all by default.
    """
    return [*faults_of(spec, root=root, visit=_type_faults, only=only), *displaced_faults(spec, root=root)]


def _type_faults(call: Any, steps: tuple[object, ...]) -> Iterator[Fault]:
    target = _raw(call, "__target__")
    if type(target) in CALLS or type(target) is Ref:
        return
    signature = signature_of(resolve(target) if type(target) is Name else target)
    if signature is None:
        return
    hints = signature.hints()
    if not hints:
        return
    for key in call:
        parameter = signature.parameter(key)
        hint = hints.get(parameter.name, EMPTY) if parameter is not None else EMPTY
        if parameter is None or hint is EMPTY:
            continue
        value = raw_item(call, key)
        origin = origin_of(call, key)
        problem = ""
        if origin.text and origin.kind in ("override", "sweep"):
            try:
                value = _settle(call, key, value, hint, origin)
            except Mismatch as error:
                problem = str(error)
        problem = problem or _misfit(value, hint, parameter.default)
        if problem:
            yield Fault(
                format_path((*steps, key)), problem, origin=origin.where, advice=[signature_text(call, signature)]
            )


def _settle(call: Any, key: Any, value: Any, hint: Any, origin: Origin) -> Any:
    """What an override typed, as the declared type; it stays in the spec so."""
    said = parse(origin.text)
    if said.is_sweep or not said.choices or said.steps[-1] not in (key, str(key)):
        return value
    if type(value) is Secret:
        return value  # as it was typed: a text is what it becomes
    if kind_of(type(value)) is not None and not equal(value, plain_value(said.choices[0])):
        return value  # it holds what was set later, or what must be built
    made = attach(convert(said.choices[0], hint))
    if type(made) is not type(value) or made != value:
        set_item(call, key, made, None, origin=origin)
    return made


def _misfit(value: Any, hint: Any, default: Any) -> str:
    """Why a value does not fit an annotation, or ""."""
    if value is MISSING or type(value) in (Ref, Datum) or value is default:
        return ""
    if type(value) is Secret:
        return _text_misfit(hint)
    if type(value) is hint:
        return ""
    if type(value) in CALLS:
        return _result_misfit(value, hint)
    if type(value) is Name:
        value = read(value)
    elif type(value) not in ATOMS:
        value = plain(value)
        if any(type(inner) in CALLS or type(inner) in (Ref, Name, Datum, Secret) for _, inner in walk_steps(value)):
            return ""  # what it will hold is known only when it is built
    import typeguard

    try:
        typeguard.check_type(
            value,
            hint,
            forward_ref_policy=typeguard.ForwardRefPolicy.IGNORE,
            collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS,
        )
    except typeguard.TypeCheckError:
        shown = layout(value, width=1000)
        return f"must be {hint_text(hint)}, found {shown if len(shown) <= 60 else shown[:56] + ' ...'}"
    return ""


def _text_misfit(hint: Any) -> str:
    """Why a secret, which is built into a text, does not fit; told where a class is declared."""
    plain = isinstance(hint, type) and not hasattr(hint, "__origin__") and not getattr(hint, "_is_protocol", False)
    return "" if not plain or hint is Secret or issubclass(str, hint) else f"must be {hint_text(hint)}, found a secret"


def _result_misfit(call: Any, hint: Any) -> str:
    """Why the result of a call does not fit, where both are classes and so can be told before the call."""
    target = _raw(call, "__target__")
    if type(call) in PARTIALS or type(target) in CALLS or type(target) is Ref:
        return ""
    made = resolve(target) if type(target) is Name else target
    if not isinstance(made, type) or not isinstance(hint, type) or hasattr(hint, "__origin__"):
        return ""
    if getattr(hint, "_is_protocol", False) or hint is object or "__new__" in vars(made):
        return ""
    # Numbers: an int serves as a float, as PEP 484 says.
    if issubclass(made, hint) or (hint is float and issubclass(made, int)):
        return ""
    return f"must be {hint_text(hint)}, found a call of {made.__qualname__}"
