"""JSON: read by Python's own parser, with what is wrong told by its line."""

from __future__ import annotations

from ._text import MAX_DIGITS, MAX_VALUES, SMALLER, TOO_MANY, TooMuch, broken, shown, too_deep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._text import Lines


def read(text: str, path: str) -> Any:
    """The data of a JSON text.

    Raises:
        LoadError: It is no JSON, has a key twice or holds too much; the error names the line.
        DepthError: It is nested too deeply.
    """
    import json

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _Refused
        return found

    def constant(name: str) -> Any:
        raise _Refused

    if holds_too_much(text):
        raise broken(TOO_MANY, path, advice=SMALLER)
    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except _Refused:
        read_lines(text, path)
        raise AssertionError("what was refused is found again") from None
    except json.JSONDecodeError as error:
        line = text.split("\n")[error.lineno - 1]
        raise broken(f"is not valid JSON: {error.msg}", path, error.lineno, advice=shown(line)) from None
    except RecursionError:
        raise too_deep(path) from None
    except ValueError:  # a number of more digits than Python reads
        read_lines(text, path)
        raise AssertionError("what was refused is found again") from None


class _Refused(Exception):
    """The text is JSON for Python's parser and not for us."""


def read_lines(text: str, path: str) -> tuple[Any, Lines]:
    """The data of a text that is JSON, and the line of each value.

    Raises:
        LoadError: A key stands there twice, or a number is none.
    """
    import json

    lines: Lines = {}
    root: Any = []
    holder: Any = root
    key: Any = None
    key_line = 0
    stack: list[Any] = []
    lines[id(root)] = {}
    for token, line in _tokens(text):
        if token in ("}", "]"):
            holder, key = stack.pop()
            continue
        if type(holder) is dict and key is None:
            key, key_line = json.loads(token), line
            if key in holder:
                raise broken(f"has the key {key!r} twice", path, line)
            continue
        if token in ("NaN", "Infinity", "-Infinity"):
            short = {"NaN": "nan", "Infinity": "inf"}.get(token, "-inf")
            advice = [f'write  {{"_value_": "float", "of": "{short}"}}']
            raise broken(f"is not valid JSON: {token} is no number", path, line, advice=advice)
        if len(token) > MAX_DIGITS and token.lstrip("-").isdecimal():
            raise broken(f"holds a number of {len(token):,} digits, and {MAX_DIGITS:,} are allowed", path, line)
        value = _started(token)
        if isinstance(holder, list):
            lines[id(holder)][len(holder)] = line
            holder.append(value)
        else:
            holder[key], lines[id(holder)][key], key = value, key_line, None
        if token in ("{", "["):
            lines[id(value)] = {}
            stack.append((holder, key))
            holder, key = value, None
    return root[0], lines


def _started(token: str) -> Any:
    """A scalar, or a container that is still empty."""
    import json

    return json.loads({"{": "{}", "[": "[]"}.get(token, token))


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """Brackets, texts, numbers and words of a JSON text, each with its line."""
    import re

    line, at = 1, 0
    for found in re.finditer(_TEXT + r"|[\[\]{}]|[^\s\[\]{},:\"]+", text):
        line += text.count("\n", at, found.start())
        at = found.start()
        yield found.group(), line


_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
"""A text in quotes; nothing is tried twice, so that one of any length needs no memory."""


def holds_too_much(text: str) -> bool:
    """Whether a JSON text holds more values than a data file may; told without reading it."""
    if len(text) < MAX_VALUES:
        return False
    if text.count(",") + text.count("{") + text.count("[") <= MAX_VALUES:
        return False
    import re

    bare = re.sub(_TEXT, "", text)
    return bare.count(",") + bare.count("{") + bare.count("[") > MAX_VALUES


def write(data: Any) -> str:
    """Data as JSON text.

    Raises:
        TooMuch: It holds more values than a data file may.
        RecursionError: It is nested too deeply.
        ValueError: It holds a whole number of more digits than Python writes.
    """
    import json

    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    if holds_too_much(text):
        raise TooMuch
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, as in the name of a file that is no text
        text = json.dumps(data, indent=2, allow_nan=False)
    return text + "\n"
