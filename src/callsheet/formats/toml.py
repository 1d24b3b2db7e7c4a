"""TOML: read by Python's own parser; values know their file, which tells no lines."""

from __future__ import annotations

from ._text import broken, shown, too_deep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._text import Lines


def read(text: str, path: str) -> Any:
    """The data of a TOML text.

    Raises:
        LoadError: It is no TOML; the error names the line.
        DepthError: It is nested too deeply.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, _, place = str(error).rpartition(" (at ")
        digits = place.removeprefix("line ").partition(",")[0]
        line = int(digits) if digits.isdecimal() else text.rstrip().count("\n") + 1  # it says "end of document"
        raise broken(f"is not valid TOML: {problem}", path, line, advice=shown(text.split("\n")[line - 1])) from None
    except RecursionError:
        raise too_deep(path) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise broken(f"is not valid TOML: {error}", path) from None


def read_lines(text: str, path: str) -> tuple[Any, Lines]:
    """The data of a text that is TOML; its parser tells no lines."""
    return read(text, path), {}
