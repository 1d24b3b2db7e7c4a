"""Files: a spec read from Python or JSON, with overrides that reach derived values, and written whole or not at all."""

from __future__ import annotations

import os

import callsheet

from . import _configfile
from ._bind import bind_all
from ._configfile import ConfigSource, show_file
from ._datafile import SUFFIXES, load_data, save_data
from ._instances import note_unborne
from ._items import raw_item, settle_step
from ._leaf import is_data
from ._origin import locate
from ._override import apply, apply_all, holder_of, parse_all
from ._running import READ
from ._spec import attach, here, new_mapping, settle_class
from ._storage import full_path, is_remote, suffix_of, write_whole
from ._target import ImportHooks
from ._tree import ATOMS, kind_of
from ._trust import Policy
from .errors import CallsheetError, Fault, LoadError, OverrideError, PathError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from ._grammar import Override
    from ._migrate import Report
    from ._rewrite import Statement

_set = object.__setattr__
_KNOWN = f".py, {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"


def load(
    path: str | os.PathLike[str],
    overrides: Iterable[str] = (),
    *,
    keys: str | Sequence[str] | None = None,
    allow: Iterable[str] = (),
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    migrations: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Any:
    """Read a spec from a file.

    A `.py` file is run afresh; what its module-level assignments bind, and what
    it takes from other config files by relative imports, becomes a mapping.
    Overrides are imposed again after each of its statements, so that what is
    computed further down follows them. A `.yaml`, `.toml` or `.json` file is
    data: reading it imports nothing.

    Args:
        path: The file; data may lie at `s3://bucket/x.yaml` and its like, with the extra `remote`.
        overrides: Texts such as `optim.lr=3e-3`; see `override`.
        keys: Picks one value (a text), or several (a list of texts).
        allow: For data: modules (`torch.optim`) or objects (`train:Net`) that it may name,
            beside those that the project's `pyproject.toml` allows.
        resolvers: What `${name:arg,...}` may ask: functions by their names.
        migrations: For data: what was renamed since it was written, as
            `{"train:OldNet": "train:Net", "train:Net.n_layers": "depth"}`, before
            what the project's `pyproject.toml` says.
        report: Called with each change that a migration makes; `print` will do.

    Returns:
        The spec: a mapping with `cfg.a.b` and `cfg["a"]["b"]`, or what `keys` picks.

    Raises:
        LoadError: There is no such file, or it is no valid config.
        OverrideError: An override does not fit; `faults` has all.
        Exception: Whatever a Python config itself raises.
    """
    site = here()
    said, policy = parse_all(overrides), Policy(allow)
    where = locate(site, None).where if said else ""
    more: Any = {"resolvers": resolvers, "migrations": migrations, "report": report}
    return load_said(path, said, where=where, keys=keys, policy=policy, **more)


def load_rel(
    path: str | os.PathLike[str],
    overrides: Iterable[str] = (),
    *,
    keys: str | Sequence[str] | None = None,
    allow: Iterable[str] = (),
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    migrations: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Any:
    """`load`, from the folder of the file that calls it.

    Args:
        path: Relative to the calling file, which may be a config or any other Python file.
        overrides: As for `load`, and so are the others.
        keys: Picks one value, or several.
        allow: For data: what it may name.
        resolvers: What `${name:arg,...}` may ask.
        migrations: For data: what was renamed.
        report: Called with each change that a migration makes.

    Returns:
        The spec, or what `keys` picks.

    Raises:
        LoadError: It is called outside of a file, or as `load` does.
        OverrideError: An override does not fit.

    Example:
        ``optim = load_rel("optim/adam.yaml", ["lr=3e-4"])``
    """
    site = here()
    code: Any = site[0]
    text, caller = os.fspath(path), os.path.abspath(code.co_filename)
    if not os.path.isfile(caller):
        advice = [f"to read from the working directory:  load({text!r})"]
        raise LoadError(
            Fault("", "load_rel was called outside of a file, which has no folder to start from", advice=advice)
        )
    full = text if is_remote(text) else os.path.join(os.path.dirname(caller), text)
    where, said, policy = locate(site, None).where, parse_all(overrides), Policy(allow)
    more: Any = {"resolvers": resolvers, "migrations": migrations, "report": report}
    return load_said(full, said, where=where, keys=keys, policy=policy, **more)


def load_said(
    path: str | os.PathLike[str],
    overrides: Sequence[Override],
    *,
    where: str,
    keys: str | Sequence[str] | None = None,
    policy: Policy | None = None,
    kinds: dict[str, str] | None = None,
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    migrations: Mapping[str, Any] | None = None,
    report: Report | None = None,
    files: dict[str, None] | None = None,
) -> Any:
    """`load`, for overrides that are parsed already.

    Args:
        path: The file.
        overrides: Each of one value.
        where: Who said them.
        keys: As for `load`.
        policy: What data may import; None trusts it as Python.
        kinds: The kind of origin of an override, by its text, where it is not "override".
        resolvers: As for `load`.
        migrations: As for `load`.
        report: As for `load`.
        files: Receives all files that are read, also by loads inside of this one; absolute.
    """
    token = READ.set(files) if files is not None else None
    try:
        more: Any = {"resolvers": resolvers, "migrations": migrations, "report": report}
        spec, text = _loaded(full_path(path), overrides, where=where, policy=policy, kinds=kinds or {}, **more)
    finally:
        if token is not None:
            READ.reset(token)
    return spec if keys is None else _pick(spec, keys, text)


def _loaded(
    text: str,
    overrides: Sequence[Override],
    *,
    where: str,
    policy: Policy | None,
    kinds: dict[str, str],
    resolvers: Mapping[str, Callable[..., Any]] | None,
    migrations: Mapping[str, Any] | None,
    report: Report | None,
) -> tuple[Any, str]:
    suffix = suffix_of(text)
    if suffix != ".py" and suffix not in SUFFIXES:
        raise unreadable(text, f"ends in {suffix or 'nothing'}: a config is a {_KNOWN} file")
    if suffix == ".py" and is_remote(text):
        raise unreadable(text, "is code, which is run from a local file alone: copy it to one")
    if os.path.isdir(text):
        raise unreadable(text, "is a directory")
    if suffix == ".py":
        if not os.path.exists(text):
            raise _no_file(text)
        session = _Session(text, overrides, where, kinds)
        spec = session.root(resolvers or {})
        read: Iterable[str] = session.sources
    else:
        try:
            spec = attach(load_data(text, policy, resolvers=resolvers, migrations=migrations, report=report))
        except FileNotFoundError:
            raise _no_file(text) from None
        apply_all(spec, overrides, where=where)
        if any("${" in said.text for said in overrides):
            bind_all(spec, resolvers=resolvers or {})
        read = (text,)
    noted = READ.get()
    if noted is not None:
        noted.update(dict.fromkeys(read))
    return spec, text


def config_files(path: str | os.PathLike[str]) -> list[str]:
    """The file and the config files that it takes from, absolute, the file first."""
    text = full_path(path)
    return list(_Session(text, [], "", {}).sources) if text.endswith(".py") else [text]


def _pick(spec: Any, keys: str | Sequence[str], path: str) -> Any:
    wanted = [keys] if isinstance(keys, str) else list(keys)
    for key in wanted:
        if key not in spec:
            close = nearest(key, list(spec))
            advice = [f"did you mean  {close[0]}?"] if close else []
            raise PathError(
                Fault(key, f"is not defined by {show_file(path)}", advice=[*advice, f"it defines  {', '.join(spec)}"])
            )
    return spec[keys] if isinstance(keys, str) else tuple(spec[key] for key in wanted)


def unreadable(path: str, problem: str) -> LoadError:
    """The error of a file that cannot be read as a spec."""
    return LoadError(Fault("", f"{show_file(path)} {problem}"))


def _no_file(path: str) -> LoadError:
    folder, name = os.path.split(path)
    advice = []
    if os.path.isdir(folder):
        close = nearest(name, [f for f in os.listdir(folder) if f.endswith((".py", *SUFFIXES))])
        advice = [f"did you mean  {show_file(os.path.join(folder, close[0]))}?"] if close else []
    return LoadError(Fault("", f"there is no file {show_file(path)}", advice=advice))


# --- Python config files ----------------------------------------------------------------------------------------------


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


class _Session:
    """One load: each file read once, its import statements before anything runs, then run from the main file."""

    def __init__(self, path: str, overrides: Sequence[Override], where: str, kinds: dict[str, str]) -> None:
        self.path = path
        self.overrides = overrides
        self.where = where
        self.kinds = kinds
        self.sources: dict[str, _File] = {}
        self.meanings: dict[str, Any] = {}
        self.places: dict[tuple[str, int, str], str | None] = {}
        self.refs = False
        self.deleted: dict[str, list[Any]] = {}  # by a delete's text, what it has taken from
        self.appended: set[int] = set()  # the numbers of the appends that have happened
        self._survey(path)
        numbered = [said.like() for said in overrides]
        for n, said in enumerate(numbered):
            said.number = n
        self._route(path, numbered, set())

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

    def root(self, resolvers: Mapping[str, Callable[..., Any]]) -> Any:
        """Run the main file; give what it exports."""
        file = self.run(self.path, ())
        spec = self.exports(file)
        self._impose_at_end(file, spec)
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
            meanings = _configfile.meanings_through(
                path, lambda place: self.sources[place].source, self.meanings, self.place_of
            )
            watched = frozenset(str(said.steps[0]) for said in file.overrides)
            try:
                _configfile.execute(file.source.compile(meanings, watched), module, hooks)
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

    def _impose_at_end(self, file: _File, spec: Any) -> None:
        faults: list[Fault] = []
        for said in file.overrides:
            try:
                self.impose(spec, said)
            except OverrideError as error:
                faults += error.faults
        if faults:
            raise OverrideError(*faults)

    def impose(self, root: Any, said: Override) -> None:
        """Apply an override that may have been applied before.

        A delete takes once from each object, and an append happens once.

        Raises:
            OverrideError: It does not fit.
        """
        if said.operation == "delete":
            holder, taken = holder_of(root, said, self.where), self.deleted.setdefault(said.text, [])
            key = settle_step(holder, said.steps[-1])
            gone = any(holder is x for x in taken) if isinstance(key, int) else taken and _lacks(holder, key)
            if gone:
                return
            apply(root, said, where=self.where)
            taken.append(holder)
        elif said.number not in self.appended:
            apply(root, said, where=self.where, kind=self.kinds.get(said.text, "override"))
            if said.operation == "append":
                self.appended.add(said.number)


def _note_quiet(file: _File) -> None:
    """Note where names were bound by statements that call no hook."""
    known, path = object.__getattribute__(file.view, "__origins__"), file.source.path
    for name, (line, end) in file.source.quiet.items():
        before = known.get(name)
        if before is None or before[0] != path or before[1] < line:
            known[name] = (path, line, end)


def _lacks(holder: Any, key: Any) -> bool:
    try:
        raw_item(holder, key)
    except LookupError:
        return True
    return False


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

    def __init__(self, session: _Session, file: _File, chain: tuple[str, ...]) -> None:
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
        for said in file.overrides:
            if said.steps[0] in names and said.steps[0] in file.source.assigned | file.taken and not self._waits(said):
                try:
                    self.session.impose(file.view, _imposed(said))
                except CallsheetError:
                    pass  # not yet there, or not yet what it will be: the end of the file decides

    def _waits(self, said: Override) -> bool:
        return said.operation == "delete" and len(said.steps) == 1

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


def save(spec: Any, path: str | os.PathLike[str]) -> None:
    """Write a spec to a file, whole or not at all; `load` reads it back equal.

    Args:
        spec: Any spec.
        path: A `.yaml`, `.yml` or `.json` file, or a `.py` file as `to_python`
            writes it; it is replaced in one step where it exists.
            `s3://bucket/x.yaml` and its like need the extra `remote`.

    Raises:
        SaveError: The spec holds something that is not data, or the suffix is
            not one that can be written; nothing is written.
        OSError: The file system refuses.
    """
    text = os.fspath(path)
    if suffix_of(text) == ".py":
        write_whole(text, callsheet.to_python(spec))
    else:
        save_data(spec, text)
