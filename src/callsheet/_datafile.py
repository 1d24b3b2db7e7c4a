"""Data files: a spec read from YAML, TOML or JSON and written as YAML or JSON, by the suffix of the file's name."""

from __future__ import annotations

from ._configfile import show_file
from ._decode import read_data
from ._encode import to_data
from ._places import Places
from ._storage import read_bytes, suffix_of, text_of, write_whole
from ._wire import FORMAT, below, key_step
from .errors import CallsheetError, DepthError, Fault, LoadError, SaveError
from .formats import json, toml, yaml
from .formats._text import MAX_VALUES, SMALLER, TooMuch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._migrate import Report
    from ._trust import Policy
    from .formats._text import Lines

_READ: dict[str, Any] = {".json": json, ".toml": toml, ".yaml": yaml, ".yml": yaml}
_WRITTEN: dict[str, Any] = {".json": json, ".yaml": yaml, ".yml": yaml}

SUFFIXES = tuple(_READ)
"""What the names of data files end in."""


def load_data(
    path: str,
    policy: Policy | None,
    *,
    resolvers: Mapping[str, Callable[..., Any]] | None = None,
    migrations: Mapping[str, Any] | None = None,
    report: Report | None = None,
) -> Any:
    """The spec of a data file, which imports nothing.

    Args:
        path: Its place.
        policy: What it may name, beside what the project allows; None trusts it as Python.
        resolvers: As for `load`.
        migrations: As for `load`.
        report: As for `load`.

    Raises:
        FileNotFoundError: There is no such file.
        LoadError: It cannot be read; the error names the line.
        DepthError: It is nested too deeply.
    """
    raw = read_bytes(path)
    try:
        data = _READ[suffix_of(path)].read(text_of(raw, path), path)
        file = DataFile(path, hash(raw), policy)
        return read_data(data, policy=policy, where=file, resolvers=resolvers, migrations=migrations, report=report)
    except MemoryError:
        raise LoadError(Fault("", f"{show_file(path)} needs more memory than there is")) from None


def save_data(spec: Any, path: str) -> None:
    """Write a spec to a data file, whole or not at all.

    Raises:
        SaveError: It holds what is not data or too much of it, or such a file cannot be written.
        DepthError: It is nested too deeply.
        OSError: The file system refuses.
    """
    form = _WRITTEN.get(suffix_of(path))
    if form is None:
        raise SaveError(Fault("", f"{show_file(path)} cannot be written: a spec is saved as .json, .yaml, .yml or .py"))
    data = to_data(spec)
    if isinstance(data, dict) and "_same_" not in data:
        data = {"_format_": FORMAT, **data}
    else:
        data = {"_format_": FORMAT, "_root_": data}
    try:
        if form is yaml:
            data = yaml.without_halves(data)
            _share(data)
        text = form.write(data)
    except TooMuch:
        problem = f"{show_file(path)} would hold more than {MAX_VALUES:,} values, which is what a data file may hold"
        raise SaveError(Fault("", problem, advice=SMALLER)) from None
    except RecursionError:
        raise DepthError(Fault("", f"{show_file(path)} would be nested too deeply")) from None
    write_whole(path, text)


class DataFile:
    """A data file that was read, and still knows the lines of its values while it stays what it was.

    Args:
        path: Where it is.
        digest: The hash of its bytes.
        policy: Under which it was read.
    """

    __slots__ = ("digest", "lines", "path", "places", "policy")

    def __init__(self, path: str, digest: int, policy: Policy | None = None) -> None:
        self.path = path
        self.digest = digest
        self.policy = policy
        self.places: Places | None = None
        self.lines: Lines | None = None

    def __str__(self) -> str:
        return show_file(self.path)

    def at(self, place: str) -> Spot:
        """A place of its spec, whose line is found when it is asked."""
        return Spot(self, place)

    def where(self, place: str, *keys: object) -> str:
        """`conf.yaml:12` for a place of its spec, or for what stands there under a key; else the file's name."""
        if self.lines is None:
            self._find_lines()
        assert self.lines is not None
        for wanted in (*(below(place, key_step(key)) for key in keys), place):
            found = self.places.find(wanted) if self.places is not None else None
            if found is not None:
                holder, key = found
                line = self.lines.get(id(holder), {}).get(key)
                if line is not None:
                    return f"{self}:{line}"
        return str(self)

    def _find_lines(self) -> None:
        """Read the file once more for its lines, if it is still the same."""
        self.lines = {}
        try:
            raw = read_bytes(self.path)
            if hash(raw) == self.digest:
                data, self.lines = _READ[suffix_of(self.path)].read_lines(text_of(raw, self.path), self.path)
                self.places = Places(data)
        except (OSError, CallsheetError):
            return  # gone since


class Spot:
    """A place of a data file's spec, as a text that is found when it is asked: `conf.yaml:12`."""

    __slots__ = ("file", "place")

    def __init__(self, file: DataFile, place: str) -> None:
        self.file = file
        self.place = place

    def __str__(self) -> str:
        return self.file.where(self.place)

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


def _share(data: dict[str, Any]) -> None:
    """Put a node itself where `_same_` names it: YAML has anchors for that."""
    places = Places(data)
    todo: list[Any] = [data]
    while todo:
        x = todo.pop()
        for key, value in list(x.items() if type(x) is dict else enumerate(x)):
            if key == "_then_" and type(x) is dict and "_ref_" in x:
                for step in value:
                    todo += step[1:] if step[0] == "call" else [step]
            elif key in ("_kwargs_", "_fields_") and type(value) is dict:  # whose keys mean nothing, however they look
                todo.append(value)
            elif type(value) is dict and len(value) == 1 and "_same_" in value:
                found = places.find(value["_same_"])
                if found is not None:
                    x[key] = found[0][found[1]]
            elif type(value) is dict or type(value) is list:
                todo.append(value)
