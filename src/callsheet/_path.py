"""A path names a place in a spec: `model.layers[0]["odd key"]`."""

from __future__ import annotations

from .errors import Fault, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Step = object
"""A string for a name, an int for a position, anything else for a key of a dict."""


def format_path(steps: Iterable[Step]) -> str:
    """Write steps as text.

    >>> format_path(["a", "b", 0, "x.y"])
    'a.b[0]["x.y"]'
    """
    text = ""
    for step in steps:
        if isinstance(step, str) and plain_step(step):
            text += f".{step}" if text else step
        elif isinstance(step, str):
            text += '["' + step.replace("\\", "\\\\").replace('"', '\\"') + '"]'
        else:
            text += f"[{step!r}]"
    return text


def plain_step(step: str) -> bool:
    """Whether a name can be written without brackets and quotes; a text of digits can, since `a.0` keeps it a text."""
    if step.isascii() and step.isdecimal():
        return True
    return bool(step) and step.replace("-", "_").replace("@", "_").isidentifier() and not step.startswith(("-", "@"))


def parse_path(text: str) -> tuple[Step, ...]:
    """Read a path; what `format_path` wrote comes back as it was.

    A number between dots (`a.0.b`) stays text: whether it is a position is for
    the container that it meets to say. In brackets without quotes, None, truth
    values, numbers, bytes and tuples are those, as Python or an override writes them.

    Args:
        text: `a.b`, `a[0]`, `a["odd key"]`, `a.0`, `a[None]`, `a[0.5]`.

    Returns:
        The steps from the root down.

    Raises:
        PathError: The text is not a path; the message points at the column.

    >>> parse_path('a.b[0]["x.y"].0')
    ('a', 'b', 0, 'x.y', '0')
    """
    steps: list[Step] = []
    at, end = 0, len(text)
    while at < end:
        if text[at] == "[":
            step, at = _bracket(text, at)
        else:
            if steps:
                if text[at] != ".":
                    raise _bad(text, at, "expected '.' or '['")
                at += 1
            start = at
            while at < end and text[at] not in ".[":
                at += 1
            if start == at:
                raise _bad(text, at, "expected a name")
            step = text[start:at]
        steps.append(step)
    if not steps:
        raise _bad(text, 0, "expected a name")
    return tuple(steps)


def _bracket(text: str, at: int) -> tuple[Step, int]:
    start = at
    at += 1
    if at < len(text) and text[at] in "\"'":
        quote, at, out = text[at], at + 1, ""
        while at < len(text) and text[at] != quote:
            at += text[at] == "\\"
            out += text[at : at + 1]
            at += 1
        if text[at : at + 2] != quote + "]":
            raise _bad(text, start, f"this '[' is not closed by {quote}]")
        return out, at + 2
    close = text.find("]", at)
    inner = text[at:close].strip() if close > 0 else ""
    if close < 0 or not inner:
        raise _bad(text, start, "this '[' is not closed" if close < 0 else "expected a position or a key")
    try:
        return int(inner), close + 1
    except ValueError:
        return _key(inner), close + 1


_CONSTANTS = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False}


def _key(word: str) -> Step:
    """What a word in brackets is as the key of a dict."""
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if word[0] == "(" or word[:2] in ("b'", 'b"'):
        from ast import literal_eval

        try:
            found: object = literal_eval(word)
            hash(found)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return word
        return found
    try:
        number = float(word)
    except ValueError:
        return word
    return number if repr(number) == word and number == number else word


def _bad(text: str, column: int, problem: str) -> PathError:
    return PathError(Fault("", f"{text!r} is not a path: {problem} at column {column + 1}"))
