"""A build that handwritten `build` methods go on with, so that each node is built once."""

from __future__ import annotations

from contextvars import ContextVar

from ._fields import construct_class, raw_instance
from ._instances import Deferring
from ._items import CALLS
from ._leaf import Datum, make_real
from ._note import add_note
from ._program import made_key, named_later, policy_of
from ._ready import References, faults_of
from ._ref import Ref
from ._running import RUNNING
from ._secret import Secret
from ._spec import INSTANCES, PARTIALS, call_parts
from ._target import Name, resolve
from ._tree import ENTER, KINDS, Kind, Only, fold, kind_of, walk, within_default
from .errors import CallsheetError, CycleError, Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_raw = object.__getattribute__

JOINT: ContextVar[Joint | None] = ContextVar("callsheet_joint", default=None)
"""The build that a handwritten `build` method runs in."""


class Joint:
    """One build, which `build` methods of its spec's own classes go on with.

    What is asked for within it and belongs to its spec is built once for all of
    it; anything else is built anew each time.

    Args:
        spec: What shall be built.
        root: Where paths start.
        references: Where references lead.
    """

    def __init__(self, spec: Any, root: Any, references: References) -> None:
        self.spec = spec
        self.root = root
        self.references = references
        self._deferring = Deferring(self.references.kinds)
        self._made: dict[int, Any] = {}
        self._open: set[int] = set()
        self._noted: BaseException | None = None
        self._real: dict[int, Any] = {}  # id of an instance that data described -> the instance
        self._described: dict[int, int] = {}  # the other way round
        self._askers: list[tuple[Any, dict[int, int]]] = []  # whose methods run, and how often they asked for what
        self._more: dict[tuple[int, int], Any] = {}  # what was made of a node beyond the first, by its number
        self._members = self._find_members()

    def is_open(self, x: Any) -> bool:
        """Whether the `build` method of `x` runs at this moment."""
        return id(x) in self._open

    def build(self, spec: Any) -> Any:
        """Build the spec, or a part of it, or something that holds parts of it.

        Raises:
            SpecError: What is no part of the spec cannot be built.
        """
        kind = kind_of(type(spec), self.references.kinds)
        if kind is not None and kind.by_hand:
            return self.ask(spec)
        self._check(spec)
        trail: list[Any] = []

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            try:
                made = self._make(x, kind, keys, values)
            except Exception as error:
                self._note(error, x)
                raise
            if kind.once and self._key(x) in self._members:
                self._made[self._key(x)] = made
            return made

        return fold(spec, make, leaf=_leaf, short=self._short, kinds=self.references.kinds, trail=trail)

    def nodes_of(self, made: Any) -> list[Any]:
        """The nodes of the spec that came to an object, the one that made it first."""
        nodes = {id(value): value for _, value in walk(self.spec, kinds=self.references.kinds)}
        return [nodes[key] for key, found in self._made.items() if found is made and key in nodes]

    def ask(self, x: Any) -> Any:
        """What the `build` method of `x` gives: the work of one function, since it may be deep within many of its like.

        Raises:
            CycleError: The method runs already.
        """
        key = self._key(x)
        if key in self._made:
            return self._made[key]
        if id(x) in self._open:
            raise CycleError(Fault("", f"{type(x).__qualname__} needs itself to be built first"))
        self._check(x)
        self._open.add(id(x))
        self._askers.append((x, {}))
        token = JOINT.set(self)
        try:
            made = type(x).build.__wrapped__(x)
        except Exception as error:
            self._note(error, x)
            raise
        finally:
            JOINT.reset(token)
            self._askers.pop()
            self._open.discard(id(x))
        if key in self._members:
            self._made[key] = made
        return made

    def request(self, x: Any) -> int:
        """The number of what `x.build()` means in the method that runs: 0 the node that is built once, or one more.

        Where the class of that method wants it, each further request is for one
        more of the kind; the second of one method is the second of any other, too.
        """
        if not self._askers:  # in a context that outlives its method
            return 0
        asker, asked = self._askers[-1]
        key = self._key(x)
        number = asked.get(key, 0)
        asked[key] = number + 1
        return number if type(asker).__callsheet_each_time__ and key in self._members else 0

    def one_more(self, x: Any, number: int, make: Callable[[], Any]) -> Any:
        """What was requested under a number, made the first time."""
        key = self._key(x), number
        if key not in self._more:
            self._more[key] = make()
        return self._more[key]

    def _key(self, x: Any) -> int:
        return self._described.get(id(x), id(x))

    def _check(self, spec: Any) -> None:
        if kind_of(type(spec), self.references.kinds) is not None and self._key(spec) not in self._members:
            faults = faults_of(spec, root=self.root, running=RUNNING.get() is not None)
            if faults:
                raise SpecError(*faults)

    def _short(self, x: Any, kind: Kind) -> Any:
        if self._key(x) in self._made:
            return self._made[self._key(x)]
        if type(x) in INSTANCES:
            real = kind_of(_resolved(x), self.references.kinds)
            return self.ask(self._realised(x)) if real is not None and real.by_hand else ENTER
        return ENTER if not kind.by_hand else self.ask(x)

    def _realised(self, x: Any) -> Any:
        """What an instance that only data described stands for, its fields raw."""

        def make(found: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            if kind.family == "dict":
                return dict(zip(map(made_key, keys), values, strict=True))
            if kind.family == "list":
                return values
            if type(found) in PARTIALS:  # what can be called must be so in a field, unless something is built for it
                return found if _waits(values) else self._call(found, *call_parts(found, keys, values))
            if type(found) not in INSTANCES:
                return kind.remake(found, keys, values)
            if id(found) not in self._real:
                real = raw_instance(_resolved(found), dict(zip(keys, values, strict=True)))
                self._real[id(found)] = real
                self._described[id(real)] = id(found)
            return self._real[id(found)]

        return fold(x, make, leaf=_leaf, kinds=_DESCRIBED)

    def _make(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) in CALLS:
            return self._call(x, *call_parts(x, keys, values))
        if kind.call is not None:
            call = kind.call(x)
            return self._call(call, *call_parts(call, keys, values))
        if kind.family == "dict":
            return dict(zip(map(made_key, keys), values, strict=True))
        if kind.family == "list":
            return values
        if kind.construct is not None:
            return kind.construct(x, keys, values, deferred=self._deferring(x))
        return kind.remake(x, keys, values)

    def _call(self, call: Any, target: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if type(target) is Name:
            target = resolve(target)
            named_later(target, args, kwargs)
        policy = policy_of(_raw(call, "__target__"))
        if policy is not None:
            policy.judge_call(target, None, args, kwargs)
        if type(call) in PARTIALS:
            from functools import partial

            return partial(target, *args, **kwargs)
        if type(call) not in INSTANCES:
            return target(*args, **kwargs)
        kind = kind_of(target, self.references.kinds) if isinstance(target, type) else None
        if kind is not None and kind.call is not None:
            return self._make(self._realised(call), kind, list(kwargs), list(kwargs.values()))
        return construct_class(target, kwargs, deferred=any(map(self._deferring, _raw(call, "__dict__").values())))

    def _note(self, error: Exception, x: Any) -> None:
        if self._noted is not error:
            self._noted = error
            add_note(error, x, self.spec, root=self.root, references=self.references)

    def _find_members(self) -> set[int]:
        """The ids of all nodes of the spec but class defaults, which each owner has for itself."""
        found: set[int] = set()
        owned: set[int] = set()
        trail: list[Any] = []

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            (owned if within_default(trail) else found).add(id(x))
            return x

        try:
            fold(self.spec, make, kinds=self.references.kinds, trail=trail)
        except CallsheetError:
            pass  # `faults_of` has said what there is to say
        return found - owned


_DATA = ("dict", "list", "tuple")
_DESCRIBED: dict[type, Kind | None] = Only(
    {
        cls: kind
        for cls, kind in KINDS.items()
        if kind is not None and (kind.family in _DATA or cls in INSTANCES or cls in PARTIALS)
    }
)


def _waits(values: list[Any]) -> bool:
    """Whether something among the arguments of a partial has to be built before it can be called."""
    return any(
        type(x) in CALLS or type(x) is Ref or hasattr(type(x), "__callsheet_kind__")
        for value in values
        for _, x in walk(value)
    )


def _resolved(instance: Any) -> Any:
    return resolve(_raw(instance, "__target__"))


def _leaf(x: Any) -> Any:
    cls = type(x)
    if cls is Secret:
        return x.reveal()
    return resolve(x) if cls is Name else make_real(x) if cls is Datum else x
