"""Migrations: what was renamed since data was written gets its new name when it is read, and that is reported."""

from __future__ import annotations

from ._items import CALLS, step_into
from ._origin import Origin
from ._path import format_path
from ._read import Values
from ._ref import Ref
from ._spec import attach, settle_class
from ._target import Name, parse_name
from ._tree import TARGET
from ._written import inside
from .errors import CallsheetError, Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Report = Callable[["Change"], object]

_raw = object.__getattribute__
_set = object.__setattr__


class Change:
    """One thing that a migration changed; its text says it in a line.

    Attributes:
        path: Where in the data: of the call, or of the argument under its old name.
        text: What became of it.
        name: The new name of an argument that was renamed; else "".
    """

    __slots__ = ("name", "path", "text")

    def __init__(self, path: str, text: str, *, name: str = "") -> None:
        self.path = path
        self.text = text
        self.name = name

    def __str__(self) -> str:
        return f"{self.path} {self.text}" if self.path else self.text

    def __repr__(self) -> str:
        return f"Change({self.path!r}, {self.text!r})"


class Migrations:
    """What was renamed, by its old name.

    Args:
        rules: `{"train:OldNet": "train:Net"}` renames a target, `{"train": "nets"}`
            a module and those below it, `{"train:Net.n_layers": "depth"}` an
            argument (or the member of an Enum); `None` or "" as the new name drops
            it. What needs code is a function: for an argument one that takes its
            value and gives the new arguments as a dict, for a target one that takes
            the call and gives the new one. Old names may be chained.

    Raises:
        LoadError: A rule cannot be read, or names lead back to themselves.
    """

    __slots__ = ("arguments", "longest", "modules", "targets")

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.targets: dict[str, Any] = {}
        self.modules: dict[str, str] = {}
        self.arguments: dict[tuple[str, str], Any] = {}
        for old, new in rules.items():
            self._add(old, new)
        self.longest = len(rules)  # of a chain: no rule is needed twice in one
        _refuse_circles([*self.targets, *(f"{module}:_" for module in self.modules)], self.next_name, len(rules))
        _refuse_circles(
            [f"{target}.{argument}" for target, argument in self.arguments], self._next_argument, len(rules)
        )

    def _add(self, old: Any, new: Any) -> None:
        module, colon, qualname = old.partition(":") if isinstance(old, str) else ("", "", "")
        parts = [*module.split("."), *(qualname.split(".") if colon else ())]
        if not all(part.isidentifier() for part in parts):
            raise _bad_rule(old, new)
        target, _, argument = old.rpartition(".")
        if colon and isinstance(new, str) and ":" in new:
            self.targets[old] = _parsed(old, new)
        elif colon and "." not in qualname and callable(new):
            self.targets[old] = new
        elif colon and "." in qualname and (not new or callable(new) or (isinstance(new, str) and new.isidentifier())):
            self.arguments[target, argument] = new or None
        elif not colon and isinstance(new, str) and all(part.isidentifier() for part in new.split(".")):
            self.modules[old] = new
        else:
            raise _bad_rule(old, new)

    def renamed(self, text: str) -> str:
        """The name that a target, or another named object, has today; one that needs code keeps its own.

        Raises:
            LoadError: It leads back to itself.
        """
        passed = {text: None}
        while isinstance(new := self.next_name(text), str):
            if new in passed or len(passed) > self.longest:
                raise _circle([*passed, new])
            passed[new] = None
            text = new
        return text

    def next_name(self, text: str) -> Any:
        """What one step makes of a name: another, a function that gives the new call, or None."""
        if text in self.targets:
            return self.targets[text]
        module, _, qualname = text.partition(":")
        at = module
        while at:
            new = self.modules.get(at)
            if new is not None and not _is_below(module, new, at):
                return f"{new}{module[len(at) :]}:{qualname}"
            at = at.rpartition(".")[0]
        return None

    def _next_argument(self, text: str) -> Any:
        target, _, argument = text.rpartition(".")
        new = self.arguments.get((target, argument))
        return f"{target}.{new}" if isinstance(new, str) else None

    def of_value(self, tag: str, of: Any) -> Any:
        """A value of data that names objects, by their names today: a name, the member of an Enum, a set of such."""
        if tag == "name":
            return self._of_name(of)
        if tag == "enum":
            return self._of_member(*of)
        if tag in ("set", "frozenset", "tuple"):
            return [[inner, self.of_value(inner, member)] for inner, member in of]
        return of

    def _of_name(self, text: str) -> str:
        name = parse_name(text)
        plain = f"{name.module}:{name.qualname}"
        new = self.renamed(plain)
        return text if new == plain else new

    def _of_member(self, cls: str, member: Any) -> list[Any]:
        name = parse_name(cls)
        plain = at = f"{name.module}:{name.qualname}"
        while True:
            while isinstance(member, str) and isinstance(new := self.arguments.get((at, member)), str):
                member = new
            new = self.next_name(at)
            if not isinstance(new, str):
                return [cls if at == plain else at, member]
            at = new


def _refuse_circles(starts: Iterable[str], step: Callable[[str], Any], longest: int) -> None:
    fine: set[str] = set()
    for start in starts:
        chain: dict[str, None] = {}
        at: Any = start
        while isinstance(at, str) and at not in fine:
            if at in chain:
                names = list(chain)
                raise _circle([*names[names.index(at) :], at])
            if len(chain) > longest:
                raise _circle([*list(chain)[:4], "…"])  # a module whose name grows at each turn
            chain[at] = None
            at = step(at)
        fine.update(chain)


def _circle(names: list[str]) -> LoadError:
    return LoadError(Fault("migrations", "lead back to where they start", advice=[" → ".join(names)]))


def migrations_of(given: Mapping[str, Any] | None, project: Mapping[str, str]) -> Migrations | None:
    """What is given, before what the project says; None where there is nothing to change.

    Raises:
        LoadError: As for `Migrations`.
    """
    rules = {**project, **(given or {})}
    return Migrations(rules) if rules else None


def migrate_nodes(
    nodes: Iterable[tuple[str, Any]], refs: Iterable[Ref], root: Any, rules: Migrations, report: Report, where: str
) -> None:
    """Bring calls that were read up to date, in place, and the references that name their arguments.

    Args:
        nodes: Each call with its path in the data.
        refs: The references of the data, bound to the root.
        root: What was read.
        rules: What was renamed.
        report: Called with each change.
        where: What the data is called.

    Raises:
        LoadError: A rule does not fit what it is applied to.
    """
    renamed: dict[int, dict[str, str]] = {}
    for path, node in nodes:
        if type(_raw(node, "__target__")) is Name:
            names = _Migration(path, node, rules, report, where).run()
            if names:
                renamed[id(node)] = names
    if renamed:
        _rename_in_paths(refs, root, renamed)


class _Migration:
    """Of one call: its arguments under each name that its target had, one name after the other."""

    def __init__(self, path: str, node: Any, rules: Migrations, report: Report, where: str) -> None:
        self.path = path
        self.node = node
        self.rules = rules
        self.report = report
        self.where = where
        self.names: dict[str, str] = {}  # of arguments: the first name and the last
        self.before: dict[str, str] = {}  # and the other way round

    def run(self) -> dict[str, str]:
        name: Name = _raw(self.node, "__target__")
        first = at = f"{name.module}:{name.qualname}"
        passed = {at}
        while True:
            todo = list(_raw(self.node, "__dict__"))[::-1]
            while todo:
                todo += self._argument(at, todo.pop())
            new = self.rules.next_name(at)
            if new is None:
                break
            if not isinstance(new, str):
                new = self._call(at, new)
            if new in passed or len(passed) > self.rules.longest:
                raise self._bad("", f"is migrated in a circle: {at} becomes {new}")
            passed.add(new)
            at = new
        if at != first:
            module, _, qualname = at.partition(":")
            _set(self.node, "__target__", Name(module, qualname, where=name.where, policy=name.policy))
            self._note(TARGET, first)
            self.report(Change(self.path, f"is now {at}, was {first}"))
        settle_class(self.node)
        return self.names

    def _argument(self, target: str, key: str) -> list[str]:
        """Apply the rule of an argument; give the names of those that it became."""
        items = _raw(self.node, "__dict__")
        new = self.rules.arguments.get((target, key), _ABSENT)
        if new is _ABSENT:
            return []
        path = format_path((key,)) if not self.path else f"{self.path}.{key}"
        if callable(new):
            given = new(items[key])
            if not isinstance(given, dict) or key in given or not all(isinstance(name, str) for name in given):
                raise self._bad(key, f"is migrated by a function that gives {given!r}, and not a dict of new arguments")
            became = f"became {', '.join(given)}" if given else "is gone"
            change = Change(path, became)
        else:
            given = {} if new is None else {new: items[key]}
            change = Change(path, "is gone" if new is None else f"is now {new}", name=new or "")
        taken = next((name for name in given if name in items), None)
        if taken is not None:
            raise self._bad(key, f"is now {taken}, and both are given")
        if change.name:
            first = self.before[change.name] = self.before.pop(key, key)
            self.names[first] = change.name
        made = {name: attach(value) for name, value in given.items()} if callable(new) else given
        kept = [each for pair in items.items() for each in (made.items() if pair[0] == key else [pair])]
        items.clear()
        items.update(kept)
        for name in given:
            self._note(name, key)
        self.report(change)
        return list(given)

    def _call(self, at: str, function: Callable[[Any], Any]) -> str:
        made = function(type(self.node).__copy__(self.node))  # a copy, which the new call may hold
        target = _raw(made, "__target__") if type(made) in CALLS else None
        if type(target) is not Name or f"{target.module}:{target.qualname}" == at:
            problem = f"is migrated by a function that gives {made!r}, and not the call of another target by its name"
            raise self._bad("", problem)
        for slot in ("__args__", "__dict__"):
            _set(self.node, slot, type(_raw(made, slot))(_raw(made, slot)))
        return f"{target.module}:{target.qualname}"

    def _note(self, key: str, was: str) -> None:
        origins = _raw(self.node, "__origins__") or {}
        origins[key] = Origin("data", self.where, f"was {was}")
        _set(self.node, "__origins__", origins)

    def _bad(self, key: str, problem: str) -> LoadError:
        path = ".".join(filter(None, (self.path, key)))
        return LoadError(Fault(path, problem, origin=self.where))


_ABSENT = object()


def _rename_in_paths(refs: Iterable[Ref], root: Any, renamed: dict[int, dict[str, str]]) -> None:
    """Let the paths of references name arguments as they are called now."""

    def today(holder: Any, step: Any) -> Any:
        return renamed.get(id(holder), {}).get(step, step) if type(holder) in CALLS else step

    values = Values(root, step=lambda x, at: step_into(x, today(x, at)))

    def path_today(ref: Ref) -> tuple[Any, ...]:
        path, start = ref.__base__, root if ref.__root__ is None else ref.__root__
        steps = list(path)
        for n, step in enumerate(path):
            try:
                holder = values.stands_at(start, path[:n])
            except (LookupError, CallsheetError):
                break  # it leads nowhere: a fault that the check names
            steps[n] = today(holder, step)
        return tuple(steps)

    # First all are read by their old names, then all get the new ones.
    paths = [part for ref in refs for part in inside(ref) if type(part.__base__) is tuple]
    for ref, path in [(ref, path_today(ref)) for ref in paths]:
        _set(ref, "__base__", path)


def _is_below(module: str, new: str, old: str) -> bool:
    """Whether a module has the new name already, where that lies below the old one."""
    return new.startswith(old + ".") and (module == new or module.startswith(new + "."))


def _parsed(old: str, new: str) -> str:
    try:
        name = parse_name(new)
    except CallsheetError:
        raise _bad_rule(old, new) from None
    return f"{name.module}:{name.qualname}"


def _bad_rule(old: Any, new: Any) -> LoadError:
    return LoadError(
        Fault(
            "migrations",
            f"cannot read  {old!r}: {new!r}",
            advice=[
                'a target:    "train:OldNet": "train:Net"',
                'a module:    "old.package": "new.package"',
                'an argument: "train:Net.n_layers": "depth"',
            ],
        )
    )
