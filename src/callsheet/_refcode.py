"""How a reference is written as Python: where it starts, and what is done to it."""

from __future__ import annotations

from ._bindings import Bindings, is_name
from ._equal import equal
from ._literal import Code, Display, call_code, flat, text_code
from ._path import format_path
from ._ref import Ref
from ._reftext import parse_text
from ._written import Route, Template, depends_on_run, inside, written
from .errors import CallsheetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._steps import Step


def reference_text(ref: Ref) -> str | None:
    """The text that a spec reads as this reference, of which nothing more is done; None where there is none."""
    text = written(ref.__base__, ref.__dots__)
    try:
        return text if equal(parse_text(text), Ref(ref.__base__, dots=ref.__dots__)) else None
    except CallsheetError:
        return None


def starts_at_root(ref: Ref) -> bool:
    """Whether a reference, or one inside its text, is found from the root of its spec."""
    return any(
        type(part.__base__) in (tuple, Route) and not part.__dots__ and not depends_on_run(part) for part in inside(ref)
    )


def literal_text(text: str) -> str:
    """The text that a spec reads as this very text."""
    return written(Template((text,)))


def path_code(ref: Ref, word: str) -> Code:
    """`ref("a.b")`."""
    base = ref.__base__
    text = "." * ref.__dots__ + format_path(base) if type(base) is tuple else written(base, ref.__dots__)
    return Code(f"{word}({text_code(text).text})")


def steps_code(start: Code, steps: tuple[Step, ...], operands: Iterator[Any], bindings: Bindings) -> Code | Display:
    """What is done to a reference, as code.

    Args:
        start: The reference itself.
        steps: What is done to it.
        operands: The code of what is handed to them, in order.
        bindings: The names of the file.
    """
    code: Code | Display = start
    for kind, data in steps:
        if kind == "attr" and is_name(data[0]):
            code = _around(_whole(code), "", f".{data[0]}")
        elif kind == "attr":
            code = _around(code, f"{bindings.member('builtins', 'getattr')}(", f", {text_code(data[0]).text})")
        elif kind == "item":
            code = _around(_whole(code), "", f"[{_item(data[0], next(operands))}]")
        elif kind == "call":
            args = [next(operands) for _ in data[0]]
            kwargs = {name: next(operands) for name in data[1]}
            given = bool(args or kwargs)
            code = call_code(f"{flat(_whole(code))}(", args, kwargs) if given else _around(_whole(code), "", "()")
        elif kind in _SIGNS:
            code = _around(_whole(code), _SIGNS[kind], "")
            code.whole = False
        elif kind == "text":
            code = _around(_whole(code), "", ".__text__()")
        elif kind in ("abs", "round"):
            more = [flat(next(operands)) for _ in data]
            digits = "" if not more or data[0] is None else f", {more[0]}"
            code = _around(code, f"{bindings.member('builtins', kind)}(", f"{digits})")
        else:
            operand, reflected = flat(_whole(next(operands))), data[1]
            code = _whole(code)
            code = _around(code, f"{operand} {kind} ", "") if reflected else _around(code, "", f" {kind} {operand}")
            code.whole = False
    return code


_SIGNS = {"neg": "-", "pos": "+"}


def _around(code: Code | Display, before: str, after: str) -> Code | Display:
    if isinstance(code, Code):
        return Code(before + code.text + after)
    return Display(before + code.opening, code.labels, code.closing + after, code.values)


def _whole(code: Code | Display) -> Code | Display:
    return code if code.whole else _around(code, "(", ")")


def _item(key: Any, code: Code | Display) -> str:
    if type(key) is not slice:
        return flat(code)
    parts = ["" if part is None else text_code(part).text if type(part) is str else repr(part) for part in
             (key.start, key.stop, key.step)]  # fmt: skip
    return ":".join(parts if key.step is not None else parts[:2])
