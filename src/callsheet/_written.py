"""What a reference starts from that is written in a text: a path, a text with references inside, a resolver."""

from __future__ import annotations

from ._path import format_path
from ._tree import ATOMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Union

    from ._ref import Ref

    Part = Union[str, "Ref"]  # noqa: UP007
    """A piece of text, or a reference whose value stands there."""


class Template:
    r"""A text with references inside: `"run-${seed}"`. A `\${` in it is a literal `${`."""

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts


class Route(Template):
    """A path of which references inside tell a part: `${plans.${plan}.lr}`."""

    __slots__ = ()


class Asked:
    """What a resolver is asked for: `${env:HOME,default}`.

    Attributes:
        name: Of the resolver.
        args: Values, references, and lists and dicts of them.
        text: How it is written, without the braces.
        function: What answers; None as long as nobody gave it.
    """

    __slots__ = ("args", "function", "name", "text")

    def __init__(self, name: str, args: tuple[Any, ...], text: str, function: Callable[..., Any] | None = None) -> None:
        self.name = name
        self.args = args
        self.text = text
        self.function = function


WRITTEN = frozenset((tuple, Template, Route, Asked))
"""Types of what a reference starts from that is written; anything else is a node."""

RUN_NAMES = ("dir", "id", "index", "attempt")
"""What `${run.…}` can ask for."""


def written(base: Any, dots: int = 0) -> str:
    """What a reference starts from, as it is written in a text.

    >>> written(("a", 0, "b"), 2)
    '${..a[0].b}'
    """
    if type(base) is Template:
        return _joined(base.parts)
    if type(base) is Asked:
        return "${" + base.text + "}"
    inner = _joined(base.parts) if type(base) is Route else _escaped(format_path(base))
    return "${" + "." * dots + inner + "}"


def _joined(parts: tuple[Part, ...]) -> str:
    texts = []
    for n, part in enumerate(parts):
        if isinstance(part, str):
            texts.append(_escaped(part) + (_backslashes(part) if n + 1 < len(parts) else ""))
        else:
            texts.append(written(part.__base__, part.__dots__))
    return "".join(texts)


def _escaped(text: str) -> str:
    *before, last = text.split("${")
    return "".join(piece + _backslashes(piece) + "\\${" for piece in before) + last


def _backslashes(text: str) -> str:
    """Those at the end, which before a `${` are written twice."""
    return text[len(text.rstrip("\\")) :]


def parts_of(base: Any) -> list[Ref]:
    """The references that stand inside of what is written, in order."""
    if type(base) in (Template, Route):
        return [part for part in base.parts if not isinstance(part, str)]
    return [x for arg in base.args for x in _members(arg) if type(x) not in ATOMS] if type(base) is Asked else []


def _members(x: Any) -> Iterator[Any]:
    if isinstance(x, (list, dict)):
        for member in x if isinstance(x, list) else x.values():
            yield from _members(member)
    else:
        yield x


def inside(ref: Ref) -> Iterator[Ref]:
    """A reference and all that stand inside of its text, at any depth."""
    todo = [ref]
    while todo:
        found = todo.pop()
        yield found
        todo += parts_of(found.__base__)


def with_parts(base: Any, change: Callable[[Ref], Any]) -> Any:
    """What is written, with the references inside replaced."""
    if type(base) is Asked:
        return Asked(base.name, tuple([_replaced(arg, change) for arg in base.args]), base.text, base.function)
    return type(base)(tuple([part if isinstance(part, str) else change(part) for part in base.parts]))


def _replaced(x: Any, change: Callable[[Ref], Any]) -> Any:
    if type(x) is list:
        return [_replaced(member, change) for member in x]
    if type(x) is dict:
        return {key: _replaced(member, change) for key, member in x.items()}
    return x if type(x) in ATOMS else change(x)


def given_args(base: Asked, values: Iterator[Any]) -> list[Any]:
    """The arguments of a resolver, with the values of the references in them in order."""
    return [_replaced(arg, lambda _: next(values)) for arg in base.args]


def class_of(ref: Ref) -> type | None:
    """The class of what a text comes to, or `${run.dir}`, also before that is known; None where it cannot be said."""
    base = ref.__base__
    if ref.__steps__:
        return None
    if type(base) is Template:
        return str
    if type(base) is tuple and depends_on_run(ref):
        return int if base[1] in ("index", "attempt") else str
    return None


def depends_on_run(ref: Ref) -> bool:
    """Whether a reference asks for what only a run knows (`${run.dir}`)."""
    base = ref.__base__
    if type(base) is tuple:
        return len(base) == 2 and base[0] == "run" and base[1] in RUN_NAMES and not ref.__dots__
    return type(base) in WRITTEN and any(map(depends_on_run, parts_of(base)))
