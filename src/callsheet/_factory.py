"""`factory`: a spec as a function that builds it again and again, at the cost of the calls themselves."""

from __future__ import annotations

from ._build import build, program_of
from ._note import add_note
from ._program import call_now
from ._ready import References
from ._spec import copy, given_within
from ._tree import ATOMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from ._program import Program

    T = TypeVar("T")

_LITERAL = 200
"""Characters of a text up to which it is written into the source."""
_LINE = 200
"""Characters of a display beyond which it gets a line of its own: Python's parser bears 200 within each other."""


def factory(spec: T, *, root: Any = None) -> Callable[[], T]:
    """A function that builds a spec anew at each call, for what constructors called by hand would cost.

    The spec is looked through and turned into Python once. What it says then is
    what counts: later edits of it change nothing, and what the environment or a
    resolver answers is asked then.

    Args:
        spec: A call, or anything that holds calls.
        root: Where references by path start that are bound to no loaded file;
            the spec itself by default.

    Returns:
        A function without parameters. Each call gives what `build(spec)` gives:
        new objects, each node once, with the same note where a constructor fails.

    Raises:
        SpecError: The spec cannot be built; `faults` has every reason.
        TrustError: It comes from data, and no policy allows its targets.

    >>> from callsheet import lazy
    >>> make = factory(lazy(dict)(rows=[1, 2]))
    >>> make(), make()["rows"] is make()["rows"]
    ({'rows': [1, 2]}, False)
    """
    spec, root = given_within(spec, root)
    kept = copy(spec)
    start = kept if root is None else root
    references = References(start)
    program = program_of(kept, root=start, references=references)
    if program.by_hand:  # what it builds is known only when its methods run

        def make() -> Any:
            return build(kept, root=start)

        return make

    def tell(error: BaseException, nodes: list[Any]) -> None:
        assert error.__traceback__ is not None
        add_note(error, nodes[error.__traceback__.tb_lineno], kept, root=start, references=references)

    return _Source(program).function(tell)  # type: ignore[no-any-return]


class _Value:
    """Stands for what a step will return."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Source:
    """A program written as the function that one would write by hand."""

    def __init__(self, program: Program) -> None:
        self.names: dict[str, Any] = {}  # what the function refers to and does not make
        self.known: dict[int, str] = {}
        self.lines = ["def make():", "    try:"]
        self.nodes: list[Any] = [None, None, None]  # what each line builds, by its number
        for function, args, kwargs, holder, key, node in program.steps:
            value = _Value(f"v{len(self.lines)}")
            self.line(f"{value.name} = {self.call(function, args, kwargs)}", node)
            holder[key] = value
        self.line(f"return {self.expression(program.out[0])}", None)

    def line(self, text: str, node: Any) -> None:
        self.lines.append(f"        {text}")
        self.nodes.append(node)

    def function(self, tell: Callable[[BaseException, list[Any]], None]) -> Any:
        self.names["tell"], self.names["nodes"] = tell, self.nodes
        ending = ["    except Exception as error:", "        tell(error, nodes)", "        raise"]
        source = "\n".join([*self.lines, *ending, ""])
        exec(compile(source, "<a factory of callsheet>", "exec"), self.names)  # noqa: S102  (source of our own making)
        return self.names["make"]

    def call(self, function: Any, args: Any, kwargs: dict[str, Any]) -> str:
        if function is tuple:
            return f"({self.listed(args[0])})"
        if function is call_now:
            name, args = self.expression(args[0]), args[1:]
        else:
            name = self.named(function)
        parts = [self.expression(value) for value in args]
        if all(map(_is_name, kwargs)):
            parts += [f"{key}={self.expression(value)}" for key, value in kwargs.items()]
        else:
            parts.append(f"**{self.expression(dict(kwargs))}")
        return f"{name}({', '.join(parts)})"

    def listed(self, values: Any) -> str:
        return "".join(f"{self.expression(value)}, " for value in values)

    def expression(self, value: Any) -> str:
        """The value as source; a dict or list of the program's is made anew by it."""
        cls = type(value)
        if cls is _Value:
            return str(value.name)
        if cls is dict or cls is list:
            return self.display(value)
        return (_literal(value) if cls in ATOMS else "") or self.named(value)

    def display(self, whole: Any) -> str:
        """A display, from the innermost outwards; one that is long or deep is made on a line before."""
        inner = [whole]
        for x in inner:  # grows while it is read
            inner += [v for v in (x.values() if type(x) is dict else x) if type(v) is dict or type(v) is list]
        shown: dict[int, str] = {}
        for x in reversed(inner):
            texts = [shown.get(id(v)) or self.expression(v) for v in (x.values() if type(x) is dict else x)]
            if type(x) is dict:
                text = "{" + ", ".join(f"{self.expression(k)}: {t}" for k, t in zip(x, texts, strict=True)) + "}"
            else:
                text = "[" + ", ".join(texts) + "]"
            if x is not whole and len(text) > _LINE:
                name = f"v{len(self.lines)}"
                self.line(f"{name} = {text}", None)
                text = name
            shown[id(x)] = text
        return shown[id(whole)]

    def named(self, value: Any) -> str:
        name = self.known.get(id(value))
        if name is None:
            name = self.known[id(value)] = f"c{len(self.known)}"
            self.names[name] = value
        return name


def _literal(value: Any) -> str:
    """An atom as source, "" where it is better kept as it is."""
    cls = type(value)
    if cls is int:
        return repr(value) if -(2**63) < value < 2**63 else ""
    if cls is float:
        return repr(value) if value - value == 0 else ""  # finite
    if cls is str or cls is bytes:
        return repr(value) if len(value) <= _LITERAL else ""
    return repr(value) if cls is bool or value is None else ""


def _is_name(key: str) -> bool:
    from keyword import iskeyword

    return key.isascii() and key.isidentifier() and not iskeyword(key) and not key.startswith("__")
