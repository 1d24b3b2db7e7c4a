"""What building a spec comes to: plain Python calls, in the order in which they need each other."""

from __future__ import annotations

from ._fields import asked_beyond_fields, construct_class, raw_instance
from ._instances import Deferring
from ._items import CALLS
from ._leaf import MISSING, Datum, make_real
from ._ready import call_faults, named_object
from ._ref import Ref
from ._running import RUNNING
from ._secret import Secret
from ._signature import signature_of
from ._spec import INSTANCES, PARTIALS, Call, CallParts
from ._target import Name, resolve
from ._tree import ATOMS, MAX_DEPTH, Kind, kind_of
from ._trust import guards_in
from ._written import depends_on_run
from .errors import CycleError, DepthError, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

    from ._trust import Policy

    Step = tuple[Any, Any, Any, Any, Any, Any]
    """`(function, args, kwargs, holder, key, node)`: what the function returns goes to `holder[key]`."""
    Frame = tuple[Iterator[tuple[Any, Any]], Any, Any]
    """What is left of a container's items, where what is made of them goes, and a `_Leave` for when all is ordered."""

_raw = object.__getattribute__
_target_of = vars(CallParts)["__target__"].__get__
_args_of = vars(CallParts)["__args__"].__get__
_kwargs_of = vars(CallParts)["__dict__"].__get__
_INDIRECT = CALLS | {Ref}
"""Types of targets that must be built themselves."""
_PLAIN = CALLS - PARTIALS - INSTANCES
_NONE: dict[str, Any] = {}
_OPEN = -1
"""Stands for the step of a container while what it holds is ordered."""
_THEN = object()
_SCOPE = object()


class _Owned:
    """A class default, which its owner has for itself."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


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
        out: A list of one, which holds what was built.
        sound: Whether nothing is known that would stop it. If not, there may be
            faults: `faults_of` tells.
        by_hand: Whether something in it has a `build` of its own, which decides for itself what it builds.

    Raises:
        CallsheetError: There is no such order, or a reference leads nowhere; `faults_of` tells more.
    """

    __slots__ = ("_deferring", "_done", "_kinds", "_known", "_sound", "at", "by_hand", "out", "sound", "steps")

    def __init__(self, spec: Any, kinds: dict[type, Kind | None]) -> None:
        self.steps: list[Step] = []
        self.out = [spec]
        self.sound = True
        self.by_hand = False
        self.at: Any = None
        self._kinds = kinds
        self._deferring = Deferring(kinds)
        self._known: dict[int, list[Any]] = {}  # id of a callable -> arguments that it takes: how many, and which names
        self._sound: set[Any] = set()  # all of those
        self._done: dict[int, int] = {}  # id of a container -> the number of its step, `_OPEN` while it is open
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
        return self.out[0]

    def nodes_of(self, made: Any) -> list[Any]:
        """The nodes that came to an object, the one that made it first."""
        found = []
        for _, _, _, holder, key, node in self.steps:
            if type(holder) is _Everywhere:
                holder, key = holder.places[0]
            try:
                if holder[key] is made:
                    found.append(node)
            except LookupError:  # what received this list or dict took it out
                continue
        return found

    def _order(self) -> None:  # noqa: C901 (most of a spec is calls like those before: they are done here, at once)
        steps, known, done = self.steps, self._known, self._done
        frames: list[Frame] = []
        items: Iterator[tuple[Any, Any]] = iter([(0, self.out[0])])
        holder: Any = self.out
        leave: Any = None
        while True:
            for key, x in items:
                cls = type(x)
                if cls in ATOMS:
                    continue
                if id(x) in done:
                    self._again(done[id(x)], holder, key)
                    continue
                if cls not in _PLAIN:
                    entered = self._other(x, holder, key)
                else:
                    if cls is Call:  # one that reads its references would do so here
                        target, args, kwargs = x.__target__, x.__args__, x.__dict__
                    else:
                        target, args, kwargs = _target_of(x), _args_of(x), _kwargs_of(x)
                    target = target._found if type(target) is Name else target
                    shape = [len(args), *kwargs] if args else [*kwargs]
                    if shape != known.get(id(target)) or (args and not ATOMS.issuperset(map(type, args))):
                        entered = self._call(x, x, holder, key)
                    else:
                        for value in kwargs.values():
                            if type(value) not in ATOMS:
                                break
                        else:
                            done[id(x)] = len(steps)
                            steps.append((target, args, kwargs, holder, key, x))
                            continue
                        kwargs, done[id(x)] = kwargs.copy(), _OPEN
                        entered = iter(kwargs.items()), kwargs, (target, args, kwargs, holder, key, x)
                if entered is not None:
                    frames.append((items, holder, leave))
                    items, holder, leave = entered
                    done = self._done
                    if len(frames) >= MAX_DEPTH:
                        self._too_deep(frames, leave)
                    break
            else:
                if leave is not None:
                    if len(leave) == 6:
                        done[id(leave[5])] = len(steps)
                        steps.append(leave)
                    elif leave[0] is _THEN:
                        items, holder, leave = leave[1]
                        continue
                    elif leave[0] is _SCOPE:
                        self._done = done = leave[1]
                    else:
                        del done[id(leave[0])]
                        steps.extend(leave[1])
                if not frames:
                    return
                items, holder, leave = frames.pop()

    def _again(self, number: int, holder: Any, key: Any) -> None:
        """A node that was ordered before is put here too when it is made."""
        if number == _OPEN:
            raise CycleError(Fault("", "leads back to itself"))
        function, args, kwargs, first, place, node = self.steps[number]
        if type(first) is not _Everywhere:
            first, place = _Everywhere([(first, place)]), None
            self.steps[number] = function, args, kwargs, first, place, node
        first.places.append((holder, key))

    def _too_deep(self, frames: list[Frame], leave: Any) -> None:
        depth = len(frames)  # of containers since the last reference, which is no level
        for n in range(min(depth, MAX_DEPTH + 1)):
            inner = leave if n == 0 else frames[-n][2]
            if inner is not None and len(inner) == 6 and type(inner[5]) is Ref:
                depth = n
                break
        if depth < MAX_DEPTH:
            return
        self.sound = False
        if depth > MAX_DEPTH:
            raise DepthError(Fault("", f"is nested more than {MAX_DEPTH} levels deep"))

    def _call(self, call: Any, node: Any, holder: Any, key: Any) -> Frame | None:
        """A call that is not like those before, or a `node` that building comes to one."""
        target = _raw(call, "__target__")
        args, kwargs = _raw(call, "__args__").copy(), _raw(call, "__dict__").copy()
        named = type(target) is Name
        shape = [len(args), *kwargs] if args else [*kwargs]
        both = named and bool(args and kwargs)  # a name may have been set later than the position that it fills
        sound = (id(target._found if named else target), *shape) in self._sound or not any(call_faults(call, []))
        if not sound:
            self.sound = False
        elif named:
            target = resolve(target)
            if both:
                named_later(target, args, kwargs)
        if type(call) in INSTANCES:
            return self._instance(call, target, kwargs, holder, key)
        if type(call) in PARTIALS or type(target) in _INDIRECT:
            from functools import partial

            function: Any = partial if type(call) in PARTIALS else call_now
            policy = policy_of(target)
            if policy is not None:
                function = partial(call_judged, policy, function)
            return self._called(node, function, [target, *args], kwargs, holder, key)
        if sound and type(call) in _PLAIN and not both and not guards_in(args, kwargs, signature_of(target)):
            self._known[id(target)] = shape
            self._sound.add((id(target), *shape))
        return self._called(node, target, args, kwargs, holder, key)

    def _called(
        self, node: Any, function: Any, args: Any, kwargs: dict[str, Any], holder: Any, key: Any
    ) -> Frame | None:
        """A step whose arguments come first; `args` and `kwargs` are its own."""
        self._done[id(node)] = _OPEN
        leave = (function, args, kwargs, holder, key, node)
        if not args or ATOMS.issuperset(map(type, args)):
            return iter(kwargs.items()), kwargs, leave
        named = iter(kwargs.items()), kwargs, leave
        return iter(enumerate(args)), args, (_THEN, named)

    def _instance(self, x: Any, cls: Any, fields: dict[str, Any], holder: Any, key: Any) -> Frame | None:
        """A dataclass instance that only data describes so far."""
        from functools import partial

        kind = kind_of(cls, self._kinds) if isinstance(cls, type) else None
        if kind is not None and (kind.call is not None or kind.by_hand):
            return self._other(raw_instance(cls, fields), holder, key, node=x)
        make = partial(construct_class, cls, deferred=any(map(self._deferring, fields.values())))
        self._done[id(x)] = _OPEN
        return iter(fields.items()), fields, (make, (fields,), _NONE, holder, key, x)

    def _other(self, x: Any, holder: Any, key: Any, *, node: Any = None) -> Frame | None:
        """Whatever is no plain call."""
        cls = type(x)
        if cls is _Owned:
            scope, self._done = self._done, {}
            return iter([(key, x.value)]), holder, (_SCOPE, scope)
        if cls in CALLS:
            return self._call(x, x, holder, key)
        kind = self._kinds[cls] if cls in self._kinds else kind_of(cls, self._kinds)
        if kind is None:
            self._leaf(x, holder, key)
            return None
        if kind.by_hand:
            self.by_hand = True
            return None
        if kind.call is not None:
            return self._call(kind.call(x), x if node is None else node, holder, key)
        keys, values = kind.items(x)
        if kind.family == "dict":  # there at once, filled by what is made later
            keys = keys if ATOMS.issuperset(map(type, keys)) else [made_key(name) for name in keys]
            made = holder[key] = dict(zip(keys, values, strict=True))
            return self._open(x, values, iter(made.items()), made)
        if kind.family == "list":
            holder[key] = values
            return self._open(x, values, enumerate(values), values)
        if kind.family == "tuple":
            return self._open(x, values, enumerate(values), values, (tuple, (values,), _NONE, holder, key, x))
        from functools import partial

        make = partial(kind.remake, x, keys)
        if kind.construct is not None:
            deferred = self._deferring(x)
            make = partial(kind.construct, x, keys, deferred=deferred)
            self.sound = self.sound and not (deferred and asked_beyond_fields(cls))
        elif cls is Ref and depends_on_run(x) and RUNNING.get() is None:
            self.sound = False
        step = make, (values,), _NONE, holder, key, x
        if not kind.once:
            return self._open(x, (x,), enumerate(values), values, step)
        own = kind.owned(x) if kind.owned is not None else ()
        mine = [_Owned(v) if k in own else v for k, v in zip(keys, values, strict=True)] if own else values
        self._done[id(x)] = _OPEN
        return enumerate(mine), values, step

    def _open(
        self, x: Any, values: Collection[Any], items: Iterator[tuple[Any, Any]], made: Any, *steps: Step
    ) -> Frame | None:
        """Enter what is no node and is made anew at each place; what holds nothing is made already."""
        if ATOMS.issuperset(map(type, values)):
            return None
        self._done[id(x)] = _OPEN
        return items, made, (x, steps)

    def _leaf(self, x: Any, holder: Any, key: Any) -> None:
        if x is MISSING:
            self.sound = False
        elif type(x) is Name:
            self.steps.append((named_object, (x,), _NONE, holder, key, x))
        elif type(x) is Datum:
            self.steps.append((make_real, (x,), _NONE, holder, key, x))
        elif type(x) is Secret:
            self.steps.append((x.reveal, (), _NONE, holder, key, x))
            self.sound = self.sound and x.fault() is None


def made_key(key: Any) -> Any:
    """The key of a dict, imported where data could only name it."""
    if type(key) is tuple:
        return tuple(map(made_key, key))
    return resolve(key) if type(key) is Name else make_real(key) if type(key) is Datum else key


def call_now(function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call what had to be built first."""
    return function(*args, **kwargs)


def call_judged(policy: Policy, make: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Call what data said must be made by a call or a reference first.

    Raises:
        TrustError: The policy does not allow it.
    """
    policy.judge_call(function, None, args, kwargs)
    return make(function, *args, **kwargs)


def policy_of(target: Any) -> Policy | None:
    """The policy under which data said what makes a target, None where it is the callable itself."""
    if type(target) not in _INDIRECT:
        return None
    while type(target) in CALLS:
        target = _raw(target, "__target__")
    return target.policy if type(target) is Name else target.__policy__ if type(target) is Ref else None


def named_later(target: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    """A name that was set later wins over the position that it fills."""
    signature = signature_of(target)
    for n, parameter in enumerate(signature.slots[: len(args)] if signature is not None else ()):
        if parameter.name in kwargs and parameter.name in signature.named:  # type: ignore[union-attr]
            args[n] = kwargs.pop(parameter.name)
