"""What is said about a callable or class where it is written, parameter by parameter, and the values it allows."""

from __future__ import annotations

import _ast as ast
import sys
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ._hint import Form

_LONGEST = 400
"""Characters that are kept of what is said about a parameter."""


class About:
    """What is said about a callable.

    Attributes:
        summary: The first paragraph of its docstring, on one line.
        texts: What is said about its parameters, by name, on one line each.
    """

    __slots__ = ("summary", "texts")

    def __init__(self, summary: str = "", texts: dict[str, str] | None = None) -> None:
        self.summary = summary
        self.texts = texts or {}


def about(found: Any) -> About:
    """What the docstrings of a function or class say, those of its attributes among them.

    Of a class, what it inherits counts too. Sections in the style of Google, of
    numpy and of Sphinx are read.

    >>> def f(lr):
    ...     '''Go down.
    ...
    ...     Args:
    ...         lr (float): How far
    ...             at once.
    ...     '''
    >>> about(f).summary, about(f).texts
    ('Go down.', {'lr': 'How far at once.'})
    """
    if not isinstance(found, type):
        return read_docstring(_doc_of(found))
    texts: dict[str, str] = {}
    for cls in reversed(found.__mro__[:-1]):
        for text in (_written_doc(cls), _doc_of(vars(cls).get("__init__"))):
            texts.update(read_docstring(text).texts)
        if "__annotations__" in vars(cls) and _has_fields(found):
            texts.update(_of_attributes(cls))
    own = read_docstring(_written_doc(found)).summary
    if not own and not _has_fields(found):  # whose constructors are written by a machine
        own = read_docstring(_doc_of(vars(found).get("__init__"))).summary
    return About(own, texts)


def _doc_of(function: Any) -> object:
    """The docstring of what is a function written in Python; what others have is rarely of use."""
    return getattr(function, "__doc__", None) if hasattr(function, "__code__") else None


def choices_of(form: Form) -> list[str]:
    """The values that a place may have, as one types them; none where they are not few.

    >>> from callsheet._hint import form_of
    >>> choices_of(form_of(bool | None))
    ['true', 'false', 'null']
    """
    if form.kind == "literal":
        return [typed_text(value) for value in form.of]
    if form.kind == "union":
        parts = [choices_of(part) for part in form.parts]
        return [choice for part in parts for choice in part] if all(parts) else []
    if form.kind != "class":
        return []
    if form.of is bool:
        return ["true", "false"]
    if form.of is type(None):
        return ["null"]
    return list(getattr(form.of, "__members__", ()))


def typed_text(value: Any) -> str:
    """A plain value as one types it in an override.

    >>> [typed_text(value) for value in (None, True, 1e-3, "fast", "a b", [1, "x"], {"k": None})]
    ['null', 'true', '0.001', 'fast', "'a b'", '[1,x]', '{k: null}']
    """
    cls = type(value)
    if value is None or cls is bool:
        return str(value).lower().replace("none", "null")
    if hasattr(cls, "__members__"):
        return str(value.name)
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(typed_text, value))}]"
    if cls is dict:
        return "{" + ", ".join(f"{typed_text(key)}: {typed_text(item)}" for key, item in value.items()) + "}"
    text = str(value)
    if isinstance(value, str):
        plain = text and not text[0].isdigit() and all(c.isalnum() or c in "_-./:" for c in text)
        return text if plain and text.lower() not in ("null", "true", "false", "inf", "nan") else repr(text)
    return text


# --- docstrings -------------------------------------------------------------------------------------------------------

_SECTIONS = frozenset(
    (
        "args",
        "arguments",
        "attributes",
        "keyword args",
        "keyword arguments",
        "other parameters",
        "parameters",
        "params",
    )
)


def read_docstring(text: object) -> About:
    """The summary and the parameters of a docstring; nothing where it is no text."""
    lines = _dedented(text if isinstance(text, str) else "")
    summary: list[str] = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith((":param", ">>>", ".. ")) or _is_section(line):
            break
        summary.append(line.strip())
    texts: dict[str, str] = {}
    for n, line in enumerate(lines):
        if _is_section(line):
            ruled = n + 1 < len(lines) and lines[n + 1].strip().startswith("---")
            if ruled or line.rstrip().endswith(":"):
                texts.update(_entries(lines[n + 1 + ruled :], _indent(line), ruled=ruled))
        elif line.lstrip().startswith((":param ", ":ivar ", ":var ", ":arg ")):
            head, _, rest = line.lstrip()[1:].partition(":")
            more = _deeper(lines[n + 1 :], _indent(line))
            texts[head.split()[-1]] = _one_line([rest, *more])
    return About(_without_roles(" ".join(summary)), {name: said for name, said in texts.items() if said})


def _is_section(line: str) -> bool:
    return line.strip().rstrip(":").lower() in _SECTIONS


def _entries(lines: list[str], outer: int, *, ruled: bool) -> Iterator[tuple[str, str]]:
    """The entries of a section: below its heading, or beside it where a rule stands under that (numpy's way)."""
    level: int | None = outer if ruled else None
    for n, line in enumerate(lines):
        if not line.strip():
            continue
        indent = _indent(line)
        if level is None:
            level = indent
        if indent < level or (not ruled and indent <= outer):
            return
        if ruled and n + 1 < len(lines) and lines[n + 1].strip().startswith("---"):
            return  # the next section
        if indent > level:
            continue
        names, rest = _split(line.strip(), ruled=ruled)
        text = _one_line([rest, *_deeper(lines[n + 1 :], level)])
        for name in names.split(","):
            yield name.strip().lstrip("*"), text


def _split(line: str, *, ruled: bool) -> tuple[str, str]:
    """The names of an entry and what is said on its first line."""
    if ruled:
        return line.partition(" :")[0].partition(":")[0], ""
    depth = 0
    for n, c in enumerate(line):
        depth += (c in "([") - (c in ")]")
        if c == ":" and depth == 0:
            return line[:n].partition("(")[0], line[n + 1 :]
    return "", ""


def _deeper(lines: list[str], level: int) -> Iterator[str]:
    """The lines that go on with an entry, as far as its first paragraph."""
    for line in lines:
        if not line.strip() or _indent(line) <= level:
            return
        yield line


def _one_line(lines: list[str]) -> str:
    text = _without_roles(" ".join(" ".join(lines).split()))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rpartition(" ")[0] + "…"


def _without_roles(text: str) -> str:
    """A text without the marks that only Sphinx reads: ":class:`~torch.Tensor`" is "torch.Tensor"."""
    head, *rest = text.split(":`")
    for part in rest:
        before, colon, role = head.rpartition(":")
        inner, tick, after = part.partition("`")
        is_role = colon and tick and role.isalpha()
        head = f"{before}{inner.removeprefix('~')}{after}" if is_role else f"{head}:`{part}"
    return head


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _dedented(text: str) -> list[str]:
    first, *rest = text.expandtabs().split("\n")
    margin = min((_indent(line) for line in rest if line.strip()), default=0)
    lines = [first.strip(), *(line[margin:].rstrip() for line in rest)]
    return lines[1:] if not lines[0] else lines


def _written_doc(cls: type) -> str | None:
    """A class's own docstring; `dataclass` and NamedTuple write one where there is none."""
    text = vars(cls).get("__doc__")
    return None if not isinstance(text, str) or text.startswith(f"{cls.__name__}(") else text


def _has_fields(cls: Any) -> bool:
    return hasattr(cls, "__dataclass_fields__") or hasattr(cls, "__attrs_attrs__") or hasattr(cls, "_fields")


# --- docstrings of attributes, which only the source has --------------------------------------------------------------

_trees: dict[str, Any] = {}  # a memo of files that were read; losing it costs time


def _of_attributes(cls: type) -> dict[str, str]:
    """What stands as a text below the fields of a class."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
    if file not in _trees:
        _trees[file] = _tree(file)
    body: Any = getattr(_trees[file], "body", [])
    for part in cls.__qualname__.replace("<locals>.", "").split("."):
        found = [node for node in _statements(body) if getattr(node, "name", None) == part]
        body = found[-1].body if found else []
    texts = {}
    for field, below in pairwise(body):
        name = getattr(getattr(field, "target", None), "id", "")
        said = getattr(getattr(below, "value", None), "value", None) if type(below) is ast.Expr else None
        if name and isinstance(said, str):
            texts[name] = _one_line([read_docstring(said).summary])
    return texts


def _statements(body: list[Any]) -> Iterator[Any]:
    """Statements, also those inside of `if` and `try`."""
    for node in body:
        yield node
        if type(node) in (ast.If, ast.Try):
            yield from _statements([*node.body, *node.orelse])


def _tree(file: str) -> Any:
    try:
        with open(file, "rb") as source:
            return compile(source.read(), file, "exec", flags=ast.PyCF_ONLY_AST, dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return None
