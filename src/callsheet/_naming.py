"""What a bare word names where a class or a callable is declared: `norm=LayerNorm`."""

from __future__ import annotations

from ._swap import beside
from ._target import ModuleName, Name, extended, name_of
from ._tree import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._hint import Form
    from ._origin import Origin


def finder(
    known: Iterable[Any], form: Form, *, where: str, names: Callable[[], dict[str, Any]] = dict
) -> Callable[[str], Name | None]:
    """A function that gives the object which a word means.

    It is looked for among what the file binds, then in the modules of what is known of the place, and in the packages
    above them.

    Args:
        known: What stands or stood there, and what does by default; what is no class or function is passed over.
        form: What is declared there; the classes in it have modules, too.
        where: Who said the word.
        names: Gives what the file binds.
    """

    def find(text: str) -> Name | None:
        file = names()
        whole = file.get(text)
        if type(whole) is Name:
            return whole
        head, dot, rest = text.partition(".")
        bound = file.get(head)
        if type(bound) is Name or (type(bound) is ModuleName and dot):
            found: Name = extended(bound, rest, where)
            return found
        if not text.isidentifier():
            return None
        if bound is not None and callable(bound) and kind_of(type(bound)) is None:
            return name_of(bound)
        for home in (*filter(None, map(_home, known)), *_homes(form)):
            name = beside(home, text, where)
            if name is not None:
                return name
        return None

    return find


def known_before(origin: Origin) -> Iterable[Any]:
    """What stood in a place before somebody changed it, the latest first."""
    return (value for value, _ in origin.chain())


def _home(value: Any) -> Name | None:
    if type(value) is Name:
        return value
    return name_of(value) if callable(value) and kind_of(type(value)) is None else None


def _homes(form: Form) -> Iterable[Name]:
    """The names of the classes of which a form wants one, itself or below."""
    if form.kind == "class" and isinstance(form.of, type) and form.of.__module__ not in ("builtins", "abc", "typing"):
        yield Name(form.of.__module__, form.of.__qualname__)
    elif form.kind == "named":
        module, _, qualname = form.of.partition(":")
        yield Name(module, qualname)
    elif form.kind not in ("class", "callable", "literal"):
        for part in form.parts:
            yield from _homes(part)
