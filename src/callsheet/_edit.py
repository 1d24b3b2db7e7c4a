"""A spec edited by texts: an edited copy, or in place."""

from __future__ import annotations

from ._journal import Journal
from ._origin import locate
from ._said import parse_all
from ._spec import attach, copy, here
from ._variants import apply_beside
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeVar

    S = TypeVar("S")


def override(spec: S, texts: Iterable[str] | str) -> S:
    """An edited copy of a spec.

    Args:
        spec: Any spec.
        texts: Overrides: `a.b=1`, `+a.c=[1,2]` (a new key of a dict), `++a.c=1`
            (new or not), `~a.d`, `a.0.b=x`, `a+=[x]`, `a-=[x]`, `a[0:0]=[x]`;
            `@file` for those of a file. One text, or several. Of a spec that was loaded
            from a file, `a=@name` finds the variants that lie beside that file, too.

    Returns:
        The copy; it shares with `spec` only nodes that nothing but a reference reaches.

    Raises:
        OverrideError: A text is no override, names what is not there, or has a
            value of the wrong type. `faults` has all of them.

    >>> override({"a": {"b": 1}}, ["a.b=2"])
    {'a': {'b': 2}}
    """
    where = locate(here(), None).where
    made: S = apply_beside(attach(copy(spec)), parse_all(texts), where=where)
    return made


def edit(spec: Any, texts: Iterable[str] | str) -> None:
    """Edit a spec in place; the arguments and errors are those of `override`.

    Where one text is wrong, none is applied. The cost does not depend on the size of the spec, unless a node is
    replaced: one that is frozen, held at several places or referred to.

    Raises:
        OverrideError: As for `override`; or what is edited is the spec itself, which is frozen.

    >>> from callsheet import lazy
    >>> call = lazy(dict)(a=1)
    >>> edit(call, ["a=2", "b=3"])
    >>> call
    lazy(dict)(a=2, b=3)
    """
    where = locate(here(), None).where
    journal = Journal()
    try:
        made = apply_beside(spec, parse_all(texts), where=where, journal=journal)
        if made is not spec:
            raise OverrideError(_cannot_be_replaced(spec, where))
    except BaseException:
        journal.undo()
        raise


def _cannot_be_replaced(spec: Any, where: str) -> Fault:
    problem = f"{type(spec).__qualname__} is frozen, so that it cannot be edited in place"
    return Fault("", problem, origin=where, advice=["take an edited copy:  spec = override(spec, [...])"])
