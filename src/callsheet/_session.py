"""One load of Python config files: each read once, run from the main file, overrides imposed on the way."""

from __future__ import annotations

import os

from . import _configfile
from ._bind import bind_all
from ._configfile import ConfigSource, show_file
from ._datafile import SUFFIXES, load_data
from ._impose import Imposer, raise_all
from ._instances import note_unborne
from ._leaf import is_data
from ._spec import attach, new_mapping, settle_class
from ._swap import Surroundings, said_inside
from ._target import ImportHooks
from ._tree import ATOMS, kind_of
from .errors import CallsheetError, Fault, LoadError, OverrideError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from ._grammar import Override
    from ._rewrite import Statement
    from ._trust import Policy

_set = object.__setattr__


def unreadable(path: str, problem: str) -> LoadError:
    """The error of a file that cannot be read as a spec."""
    return LoadError(Fault("", f"{show_file(path)} {problem}"))


class _File:
    """One config file of a load: its source, and once it has run, what it defines."""

    def __init__(self, source: ConfigSource) -> None:
        self.source = source
        self.bound: dict[str, Any] = {}  # what its imports bound
        self.overrides: list[Override] = []
        self.module: ModuleType | None = None
        self.running = False
        self.view = new_mapping({})  # the module's names as a mapping, so that paths lead into it
        self.taken: dict[str, None] = {}
        self.around: Surroundings | None = None


class Session:
    """One load: each file read once, its import statements before anything runs, then run from the main file.

    Args:
        path: The main file.
        overrides: Each of one value, and numbered.
        imposer: Applies them.
        policy: What data may import.
    """

    def __init__(self, path: str, overrides: list[Override], imposer: Imposer, policy: Policy | None = None) -> None:
        self.policy = policy
        self.path = path
        self.overrides: Sequence[Override] = overrides
        self.sources: dict[str, _File] = {}
        self.data: dict[str, Any] = {}  # the data files that variants named
        self.meanings: dict[str, Any] = {}
        self.places: dict[tuple[str, int, str], str | None] = {}
        self.refs = False
        self.imposer = imposer
        self._survey(path)
        self._route(path, overrides, set())

    def place_of(self, path: str, level: int, module: str) -> str | None:
        """The file that a relative import means; looked for once a load."""
        key = (os.path.dirname(path), level, module)
        if key not in self.places:
            self.places[key] = _configfile.place_of(path, level, module)
        return self.places[key]

    def _survey(self, path: str) -> None:
        if path in self.sources:
            return
        try:
            file = self.sources[path] = _File(_configfile.source_of(path))
        except OSError as error:
            raise unreadable(path, f"cannot be read: {error.strerror}") from None
        self.refs = self.refs or "${" in file.source.text or "ref" in file.source.text
        for level, module, name, _ in file.source.taken:
            for found in (self.place_of(path, level, module), self._submodule(path, level, module, name)):
                if found is not None:
                    self._survey(found)
                    break

    def _submodule(self, path: str, level: int, module: str, name: str) -> str | None:
        return None if name == "*" else self.place_of(path, level, f"{module}.{name}" if module else name)

    def _route(self, path: str, overrides: list[Override], passed: set[tuple[str, int, str]]) -> None:
        """Give each override to the file that defines what it names, under the name it has there."""
        file = self.sources[path]
        for said in overrides:
            if (path, said.number, said.path) in passed:
                continue
            passed.add((path, said.number, said.path))
            file.overrides.append(said)
            if not said.steps:
                self._route_all(file, said, passed)
                continue
            first, *rest = said.steps
            for level, module, name, bound in file.source.taken:
                place = self.place_of(path, level, module)
                if place is not None and name in ("*", first) and bound in ("*", name):
                    self._route(place, [said], passed)
                elif place is not None and bound == first:
                    self._route(place, [_renamed(said, (name, *rest))], passed)
                elif bound == first and rest:
                    inner = self._submodule(path, level, module, name)
                    if inner is not None:
                        self._route(inner, [_renamed(said, tuple(rest))], passed)

    def _route_all(self, file: _File, said: Override, passed: set[tuple[str, int, str]]) -> None:
        """Give a wildcard that starts at the top to the files whose names it may reach: below each that is taken."""
        for level, module, name, bound in file.source.taken:
            place = self.place_of(file.source.path, level, module)
            if place is not None and name == "*":
                self._route(place, [said], passed)
            elif place is not None and bound == said.below[0]:
                self._route(place, [said.like(steps=(name, *said.below[1:]), below=())], passed)
            elif place is not None:
                self._route(place, [_renamed(said, (name,))], passed)

    def root(self, resolvers: Mapping[str, Callable[..., Any]]) -> Any:
        """Run the main file; give what it exports."""
        file = self.run(self.path, ())
        spec = self.exports(file)
        around = self.around(file)
        raise_all(
            self._explained(error, said)
            for said in file.overrides
            for error in self.imposer.impose(spec, said, around)[1]
        )
        return self._bound(spec, resolvers)

    def inside(self, name: str) -> list[str]:
        """Why a name that the main file assigns is no part of the spec, as advice; else empty."""
        file = self.sources[self.path]
        names = vars(file.module)
        if name.startswith("_") or name not in names or name not in {**file.source.assigned, **file.taken}:
            return []
        value = names[name]
        if _is_exported(value):
            return []
        plain = next((cls.__name__ for cls in (dict, list, set) if isinstance(value, cls)), "")
        plain = plain or ("list" if type(value).__name__ == "deque" else "")
        wanted = (
            f"to export it:  {name} = {plain}({name})"
            if plain
            else "containers, calls, dataclasses and plain values are"
        )
        return [f"{show_file(self.path)} does not export {name}, a {type(value).__qualname__}", wanted]

    def _explained(self, error: CallsheetError, said: Override) -> CallsheetError:
        """An error of an override, with why what it names is no part of the spec."""
        why = self.inside(str(said.steps[0])) if said.steps else []
        if not why or not isinstance(error, OverrideError):
            return error
        return OverrideError(
            *(
                Fault(fault.path, fault.problem, origin=fault.origin, advice=[*why, *fault.advice])
                for fault in error.faults
            )
        )

    def variant(self, said: Sequence[Override], around: Surroundings) -> Any:
        """Run the main file as a variant, with what is said of values inside of it.

        Args:
            said: Of what shall hold it; whether it fits is told there.
            around: What the words of these overrides can name.
        """
        self._carry(self.path, said, around)
        return self._bound(self.exports(self.run(self.path, ())), {})

    def _carry(self, path: str, said: Sequence[Override], around: Surroundings) -> None:
        def defined() -> set[str]:
            source = self.sources[path].source
            source.compile(self._meanings(path))  # which finds out what is assigned
            return {*source.assigned, *(bound for *_, bound in source.taken)}

        self._route(path, said_inside(said, path, around, defined), set())

    def _meanings(self, path: str) -> Any:
        return _configfile.meanings_through(
            path, lambda place: self.sources[place].source, self.meanings, self.place_of
        )

    def _bound(self, spec: Any, resolvers: Mapping[str, Callable[..., Any]]) -> Any:
        if self.refs or any("${" in said.text for said in self.overrides):
            bind_all(spec, resolvers=resolvers)
        return spec

    def run(self, path: str, chain: tuple[str, ...], line: int = 1) -> _File:
        self._survey(path)  # what only a function imports is read when it does
        file = self.sources[path]
        if file.running:
            raise LoadError(
                Fault(
                    "",
                    f"{show_file(path)} takes from itself",
                    origin=f"{show_file(chain[-1])}:{line}",
                    advice=[" → ".join(map(show_file, (*chain[chain.index(path) :], path)))],
                )
            )
        if file.module is None:
            file.running = True
            module = _configfile.new_module(file.source)
            _set(file.view, "__dict__", vars(module))
            _set(file.view, "__origins__", {})
            hooks = _Hooks(self, file, (*chain, path))
            file.bound = hooks.bound
            watched = frozenset(str((said.steps or said.below)[0]) for said in file.overrides)
            try:
                _configfile.execute(file.source.compile(self._meanings(path), watched), module, hooks)
            except Exception as error:
                note_unborne(error)
                raise
            _note_quiet(file)
            file.running = False
            file.module = module
        return file

    def exports(self, file: _File) -> Any:
        names = vars(file.module)
        wanted = {**file.source.assigned, **file.taken}
        ordered = [name for name in names if name in wanted and not name.startswith("_")]
        spec = new_mapping({}, (file.source.path, 1, 1))
        items: dict[str, Any] = object.__getattribute__(spec, "__dict__")
        for name in ordered:
            value = names[name]
            if _is_exported(value):
                items[name] = attach(value)
        known = object.__getattribute__(file.view, "__origins__")
        _set(spec, "__origins__", {name: known[name] for name in items if name in known})
        settle_class(spec)
        return spec

    def around(self, file: _File) -> Surroundings:
        """What the words of overrides can name in a file."""
        if file.around is not None:
            return file.around

        def names() -> dict[str, Any]:
            own = object.__getattribute__(file.view, "__dict__")
            return {
                **own,
                **{name: known for name, known in file.bound.items() if name not in own or callable(own[name])},
            }

        def read(path: str) -> Any:
            return self._read(path, file)

        file.around = Surroundings(names, os.path.dirname(file.source.path), read, (".py", *SUFFIXES))
        return file.around

    def _read(self, path: str, asked: _File) -> Any:
        """The spec of a file that a variant names, run with what is said of values inside of it."""
        if not path.endswith(".py"):
            if path not in self.data:
                self.data[path] = attach(load_data(path, self.policy))
            return self.data[path]
        if path not in self.sources:
            self._survey(path)
            self._carry(path, asked.overrides, self.around(asked))
        return self.exports(self.run(path, (self.path,)))


def _note_quiet(file: _File) -> None:
    """Note where names were bound by statements that call no hook."""
    known, path = object.__getattribute__(file.view, "__origins__"), file.source.path
    for name, (line, end) in file.source.quiet.items():
        before = known.get(name)
        if before is None or before[0] != path or before[1] < line:
            known[name] = (path, line, end)


def _renamed(said: Override, steps: tuple[Any, ...]) -> Override:
    return said.like(steps=steps)


_HELPERS = ("module", "ConfigModule", "function", "builtin_function_or_method", "type", "method")


def _is_exported(value: Any) -> bool:
    """Containers, calls, dataclasses and plain values; not modules, functions, classes and live objects."""
    if kind_of(type(value)) is not None or type(value) in ATOMS:
        return True
    return (
        type(value).__name__ not in _HELPERS
        and not isinstance(value, type)
        and (not callable(value) and is_data(value))
    )


class _Hooks(ImportHooks):
    """What a running config file does at its hooks in a load."""

    def __init__(self, session: Session, file: _File, chain: tuple[str, ...]) -> None:
        super().__init__(file.source.path)
        self.session = session
        self.file = file
        self.chain = chain

    def after(self, number: int) -> None:
        """Keep dicts and lists as the spec's own, note where names were bound, impose the overrides again."""
        file = self.file
        statement: Statement = file.source.statements[number]
        names: dict[str, Any] = object.__getattribute__(file.view, "__dict__")
        origins = object.__getattribute__(file.view, "__origins__")
        site = (file.source.path, statement.line, statement.end)
        wrapped: dict[int, Any] = {}
        for name in statement.names:
            if name not in names:
                continue
            value = names[name]
            if type(value) in (dict, list, tuple) or type(value).__name__ in ("OrderedDict", "partial"):
                if id(value) not in wrapped:
                    wrapped[id(value)] = attach(value, site)
                names[name] = wrapped[id(value)]
            origins[name] = site
        if statement.anew:
            self.session.imposer.forget(file.overrides, statement.anew, self.session.around(file))
        meant = [_imposed(said) for said in file.overrides if self._may_stand(said, names)]
        if not (statement.inert and self._impose_below(statement.names, meant)):
            for said in meant:
                # What is not yet there, or not yet what it will be, and a name that is deleted: the end decides.
                self.session.imposer.impose(file.view, said, self.session.around(file), after=1, quiet=True)

    def _impose_below(self, bound: tuple[str, ...], meant: list[Override]) -> bool:
        """After a statement that only bound names: impose wildcards on what these hold, unless more may follow from it.

        Returns:
            Whether that was enough: all else stands, and is not about what the wildcards set.
        """
        imposer, view, around = self.session.imposer, self.file.view, self.session.around(self.file)
        wild = [said for said in meant if not said.steps]
        others = [said for said in meant if said.steps]
        keys = {said.below[-1] for said in wild if said.operation == "set"}
        if self.session.refs or len(keys) < len(wild) or any(name in said.text for said in wild for name in bound):
            return False
        if not all(imposer.stands(view, said, around) for said in others):
            return False
        before = imposer.nodes
        for said in wild:
            imposer.impose(view, said, around, after=1, names=bound, quiet=True)
        return imposer.nodes == before and all(imposer.stands(view, said, around) for said in others if wild)

    def _may_stand(self, said: Override, names: dict[str, Any]) -> bool:
        first = said.steps[0] if said.steps else None
        return first is None or (first in names and first in self.file.source.assigned | self.file.taken)

    def take(self, level: int, module: str, name: str, bound: str, line: int) -> Any:
        path = self.path
        place = self.session.place_of(path, level, module)
        names: dict[str, Any] = {}
        if place is not None:
            file = self.session.run(place, self.chain, line)
            names = vars(file.module)
            if name in names:
                self._keep(bound, file, name)
                return names[name]
        inner = self.session._submodule(path, level, module, name)
        if inner is not None:
            return self.session.run(inner, self.chain, line).module
        if place is None:
            raise _configfile.no_such_file(path, level, module or name, line)
        close = nearest(name, list(names))
        raise LoadError(
            Fault(
                "",
                f"{show_file(place)} defines no {name!r}",
                origin=f"{show_file(path)}:{line}",
                advice=[f"did you mean  {close[0]}?"] if close else [],
            )
        )

    def take_all(self, level: int, module: str, line: int) -> dict[str, Any]:
        path = self.path
        place = self.session.place_of(path, level, module)
        if place is None:
            raise _configfile.no_such_file(path, level, module, line)
        file = self.session.run(place, self.chain, line)
        names = vars(file.module)
        public = names.get("__all__") or [name for name in names if not name.startswith("_")]
        for name in public:
            self._keep(name, file, name)
        return {name: names[name] for name in public}

    def _keep(self, bound: str, file: _File, name: str) -> None:
        """Know what another config file imported, and export what it exports, with where it was bound there."""
        if name in file.bound:
            self.bound[bound] = file.bound[name]
        if name in file.source.assigned or name in file.taken:
            self.file.taken[bound] = None
            known = object.__getattribute__(file.view, "__origins__")
            if name in known:
                object.__getattribute__(self.file.view, "__origins__")[bound] = known[name]


def _imposed(said: Override) -> Override:
    """A new key is forced while the file runs; whether it was there already is asked at the end."""
    return said if said.operation != "add" else said.like(operation="force")
