"""Files: a spec read from Python or JSON, with overrides that reach derived values, and written whole or not at all."""

from __future__ import annotations

import os

import callsheet

from ._bind import bind_all
from ._configfile import show_file
from ._datafile import SUFFIXES, load_data, save_data
from ._impose import Imposer, numbered
from ._origin import locate
from ._running import READ
from ._said import parse_all
from ._session import Session, unreadable
from ._spec import attach, here
from ._storage import full_path, is_remote, suffix_of, write_whole
from ._trust import Policy
from ._variants import apply_beside
from .errors import Fault, LoadError, PathError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from ._grammar import Override
    from ._migrate import Report

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
        spec, text, session = _loaded(full_path(path), overrides, where=where, policy=policy, kinds=kinds or {}, **more)
    finally:
        if token is not None:
            READ.reset(token)
    return spec if keys is None else _pick(spec, keys, text, session)


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
) -> tuple[Any, str, Session | None]:
    """The spec, its file, and of a Python file the session that ran it."""
    session = None
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
        session = Session(text, numbered(overrides), Imposer(where, kinds), policy)
        spec = session.root(resolvers or {})
        read: Iterable[str] = (*session.sources, *session.data)
    else:
        try:
            spec = attach(load_data(text, policy, resolvers=resolvers, migrations=migrations, report=report))
        except FileNotFoundError:
            raise _no_file(text) from None
        spec = apply_beside(spec, overrides, where=where, kinds=kinds)
        if any("${" in said.text for said in overrides):
            bind_all(spec, resolvers=resolvers or {})
        read = (text,)
    noted = READ.get()
    if noted is not None:
        noted.update(dict.fromkeys(read))
    return spec, text, session


def config_files(path: str | os.PathLike[str]) -> list[str]:
    """The file and the config files that it takes from, absolute, the file first."""
    text = full_path(path)
    if text.endswith(".py") and not os.path.exists(text):
        raise _no_file(text)
    return list(Session(text, [], Imposer("", {})).sources) if text.endswith(".py") else [text]


def names_in(path: str) -> dict[str, Any]:
    """What a Python file binds, run as a config is, also what a config does not export.

    Args:
        path: Absolute.

    Raises:
        LoadError: There is no such file, or it is no valid config.
        Exception: Whatever it raises itself.
    """
    if not os.path.exists(path):
        raise _no_file(path)
    return vars(Session(path, [], Imposer("", {})).run(path, ()).module)


def _pick(spec: Any, keys: str | Sequence[str], path: str, session: Session | None) -> Any:
    wanted = [keys] if isinstance(keys, str) else list(keys)
    for key in wanted:
        if key not in spec:
            close = nearest(key, list(spec))
            why = session.inside(key) if session is not None else []
            advice = why or ([f"did you mean  {close[0]}?"] if close else [])
            raise PathError(
                Fault(
                    key,
                    f"is not {'exported' if why else 'defined'} by {show_file(path)}",
                    advice=[*advice, f"it defines  {', '.join(spec)}"],
                )
            )
    return spec[keys] if isinstance(keys, str) else tuple(spec[key] for key in wanted)


def _no_file(path: str) -> LoadError:
    folder, name = os.path.split(path)
    advice = []
    if os.path.isdir(folder):
        close = nearest(name, [f for f in os.listdir(folder) if f.endswith((".py", *SUFFIXES))])
        advice = [f"did you mean  {show_file(os.path.join(folder, close[0]))}?"] if close else []
    return LoadError(Fault("", f"there is no file {show_file(path)}", advice=advice))


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
