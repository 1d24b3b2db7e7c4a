"""JSON files: read with what is wrong told by its line, written whole or not at all."""

from __future__ import annotations

import os

from ._configfile import show_file
from .errors import DepthError, Fault, LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_json(path: str) -> Any:
    """The data of a JSON file.

    Raises:
        LoadError: It cannot be read, is no JSON, or has a key twice; the error names the line.
        DepthError: It is nested too deeply.
    """
    import json

    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
    except OSError as error:
        raise unreadable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise unreadable(path, f"is not text: {error}") from None

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
            raise LoadError(Fault("", f"has the key {twice!r} twice", origin=_line_of_second(text, twice, path)))
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        advice = [line.strip()[:72]] if line.strip() else []
        raise LoadError(
            Fault("", f"is not valid JSON: {error.msg}", origin=f"{show_file(path)}:{error.lineno}", advice=advice)
        ) from None
    except RecursionError:
        raise DepthError(Fault("", f"{show_file(path)} is nested too deeply")) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise LoadError(Fault("", f"is not valid JSON: {error}", origin=show_file(path))) from None


def _line_of_second(text: str, key: str, path: str) -> str:
    import json
    import re

    places = [m.start() for m in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text)]
    line = text.count("\n", 0, places[1]) + 1 if len(places) > 1 else 1
    return f"{show_file(path)}:{line}"


def unreadable(path: str, problem: str) -> LoadError:
    """The error of a file that cannot be read, or written, as a spec."""
    return LoadError(Fault("", f"{show_file(path)} {problem}"))


def write_json(path: str, data: Any) -> None:
    """Write JSON beside its place, then move it there in one step."""
    import json

    try:
        text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
        text.encode()
    except RecursionError:
        raise DepthError(Fault("", f"{show_file(path)} would be nested too deeply for JSON")) from None
    except UnicodeEncodeError:  # half of a surrogate pair, as in the name of a file that is no text
        text = json.dumps(data, indent=2, allow_nan=False)
    write_whole(path, text + "\n")


def write_whole(path: str, text: str) -> None:
    """Write a text file so that a reader sees all of it or what was there before."""
    import tempfile

    folder, name = os.path.split(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
