"""JSON data as a spec: it comes back equal, and reading imports nothing."""

from __future__ import annotations

from ._bind import bind_all
from ._forms import keys_fault
from ._items import CALLS, step_into
from ._leaf import MISSING
from ._migrate import Migrations, migrate_nodes, migrations_of
from ._path import parse_path
from ._project import project_settings
from ._ref import Ref
from ._reftext import parse_text
from ._spec import (
    Call,
    Instance,
    Partial,
    attach,
    mapping_of_atoms,
    new_call,
    new_list,
    new_mapping,
    settle_class,
)
from ._steps import is_step
from ._target import Name
from ._tree import ATOMS, MAX_DEPTH, TARGET
from ._trust import Policy
from ._wire import FORMAT, PLAIN, RESERVED, below, key_step
from ._wirevalues import WireValues, is_packed
from .errors import CallsheetError, DepthError, Fault
from .formats._text import MAX_VALUES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from typing import Any

    from ._migrate import Report
    from ._origin import Source

    Reading = Generator[Any, Any, Any]
    Steps = tuple[object, ...]

_READING: Any = type(_ for _ in ())
_raw = object.__getattribute__


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


class _Decoder(WireValues):
    """The reading of one text: nodes as they come, and at the end what stands for them elsewhere."""

    def __init__(
        self,
        policy: Policy | None,
        where: str | Source,
        resolvers: Mapping[str, Callable[..., Any]] | None = None,
        rules: Migrations | None = None,
        report: Report | None = None,
    ) -> None:
        super().__init__(policy, where, rules, report)
        self.resolvers = resolvers or {}
        self.same: list[tuple[Any, Any, str, str]] = []  # holder, key, path of the node, path of the place
        self.refs: list[Ref] = []
        self.nodes: dict[str, Any] = {}  # by the place where it is written
        self.made: dict[int, Any] = {}  # by the id of the data that they were read from, which an alias shares
        self.seen: set[int] = set()
        self.again = 0  # values that were read once more, through an alias

    def decode(self, data: Any) -> Any:
        nodes: Any = {}
        if isinstance(data, dict):
            data = self.unpacked(data["of"], "") if is_packed(data) else data
        if isinstance(data, dict):
            data = dict(data)
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
        if type(x) is dict and not RESERVED.isdisjoint(x):
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
            if RESERVED.isdisjoint(x):
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
            if cls not in PLAIN and (cls is not str or "${" in v or v == "???"):
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
        problem = keys_fault(x)
        if problem:
            raise self.bad(place, problem)
        if "_target_" in x:
            return (yield from self.call(x, place))
        if "_type_" in x:
            fields = x.get("_fields_", {k: v for k, v in x.items() if k != "_type_"})
            return (yield from self.node(Instance, self.name(x["_type_"], place), [], fields, place))
        if "_value_" in x and self.kind(x, place) == "tuple":
            members = yield from self.settled(x["of"], [f"{place}[{n}]" for n in range(len(x["of"]))])
            for member in members:
                if type(member) in CALLS:  # in a tuple a node stands at no slot that can be counted
                    object.__setattr__(member, "__held__", 2)
            return tuple(members)
        if "_value_" in x:
            return self.leaf(x, place)
        if "_ref_" in x:
            return (yield from self.reference(x, place))
        return (yield from self.items(self.pairs(x["_items_"], place), place))

    def special(self, x: dict[str, Any], holder: Any, key: Any, place: str) -> Reading:
        """What a dict with a reserved key stands for; where that is a node, it is one wherever an alias leads to it."""
        if is_packed(x):
            x = self.unpacked(x["of"], place)
            found = self.child(x, holder, key, place)
            return (yield found) if type(found) is _READING else found
        made = yield from self.mapping(x, place)
        if type(made) not in CALLS:
            return made
        self.made[id(x)] = made
        return attach(made)

    def items(self, pairs: Iterable[tuple[Any, Any]], place: str) -> Reading:
        made = new_mapping({}, self.site(place))
        items = _raw(made, "__dict__")
        for key, v in pairs:
            cls = type(v)
            if cls not in PLAIN and (cls is not str or "${" in v or v == "???"):
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

    def call(self, x: dict[str, Any], place: str) -> Reading:
        target = x["_target_"]
        args = x.get("_args_", [])
        if type(args) is not list:
            raise self.bad(place, "has _args_ that are no list")
        partial = x.get("_partial_", False)
        if type(partial) is not bool:
            raise self.bad(place, "has a _partial_ that is neither true nor false")
        kwargs = x.get("_kwargs_", {k: v for k, v in x.items() if k not in RESERVED})
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
            if kind not in PLAIN and (kind is not str or "${" in v or v == "???"):
                v = self.child(v, made, key, below(place, key))
                if type(v) is _READING:
                    v = yield v
            items[key] = v
        return _settled(made)

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


def _end_of(path: str, stands: dict[str, str]) -> str:
    """Where a path leads that may lead to a place which itself stands for another."""
    passed: list[str] = []
    while path in stands and len(passed) <= len(stands):
        passed.append(path)
        path = stands[path]
    for place in passed:
        stands[place] = path  # so that a long chain is followed once
    return path


def _stands(values: Iterable[Any]) -> bool:
    """Whether values are what they stand for, all of them: numbers and texts that refer to nothing."""
    for v in values:
        cls = type(v)
        if cls is int or cls is float:  # quicker than a lookup
            continue
        if cls is str:
            if "${" in v or v == "???":
                return False
        elif cls not in PLAIN:
            return False
    return True


def _settled(made: Any) -> Any:
    settle_class(made)
    return made
