"""What would stop a spec from being built: found in one pass, reported all together."""

from __future__ import annotations

from ._lazy import positions_fault
from ._path import format_path
from ._ref import Ref, Template, apply_steps, depends_on_run, follow, ref_text, with_operands
from ._running import RUNNING
from ._signature import signature_of
from ._spec import CALLS, INSTANCES, PARTIALS, origin_of, signature_text, step_into, target_text, unknown_argument
from ._target import Name, TargetError, resolve
from ._tree import KINDS, TARGET, Kind, fold, steps_of
from ._leaf import MISSING
from .errors import CallsheetError, CycleError, DepthError, Fault, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Visit = Callable[[Any, tuple[object, ...]], Iterator[Fault]]

_raw = object.__getattribute__


class References:
    """References as containers of what they lead to, so that it is built before them.

    Args:
        root: Where paths start that are bound to no other root.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self.kinds: dict[type, Kind | None] = {**KINDS, Ref: Kind(self.items, self.make, family="ref")}

    def items(self, ref: Ref) -> tuple[list[Any], list[Any]]:
        base = ref.__base__
        operands = [v for kind, data in ref.__steps__ if kind != "attr" for v in _operands(kind, data)]
        if type(base) is Template:
            found = [part for part in base.parts if type(part) is Ref]
        elif type(base) is tuple:
            found = [self._find(ref)]
        else:
            found = [base]
        return [f"→{n}" for n in range(len(found) + len(operands))], [*found, *operands]

    def _find(self, ref: Ref) -> Any:
        if depends_on_run(ref):
            running = RUNNING.get()
            return ref_text(ref) if running is None else running[ref.__base__[1]]
        root = self.root if ref.__root__ is None else ref.__root__
        try:
            return follow(root, ref.__base__, step_into)
        except LookupError:
            where = format_path(ref.__base__)
            raise PathError(Fault("", f"refers to {where}, where nothing is")) from None

    def make(self, ref: Ref, keys: list[Any], values: list[Any]) -> Any:
        base = ref.__base__
        if type(base) is Template:
            at = iter(values)
            return "".join(part if isinstance(part, str) else str(next(at)) for part in base.parts)
        return apply_steps(values[0], with_operands(ref.__steps__, values[1:]))


def _operands(kind: str, data: tuple[Any, ...]) -> list[Any]:
    return [*data[0], *data[1].values()] if kind == "call" else [data[0]]


def faults_of(spec: Any, *, root: Any = None, running: bool = True, visit: Visit | None = None) -> list[Fault]:
    """Everything that would stop `spec` from being built.

    Args:
        spec: What shall be built.
        root: Where references by path start; the spec itself by default.
        running: Whether what only a run knows (`${run.dir}`) will be there.
        visit: Called with each call and its steps for further faults.

    Returns:
        Names, missing values, targets that cannot be imported, references that
        lead nowhere or in a circle, in the order in which they stand.
    """
    references = References(spec if root is None else root)
    faults: list[Fault] = []
    trail: list[Any] = []

    def items(ref: Ref) -> tuple[list[Any], list[Any]]:
        if not running and depends_on_run(ref):
            faults.append(_needs_run(ref, trail))
            return [], []
        try:
            return references.items(ref)
        except CycleError as error:
            faults.extend(error.faults)
        except PathError as error:
            steps = steps_of(trail)
            faults.append(Fault(format_path(steps), error.faults[0].problem, origin=_origin_at(trail)))
        return [], []

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) in CALLS:
            found = [*_call_faults(x, trail)]
            if visit is not None and not found:
                found = [*visit(x, steps_of(trail))]
            faults.extend(found)
        return x

    def leaf(x: Any) -> Any:
        if x is MISSING:
            faults.append(_missing_value(trail))
        return x

    kinds = {**references.kinds, Ref: Kind(items, references.make, family="ref")}
    try:
        fold(spec, make, leaf=leaf, kinds=kinds, trail=trail)
    except (CycleError, DepthError) as error:
        faults.extend(error.faults)
    return faults


def _call_faults(call: Any, trail: list[Any]) -> Iterator[Fault]:
    target = _raw(call, "__target__")
    if type(target) in CALLS or type(target) is Ref:
        return
    if type(target) is Name:
        try:
            target = resolve(target)
        except CallsheetError as error:
            for fault in error.faults:
                origin = fault.origin or origin_of(call, TARGET).where
                yield Fault(format_path(steps_of(trail)), fault.problem, origin=origin, advice=fault.advice)
            return
        except Exception as error:  # the user's module failed: told as it is, with where it was named
            origin = origin_of(call, TARGET).where
            yield Fault(format_path(steps_of(trail)), f"{target_text(call)} cannot be imported: {_said(error)}", origin=origin)
            return
        if not callable(target):
            origin = origin_of(call, TARGET).where
            yield Fault(format_path(steps_of(trail)), f"{target_text(call)} is {target!r}, which cannot be called", origin=origin)
            return
    signature = signature_of(target)
    if signature is None:
        return
    args, kwargs = _raw(call, "__args__"), _raw(call, "__dict__")
    if not signature.more_named and not kwargs.keys() <= signature.named.keys():
        for name in signature.unknown(kwargs):
            path = format_path((*steps_of(trail), name))
            yield unknown_argument(name, call, signature, origin_of(call, name).where, path=path)
    if args:
        fault = positions_fault(call, signature, origin_of(call, 0).where, path=format_path(steps_of(trail)))
        if fault is not None:
            yield fault
    if not signature.required <= kwargs.keys() and type(call) not in PARTIALS and type(call) not in INSTANCES:
        for name in signature.missing(len(args), kwargs):
            yield Fault(
                format_path((*steps_of(trail), name)),
                f"is required by {target_text(call)}",
                origin=origin_of(call, TARGET).where,
                advice=[signature_text(call, signature)],
            )


def _missing_value(trail: list[Any]) -> Fault:
    steps = steps_of(trail)
    holder, key = trail[-1][0], trail[-1][2][trail[-1][4]]
    advice = []
    if type(holder) in CALLS and type(_raw(holder, "__target__")) not in CALLS:
        signature = None
        try:
            target = _raw(holder, "__target__")
            signature = signature_of(resolve(target) if type(target) is Name else target)
        except TargetError:
            pass  # the target has a fault of its own
        if signature is not None:
            advice = [signature_text(holder, signature)]
    return Fault(format_path(steps), "must be given", origin=origin_of(holder, key).where, advice=advice)


def _needs_run(ref: Ref, trail: list[Any]) -> Fault:
    return Fault(
        format_path(steps_of(trail)),
        f"{ref_text(ref)} is known only while a run builds",
        origin=_origin_at(trail),
        advice=["start it with  callsheet run  or  submit(...)"],
    )


def _origin_at(trail: list[Any]) -> str:
    for holder, _, keys, _, n, _ in reversed(trail):
        if holder is not None and type(holder) is not Ref:
            return origin_of(holder, keys[n]).where
    return ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
