"""A spec as JSON data and back: what is saved loads back equal, and reading imports nothing.

The wire form is the field's: a call is `{"_target_": "module:qualname", ...}`.
`docs/wire-format.md` has it in full.
"""

from __future__ import annotations

from ._leaf import MISSING, SAFE_TAGS, read_leaf, write_leaf
from ._path import format_path, parse_path
from ._ref import Ref, Template, bind, parse_text, template_text
from ._spec import (
    CALLS,
    INSTANCES,
    PARTIALS,
    Call,
    Instance,
    Partial,
    attach,
    call_parts,
    new_call,
    new_list,
    new_mapping,
    origin_of,
    settle_class,
    step_into,
)
from ._target import Name, name_of, parse_name
from ._tree import ATOMS, KINDS, TARGET, Kind, fold, kind_of, steps_of, walk
from ._trust import Policy
from .errors import CallsheetError, DepthError, Fault, LoadError, SaveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

FORMAT = 1
"""The version of the wire form."""

_RESERVED = frozenset(
    "_target_ _args_ _partial_ _kwargs_ _type_ _fields_ _value_ _items_ _same_ _ref_ _then_ _nodes_ _format_ _root_".split()
)
_raw = object.__getattribute__
_CONTAINED = {**KINDS, Ref: None}
"""The tree as it is contained: references are leaves."""


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


class _Encoder:
    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.faults: list[Fault] = []
        self.places: dict[int, str] = {}  # id of a node -> the path where it is written in full
        self.loose: list[Any] = []  # nodes that only references reach
        self._survey(spec, ())
        for node in self.loose:  # grows while it is read: a loose node may refer to further ones
            self._survey(node, parse_path(self.places[id(node)]))

    def _survey(self, x: Any, prefix: tuple[object, ...]) -> None:
        bases = []
        for steps, value in walk(x, kinds=_CONTAINED):
            if type(value) is Ref:
                bases.append(value.__base__)
            else:
                kind = kind_of(type(value), _CONTAINED)
                if kind is not None and kind.node:
                    self.places.setdefault(id(value), format_path((*prefix, *steps)))
        for base in bases:
            kind = kind_of(type(base), _CONTAINED)
            if type(base) is not tuple and kind is not None and id(base) not in self.places:
                self.places[id(base)] = f"_nodes_.n{len(self.loose)}"
                self.loose.append(base)

    def encode(self) -> Any:
        data = self._encode(self.spec, "")
        nodes = {f"n{n}": self._encode(node, f"_nodes_.n{n}") for n, node in enumerate(self.loose)}
        if self.faults:
            raise SaveError(*self.faults)
        if not nodes:
            return data
        return {**data, "_nodes_": nodes} if isinstance(data, dict) and "_same_" not in data else {"_root_": data, "_nodes_": nodes}

    def _encode(self, x: Any, place: str) -> Any:
        prefix = parse_path(place) if place else ()
        trail: list[Any] = []

        def here(*more: object) -> str:
            return format_path((*prefix, *steps_of(trail), *more))

        def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
            originals = kind.items(x)[1]
            for n, original in enumerate(originals):
                cls = type(original)
                if cls is float or cls is str:
                    values[n] = _atom(original)
                    continue
                inner = kind_of(cls, _CONTAINED)
                if inner is not None and inner.node and self.places[id(original)] != here(keys[n]):
                    values[n] = {"_same_": self.places[id(original)]}
            try:
                return self._container(x, kind, keys, values)
            except _Unnamed as error:
                self.faults.append(_not_data(here(), error.args[0], origin_of(x, TARGET).where))
                return None

        def leaf(x: Any) -> Any:
            holder, key = (trail[-1][0], trail[-1][2][trail[-1][4]]) if trail else (None, None)
            if type(x) is Ref:
                return self._reference(x, here(), holder, key)
            written = _written(x)
            if written is None:
                self.faults.append(_not_data(here(), x, origin_of(holder, key).where))
            return written

        if kind_of(type(x), _CONTAINED) is None:
            return _atom(x) if type(x) in ATOMS else leaf(x)
        return fold(x, make, leaf=leaf, kinds=_CONTAINED, trail=trail)

    def _container(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if kind.family == "dict":
            if all(type(key) is str for key in keys) and _RESERVED.isdisjoint(keys):
                return dict(zip(keys, values, strict=True))
            return {"_items_": [[_key(key), value] for key, value in zip(keys, values, strict=True)]}
        if kind.family == "list":
            return values
        if kind.family == "tuple":
            return {"_value_": "tuple", "of": values}
        if type(x) in CALLS and type(x) not in INSTANCES:
            return self._call(x, keys, values)
        cls = _raw(x, "__target__") if type(x) in INSTANCES else type(x)
        return {"_type_": _name_text(cls), **_named("_fields_", dict(zip(keys, values, strict=True)))}

    def _call(self, x: Any, keys: list[Any], values: list[Any]) -> Any:
        target, args, kwargs = call_parts(x, keys, values)
        data: dict[str, Any] = {"_target_": target if target is not _raw(x, "__target__") else _name_text(target)}
        if type(x) in PARTIALS:
            data["_partial_"] = True
        if args:
            data["_args_"] = args
        return {**data, **_named("_kwargs_", kwargs)}

    def _reference(self, ref: Ref, place: str, holder: Any, key: Any) -> Any:
        base = ref.__base__
        if type(base) is Template:
            where = template_text(base)
        elif type(base) is tuple:
            where = "${" + format_path(base) + "}"
        elif id(base) in self.places:
            where = self.places[id(base)]
        else:
            self.faults.append(_not_data(place, base, origin_of(holder, key).where))
            return None
        if not ref.__steps__ and type(base) in (tuple, Template):
            return where
        steps = [self._step(kind, data, place) for kind, data in ref.__steps__]
        return {"_ref_": where, "_then_": steps} if steps else {"_ref_": where}

    def _step(self, kind: str, data: tuple[Any, ...], place: str) -> Any:
        if kind == "attr":
            return [kind, data[0]]
        if kind == "call":
            return [kind, self._operand(list(data[0]), place), self._operand(dict(data[1]), place)]
        return [kind, self._operand(data[0], place), *data[1:]]

    def _operand(self, x: Any, place: str) -> Any:
        inner = _Encoder(x)
        if inner.loose:
            self.faults.append(_not_data(place, x, ""))
            return None
        return inner.encode()


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
    return _written(key)


def _not_data(path: str, x: Any, origin: str) -> Fault:
    text = repr(x)
    shown = text if len(text) <= 60 else text[:57] + "..."
    return Fault(
        path,
        f"is not data, so it cannot be saved: {shown}",
        origin=origin,
        advice=["define it at the top level of a module, or describe it with lazy(...)"],
    )


def from_data(data: Any, *, allow: Iterable[str] = (), where: str = "data") -> Any:
    """Read what `to_data` wrote, or a hand-written file of that form; nothing is imported.

    Args:
        data: Dicts, lists, texts, numbers, truth values and None.
        allow: Modules (`torch.optim`) or objects (`train:Net`) that may be
            imported when the spec is checked or built.
        where: What origins and errors call the data: a file's name.

    Returns:
        The spec.

    Raises:
        LoadError: The data is not of that form; the error names the place.
        DepthError: It is nested too deeply.

    >>> from_data({"_target_": "torch.optim.SGD", "lr": 0.1})
    lazy(SGD)(lr=0.1)
    """
    return decode(data, policy=Policy(allow), where=where)


def decode(data: Any, *, policy: Policy | None, where: str) -> Any:
    """Read data under a policy; None trusts it as Python."""
    try:
        return _Decoder(policy, where).decode(data)
    except RecursionError:
        raise DepthError(Fault("", f"{where} is nested too deeply")) from None


class _Decoder:
    def __init__(self, policy: Policy | None, where: str) -> None:
        self.policy = policy
        self.where = where
        self.same: list[tuple[Any, Any, str, str]] = []  # holder, key, path of the node, path of the place
        self.refs: list[Ref] = []
        self.site = (where, 0, 0)

    def decode(self, data: Any) -> Any:
        nodes: Any = {}
        if isinstance(data, dict):
            data = dict(data)
            version = data.pop("_format_", FORMAT)
            if type(version) is not int or not 1 <= version <= FORMAT:
                raise self.bad("", f"has format {version!r}, and this Callsheet reads up to {FORMAT}")
            nodes = data.pop("_nodes_", {})
            if set(data) == {"_root_"}:
                data = data["_root_"]
        root = self.value(data, "")
        loose = self.value(nodes, "_nodes_")
        self.whole = {"_nodes_": loose}
        for holder, key, path, place in self.same:
            self._put(holder, key, self._find(root, path, place))
        for ref in self.refs:
            base = ref.__base__
            if type(base) is str:
                object.__setattr__(ref, "__base__", self._find(root, base, base))
            bind(ref, lambda bound: root if bound is None else bound)
        return root

    def _find(self, root: Any, path: str, place: str) -> Any:
        value: Any = self.whole if path.startswith("_nodes_.") else root
        try:
            for step in parse_path(path) if path else ():
                value = step_into(value, step)
        except (LookupError, CallsheetError):
            raise self.bad(place, f"leads to {path!r}, where nothing is") from None
        if type(value) in CALLS and _raw(value, "__held__") < 2:
            object.__setattr__(value, "__held__", 2)
        return value

    def _put(self, holder: Any, key: Any, value: Any) -> None:
        if type(holder) in CALLS and isinstance(key, int):
            _raw(holder, "__args__")[key] = value
        elif isinstance(holder, list):
            list.__setitem__(holder, key, value)
        else:
            _raw(holder, "__dict__")[key] = value

    def value(self, x: Any, place: str) -> Any:
        cls = type(x)
        if cls is str:
            return self.text(x, place)
        if cls in ATOMS:
            return x
        if cls is list:
            items: Any = new_list([], self.site)
            made = [self.child(v, items, n, f"{place}[{n}]") for n, v in enumerate(x)]
            list.extend(items, made)
            return _settled(items)
        if cls is not dict:
            raise self.bad(place, f"holds {x!r}, which is not data")
        return self.dict(x, place)

    def child(self, x: Any, holder: Any, key: Any, place: str) -> Any:
        """A value inside a holder; where it stands for a node written elsewhere, that is put there at the end."""
        if type(x) is dict and "_same_" in x:
            if len(x) != 1 or type(x["_same_"]) is not str:
                raise self.bad(place, "has a _same_ that is no path alone")
            self.same.append((holder, key, x["_same_"], place))
            return None
        made = self.value(x, place)
        return attach(made) if type(made) in CALLS else made

    def text(self, x: str, place: str) -> Any:
        if x == "???":
            return MISSING
        if "${" not in x:
            return x
        try:
            ref = parse_text(x)
        except CallsheetError as error:
            raise self.bad(place, error.faults[0].problem) from None
        self.refs.append(ref)
        return ref

    def dict(self, x: dict[str, Any], place: str) -> Any:
        if "_target_" in x:
            return self.call(x, place)
        if "_type_" in x:
            fields = x.get("_fields_", {k: v for k, v in x.items() if k != "_type_"})
            return self.node(Instance, self.name(x["_type_"], place), [], fields, place)
        if "_value_" in x:
            return self.special(x, place)
        if "_ref_" in x:
            return self.reference(x, place)
        if "_items_" in x:
            made = new_mapping({}, self.site)
            try:
                pairs = [(self.key(k, place), v) for k, v in x["_items_"]]
            except (TypeError, ValueError):
                raise self.bad(place, "has _items_ that are no [key, value] pairs") from None
        else:
            unknown = _RESERVED & x.keys()
            if unknown:
                raise self.bad(place, f"has {min(unknown)}, which has no meaning here")
            made, pairs = new_mapping({}, self.site), list(x.items())
        items = _raw(made, "__dict__")
        for key, v in pairs:
            items[key] = self.child(v, made, key, _below(place, key))
        return _settled(made)

    def key(self, x: Any, place: str) -> Any:
        if type(x) in ATOMS:
            return x
        if type(x) is dict and x.get("_value_") == "tuple":
            return tuple(self.key(member, place) for member in x["of"])
        return self.special(x, place)

    def call(self, x: dict[str, Any], place: str) -> Any:
        target = x["_target_"]
        args = x.get("_args_", [])
        if type(args) is not list:
            raise self.bad(place, "has _args_ that are no list")
        partial = x.get("_partial_", False)
        if type(partial) is not bool:
            raise self.bad(place, "has a _partial_ that is neither true nor false")
        known = ("_target_", "_args_", "_partial_", "_kwargs_")
        kwargs = x.get("_kwargs_", {k: v for k, v in x.items() if k not in known})
        unknown = _RESERVED & x.keys() - set(known)
        if unknown:
            raise self.bad(place, f"has {min(unknown)}, which has no meaning in a call")
        made_of = self.name(target, place) if type(target) is str else self.value(target, f"{place}(target)")
        if type(made_of) is not Name and type(made_of) not in CALLS and type(made_of) is not Ref:
            raise self.bad(place, f"has the target {target!r}, which names no callable")
        return self.node(Partial if partial else Call, made_of, args, kwargs, place)

    def node(self, cls: type, target: Any, args: list[Any], kwargs: dict[str, Any], place: str) -> Any:
        if type(kwargs) is not dict:
            raise self.bad(place, "has arguments that are no dict")
        made = new_call(cls, target, [], {}, self.site)
        values = [self.child(v, made, n, f"{place}[{n}]") for n, v in enumerate(args)]
        _raw(made, "__args__").extend(values)
        items = _raw(made, "__dict__")
        for key, v in kwargs.items():
            items[key] = self.child(v, made, key, _below(place, key))
        return _settled(made)

    def name(self, text: Any, place: str) -> Name:
        if type(text) is not str:
            raise self.bad(place, f"names {text!r}, which is no name")
        try:
            return parse_name(text, where=self.where, policy=self.policy)
        except CallsheetError as error:
            raise self.bad(place, error.faults[0].problem) from None

    def special(self, x: Any, place: str) -> Any:
        tag = x.get("_value_") if type(x) is dict else None
        if tag == "tuple" and type(x.get("of")) is list:
            holder: list[Any] = []
            values = [self.child(v, holder, n, f"{place}[{n}]") for n, v in enumerate(x["of"])]
            if any(entry[0] is holder for entry in self.same):
                raise self.bad(place, "is a tuple that holds a node written elsewhere; write it here and the other as _same_")
            return attach(tuple(values))
        if tag not in SAFE_TAGS or set(x) - {"_value_", "of"}:
            raise self.bad(place, f"has the value kind {tag!r}, which is not known")
        try:
            return read_leaf(tag, x.get("of"), policy=self.policy, where=self.where)
        except (ValueError, TypeError, LookupError, ArithmeticError, CallsheetError) as error:
            raise self.bad(place, f"holds no {tag}: {error}") from None

    def reference(self, x: dict[str, Any], place: str) -> Any:
        text, then = x["_ref_"], x.get("_then_", [])
        if type(text) is not str or type(then) is not list:
            raise self.bad(place, "has a _ref_ that is no path, or a _then_ that is no list")
        base: Any = self.text(text, place).__base__ if "${" in text else text
        try:
            steps = tuple(self.step(step, place) for step in then)
        except (TypeError, ValueError, IndexError):
            raise self.bad(place, f"has a _then_ that cannot be read: {then!r}") from None
        ref = Ref(base, steps)
        self.refs.append(ref)
        return ref

    def step(self, step: list[Any], place: str) -> tuple[str, tuple[Any, ...]]:
        kind = step[0]
        if kind == "attr":
            name = step[1]
            if type(name) is not str or (name.startswith("_") and self.policy is not None):
                raise self.bad(place, f"follows the attribute {name!r}, which data may not")
            return kind, (name,)
        if kind == "call":
            args, kwargs = (self.value(part, place) for part in step[1:3])
            return kind, (tuple(args), dict(kwargs))
        if kind == "item":
            return kind, (self.value(step[1], place),)
        if kind in ("+", "-", "*", "/", "//", "%", "**") and len(step) == 3:
            return kind, (self.value(step[1], place), bool(step[2]))
        raise ValueError(kind)

    def bad(self, place: str, problem: str) -> LoadError:
        return LoadError(Fault(place, problem, origin=self.where))


def _below(place: str, key: Any) -> str:
    text = format_path([key])
    return place + text if text.startswith("[") else f"{place}.{text}" if place else text


def _settled(made: Any) -> Any:
    settle_class(made)
    return made
