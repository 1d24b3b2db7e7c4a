"""A spec as JSON data; what cannot be saved is refused, with its path.

The wire form is the field's: a call is `{"_target_": "module:qualname", ...}`.
`docs/wire-format.md` has it in full.
"""

from __future__ import annotations

from ._items import CALLS, origin_of
from ._leaf import is_long, not_data
from ._levels import moved_faults
from ._plaindata import plain_data
from ._ref import Ref
from ._spec import (
    INSTANCES,
    PARTIALS,
    call_parts,
    described,
    given,
)
from ._steps import operands_of, step_data
from ._target import Name, name_of
from ._tree import ATOMS, KINDS, TARGET, Kind, fold, kind_of, steps_of, walk, within_default
from ._trust import Policy
from ._wire import PLAIN, RESERVED, Unnamed, atom_wire, key_wire, leaf_wire, place_text
from ._written import WRITTEN, inside, written
from .errors import CycleError, DepthError, Fault, SaveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    Reading = Generator[Any, Any, Any]
    Steps = tuple[object, ...]

_DEEPEST = 100
"""References that are handed to each other, within each other."""
_TEXT = frozenset((str,))
_raw = object.__getattribute__
_CONTAINED = {**KINDS, Ref: None}
"""The tree as it is contained: references are leaves."""


def _surveyed(kind: Kind) -> Kind:
    """A kind whose containers seem empty where they hold atoms only: where these stand nobody asks."""

    def items(x: Any) -> tuple[list[Any], list[Any]]:
        keys, values = kind.items(x)
        return ([], []) if ATOMS.issuperset(map(type, values)) else (keys, values)

    return Kind(items, kind.remake, node=kind.node, owned=kind.owned, family=kind.family)


_SURVEYED = {cls: kind and _surveyed(kind) for cls, kind in _CONTAINED.items()}
"""The tree as a survey of its nodes sees it."""


def to_data(spec: Any, *, plain: bool = False) -> Any:
    """A spec as data that JSON can hold.

    Args:
        spec: Any spec.
        plain: Give only the values, for a program that asks for nothing else: a dataclass is the dict of its fields,
            a call that of its arguments, a reference what it leads to. No spec can be read back from that.

    Returns:
        Dicts, lists, texts, numbers, truth values and None.

    Raises:
        SaveError: It holds something that is not data (a lambda, an open file);
            `faults` names each with its path.
        CycleError: It contains itself.

    >>> from callsheet import lazy
    >>> to_data(lazy("torch.optim.SGD")(lr=1e-3))
    {'_target_': 'torch.optim:SGD', 'lr': 0.001}
    >>> to_data({"optim": lazy(complex)(1, imag=2)}, plain=True)
    {'optim': {'real': 1, 'imag': 2}}
    """
    return plain_data(spec) if plain else _Encoder(given(spec)).encode()


def to_plan_data(spec: Any) -> Any:
    """`to_data` for a plan, which is trusted: what came from data keeps the policy under which it may call.

    Raises:
        SaveError, CycleError: As for `to_data`.
    """
    return _Encoder(spec, policies=True).encode()


class _Encoder:
    def __init__(self, spec: Any, *, policies: bool = False) -> None:
        self.spec = spec
        self.policies = policies
        self.faults: list[Fault] = []
        self.places: dict[int, str] = {}  # id of a node -> the path where it is written in full
        self.defaults = False  # whether there are default objects, which each owner has for itself
        self.written: dict[int, str] = {}  # where they are so: id of a node's data -> its place
        self.loose: list[Any] = []  # nodes that only references reach
        self.bases: list[Any] = []  # nodes that references start from
        self.refs: dict[int, str] = {}  # id of a reference handed to another -> the path where it is written in full
        self.relative = False
        self.opened: list[int] = []  # references that are being looked through or written
        self._survey(spec, ())
        self._loosen()
        for n, node in enumerate(self.loose):  # grows while it is read: a loose node may refer to further ones
            self._survey(node, ("_nodes_", f"n{n}"))
            self._loosen()

    def _survey(self, x: Any, prefix: Steps) -> None:
        defaults: set[Steps] = set()
        inside: Steps | None = None  # the way to the default object that the walk is in
        for steps, value in walk(x, kinds=_SURVEYED):
            if type(value) is Ref:
                self._survey_reference(value, (*prefix, *steps))
                continue
            kind = kind_of(type(value), _SURVEYED)
            if kind is None:
                continue
            if inside is not None and steps[: len(inside)] != inside:
                inside = None
            if inside is None and defaults and steps in defaults:
                inside, self.defaults = steps, True
            if kind.owned is not None:
                defaults.update((*steps, key) for key in kind.owned(value))
            if kind.node and inside is None:
                self.places.setdefault(id(value), place_text((*prefix, *steps)))

    def _survey_reference(self, ref: Ref, steps: Steps) -> None:
        if self.opened and ref.__steps__:  # handed to another: written in full where that happens first
            if id(ref) in self.refs and id(ref) not in self.opened:
                return
            self.refs[id(ref)] = place_text(steps)
        self.relative = self.relative or any(part.__dots__ for part in inside(ref))
        if type(ref.__base__) not in WRITTEN:
            self.bases.append(ref.__base__)
        self._open(ref, steps)
        for label, operand in _operands(ref):
            self._survey(operand, (*steps, label))
        self.opened.pop()

    def _open(self, ref: Ref, steps: Steps) -> None:
        if id(ref) in self.opened:
            raise CycleError(Fault(place_text(steps), "is a reference that is handed to itself"))
        if len(self.opened) >= _DEEPEST:
            raise DepthError(
                Fault(place_text(steps[:4]), f"hands references to each other more than {_DEEPEST} levels deep")
            )
        self.opened.append(id(ref))

    def _loosen(self) -> None:
        for base in self.bases:
            kind = kind_of(type(base), _CONTAINED)
            if kind is not None and id(base) not in self.places:
                self.places[id(base)] = f"_nodes_.n{len(self.loose)}"
                self.loose.append(base)
        self.bases.clear()

    def encode(self) -> Any:
        data = self._encode(self.spec, ())
        nodes = {f"n{n}": self._encode(node, ("_nodes_", f"n{n}")) for n, node in enumerate(self.loose)}
        if self.relative:
            self.faults += moved_faults(self.spec)
        if self.faults:
            raise SaveError(*self.faults)
        if not nodes:
            return data
        return (
            {**data, "_nodes_": nodes}
            if isinstance(data, dict) and "_same_" not in data
            else {"_root_": data, "_nodes_": nodes}
        )

    def _encode(self, x: Any, prefix: Steps, atom: Callable[[Any], Any] | None = None) -> Any:
        trail: list[Any] = []

        def here(*more: object) -> str:
            return place_text((*prefix, *steps_of(trail), *more))

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            self._tell(x, kind, keys, values, atom, prefix, trail)
            try:
                data = self._container(x, kind, keys, values)
            except Unnamed as error:
                self.faults.append(not_data(here(), error.args[0], origin_of(x, TARGET).where))
                return None
            if self.defaults and kind.node:
                self.written[id(data)] = here()
            return data

        def leaf(x: Any) -> Any:
            holder, key = (trail[-1][0], trail[-1][2][trail[-1][4]]) if trail else (None, None)
            if type(x) is Ref:
                return self._reference(x, (*prefix, *steps_of(trail)), holder, key)
            written = leaf_wire(x)
            if written is None:
                self.faults.append(not_data(here(), x, origin_of(holder, key).where))
            return written

        outer = kind_of(type(x), _CONTAINED)
        if outer is None:
            return (atom or atom_wire)(x) if type(x) in ATOMS else leaf(x)
        if outer.node and self.places[id(x)] != place_text(prefix):
            return {"_same_": self.places[id(x)]}
        return fold(x, make, leaf=leaf, kinds=_CONTAINED, trail=trail)

    def _tell(
        self,
        x: Any,
        kind: Kind,
        keys: list[Any],
        values: list[Any],
        atom: Callable[[Any], Any] | None,
        prefix: Steps,
        trail: list[Any],
    ) -> None:
        """Put what JSON lacks, and what stands in full elsewhere, as it is written."""
        for n, original in enumerate(kind.items(x)[1]):
            cls = type(original)
            if cls is str:
                if "${" in original or original == "???":
                    values[n] = (atom or _told(original, x, trail))(original)
            elif cls is float:
                if original - original != 0.0:  # NaN or infinite
                    values[n] = atom_wire(original)
            elif cls is bytes or cls is complex:
                values[n] = leaf_wire(original)
            elif cls is int:
                if is_long(original):
                    values[n] = atom_wire(original)
            elif cls not in PLAIN:
                inner = kind_of(cls, _CONTAINED)
                if inner is not None and inner.node:
                    own = self.defaults and _is_of_default(x, kind, keys[n], trail)
                    full = self.written.get(id(values[n]), "") if own else self.places[id(original)]
                    if full != place_text((*prefix, *steps_of(trail), keys[n])):
                        values[n] = {"_same_": full}

    def _container(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family == "dict":
            if _TEXT.issuperset(map(type, keys)) and RESERVED.isdisjoint(keys):
                return dict(zip(keys, values, strict=True))
            return {"_items_": [[key_wire(key), value] for key, value in zip(keys, values, strict=True)]}
        if kind.family == "list":
            return values
        if kind.family == "tuple":
            return {"_value_": "tuple", "of": values}
        if kind.family == "partial" and type(x) not in CALLS:
            x = described(x)
        if type(x) in CALLS and type(x) not in INSTANCES:
            return self._call(x, keys, values)
        cls = _raw(x, "__target__") if type(x) in INSTANCES else type(x)
        return {"_type_": _name_text(cls), **_named("_fields_", dict(zip(keys, values, strict=True)))}

    def _call(self, x: Any, keys: list[Any], values: list[Any]) -> Any:
        target, args, kwargs = call_parts(x, keys, values)
        data: dict[str, Any] = {"_target_": target if target is not _raw(x, "__target__") else _name_text(target)}
        name = _raw(x, "__target__")
        if type(name) is Name:
            data.update(self._policy(name.policy))
        if type(x) in PARTIALS:
            data["_partial_"] = True
        if args:
            data["_args_"] = args
        return {**data, **_named("_kwargs_", kwargs)}

    def _policy(self, policy: Policy | None) -> dict[str, Any]:
        return {} if policy is None or not self.policies else {"_allow_": [*policy.allow, *policy.project]}

    def _reference(self, ref: Ref, steps: Steps, holder: Any, key: Any) -> Any:
        base = ref.__base__
        if type(base) in WRITTEN:
            where = written(base, ref.__dots__)
            if not ref.__steps__:
                return where
        elif id(base) in self.places:
            where = self.places[id(base)]
        else:
            self.faults.append(not_data(place_text(steps), base, origin_of(holder, key).where))
            return None
        if self.opened and ref.__steps__ and self.refs[id(ref)] != place_text(steps):
            return {"_same_": self.refs[id(ref)]}
        self._open(ref, steps)
        operands = iter([self._encode(operand, (*steps, label), _literal) for label, operand in _operands(ref)])
        then = [step_data(kind, data, operands) for kind, data in ref.__steps__]
        self.opened.pop()
        return {"_ref_": where, **({"_then_": then} if then else {}), **self._policy(ref.__policy__)}


def _told(x: Any, holder: Any, trail: list[Any]) -> Callable[[Any], Any]:
    """How a text, number or the like is written: a text that reads like a reference is one only in plain data."""
    if type(x) is not str or "${" not in x:
        return atom_wire
    plain = (type(None), dict, list, tuple)
    return atom_wire if type(holder) in plain and all(type(frame[0]) in plain for frame in trail) else _literal


def _is_of_default(x: Any, kind: Kind, key: Any, trail: list[Any]) -> bool:
    """Whether an item belongs to a default object of a class, which each owner has for itself."""
    return (kind.owned is not None and key in kind.owned(x)) or within_default(trail)


def _operands(ref: Ref) -> list[tuple[str, Any]]:
    """What is handed to the steps of a reference, each with the step that stands for its place."""
    steps = enumerate(ref.__steps__)
    return [(f"then{n}.{m}", operand) for n, step in steps for m, operand in enumerate(operands_of((step,)))]


def _name_text(target: Any) -> str:
    name = target if type(target) is Name else name_of(target)
    if name is None:
        raise Unnamed(target)
    return name.text


def _named(key: str, items: dict[str, Any]) -> dict[str, Any]:
    """Arguments beside the reserved keys, or apart from them where one has such a name."""
    return items if RESERVED.isdisjoint(items) else {key: items}


def _literal(x: Any) -> Any:
    """A value where texts were read when they were set: what reads like a reference is meant as it stands."""
    return {"_value_": "str", "of": x} if type(x) is str and "${" in x else atom_wire(x)
