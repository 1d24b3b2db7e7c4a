"""A spec as the Python config file that `load` reads as an equal spec."""

from __future__ import annotations

from ._bindings import Bindings, is_name
from ._construction import Constructions, class_of, is_importable, reads_texts
from ._items import CALLS, LISTS, MAPPINGS, origin_of
from ._layout import layout
from ._leaf import not_data, write_leaf
from ._levels import moved_faults
from ._literal import (
    CODE_KINDS,
    Code,
    Display,
    Unwritable,
    atom_code,
    call_code,
    code_text,
    flat,
    import_code,
    key_code,
    leaf_code,
    name_from_data,
    text_code,
)
from ._path import format_path
from ._ref import Ref
from ._refcode import literal_text, path_code, reference_text, starts_at_root, steps_code
from ._signature import signature_of
from ._spec import INSTANCES, PARTIALS, call_parts, described
from ._target import Name, name_of, parse_name
from ._tree import ATOMS, ENTER, TARGET, Kind, fold, kind_of, steps_of, walk
from ._written import WRITTEN, inside
from .errors import Fault, SaveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Steps = tuple[object, ...]

WIDTH = 88
"""Columns of a line, as most formatters have it."""

_DEEPEST = 10
"""Displays within each other before a part gets a name of its own; Python's parser follows 100 at most."""

_LONGEST = 60
"""Columns of a target that is itself a call before it gets a name of its own."""

_ROOT = "spec"
"""The one name that a file binds for a spec that is no mapping of names."""

_PLAIN = (dict, list, tuple)
_raw = object.__getattribute__


def to_python(spec: Any) -> str:
    """A spec as the text of a config file: `load` reads it as an equal spec.

    A mapping of names becomes an assignment for each. Any other spec becomes
    `spec = ...`, which `load(path, keys="spec")` gives back. A node that stands
    at several places becomes a variable. Nothing is imported to write it.

    Args:
        spec: Any spec.

    Returns:
        Python text that ends with a line break.

    Raises:
        SaveError: It holds something that no file can say (a lambda, an open
            file); `faults` names each with its path.
        CycleError: It contains itself.

    >>> from callsheet import lazy
    >>> print(to_python({"model": lazy("shop:Net")(width=64), "epochs": 5}), end="")
    # Written by Callsheet; load(...) reads it back.
    from callsheet import lazy
    from shop import Net
    <BLANKLINE>
    model = lazy(Net)(width=64)
    epochs = 5
    """
    return _Writer(spec).text()


class _Writer:
    def __init__(self, spec: Any) -> None:
        for _ in walk(spec):  # names a cycle, or a depth that no verb follows
            pass
        self.spec = spec
        kind = kind_of(type(spec))
        items = list(zip(*kind.items(spec), strict=True)) if kind is not None and kind.family == "dict" else None
        self.by_name = items is not None and all(is_name(key) and not key.startswith("_") for key, _ in items)
        self.items: list[tuple[Any, Any]] = items if items is not None and self.by_name else [(_ROOT, spec)]
        self.bindings = Bindings([key for key, _ in self.items])
        self.kinds = Constructions()
        self.faults: list[Fault] = []
        self.lines: list[str] = []
        self.names: dict[int, str] = {}  # by id, what gets a name because it is needed more than once
        self.assigned: set[int] = set()
        self.spelled: dict[int, Code | Display] = {}  # by id, a reference with a name as it is where no other holds it
        self.prefix: Steps = ()
        self.trail: list[Any] = []
        self._survey()

    def text(self) -> str:
        for key, value in self.items:
            self.prefix = (key,) if self.by_name else ()
            if id(value) in self.assigned and self.names[id(value)] == key:
                continue  # something above needed it
            code = fold(value, self._make, leaf=self._leaf, short=self._short, kinds=self.kinds, trail=self.trail)
            if type(value) in ATOMS:
                code = self._atom(value, None)
            code = self.spelled.get(id(value), code)
            if not (id(value) in self.assigned and self.names[id(value)] == key):
                self._assign(key, code)
        if self.faults:
            raise SaveError(*self.faults)
        how = "..." if self.by_name else f'..., keys="{_ROOT}"'
        imports = self.bindings.lines()
        head = [f"# Written by Callsheet; load({how}) reads it back.", *imports, *([""] if imports else [])]
        return "\n".join([*head, *self.lines]) + "\n"

    def _assign(self, left: str, code: Code | Display, *, before: str = "") -> None:
        head = f"{left} = {before}"
        self.lines.append(head + layout(code, width=WIDTH, indent=len(head), kinds=CODE_KINDS, leaf=code_text))

    def _fault(self, x: Any, problem: str, origin: str) -> Code:
        path = format_path((*self.prefix, *steps_of(self.trail)))
        if not problem:
            self.faults.append(not_data(path, x, origin))
        else:
            advice = ["move it to a module of its own, and import it from there"]
            self.faults.append(Fault(path, problem, origin=origin, advice=advice))
        return Code("None")

    def _survey(self) -> None:
        """Name what stands at several places, what references start from, and what is set up after it is made."""
        tops: dict[int, str] = {}
        for key, value in self.items if self.by_name else ():
            tops.setdefault(id(value), key)
        first: dict[int, Steps] = {}
        named: dict[int, Any] = {}
        relative = False
        todo: list[tuple[Steps, Any, Any]] = [((), self.spec, None)]
        while todo:
            steps, x, holder = todo.pop()
            kind = kind_of(type(x), self.kinds)
            if kind is None:
                continue
            if kind.node or (kind.family == "ref" and x.__steps__ and type(holder) is Ref):
                if id(x) in first:
                    named[id(x)] = x
                    continue
                first[id(x)] = steps
                if kind.family == "fields" and self._sets_up(x):
                    named[id(x)] = x
            if kind.family == "ref":
                relative = relative or any(part.__dots__ for part in inside(x))
                if self._is_node(x.__base__):
                    named[id(x.__base__)] = x.__base__
            keys, values = kind.items(x)
            todo += [((*steps, key), v, x) for key, v in zip(reversed(keys), reversed(values), strict=True)]
        for x in sorted(named.values(), key=lambda x: len(first[id(x)])):
            top = tops.get(id(x)) if type(x) is not Ref else None
            self.names[id(x)] = top or self.bindings.variable(_wish(first[id(x)], x))
        self.faults += moved_faults(self.spec) if relative else ()

    def _is_node(self, x: Any) -> bool:
        kind = kind_of(type(x), self.kinds)
        return kind is not None and kind.node

    def _sets_up(self, x: Any) -> bool:
        return bool(self.kinds.of(x)[1])

    # --- values ----------------------------------------------------------------------------------------------------

    def _short(self, x: Any, kind: Kind) -> Any:
        return Code(self.names[id(x)]) if id(x) in self.assigned else ENTER

    def _leaf(self, x: Any) -> Code | Display:
        holder, key = self.trail[-1][0], self.trail[-1][2][self.trail[-1][4]]
        try:
            if holder is None and (callable(x) or type(x) is Name):  # `load` leaves out classes and functions
                written = write_leaf(x)
                if written is not None and written[0] == "name":
                    return name_from_data(parse_name(written[1]), self.bindings)
            return leaf_code(x, self.bindings, named=self._names_stay())
        except Unwritable as why:
            return self._fault(x, why.args[0], origin_of(holder, key).where)

    def _atom(self, x: Any, holder: Any) -> Code:
        if type(x) is not str:
            return atom_code(x, self.bindings)
        if "${" not in x or not self._is_read(holder) or self._is_unread_data(holder):
            return text_code(x)
        return text_code(literal_text(x))

    def _make(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Code | Display:
        for n, original in enumerate(kind.items(x)[1]):
            if type(original) in ATOMS:
                values[n] = self._atom(original, x)
            elif type(original) is Ref and type(x) is not Ref:
                values[n] = self.spelled.get(id(original), values[n])
        try:
            code = self._container(x, kind, keys, values)
        except Unwritable as why:
            problem, *subject = why.args
            code = self._fault(subject[0] if subject else x, problem, origin_of(x, TARGET).where)
        if id(x) not in self.names and (code.depth < _DEEPEST or not self.trail[1:]):
            return code
        if id(x) not in self.names and not kind.node and not self._is_read(None):
            # Behind a function it stays as it is: a value of the file would become a part of a spec.
            return Code(f"{self._assigned(x, code, before='lambda: ')}()")
        if kind.family == "ref" and id(x) in self.names and code.depth < _DEEPEST:
            self.spelled[id(x)] = code
        name = self._assigned(x, code)
        if kind.family == "fields":
            self._set_up(x, name, dict(zip(keys, values, strict=True)))
        return Code(name)

    def _assigned(self, x: Any, code: Code | Display, *, before: str = "") -> str:
        """The variable that holds this part of the spec from here on."""
        name = self.names.get(id(x)) or self.bindings.variable(_wish((*self.prefix, *steps_of(self.trail)), x))
        self._assign(name, code, before=before)
        if not before:
            self.names[id(x)] = name
            self.assigned.add(id(x))
        return name

    def _container(self, x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Code | Display:
        if kind.family == "dict":
            labels = [f"{flat(key_code(key, self.bindings))}: " for key in keys]
            return Display("{", labels, "}", values)
        if kind.family == "list":
            return Display("[", [""] * len(values), "]", values)
        if kind.family == "tuple":
            return Display("(", [""] * len(values), ",)" if len(values) == 1 else ")", values)
        if kind.family == "ref":
            return self._reference(x, keys, values)
        return self._instance(x, keys, values) if kind.family == "fields" else self._call(x, keys, values)

    def _call(self, x: Any, keys: list[Any], values: list[Any]) -> Display:
        if _is_ordinary_partial(x):  # where nothing makes it a part of a spec
            target, args, kwargs = call_parts(described(x), keys, values)
            opening = f"{self.bindings.member('functools', 'partial')}("
            return call_code(opening, [Code(self._target(x, target, len(args), kwargs)), *args], kwargs)
        target, args, kwargs = call_parts(x, keys, values)
        word = self.bindings.member("callsheet", "partial" if type(x) in PARTIALS else "lazy")
        return call_code(f"{word}({self._target(x, target, len(args), kwargs)})(", args, kwargs)

    def _target(self, x: Any, target: Any, args: int, kwargs: dict[str, Any]) -> str:
        if isinstance(target, Code | Display):
            line = flat(target)
            return line if len(line) <= _LONGEST or type(x) not in CALLS else self._assigned(class_of(x), target)
        name = target if type(target) is Name else name_of(target)
        if name is None:
            raise Unwritable("", target)
        ours = name.module.partition(".")[0] in ("callsheet", "builtins", "__future__")
        if type(target) is not Name or not ours or (name.module == "builtins" and _takes(name, args, kwargs)):
            text = import_code(name, self.bindings)
            if text is not None:
                return text
        return text_code(name.text).text

    def _instance(self, x: Any, keys: list[Any], values: list[Any]) -> Display:
        if id(x) in self.kinds.refused:
            raise self.kinds.refused[id(x)]
        cls = class_of(x)
        name = cls if type(cls) is Name else name_of(cls)
        if name is None:
            raise Unwritable("")
        text = import_code(name, self.bindings) if is_importable(cls) else None
        if text is None:
            raise Unwritable(f"is an instance of {name.dotted}, which a config or script defines for itself")
        given = self.kinds.of(x)[0]
        items = {given[key]: code for key, code in zip(keys, values, strict=True) if key in given}
        return call_code(f"{text}(", [], items)

    def _set_up(self, x: Any, name: str, values: dict[Any, Any]) -> None:
        """Statements for the fields that the constructor does not take, or makes something else of."""
        plain = type(x) in CALLS or getattr(type(x), "__setattr__", None) is object.__setattr__
        for key in self.kinds.of(x)[1]:
            if plain and is_name(key):
                self._assign(f"{name}.{key}", values[key])
            else:
                setter = f"{self.bindings.member('builtins', 'object')}.__setattr__({name}, {text_code(key).text}, "
                shown = layout(values[key], width=WIDTH, indent=len(setter) + 1, kinds=CODE_KINDS, leaf=code_text)
                self.lines.append(f"{setter}{shown})")

    # --- references ------------------------------------------------------------------------------------------------

    def _reference(self, x: Ref, keys: list[Any], values: list[Any]) -> Code | Display:
        if type(x.__base__) in WRITTEN:
            if not self.by_name and starts_at_root(x):
                problem = f"refers to {reference_text(x)} in a spec that is no mapping of names"
                raise Unwritable(problem, x)
            if not x.__steps__ and self._is_read(None):
                text = reference_text(x)
                if text is not None:
                    return text_code(text)
            base = path_code(x, self.bindings.member("callsheet", "ref"))
        else:
            n = keys.index("ref")
            base = Code(f"{self.bindings.member('callsheet', 'ref')}({flat(values.pop(n))})")
        return steps_code(base, x.__steps__, iter(values), self.bindings)

    # --- where something stands ------------------------------------------------------------------------------------

    def _is_read(self, holder: Any) -> bool:
        """Whether a text with `${` is read as a reference in a holder, or where the fold stands."""
        for x in (holder, *(frame[0] for frame in reversed(self.trail))):
            if type(x) is Ref:
                return False
            if type(x) in CALLS and type(x) not in INSTANCES:
                return True
            kind = kind_of(type(x)) if x is not None else None
            if kind is not None and kind.family == "fields":
                return reads_texts(x)
        return True

    def _is_unread_data(self, holder: Any) -> bool:
        """Whether a text stands in plain data, which is still to be read as a spec."""
        root = self.spec if self.by_name else None
        holders = [x for x in (root, holder, *(frame[0] for frame in self.trail)) if x is not None]
        return all(type(x) in _PLAIN or _is_ordinary_partial(x) for x in holders)

    def _names_stay(self) -> bool:
        """Whether `load` keeps an imported name as a name where the fold stands."""
        for x, *_ in reversed(self.trail):
            if type(x) in CALLS:
                return type(x) not in INSTANCES
            if type(x) not in _PLAIN and type(x) not in MAPPINGS and type(x) not in LISTS:
                return False
        return False


def _takes(name: Name, args: int, kwargs: dict[str, Any]) -> bool:
    """Whether one of Python's own callables takes these arguments, so that `lazy` of itself does not refuse them."""
    import builtins

    function = vars(builtins).get(name.qualname)
    if not callable(function):
        return False
    signature = signature_of(function)
    return signature is None or (
        (args <= len(signature.slots) or bool(signature.more_positional))
        and not signature.unknown(kwargs)
        and not any(slot.name in kwargs for slot in signature.slots[:args])
    )


def _is_ordinary_partial(x: Any) -> bool:
    return type(x).__name__ == "partial" and type(x).__module__ == "functools"


def _wish(steps: Steps, x: Any) -> str:
    """What a variable is called after: the last name on the way to it, and the positions behind that."""
    tail: list[str] = []
    for step in reversed(steps):
        if isinstance(step, str) and step != "ref" and not step.startswith(("then", "(")):
            return "_".join([step, *tail])
        if isinstance(step, int):
            tail = [str(step), *tail[:1]]
    target = _raw(x, "__target__") if type(x) in CALLS else type(x)
    name = target.qualname if type(target) is Name else getattr(target, "__qualname__", "value")
    return "_".join([str(name).rpartition(".")[2].lower(), *tail])
