"""What would stop a spec from being built: found in one pass, reported all together."""

from __future__ import annotations

from ._fields import field_names, has_fields
from ._instances import instance_fault
from ._items import CALLS, origin_of, signature_text, step_into, target_text, unknown_argument
from ._lazy import positions_fault
from ._leaf import MISSING, Datum, make_real
from ._path import format_path
from ._read import LATER, Values, answer, filled, unknown_resolver
from ._ref import Positions, Ref, ref_text
from ._running import RUNNING
from ._secret import Secret
from ._signature import Signature, signature_of
from ._spec import INSTANCES, PARTIALS
from ._steps import apply_steps, operands_of, with_operands
from ._target import Name, resolve
from ._tree import ATOMS, KINDS, TARGET, Kind, fold, kind_of, walk
from ._trust import guards_in, lifted
from ._written import WRITTEN, Asked, Route, Template, depends_on_run
from .errors import CallsheetError, CycleError, DepthError, Fault, PathError, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from typing import Any

    Visit = Callable[[Any, list[Any]], Iterable[Fault]]
    """Gives the faults of a call, an instance, a name or a datum; the trail is that of the fold that stands there."""

_raw = object.__getattribute__


class References:
    """References as containers of what they lead to, so that it is built before them, and once.

    Args:
        root: Where paths start that are bound to no other root.
        spec: What the references stand in; the root by default.
        environment: Whether environment variables are read.
    """

    def __init__(self, root: Any, spec: Any = None, *, environment: bool = True) -> None:
        self.root = root
        self.values = Values(root, spec=spec if spec is not root else None, environment=environment)
        self.kinds: dict[type, Kind | None] = {**KINDS, Ref: Kind(self.items, self.make, family="ref", way=self.way_to)}
        self._answers: dict[int, Any] = {}  # by the ids of references that ask, so that each asks once
        self._paths: dict[int, tuple[object, ...]] | None = None

    def items(self, ref: Ref) -> tuple[list[Any], list[Any]]:
        found = self._found(ref)
        if ref.__steps__:
            found += operands_of(ref.__steps__)
        return [f"→{n}" for n in range(len(found))], found

    def _found(self, ref: Ref) -> list[Any]:
        """What a reference starts from: one thing, or as many as stand in a text."""
        base = ref.__base__
        if type(base) not in WRITTEN:
            return [base]
        if type(base) is tuple and depends_on_run(ref):
            self._refuse_clash(ref)
            return [(RUNNING.get() or {}).get(base[1], ref_text(ref))]
        if type(base) is Route and any(self.values.plain_of(part) is MISSING for part in self.values.parts(ref)):
            return self.values.parts(ref)  # which are at fault themselves
        if type(base) is tuple or type(base) is Route:
            return [self.values.reached_by(ref)]
        if type(base) is Asked:
            if base.name == "env":
                values = [self.values.plain_of(part) for part in self.values.parts(ref)]
                if not any(value is LATER or value is MISSING for value in values):
                    self._answers[id(ref)] = answer(base, values)
                    return []
            elif base.function is None:
                raise PathError(unknown_resolver(base.name, ()))
        return self.values.parts(ref)

    def _refuse_clash(self, ref: Ref) -> None:
        """A spec may have a `run` of its own, but not with the names that are the running run's."""
        try:
            step_into(self.root if ref.__root__ is None else ref.__root__, "run")
            self.values.reached_by(ref)
        except LookupError:
            return
        problem = f"refers to {format_path(ref.__base__)}, which is both the run's and the spec's own"
        raise PathError(Fault("", problem, advice=["rename it in the spec"]))

    def make(self, ref: Ref, keys: list[Any], values: list[Any]) -> Any:
        base, steps = ref.__base__, ref.__steps__
        start = len(values) - len(operands_of(steps))
        value = values[0] if start else None
        if type(base) is Template:
            value = filled(base, values[:start])
        elif type(base) is Asked:
            if id(ref) not in self._answers:
                known = self.values.known.get(id(ref), LATER) if not steps else LATER
                self._answers[id(ref)] = answer(base, values[:start]) if known is LATER else known
            value = self._answers[id(ref)]
        return apply_steps(value, with_operands(steps, values[start:]), ref.__policy__) if steps else value

    def way_to(self, ref: Ref) -> tuple[object, ...] | None:
        """The path of what a reference leads to; None where it leads to no place."""
        if type(ref.__base__) is not tuple and type(ref.__base__) is not Route:
            return None
        start, steps = self.values.place_of_end(ref)
        if start is self.root:
            return steps
        if self._paths is None:
            self._paths = {}
            for path, value in walk(self.root, kinds={**KINDS, Ref: None}):
                if type(value) not in ATOMS:
                    self._paths.setdefault(id(value), path)
        return (*self._paths.get(id(start.call if type(start) is Positions else start), ()), *steps)


def place_of(trail: list[Any]) -> tuple[Any, ...]:
    """The path of where a fold stands: what a reference leads to has its own, what is handed to it the reference's.

    A node with a name of its own at the top of the spec is told by that, wherever else it is held.
    """
    steps: list[Any] = []
    start: tuple[object, ...] = ()
    named = _names_at_top(trail[0][3][0]) if len(trail) > 2 else {}
    for holder, kind, keys, values, n, _ in reversed(trail):
        if holder is None:
            break
        if id(values[n]) in named:
            start = (named[id(values[n])],)
            break
        if type(holder) is not Ref:
            steps.append(keys[n])
        elif n == 0 and type(values[0]) is not Ref and kind.way is not None:
            way = kind.way(holder)
            if way is not None:
                start = way
                break
    return (*start, *reversed(steps))


def _names_at_top(root: Any) -> dict[int, Any]:
    """By id, the names of the nodes that the mapping at the root of a spec holds itself."""
    kind = kind_of(type(root))
    if kind is None or kind.family != "dict":
        return {}
    found: dict[int, Any] = {}
    for name, value in zip(*kind.items(root), strict=True):
        if type(value) in CALLS:
            found.setdefault(id(value), name)
    return found


def faults_of(
    spec: Any,
    *,
    root: Any = None,
    running: bool = True,
    visit: Visit | None = None,
    only: Collection[int] | None = None,
    references: References | None = None,
) -> list[Fault]:
    """Everything that would stop `spec` from being built.

    Args:
        spec: What shall be built.
        root: Where references by path start; the spec itself by default.
        running: Whether what only a run knows (`${run.dir}`) will be there.
        visit: Gives the faults of each call, instance of a dataclass or its like, name and datum;
            by default those of calls that would stop them.
        only: The ids of the containers that count; all by default.
        references: What is known already of where references lead.

    Returns:
        Names, missing values, targets that cannot be imported, references that
        lead nowhere or in a circle, in the order in which they stand.
    """
    references = references or References(spec if root is None else root, spec)
    return _Survey(references, running, visit or _stopping, only).of(spec)


class _Survey:
    """A fold that makes nothing and notes what is wrong."""

    def __init__(self, references: References, running: bool, visit: Visit, only: Collection[int] | None) -> None:
        self.references = references
        self.running = running
        self.visit = visit
        self.only = only
        self.faults: list[Fault] = []
        self.circular: dict[int, Fault] = {}
        self.trail: list[Any] = []

    def of(self, spec: Any) -> list[Fault]:
        references = self.references
        link = Kind(self.items, references.make, family="ref", way=references.way_to)
        kinds = {**references.kinds, Ref: link}
        while True:
            try:
                fold(spec, self.make, leaf=self.leaf, kinds=kinds, trail=self.trail)
            except (CycleError, DepthError) as error:
                at = _turning(self.trail) if type(error) is CycleError else None
                if at is not None:  # seen from there on as a reference to nothing, so that all else is found as well
                    self.circular[id(self.trail[at][0])] = _circular(self.trail, at)
                    self.faults.clear()
                    self.trail.clear()
                    continue
                self.faults.extend(error.faults)
            return _each_once([*self.circular.values(), *self.faults])

    def items(self, ref: Ref) -> tuple[list[Any], list[Any]]:
        if not self.running and depends_on_run(ref) and type(ref.__base__) is tuple:
            self.faults.append(_needs_run(ref, self.trail))
            return [], []
        try:
            if id(ref) not in self.circular:
                return self.references.items(ref)
        except (CycleError, PathError) as error:
            fault, path = error.faults[0], format_path(place_of(self.trail))
            self.faults.append(Fault(path, fault.problem, origin=origin_at(self.trail), advice=fault.advice))
        except Exception as error:  # noqa: BLE001  (a user's resolver failed, which tells a path: told as it is)
            problem = f"cannot be found: {_said(error)}"
            self.faults.append(Fault(format_path(place_of(self.trail)), problem, origin=origin_at(self.trail)))
        return [], []

    def make(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if (type(x) in CALLS or kind.family in ("fields", "partial")) and (self.only is None or id(x) in self.only):
            self.faults.extend(self.faults_at(x, kind))
        return x

    def faults_at(self, x: Any, kind: Kind) -> Iterable[Fault]:
        found = [*self.visit(x, self.trail)]
        if kind.construct is not None:
            fault = instance_fault(x, format_path(place_of(self.trail)))
            return found if fault is None else [*found, fault]
        if kind.call is None:
            return found
        try:
            return [*found, *self.visit(kind.call(x), self.trail)]  # a config counts as the call that it comes to, too
        except CallsheetError as error:
            path = format_path(place_of(self.trail))
            where = origin_at(self.trail)
            more = (
                Fault(path, fault.problem, origin=fault.origin or where, advice=fault.advice) for fault in error.faults
            )
            return [*found, *more]

    def leaf(self, x: Any) -> Any:
        if self.only is not None and id(self.trail[-1][0]) not in self.only:
            return x
        if x is MISSING:
            self.faults.append(_missing_value(self.trail, self.references))
        elif type(x) is Secret:
            fault = x.fault()
            if fault is not None:
                path, origin = format_path(place_of(self.trail)), origin_at(self.trail)
                self.faults.append(Fault(path, fault.problem, origin=origin, advice=fault.advice))
        elif type(x) is Name or type(x) is Datum:
            self.faults.extend(self.visit(x, self.trail))
        return x


def _stopping(x: Any, trail: list[Any]) -> Iterable[Fault]:
    return call_faults(x, trail) if type(x) in CALLS else ()


def _each_once(faults: list[Fault]) -> list[Fault]:
    """What several references lead to is at fault once."""
    return list({(fault.path, fault.problem): fault for fault in reversed(faults)}.values())[::-1]


def _turning(trail: list[Any]) -> int | None:
    """The first reference on a way that leads back to itself, None where it is made of containers only."""
    back = trail[-1][3][trail[-1][4]]
    start = next(n for n, frame in enumerate(trail) if frame[0] is back)
    return next((n for n in range(start, len(trail)) if type(trail[n][0]) is Ref), None)


def _circular(trail: list[Any], at: int) -> Fault:
    back = trail[-1][3][trail[-1][4]]
    start = next(n for n, frame in enumerate(trail) if frame[0] is back)
    end = format_path(place_of(trail[:start])) or "the whole spec"
    return Fault(
        format_path(place_of(trail[:at])),
        f"refers to what needs {end} to be built first: {ref_text(trail[at][0])}",
        origin=origin_at(trail[:at]),
    )


def import_faults(x: Name | Datum, trail: list[Any], *, call: Any = None, key: Any = TARGET) -> Iterator[Fault]:
    """What stops a name, or a value that data names, from being imported.

    Args:
        x: The name or datum.
        trail: That of the fold which stands at it, or at the call that holds it.
        call: That call.
        key: What it is there: the target, or an argument.
    """
    try:
        _ = make_real(x) if isinstance(x, Datum) else named_object(x) if call is None else resolve(x)
        return
    except CallsheetError as error:
        faults = error.faults
    except Exception as error:  # noqa: BLE001  (the user's module failed: told as it is)
        label = x.dotted if isinstance(x, Name) else repr(x)
        faults = (Fault("", f"{label} cannot be imported: {_said(error)}"),)
    origin = origin_at(trail) if call is None else origin_of(call, key).where
    path = format_path(place_of(trail) if key == TARGET else (*place_of(trail), key))
    for fault in faults:
        yield Fault(path, fault.problem, origin=fault.origin or origin, advice=fault.advice)


def named_object(name: Name) -> Any:
    """The object that stands for a name where a spec holds one.

    Raises:
        SpecError: It is or holds a call, which would reach its user unbuilt.
        TargetError: It cannot be imported.
    """
    found = resolve(name)
    if kind_of(type(found)) is not None and any(type(part) in CALLS for _, part in walk(found)):
        bound = name.qualname.rpartition(".")[2]
        problem = f"{name.dotted} is a spec in an ordinary module, and a name of it is not built"
        advice = [
            f"bring it into the config:  {bound} = {bound}",
            "or take it from a config file, by a relative import",
        ]
        raise SpecError(Fault("", problem, origin=name.where, advice=advice))
    return found


def call_faults(call: Any, trail: list[Any]) -> Iterator[Fault]:
    """What would stop a call from being made: its target, the names and the number of its arguments."""
    target = _raw(call, "__target__")
    if type(target) in CALLS or type(target) is Ref:
        return
    if type(target) is Name:
        stopped = [*import_faults(target, trail, call=call)]
        yield from stopped
        if stopped:
            return
        target = resolve(target)
        if not callable(target):
            origin = origin_of(call, TARGET).where
            yield Fault(
                format_path(place_of(trail)),
                f"{target_text(call)} is {target!r}, which cannot be called",
                origin=origin,
            )
            return
    signature = signature_of(target)
    if signature is not None:
        yield from argument_faults(call, signature, trail)
    yield from guard_faults(call, signature, trail)


def guard_faults(call: Any, signature: Signature | None, trail: list[Any]) -> Iterator[Fault]:
    """The arguments of data by which a callable would run what it reads, where no entry names it itself."""
    target = _raw(call, "__target__")
    if type(target) is not Name or target.policy is None:
        return
    guards = guards_in(_raw(call, "__args__"), _raw(call, "__dict__"), signature)
    if not guards or target.policy.names(target.module, target.qualname):
        return
    for key, (name, value) in lifted(guards).items():
        where = origin_of(call, key).where or str(target.where)
        fault = target.policy.guard_fault(name, value, target.module, target.qualname, where)
        yield Fault(format_path((*place_of(trail), key)), fault.problem, origin=where, advice=fault.advice)


def argument_faults(call: Any, signature: Signature, trail: list[Any]) -> Iterator[Fault]:
    """What is wrong with the names and the number of a call's arguments."""
    args, kwargs = _raw(call, "__args__"), _raw(call, "__dict__")
    if not signature.more_named and not kwargs.keys() <= signature.named.keys():
        fields = field_names(signature.target) if type(call) in INSTANCES and has_fields(signature.target) else ()
        for name in (name for name in signature.unknown(kwargs) if name not in fields):
            path = format_path((*place_of(trail), name))
            yield unknown_argument(name, call, signature, origin_of(call, name).where, path=path)
    if args:
        wrong = positions_fault(call, signature, origin_of(call, 0).where, path=format_path(place_of(trail)))
        if wrong is not None:
            yield wrong
    if not signature.required <= kwargs.keys() and type(call) not in PARTIALS and type(call) not in INSTANCES:
        for name in signature.missing(len(args), kwargs):
            yield Fault(
                format_path((*place_of(trail), name)),
                f"is required by {target_text(call)}",
                origin=origin_of(call, TARGET).where,
                advice=[signature_text(call, signature)],
            )


def _missing_value(trail: list[Any], references: References) -> Fault:
    steps = place_of(trail)
    holder, key = trail[-1][0], trail[-1][2][trail[-1][4]]
    if type(holder) is Ref and references.way_to(holder) is not None:
        start, (*way, key) = references.values.place_of_end(holder)
        holder = references.values.stands_at(start, way)
    advice = []
    if type(holder) in CALLS and type(_raw(holder, "__target__")) not in CALLS:
        signature = None
        try:
            target = _raw(holder, "__target__")
            signature = signature_of(resolve(target) if type(target) is Name else target)
        except Exception:  # noqa: BLE001, S110  (the target has a fault of its own)
            pass
        if signature is not None:
            advice = [signature_text(holder, signature)]
    return Fault(format_path(steps), "must be given", origin=origin_of(holder, key).where, advice=advice)


def _needs_run(ref: Ref, trail: list[Any]) -> Fault:
    return Fault(
        format_path(place_of(trail)),
        f"${{{format_path(ref.__base__)}}} is known only while a run builds",
        origin=origin_at(trail),
        advice=["start it with  callsheet run  or  submit(...)"],
    )


def origin_at(trail: list[Any]) -> str:
    """Who set what a fold stands at, or what holds it where that says nothing (a field of a dataclass)."""
    for holder, _, keys, _, n, _ in reversed(trail):
        where = "" if holder is None or type(holder) is Ref else origin_of(holder, keys[n]).where
        if where:
            return where
    return ""


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
