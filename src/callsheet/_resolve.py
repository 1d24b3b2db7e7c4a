"""References replaced by what they lead to, save what only a build, a run or the environment can know."""

from __future__ import annotations

from ._items import MAPPINGS
from ._leaf import MISSING
from ._read import LATER, LaterError, WaitsError, answer, as_plain, item_of
from ._ready import References
from ._ref import Ref, base_of, moved, steps_of
from ._reftext import asked_like
from ._secret import Secret
from ._spec import attach, mapping_of_atoms, new_list, new_mapping
from ._steps import apply_steps, operands_of, with_operands
from ._tree import ATOMS, ENTER, Kind, fold, kind_of
from ._written import WRITTEN, Asked, Route, Template, depends_on_run, given_args, inside
from .errors import CallsheetError, CycleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    S = TypeVar("S")

_CONTAINERS = (dict, list, tuple)
_FLAT = ATOMS | {Ref}
_raw = object.__getattribute__


def resolve(spec: S) -> S:
    """A copy of a spec whose references are replaced by the values and nodes that they lead to.

    What a resolver answers becomes a value too. What is done to an object that
    must be built first stays a reference to its node; `${run.…}` and `${env:…}`
    stay as they are written, also inside of texts.

    Args:
        spec: The whole spec, in which paths start that are bound to no other.

    Returns:
        The copy; the spec stays as it was.

    Raises:
        PathError: A reference leads to nothing.
        CycleError: A reference leads to itself.

    >>> resolve({"seed": 3, "name": "run-${seed}", "home": "${env:HOME}/${seed}"})
    {'seed': 3, 'name': 'run-3', 'home': '${env:HOME}/3'}
    """
    if type(spec) in _CONTAINERS:
        spec = attach(spec)
    made = _Resolution(spec)
    return fold(spec, made.make, short=made.short, kinds=made.kinds)  # type: ignore[no-any-return]


class _Resolution:
    def __init__(self, spec: Any) -> None:
        self.references = References(spec, environment=False)
        self.staying: set[int] = set()  # the ids of references of which something else tells the way
        self._end_of = self.references.values.end_of
        self.kinds = {**self.references.kinds, Ref: Kind(self.items, self.references.make, family="ref")}

    def short(self, x: Any, kind: Kind) -> Any:
        """A path that leads to no container, or a mapping of such paths and plain values, at once."""
        if kind.link:
            return self._at_once(x)
        if type(x) not in MAPPINGS or not _FLAT.issuperset(map(type, _raw(x, "__dict__").values())):
            return ENTER
        items = _raw(x, "__dict__").copy()
        for key, value in items.items():
            if type(value) is Ref:
                value = items[key] = self._at_once(value)
                if value is ENTER:
                    return ENTER
        origins = _raw(x, "__origins__")
        return mapping_of_atoms(items, _raw(x, "__site__"), dict(origins) if origins else None)

    def _at_once(self, ref: Ref) -> Any:
        base = base_of(ref)
        if steps_of(ref) or type(base) is not tuple or base[0] == "run":
            return ENTER
        try:
            found = self._end_of(ref)
        except (CallsheetError, WaitsError):
            return ENTER  # where more is known, and where errors may be raised
        return found if type(found) in ATOMS else ENTER

    def items(self, ref: Ref) -> tuple[list[Any], list[Any]]:
        base = ref.__base__
        found: list[Any] = []
        if type(base) is Template or (type(base) is Asked and (base.name == "env" or base.function is not None)):
            found = self.references.values.parts(ref)
        elif not self._stays(ref):
            return self.references.items(ref)
        found = [*found, *operands_of(ref.__steps__)]
        return [f"→{n}" for n in range(len(found))], found

    def _stays(self, ref: Ref) -> bool:
        """Whether what a reference starts from stays as it is written: a run, the environment or a build tells it."""
        base = ref.__base__
        if type(base) is tuple and depends_on_run(ref):
            return True
        if type(base) is tuple or type(base) is Route:
            try:
                self.references.items(ref)
            except LaterError:
                self.staying.add(id(ref))
        return id(ref) in self.staying

    def make(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) is not Ref:
            return kind.remake(x, keys, values)
        split = len(values) - len(operands_of(x.__steps__))
        steps = with_operands(x.__steps__, values[split:])
        start = self._start(x, values[:split])
        if type(start) is Ref and any(part.__dots__ for part in inside(start)) and start.__base__ is not x.__base__:
            return _as_written(x, steps)  # what is written there means something else here
        if not steps:
            return _own(start) if type(start) is Ref else start
        return self._then(x, start, steps)

    def _start(self, x: Ref, values: list[Any]) -> Any:
        base = x.__base__
        if id(x) in self.staying or (type(base) is tuple and depends_on_run(x)):
            return _as_written(x, ())
        if type(base) is Template:
            return _text(x, values)
        if type(base) is not Asked:
            return next((value for value in values if value is MISSING), values[0])
        if base.name != "env" and not any(as_plain(value) is LATER for value in values):
            plain = [as_plain(value) for value in values]
            return MISSING if any(value is MISSING for value in plain) else _kept(answer(base, plain))
        written = asked_like(base, given_args(base, iter(values))) if values else None
        return _as_written(x, ()) if written is None else Ref(written)

    def _then(self, x: Ref, start: Any, steps: Any) -> Any:
        while True:
            if start is MISSING:
                return start
            if type(start) is Ref:
                if start.__steps__ and start.__policy__ is not x.__policy__:
                    return _as_written(x, steps)  # each has its own policy for what it does
                return Ref(start.__base__, (*start.__steps__, *steps), None, x.__policy__, start.__dots__)
            kind = kind_of(type(start))
            if kind is not None and kind.family not in ("dict", "list", "tuple"):
                return Ref(start, steps, None, x.__policy__)
            if not steps:
                return start
            if kind is None or steps[0][0] != "item" or type(steps[0][1][0]) not in ATOMS:
                break
            start, steps = item_of(start, steps[0][1][0]), steps[1:]
        plain, operands = as_plain(start), [as_plain(operand) for operand in operands_of(steps)]
        if plain is LATER or any(operand is LATER for operand in operands):
            return _as_written(x, steps) if len(steps) == len(x.__steps__) else _as_written(x, x.__steps__)
        if any(operand is MISSING for operand in operands):
            return MISSING
        return _kept(apply_steps(plain, with_operands(steps, operands), x.__policy__))


def _as_written(ref: Ref, steps: Any) -> Ref:
    """A reference as it is written, bound to nothing: its place in the copy is what it was."""
    made = Ref(ref.__base__, steps, None, ref.__policy__, ref.__dots__)
    if type(made.__base__) in WRITTEN:
        moved(made, lambda _: None)
    return made


def _own(ref: Ref) -> Ref:
    """A reference for one more place."""
    return Ref(ref.__base__, ref.__steps__, None, ref.__policy__, ref.__dots__)


def _text(x: Ref, values: list[Any]) -> Any:
    """A text with what is known filled in; what must be built first is put to it when it was."""
    at = iter(values)
    pieces: list[Any] = []
    part: Any
    for part in x.__base__.parts:
        value = part if isinstance(part, str) else next(at)
        if type(value) is Secret and type(part) is Ref:
            value = _as_written(part, ())
        if value is MISSING:
            return MISSING
        if type(value) is Ref and type(value.__base__) is Template and not value.__steps__:
            pieces += value.__base__.parts
        elif type(value) is Ref:
            if any(inner.__dots__ for inner in inside(value)):
                return _as_written(x, ())
            pieces.append(value)
        else:
            plain, kind = as_plain(value), kind_of(type(value))
            if plain is LATER and (kind is None or kind.family in ("dict", "list", "tuple")):
                return _as_written(x, ())
            pieces.append(str(plain) if plain is not LATER else Ref(value))
    if not any(type(piece) is Ref and (piece.__steps__ or type(piece.__base__) not in WRITTEN) for piece in pieces):
        return _joined(pieces)
    whole: Any = ""
    for piece in pieces:
        added: Any = piece
        if type(piece) is Ref:
            steps = (*piece.__steps__, ("text", ()))
            added = Ref(piece.__base__, steps, None, piece.__policy__, piece.__dots__)
        whole = added if isinstance(whole, str) and not whole else whole + added
    return whole


def _joined(pieces: list[Any]) -> Any:
    parts: list[Any] = []
    for piece in pieces:
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += piece
        else:
            parts.append(piece)
    return "".join(parts) if all(isinstance(part, str) for part in parts) else Ref(Template(tuple(parts)))


def _kept(value: Any) -> Any:
    """A computed value as a spec keeps it; its texts are no references."""

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) is tuple:
            return tuple(values)
        return new_list(values) if type(x) is list else new_mapping(dict(zip(keys, values, strict=True)))

    return fold(value, make, kinds=_PLAIN) if type(value) in _CONTAINERS else value


_PLAIN: dict[type, Kind | None] = {
    dict: Kind(lambda x: (list(x), list(x.values())), lambda x, keys, values: x),
    list: Kind(lambda x: (list(range(len(x))), list(x)), lambda x, keys, values: x),
    tuple: Kind(lambda x: (list(range(len(x))), list(x)), lambda x, keys, values: x),
}


def reached(spec: Any, start: Any) -> set[int]:
    """The ids of all containers that building `start` would reach, references followed.

    Args:
        spec: The whole spec, in which paths start.
        start: A part of it.
    """
    references = References(spec, start)
    found: set[int] = set()

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        found.add(id(x))
        return x

    def items(ref: Ref) -> tuple[list[Any], list[Any]]:
        try:
            return references.items(ref)
        except (LookupError, CycleError):
            return [], []  # it leads nowhere, or back to itself: a fault that the check names

    fold(start, make, kinds={**references.kinds, Ref: Kind(items, references.make, family="ref")})
    return found
