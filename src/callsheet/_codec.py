"""A spec as JSON data and back: what is saved loads back equal, and reading imports nothing.

The wire form is the field's: a call is `{"_target_": "module:qualname", ...}`.
`docs/wire-format.md` has it in full.
"""

from __future__ import annotations

from ._bind import bind_all
from ._configfile import show_file
from ._items import CALLS, origin_of, step_into
from ._leaf import MISSING, SAFE_TAGS, not_data, read_leaf, write_leaf
from ._levels import moved_faults
from ._migrate import Change, Migrations, migrate_nodes, migrations_of
from ._path import format_path, parse_path
from ._project import project_settings
from ._ref import Ref
from ._reftext import parse_text
from ._spec import (
    INSTANCES,
    PARTIALS,
    Call,
    Instance,
    Partial,
    attach,
    call_parts,
    described,
    mapping_of_atoms,
    new_call,
    new_list,
    new_mapping,
    settle_class,
)
from ._steps import is_step, operands_of, step_data
from ._target import Name, name_of, parse_name
from ._tree import ATOMS, KINDS, MAX_DEPTH, TARGET, Kind, fold, kind_of, steps_of, walk, within_default
from ._trust import Policy
from ._written import WRITTEN, inside, written
from .errors import CallsheetError, CycleError, DepthError, Fault, LoadError, SaveError
from .formats._text import MAX_VALUES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from typing import Any

    from ._migrate import Report
    from ._origin import Site, Source

    Reading = Generator[Any, Any, Any]
    Steps = tuple[object, ...]

FORMAT = 1
"""The version of the wire form."""

_RESERVED = frozenset(
    [
        "_target_",
        "_args_",
        "_partial_",
        "_kwargs_",
        "_type_",
        "_fields_",
        "_value_",
        "_items_",
        "_same_",
        "_ref_",
        "_then_",
        "_nodes_",
        "_format_",
        "_root_",
        "_allow_",
    ]
)
_PLAIN = frozenset((int, float, bool, type(None)))
"""Types of JSON whose values stand for themselves."""
_DEEPEST = 100
"""References that are handed to each other, within each other."""
_TEXT = frozenset((str,))
_READING: Any = type(_ for _ in ())
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


def to_data(spec: Any) -> Any:
    """A spec as data that JSON can hold.

    Args:
        spec: Any spec.

    Returns:
        Dicts, lists, texts, numbers, truth values and None.

    Raises:
        SaveError: It holds something that is not data (a lambda, an open file);
            `faults` names each with its path.
        CycleError: It contains itself.

    >>> from callsheet import lazy
    >>> to_data(lazy("torch.optim.SGD")(lr=1e-3))
    {'_target_': 'torch.optim:SGD', 'lr': 0.001}
    """
    return _Encoder(spec).encode()


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
                self.places.setdefault(id(value), _place((*prefix, *steps)))

    def _survey_reference(self, ref: Ref, steps: Steps) -> None:
        if self.opened and ref.__steps__:  # handed to another: written in full where that happens first
            if id(ref) in self.refs and id(ref) not in self.opened:
                return
            self.refs[id(ref)] = _place(steps)
        self.relative = self.relative or any(part.__dots__ for part in inside(ref))
        if type(ref.__base__) not in WRITTEN:
            self.bases.append(ref.__base__)
        self._open(ref, steps)
        for label, operand in _operands(ref):
            self._survey(operand, (*steps, label))
        self.opened.pop()

    def _open(self, ref: Ref, steps: Steps) -> None:
        if id(ref) in self.opened:
            raise CycleError(Fault(_place(steps), "is a reference that is handed to itself"))
        if len(self.opened) >= _DEEPEST:
            raise DepthError(
                Fault(_place(steps[:4]), f"hands references to each other more than {_DEEPEST} levels deep")
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
            return _place((*prefix, *steps_of(trail), *more))

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            self._tell(x, kind, keys, values, atom, prefix, trail)
            try:
                data = self._container(x, kind, keys, values)
            except _Unnamed as error:
                self.faults.append(not_data(here(), error.args[0], origin_of(x, TARGET).where))
                return None
            if self.defaults and kind.node:
                self.written[id(data)] = here()
            return data

        def leaf(x: Any) -> Any:
            holder, key = (trail[-1][0], trail[-1][2][trail[-1][4]]) if trail else (None, None)
            if type(x) is Ref:
                return self._reference(x, (*prefix, *steps_of(trail)), holder, key)
            written = _written(x)
            if written is None:
                self.faults.append(not_data(here(), x, origin_of(holder, key).where))
            return written

        outer = kind_of(type(x), _CONTAINED)
        if outer is None:
            return (atom or _atom)(x) if type(x) in ATOMS else leaf(x)
        if outer.node and self.places[id(x)] != _place(prefix):
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
                    values[n] = _atom(original)
            elif cls is bytes or cls is complex:
                values[n] = _written(original)
            elif cls not in _PLAIN:
                inner = kind_of(cls, _CONTAINED)
                if inner is not None and inner.node:
                    own = self.defaults and _is_of_default(x, kind, keys[n], trail)
                    full = self.written.get(id(values[n]), "") if own else self.places[id(original)]
                    if full != _place((*prefix, *steps_of(trail), keys[n])):
                        values[n] = {"_same_": full}

    def _container(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family == "dict":
            if _TEXT.issuperset(map(type, keys)) and _RESERVED.isdisjoint(keys):
                return dict(zip(keys, values, strict=True))
            return {"_items_": [[_key(key), value] for key, value in zip(keys, values, strict=True)]}
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
            self.faults.append(not_data(_place(steps), base, origin_of(holder, key).where))
            return None
        if self.opened and ref.__steps__ and self.refs[id(ref)] != _place(steps):
            return {"_same_": self.refs[id(ref)]}
        self._open(ref, steps)
        operands = iter([self._encode(operand, (*steps, label), _literal) for label, operand in _operands(ref)])
        then = [step_data(kind, data, operands) for kind, data in ref.__steps__]
        self.opened.pop()
        return {"_ref_": where, **({"_then_": then} if then else {}), **self._policy(ref.__policy__)}


def _told(x: Any, holder: Any, trail: list[Any]) -> Callable[[Any], Any]:
    """How a text, number or the like is written: a text that reads like a reference is one only in plain data."""
    if type(x) is not str or "${" not in x:
        return _atom
    plain = (type(None), dict, list, tuple)
    return _atom if type(holder) in plain and all(type(frame[0]) in plain for frame in trail) else _literal


def _is_of_default(x: Any, kind: Kind, key: Any, trail: list[Any]) -> bool:
    """Whether an item belongs to a default object of a class, which each owner has for itself."""
    return (kind.owned is not None and key in kind.owned(x)) or within_default(trail)


def _operands(ref: Ref) -> list[tuple[str, Any]]:
    """What is handed to the steps of a reference, each with the step that stands for its place."""
    steps = enumerate(ref.__steps__)
    return [(f"then{n}.{m}", operand) for n, step in steps for m, operand in enumerate(operands_of((step,)))]


class _Odd:
    """A key that is no name or number, as a step of a place: told by its wire form, which reading sees too."""

    __slots__ = ("text",)

    def __init__(self, wire: Any) -> None:
        self.text = repr(wire)

    def __repr__(self) -> str:
        return self.text


def key_step(key: Any) -> Any:
    """A key as a step of a place."""
    if type(key) is str or type(key) is int:
        return key
    try:
        return _Odd(_key(key))
    except _Unnamed:
        return key  # it has a fault of its own


def _place(steps: Steps) -> str:
    # A place may stand where a text with `${` would be read as a reference.
    return format_path(map(key_step, steps)).replace("${", "\\u0024{")


class _Unnamed(Exception):
    """A callable that no other process could find."""


def _name_text(target: Any) -> str:
    name = target if type(target) is Name else name_of(target)
    if name is None:
        raise _Unnamed(target)
    return name.text


def _named(key: str, items: dict[str, Any]) -> dict[str, Any]:
    """Arguments beside the reserved keys, or apart from them where one has such a name."""
    return items if _RESERVED.isdisjoint(items) else {key: items}


def _atom(x: Any) -> Any:
    if type(x) is str and x == "???":
        return {"_value_": "str", "of": x}
    if type(x) is float and (x != x or x in (float("inf"), float("-inf"))):
        return {"_value_": "float", "of": repr(x)}
    return x if type(x) not in (bytes, complex) else _written(x)


def _literal(x: Any) -> Any:
    """A value where texts were read when they were set: what reads like a reference is meant as it stands."""
    return {"_value_": "str", "of": x} if type(x) is str and "${" in x else _atom(x)


def _written(x: Any) -> Any:
    if x is MISSING:
        return "???"
    written = write_leaf(x)
    return None if written is None else {"_value_": written[0], "of": written[1]}


def _key(key: Any) -> Any:
    if type(key) is tuple:
        return {"_value_": "tuple", "of": [_key(member) for member in key]}
    if type(key) in ATOMS:
        return _atom(key)
    written = _written(key)
    if written is None:
        raise _Unnamed(key)
    return written


def from_data(
    data: Any,
    *,
    allow: Iterable[str] = (),
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    migrations: Mapping[str, Any] | None = None,
    report: Report | None = None,
    where: str = "data",
) -> Any:
    """Read what `to_data` wrote, or a hand-written file of that form; nothing is imported.

    Args:
        data: Dicts, lists, texts, numbers, truth values and None.
        allow: Modules (`torch.optim`) or objects (`train:Net`) that may be
            imported when the spec is checked or built, beside those that the
            project's `pyproject.toml` allows.
        resolvers: What `${name:arg,...}` may ask: functions by their names.
        migrations: What was renamed since the data was written, as
            `{"train:OldNet": "train:Net", "train:Net.n_layers": "depth"}`, before
            what the project's `pyproject.toml` says.
        report: Called with each change that a migration makes; `print` will do.
        where: What origins and errors call the data: a file's name.

    Returns:
        The spec.

    Raises:
        LoadError: The data is not of that form; the error names the place.
        DepthError: It is nested too deeply.

    >>> from_data({"_target_": "torch.optim.SGD", "lr": 0.1})
    lazy(SGD)(lr=0.1)
    """
    policy = Policy(allow)
    return read_data(data, policy=policy, where=where, resolvers=resolvers, migrations=migrations, report=report)


def read_data(
    data: Any,
    *,
    policy: Policy | None,
    where: str | Source,
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    migrations: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Any:
    """`from_data` under a policy; what the project allows and says was renamed counts too."""
    project = project_settings()
    policy = None if policy is None else Policy(policy.allow, project=project.allow, reads=policy.reads)
    rules = migrations_of(migrations, project.migrations)
    return decode(data, policy=policy, where=where, resolvers=resolvers, rules=rules, report=report)


def decode(
    data: Any,
    *,
    policy: Policy | None,
    where: str | Source,
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    rules: Migrations | None = None,
    report: Report | None = None,
) -> Any:
    """Read data under a policy; None trusts it as Python.

    Args:
        data: As for `from_data`.
        policy: What it may import.
        where: What origins and errors call it, or a source that knows its lines.
        resolvers: As for `from_data`.
        rules: What was renamed since it was written.
        report: Called with each change.
    """
    try:
        return _Decoder(policy, where, resolvers, rules, report).decode(data)
    except RecursionError:
        raise DepthError(Fault("", f"{where} is nested too deeply")) from None


class _Decoder:
    def __init__(
        self,
        policy: Policy | None,
        where: str | Source,
        resolvers: Mapping[str, Callable[..., Any]] | None = None,
        rules: Migrations | None = None,
        report: Report | None = None,
    ) -> None:
        self.policy = policy
        self.resolvers = resolvers or {}
        self.rules = rules
        self.report: Report = report or (lambda change: None)
        self.file = where
        self.where = show_file(where) if isinstance(where, str) else str(where)
        self.same: list[tuple[Any, Any, str, str]] = []  # holder, key, path of the node, path of the place
        self.refs: list[Ref] = []
        self.nodes: dict[str, Any] = {}  # by the place where it is written
        self.made: dict[int, Any] = {}  # by the id of the data that they were read from, which an alias shares
        self.seen: set[int] = set()
        self.again = 0  # values that were read once more, through an alias
        self.kept: list[Any] = []

    def site(self, place: str) -> Site:
        return self.file, 0, place

    def spot(self, place: str) -> Any:
        """What says where a place is, when it is asked."""
        return self.where if isinstance(self.file, str) else self.file.at(place)

    def decode(self, data: Any) -> Any:
        nodes: Any = {}
        if isinstance(data, dict):
            data = dict(self.unpacked(data["of"], "") if data.get("_value_") == "json" and len(data) == 2 else data)
            version = data.pop("_format_", FORMAT)
            if type(version) is not int or not 1 <= version <= FORMAT:
                newer = type(version) is int and version > FORMAT
                advice = ["update it:  pip install --upgrade callsheet"] if newer else []
                raise self.bad("", f"has format {version!r}, and this Callsheet reads up to {FORMAT}", *advice)
            nodes = data.pop("_nodes_", {})
            if set(data) == {"_root_"}:
                data = data["_root_"]
        root = self.run(self.value(data, ""))
        loose = self.run(self.value(nodes, "_nodes_"))
        self.whole = {"_nodes_": loose}
        stands = {place: path for _, _, path, place in self.same}
        for holder, key, path, place in self.same:
            end = _end_of(path, stands)
            if end in stands:
                raise self.bad(place, f"leads to {path!r}, which leads back to it: one of them must be written in full")
            self._put(holder, key, self._node(root, end, place))
        for ref in self.refs:
            base = ref.__base__
            if type(base) is str:
                object.__setattr__(ref, "__base__", self._find(root, base, base))
        if all(type(ref.__base__) is tuple and not ref.__dots__ for ref in self.refs):
            for ref in self.refs:
                object.__setattr__(ref, "__root__", root)
                object.__setattr__(ref, "__held__", True)
        else:
            bind_all(root, resolvers=self.resolvers)
        if self.rules is not None:
            calls = [(place, node) for place, node in self.nodes.items() if type(node) in CALLS]
            migrate_nodes(calls, self.refs, root, self.rules, self.report, self.where)
        return root

    def run(self, reading: Reading) -> Any:
        """Read to any depth: a reading yields the readings that it waits for, and none calls another."""
        stack, found = [reading], None
        while stack:
            try:
                stack.append(stack[-1].send(found))
                found = None
            except StopIteration as stop:
                stack.pop()
                found = stop.value
            if len(stack) > MAX_DEPTH:
                raise DepthError(Fault("", f"{self.where} is nested more than {MAX_DEPTH} levels deep"))
        return found

    def _find(self, root: Any, path: str, place: str) -> Any:
        value: Any = self.nodes.get(path)
        try:
            if value is None:  # a path as a person writes it
                value = self.whole if path.startswith("_nodes_.") else root
                for step in parse_path(path) if path else ():
                    value = step_into(value, step)
        except (LookupError, CallsheetError):
            raise self.bad(place, f"leads to {path!r}, where nothing is") from None
        if type(value) in CALLS and _raw(value, "__held__") < 2:
            object.__setattr__(value, "__held__", 2)
        return value

    def _node(self, root: Any, path: str, place: str) -> Any:
        """What `_same_` leads to: a call or a dataclass instance, since all else is written where it stands."""
        value = self._find(root, path, place)
        if type(value) not in CALLS:
            raise self.bad(place, f"leads to {path!r}, which is no call or dataclass: write its value here")
        return value

    def _put(self, holder: Any, key: Any, value: Any) -> None:
        if type(holder) in CALLS and isinstance(key, int):
            _raw(holder, "__args__")[key] = value
        elif isinstance(holder, list):
            list.__setitem__(holder, key, value)
        else:
            _raw(holder, "__dict__")[key] = value

    def value(self, x: Any, place: str) -> Reading:
        if type(x) is dict and not _RESERVED.isdisjoint(x):
            return (yield from self.mapping(x, place))
        found = self.child(x, None, None, place)
        return (yield found) if type(found) is _READING else found

    def child(self, x: Any, holder: Any, key: Any, place: str) -> Any:
        """A value inside a holder, or its reading; what stands for a node written elsewhere is put there at the end."""
        cls = type(x)
        if cls is dict:
            if id(x) in self.seen:
                self.spend(x, place)
            self.seen.add(id(x))
            if _RESERVED.isdisjoint(x):
                if not _stands(x.values()):
                    return self.items(x.items(), place)
                return mapping_of_atoms(x.copy(), (self.file, 0, place))
            if "_same_" in x:
                if len(x) != 1 or type(x["_same_"]) is not str:
                    raise self.bad(place, "has a _same_ that is no path alone")
                if x["_same_"] in self.nodes:
                    found = self.nodes[x["_same_"]]
                    return found if type(found) is Ref else attach(found)
                self.same.append((holder, key, x["_same_"], place))
                return None
            if id(x) in self.made:
                return self.once_more(self.made[id(x)])
            return self.special(x, holder, key, place)
        if cls is str:
            return self.text(x, place)
        if cls in ATOMS:
            return x
        if cls is list:
            if id(x) in self.seen:
                self.spend(x, place)
            self.seen.add(id(x))
            return new_list(x, self.site(place)) if _stands(x) else self.positions(x, place)
        if cls.__module__ == "datetime":  # which TOML has
            return x
        raise self.bad(place, f"holds {x!r}, which is not data")

    def once_more(self, found: Any) -> Any:
        """What was read already, for one more place that holds it."""
        made = attach(found)
        if type(made) is Ref:
            self.refs.append(made)
        return made

    def spend(self, x: Any, place: str) -> None:
        """Count what an alias makes read again."""
        if id(x) not in self.made:
            self.again += len(x)
            if self.again > MAX_VALUES:
                raise self.bad(place, f"is a YAML alias too much: together they make more than {MAX_VALUES:,} values")

    def positions(self, x: Any, place: str) -> Reading:
        items: Any = new_list([], self.site(place))
        made: Any = []
        for n, v in enumerate(x):
            cls = type(v)
            if cls not in _PLAIN and (cls is not str or "${" in v or v == "???"):
                v = self.child(v, items, n, f"{place}[{n}]")
                if type(v) is _READING:
                    v = yield v
            made.append(v)
        list.extend(items, made)
        return _settled(items)

    def text(self, x: str, place: str) -> Any:
        if x == "???":
            return MISSING
        if "${" not in x:
            return x
        try:
            ref = parse_text(x)
        except CallsheetError as error:
            raise self.bad(place, error.faults[0].problem) from None
        object.__setattr__(ref, "__policy__", self.policy)
        self.refs.append(ref)
        return ref

    def mapping(self, x: dict[str, Any], place: str) -> Reading:
        if "_target_" in x:
            return (yield from self.call(x, place))
        if "_type_" in x:
            fields = x.get("_fields_", {k: v for k, v in x.items() if k != "_type_"})
            return (yield from self.node(Instance, self.name(x["_type_"], place), [], fields, place))
        if x.get("_value_") == "tuple" and type(x.get("of")) is list:
            members = yield from self.settled(x["of"], [f"{place}[{n}]" for n in range(len(x["of"]))])
            for member in members:
                if type(member) in CALLS:  # in a tuple a node stands at no slot that can be counted
                    object.__setattr__(member, "__held__", 2)
            return tuple(members)
        if "_value_" in x:
            return self.leaf(x, place)
        if "_ref_" in x:
            return (yield from self.reference(x, place))
        if "_items_" in x:
            try:
                pairs = [(self.key(k, place), v) for k, v in x["_items_"]]
            except (TypeError, ValueError):
                raise self.bad(place, "has _items_ that are no [key, value] pairs") from None
            return (yield from self.items(pairs, place))
        unknown = _RESERVED & x.keys()
        if unknown:
            raise self.bad(place, f"has {min(unknown)}, which has no meaning here")
        return (yield from self.items(x.items(), place))

    def special(self, x: dict[str, Any], holder: Any, key: Any, place: str) -> Reading:
        """What a dict with a reserved key stands for; where that is a node, it is one wherever an alias leads to it."""
        if x.get("_value_") == "json" and type(x.get("of")) is str:
            x = self.unpacked(x["of"], place)
            found = self.child(x, holder, key, place)
            return (yield found) if type(found) is _READING else found
        made = yield from self.mapping(x, place)
        if type(made) not in CALLS:
            return made
        self.made[id(x)] = made
        return attach(made)

    def unpacked(self, text: str, place: str) -> Any:
        """Data that YAML could hold only as JSON text."""
        import json

        try:
            self.kept.append(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise self.bad(place, f"holds no json: {error}") from None
        return self.kept[-1]

    def items(self, pairs: Iterable[tuple[Any, Any]], place: str) -> Reading:
        made = new_mapping({}, self.site(place))
        items = _raw(made, "__dict__")
        for key, v in pairs:
            cls = type(v)
            if cls not in _PLAIN and (cls is not str or "${" in v or v == "???"):
                inner = (
                    f"{place}.{key}"
                    if place and type(key) is str and key.isidentifier()
                    else below(place, key_step(key))
                )
                v = self.child(v, made, key, inner)
                if type(v) is _READING:
                    v = yield v
            items[key] = v
        return _settled(made)

    def key(self, x: Any, place: str) -> Any:
        if type(x) in ATOMS:
            return x
        if type(x) is dict and x.get("_value_") == "tuple":
            return tuple(self.key(member, place) for member in x["of"])
        return self.leaf(x, place)

    def call(self, x: dict[str, Any], place: str) -> Reading:
        target = x["_target_"]
        args = x.get("_args_", [])
        if type(args) is not list:
            raise self.bad(place, "has _args_ that are no list")
        partial = x.get("_partial_", False)
        if type(partial) is not bool:
            raise self.bad(place, "has a _partial_ that is neither true nor false")
        known = ("_target_", "_args_", "_partial_", "_kwargs_", "_allow_")
        kwargs = x.get("_kwargs_", {k: v for k, v in x.items() if k not in known})
        unknown = _RESERVED & x.keys() - set(known)
        if unknown:
            raise self.bad(place, f"has {min(unknown)}, which has no meaning in a call")
        if type(target) is str:
            made_of: Any = self.name(target, place, self.allowed(x, place))
        else:
            (made_of,) = yield from self.settled([target], [below(place, TARGET)])
        if type(made_of) is not Name and type(made_of) not in CALLS and type(made_of) is not Ref:
            raise self.bad(place, f"has the target {target!r}, which names no callable")
        return (yield from self.node(Partial if partial else Call, made_of, args, kwargs, place))

    def node(self, cls: type, target: Any, args: list[Any], kwargs: dict[str, Any], place: str) -> Reading:
        if type(kwargs) is not dict:
            raise self.bad(place, "has arguments that are no dict")
        made = self.nodes[place] = new_call(cls, target, [], {}, self.site(place))
        values = []
        for n, v in enumerate(args):
            v = self.child(v, made, n, f"{place}[{n}]")
            values.append((yield v) if type(v) is _READING else v)
        _raw(made, "__args__").extend(values)
        items = _raw(made, "__dict__")
        for key, v in kwargs.items():
            if type(key) is not str:
                raise self.bad(place, f"has the argument {key!r}, which is no name")
            kind = type(v)
            if kind not in _PLAIN and (kind is not str or "${" in v or v == "???"):
                v = self.child(v, made, key, below(place, key))
                if type(v) is _READING:
                    v = yield v
            items[key] = v
        return _settled(made)

    def allowed(self, x: dict[str, Any], place: str) -> Policy | None:
        """The policy of this data, or the one that a trusted plan keeps for a part of it."""
        if "_allow_" not in x:
            return self.policy
        if self.policy is not None:
            raise self.bad(place, "has _allow_, which data may not say of itself")
        return Policy(x["_allow_"])

    def name(self, text: Any, place: str, policy: Policy | None = None) -> Name:
        if type(text) is not str:
            raise self.bad(place, f"names {text!r}, which is no name")
        try:
            return parse_name(text, where=self.spot(place), policy=policy or self.policy)
        except CallsheetError as error:
            raise self.bad(place, error.faults[0].problem) from None

    def leaf(self, x: Any, place: str) -> Any:
        tag = x.get("_value_") if type(x) is dict else None
        if tag not in SAFE_TAGS or set(x) - {"_value_", "of"}:
            raise self.bad(place, f"has the value kind {tag!r}, which is not known")
        try:
            of = x.get("of") if self.rules is None else self.migrated(tag, x.get("of"), place)
            return read_leaf(tag, of, policy=self.policy, where=self.spot(place))
        except CallsheetError as error:
            raise self.bad(place, f"holds no {tag}: {error.faults[0].problem}") from None
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise self.bad(place, f"holds no {tag}: {error}") from None

    def migrated(self, tag: str, of: Any, place: str) -> Any:
        assert self.rules is not None
        new = self.rules.of_value(tag, of)
        if new != of:
            self.report(Change(place, f"is now {new}, was {of}"))
        return new

    def reference(self, x: dict[str, Any], place: str) -> Reading:
        text, then = x["_ref_"], x.get("_then_", [])
        if type(text) is not str or type(then) is not list:
            raise self.bad(place, "has a _ref_ that is no path, or a _then_ that is no list")
        base, dots = text, 0
        if "${" in text:
            start = self.text(text, place)
            base, dots = start.__base__, start.__dots__
            self.refs.pop()
        steps = []
        for n, step in enumerate(then):
            if not is_step(step):
                raise self.bad(place, f"has a _then_ that cannot be read: {step!r}")
            steps.append((yield from self.step(step, n, place)))
        ref = self.nodes[place] = Ref(base, tuple(steps), None, self.allowed(x, place), dots)
        self.refs.append(ref)
        return ref

    def step(self, step: list[Any], n: int, place: str) -> Reading:
        kind = step[0]
        if kind == "attr":
            if step[1].startswith("_") and self.policy is not None:
                raise self.bad(place, f"follows the attribute {step[1]!r}, which data may not")
            return kind, (step[1],)
        args, kwargs = (step[1], step[2]) if kind == "call" else (step[1:2], {})
        places = [below(place, f"then{n}.{m}") for m in range(len(args) + len(kwargs))]
        operands = yield from self.settled([*args, *kwargs.values()], places)
        if kind == "call":
            return kind, (tuple(operands[: len(args)]), dict(zip(kwargs, operands[len(args) :], strict=True)))
        return kind, (*operands, *step[2:])

    def settled(self, given: list[Any], places: list[str]) -> Reading:
        """Values for what cannot be changed later: a node that they hold must be written before, or here."""
        holder: list[Any] = []
        values = []
        for n, (v, place) in enumerate(zip(given, places, strict=True)):
            v = self.child(v, holder, n, place)
            values.append((yield v) if type(v) is _READING else v)
        for waiting, _, path, place in self.same:
            if waiting is holder:
                problem = (
                    f"stands for a node that is written further down, at {path!r}: write it here, and _same_ there"
                )
                raise self.bad(place, problem)
        return values

    def bad(self, place: str, problem: str, *advice: str) -> LoadError:
        return LoadError(Fault(place, problem, origin=str(self.spot(place)), advice=advice))


def _end_of(path: str, stands: dict[str, str]) -> str:
    """Where a path leads that may lead to a place which itself stands for another."""
    passed: list[str] = []
    while path in stands and len(passed) <= len(stands):
        passed.append(path)
        path = stands[path]
    for place in passed:
        stands[place] = path  # so that a long chain is followed once
    return path


def below(place: str, key: Any) -> str:
    """The place of what stands under a key of what stands at a place."""
    if type(key) is str and key.isidentifier():
        return f"{place}.{key}" if place else key
    text = _place((key,)) if type(key) is not _Odd else format_path([key])
    return place + text if text.startswith("[") else f"{place}.{text}" if place else text


def _stands(values: Iterable[Any]) -> bool:
    """Whether values are what they stand for, all of them: numbers and texts that refer to nothing."""
    for v in values:
        cls = type(v)
        if cls is int or cls is float:  # quicker than a lookup
            continue
        if cls is str:
            if "${" in v or v == "???":
                return False
        elif cls not in _PLAIN:
            return False
    return True


def _settled(made: Any) -> Any:
    settle_class(made)
    return made
