"""What building a spec comes to: plain Python calls, in the order in which they need each other."""

from __future__ import annotations

from ._items import CALLS
from ._leaf import MISSING, Datum, make_real
from ._ready import call_faults
from ._ref import Ref
from ._signature import signature_of
from ._spec import INSTANCES, PARTIALS, Call
from ._target import Name, resolve
from ._tree import ATOMS, FIELDS, MAX_DEPTH, Kind, kind_of
from .errors import CycleError, DepthError, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._trust import Policy

    Step = list[Any]
    """`[function, args, kwargs, holder, key, node]`: what the function returns goes to `holder[key]`."""
    Todo = tuple[Any, Any, Any]

_args_of = vars(Call)["__args__"].__get__
_kwargs_of = vars(Call)["__dict__"].__get__
_target_of = vars(Call)["__target__"].__get__

_CALLED = CALLS - PARTIALS - INSTANCES
_INDIRECT = CALLS | {Name, Ref}
"""Types of targets that are not the callable itself."""
_LEAVE = object()
_LEAVE_PLACE = object()
_SCOPE = object()
_NONE: dict[str, Any] = {}
_COMPUTED = {"keep": False}
"""A built dataclass has the fields that its `__post_init__` computed from built values."""


class _Everywhere:
    """The places that hold the same node: what is put here is put there."""

    __slots__ = ("places",)

    def __init__(self, places: list[tuple[Any, Any]]) -> None:
        self.places = places

    def __setitem__(self, key: None, made: Any) -> None:
        for holder, place in self.places:
            holder[place] = made


class Program:
    """The calls that build a spec.

    Each container is visited once and left when all that it holds was, so that
    the steps stand in the order in which Python would evaluate the spec if it
    were written as calls. The spec is not touched: arguments are put in copies.

    Args:
        spec: What shall be built.
        kinds: Which types are containers, references among them.

    Attributes:
        steps: What `run` does, in order.
        sound: Whether nothing is known that would stop it. If not, there may be
            faults: `faults_of` tells.

    Raises:
        CallsheetError: There is no such order, or a reference leads nowhere; `faults_of` tells more.
    """

    __slots__ = ("_done", "_kinds", "_known", "_out", "_todo", "at", "sound", "steps")

    def __init__(self, spec: Any, kinds: dict[type, Kind | None]) -> None:
        self.steps: list[Step] = []
        self.sound = True
        self.at: Any = None
        self._kinds = kinds
        self._out = [spec]
        self._known: set[Any] = set()  # targets given themselves, with the names of arguments that they take
        self._done: dict[int, Step | None] = {}  # id of a container -> its step, None while it is open
        self._todo: list[Todo] = [(spec, self._out, 0)] if type(spec) not in ATOMS else []
        self._order()

    def run(self) -> Any:
        """Make the calls; when one raises, `at` is its node."""
        node = None
        try:
            for function, args, kwargs, holder, key, node in self.steps:  # noqa: B007
                holder[key] = function(*args, **kwargs)
        except BaseException:
            self.at = node
            raise
        return self._out[0]

    def _order(self) -> None:  # noqa: C901 (most of a spec is calls like those before: they are done here, at once)
        todo, kinds, steps, done, known = self._todo, self._kinds, self.steps, self._done, self._known
        step: Step | None
        inner: list[Todo] | None
        a_call: Kind = kinds[Call]  # type: ignore[assignment]
        depth = 0
        while todo:
            x, holder, key = todo.pop()
            cls = type(x)
            kind = a_call
            if cls is Call and id(x) not in done and (id(x.__target__), *x.__dict__) in known:
                step, inner = [x.__target__, (), x.__dict__, holder, key, x], None
                for name, value in x.__dict__.items():
                    if type(value) not in ATOMS:
                        if inner is None:
                            inner, step[2] = [], x.__dict__.copy()
                        inner.append((value, step[2], name))
            elif x is _LEAVE:  # `key` has all that it holds: its step is next
                depth -= 1
                steps.append(holder)
                done[id(key)] = holder
                continue
            elif x is _LEAVE_PLACE:  # the same of what is no node, and made anew at each place
                depth -= 1
                if holder is not None:
                    steps.append(holder)
                del done[id(key)]
                continue
            elif x is _SCOPE:  # of a class default: what its owner has for itself
                self._done = done = holder
                continue
            elif id(x) in done:
                _again(done[id(x)], holder, key)
                continue
            elif cls in CALLS:
                step, inner = self._call(x, holder, key)
            else:
                found = kinds[cls] if cls in kinds else kind_of(cls, kinds)
                if found is None:
                    self._leaf(x, holder, key)
                    continue
                kind = found
                step, inner = self._container(x, kind, holder, key)
            if inner:  # what it holds comes first
                depth += 1
                done[id(x)] = None
                todo.append((_LEAVE if kind.node else _LEAVE_PLACE, step, x))
                inner.reverse()
                todo += inner
                if depth >= MAX_DEPTH:
                    self._too_deep(depth)
            elif step is not None:
                steps.append(step)
                if kind.node:
                    done[id(x)] = step

    def _too_deep(self, depth: int) -> None:
        self.sound = False
        if depth > MAX_DEPTH:
            raise DepthError(Fault("", f"is nested more than {MAX_DEPTH} levels deep"))

    def _leaf(self, x: Any, holder: Any, key: Any) -> None:
        if x is MISSING:
            self.sound = False
        elif type(x) is Name:
            self.steps.append([resolve, (x,), _NONE, holder, key, x])
        elif type(x) is Datum:
            self.steps.append([make_real, (x,), _NONE, holder, key, x])

    def _call(self, call: Any, holder: Any, key: Any) -> tuple[Step, list[Todo]]:
        target, args, kwargs = _target_of(call), _args_of(call).copy(), _kwargs_of(call).copy()
        if any(call_faults(call, [])):
            self.sound = False
        parts = [call, target, args, kwargs]
        step = [call_now, parts, _NONE, holder, key, call]
        inner = [(target, parts, 1)] if kind_of(type(target)) is not None else []
        if type(target) not in _INDIRECT and type(call) in _CALLED:
            step[:3] = target, args, kwargs
            if type(call) is Call and not args:
                self._known.add((id(target), *kwargs))
        inner += [(value, args, n) for n, value in enumerate(args) if type(value) not in ATOMS]
        inner += [(value, kwargs, name) for name, value in kwargs.items() if type(value) not in ATOMS]
        return step, inner

    def _container(self, x: Any, kind: Kind, holder: Any, key: Any) -> tuple[Step | None, list[Todo]]:
        keys, values = kind.items(x)
        step: Step | None = None
        made: Any = values
        if kind.family == "dict" or kind.family == "list":  # there at once, filled by what is made later
            keys = keys if ATOMS.issuperset(map(type, keys)) else [made_key(name) for name in keys]
            made = holder[key] = dict(zip(keys, values, strict=True)) if kind.family == "dict" else values
        else:
            computed = _COMPUTED if kind is FIELDS else _NONE
            step = [kind.remake, (x, keys, values), computed, holder, key, x]
            self.sound = self.sound and type(x) is not Ref
        places = keys if made is not values else range(len(values))
        own = kind.owned(x) if kind.owned is not None else ()
        inner: list[Todo] = []
        for place, value, name in zip(places, values, keys, strict=True):
            if own and name in own:
                inner += [(_SCOPE, {}, None), (value, made, place), (_SCOPE, self._done, None)]
            elif type(value) not in ATOMS:
                inner.append((value, made, place))
        return step, inner


def made_key(key: Any) -> Any:
    """The key of a dict, imported where data could only name it."""
    if type(key) is tuple:
        return tuple(map(made_key, key))
    return resolve(key) if type(key) is Name else make_real(key) if type(key) is Datum else key


def _again(step: Step | None, holder: Any, key: Any) -> None:
    """A node that was reached before is put here too when it is made."""
    if step is None:
        raise CycleError(Fault("", "leads back to itself"))
    if type(step[3]) is not _Everywhere:
        step[3:5] = [_Everywhere([(step[3], step[4])]), None]
    step[3].places.append((holder, key))


def call_now(call: Any, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Make one call, its arguments built already."""
    named = type(target) is Name
    if named:
        target = resolve(target)
    else:
        policy = _policy_of(call)
        if policy is not None:
            policy.judge_call(target)
    if named and args and kwargs:
        args = _named_later(target, args, kwargs)
    if type(call) in PARTIALS:
        from functools import partial

        return partial(target, *args, **kwargs)
    if type(call) in INSTANCES:
        return _instance(target, kwargs)
    return target(*args, **kwargs)


def _policy_of(call: Any) -> Policy | None:
    """The policy under which data said what is called, also where that is itself made by a call."""
    target = _target_of(call)
    while type(target) in CALLS:
        target = _target_of(target)
    return target.policy if type(target) is Name else target.__policy__ if type(target) is Ref else None


def _named_later(target: Any, args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
    """A name that was set later wins over the position that it fills."""
    signature = signature_of(target)
    for n, parameter in enumerate(signature.slots[: len(args)] if signature is not None else ()):
        if parameter.name in kwargs and parameter.name in signature.named:  # type: ignore[union-attr]
            args[n] = kwargs.pop(parameter.name)
    return args


def _instance(cls: Any, fields: dict[str, Any]) -> Any:
    """A dataclass instance from its fields, also those that its constructor does not take."""
    known = getattr(cls, "__dataclass_fields__", {})
    late = {name: fields.pop(name) for name in list(fields) if name in known and not known[name].init}
    made = cls(**fields)
    for name, value in late.items():
        object.__setattr__(made, name, value)
    return made
