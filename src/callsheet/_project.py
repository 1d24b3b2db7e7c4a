"""Where a project starts, and its own settings: `[tool.callsheet]` in the `pyproject.toml` where this process works."""

from __future__ import annotations

import os

from ._configfile import show_file
from ._trust import entries_of
from .errors import Fault, LoadError, TrustError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Settings:
    """What a project says of all its configs.

    Attributes:
        file: The `pyproject.toml`, or "" where there is none.
        allow: What data may name, as `load(..., allow=)` takes it.
        migrations: What was renamed, as `load(..., migrations=)` takes it.
        resolvers: For names of references (`${name:...}`) the functions that resolve them, as `module:qualname`.
        executors: Named executors with their fields, where `on` is the kind: `{"cluster": {"on": "slurm", ...}}`.
    """

    __slots__ = ("allow", "executors", "file", "migrations", "resolvers")

    def __init__(
        self,
        file: str = "",
        *,
        allow: tuple[str, ...] = (),
        migrations: dict[str, str] | None = None,
        resolvers: dict[str, str] | None = None,
        executors: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self.file = file
        self.allow = allow
        self.migrations = migrations or {}
        self.resolvers = resolvers or {}
        self.executors = executors or {}


def root_of(path: str | os.PathLike[str]) -> str:
    """The nearest folder upward that holds `pyproject.toml` or `.git`, else the path's own folder.

    Args:
        path: A file or folder, of a config or the working directory.
    """
    start = os.path.abspath(path)
    own = folder = start if os.path.isdir(start) else os.path.dirname(start)
    while True:
        if any(os.path.exists(os.path.join(folder, name)) for name in ("pyproject.toml", ".git")):
            return folder
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return own


def home_of(config: str | os.PathLike[str]) -> str:
    """The root of the project in which a config is at home: its own for a `.py` config, else that of this process.

    Imports start there, so what lies beside a data file must not stand in for what was allowed.
    """
    return root_of(config if os.fspath(config).endswith(".py") else os.getcwd())


def project_settings() -> Settings:
    """The settings of the nearest `pyproject.toml` upward from the working directory.

    Never those beside a file that is read: what comes with its own
    `pyproject.toml` must not allow itself.

    Raises:
        LoadError: The file is no TOML, or `[tool.callsheet]` holds what has no meaning; the error names the line.
    """
    path = _nearest_pyproject()
    if not path:
        return _NONE
    try:
        found = os.stat(path)
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if path not in _read or _read[path][0] != stamp:
            with open(path, "rb") as file:
                raw = file.read()
            # Most projects say nothing here: what is not there is not parsed.
            _read[path] = stamp, _parse(path, raw) if b"callsheet" in raw else Settings(path)
    except OSError as error:
        raise LoadError(Fault("", f"{show_file(path)} cannot be read: {error.strerror}")) from None
    return _read[path][1]


_NONE = Settings()
_read: dict[str, tuple[tuple[int, int, int], Settings]] = {}  # a memo: losing it costs time, never an answer


def _nearest_pyproject() -> str:
    try:
        folder = os.getcwd()
    except OSError:  # the working directory is gone
        return ""
    while True:
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return ""
        folder = above


def _parse(path: str, raw: bytes) -> Settings:
    import tomllib

    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise LoadError(Fault("", f"is not text: {error}", origin=show_file(path))) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, _, place = str(error).partition(" (at line ")
        line = place.partition(",")[0] if place else str(text.count("\n") + 1)
        raise LoadError(Fault("", f"is not valid TOML: {problem}", origin=f"{show_file(path)}:{line}")) from None
    except RecursionError:
        raise LoadError(Fault("", "is nested too deeply", origin=show_file(path))) from None
    tool = data.get("tool", {})
    table = tool.get("callsheet", {}) if isinstance(tool, dict) else {}
    return _Reader(path, text).settings(table)


class _Reader:
    """Reads the table of one file, and tells what is wrong by its line."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    def settings(self, table: Any) -> Settings:
        if not isinstance(table, dict):
            raise self.bad("callsheet", "tool.callsheet", f"must be a table, found {table!r}")
        for key in table:
            if key not in _KEYS:
                close = nearest(key, _KEYS)
                advice = [f"did you mean  {close[0]}?"] if close else []
                advice.append(f"known are  {', '.join(_KEYS)}")
                raise self.bad(key, f"tool.callsheet.{key}", "is no setting of Callsheet", advice)
        allow = table.get("allow", [])
        if not isinstance(allow, list) or not all(isinstance(entry, str) for entry in allow):
            raise self.bad("allow", "tool.callsheet.allow", f"must be a list of texts, found {allow!r}")
        try:
            entries = entries_of(allow, os.path.dirname(self.path))
        except TrustError as error:
            raise self.bad("allow", "tool.callsheet.allow", error.faults[0].problem, error.faults[0].advice) from None
        return Settings(
            self.path,
            allow=entries,
            migrations=self.texts(table, "migrations"),
            resolvers=self.texts(table, "resolvers"),
            executors=self.tables(table, "executors"),
        )

    def tables(self, table: dict[str, Any], key: str) -> dict[str, dict[str, Any]]:
        found = table.get(key, {})
        if not isinstance(found, dict):
            raise self.bad(key, f"tool.callsheet.{key}", f"must be a table of tables, found {found!r}")
        for name, value in found.items():
            if not isinstance(value, dict):
                raise self.bad(name, f"tool.callsheet.{key}", f"has {name!r} = {value!r}, which is no table")
        return found

    def texts(self, table: dict[str, Any], key: str) -> dict[str, str]:
        found = table.get(key, {})
        if not isinstance(found, dict):
            raise self.bad(key, f"tool.callsheet.{key}", f"must be a table of texts, found {found!r}")
        for name, value in found.items():
            if not isinstance(value, str):
                raise self.bad(name, f"tool.callsheet.{key}", f"has {name!r} = {value!r}, which is no text")
        return found

    def bad(self, key: str, path: str, problem: str, advice: Iterable[str] = ()) -> LoadError:
        return LoadError(Fault(path, problem, origin=f"{show_file(self.path)}:{self.line_of(key)}", advice=advice))

    def line_of(self, key: str) -> int:
        """The first line below Callsheet's own table that sets the key."""
        lines = self.text.split("\n")
        start = next((n for n, line in enumerate(lines) if "callsheet" in line and line.lstrip().startswith("[")), 0)
        for n, line in enumerate(lines[start:], start + 1):
            if line.lstrip(" \t\"'[").startswith(key) or f".{key}" in line:
                return n
        return start + 1


_KEYS = ("allow", "executors", "migrations", "resolvers")
