"""Building: the calls happen, each once, in the order in which they need each other."""

from __future__ import annotations

from ._items import CALLS, origin_of
from ._layout import layout
from ._leaf import Datum
from ._path import format_path
from ._program import Program
from ._ready import References, faults_of, place_of
from ._ref import Ref
from ._running import RUNNING
from ._target import Name
from ._tree import TARGET, Kind, fold, kind_of, walk
from .errors import CallsheetError, Fault, SpecError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")


def build(spec: T, *, root: Any = None) -> T:
    """Make the calls that a spec describes; the spec stays as it was.

    A node that is reached twice is built once. Dicts, lists and tuples become
    plain ones. Before the first call happens, everything that is wrong with the
    names, the missing values and the references is reported together.

    Args:
        spec: A call, or anything that holds calls.
        root: Where references by path (`${a.b}`) start that are bound to no
            loaded file; the spec itself by default.

    Returns:
        What the call returned; of a container, the same container of what its
        calls returned. A `Partial` becomes a `functools.partial`.

    Raises:
        SpecError: The spec cannot be built; `faults` has every reason.
        TrustError: It comes from data, and no policy allows its targets.
        Exception: Whatever a target raises, with a note of where in the spec it stands.

    >>> from callsheet import lazy
    >>> build(lazy(dict)(a=lazy(int)("11", base=2)))
    {'a': 3}
    """
    references = References(spec if root is None else root)
    program: Program | None = None
    unsound: tuple[Fault, ...] = ()
    try:
        program = Program(spec, references.kinds)
    except CallsheetError as error:
        unsound = error.faults
    if program is None or not program.sound:
        faults = faults_of(spec, root=root, running=RUNNING.get() is not None) or unsound
        if faults:
            raise SpecError(*faults)
    assert program is not None
    try:
        return program.run()  # type: ignore[no-any-return]
    except Exception as error:
        if type(program.at) not in (Name, Datum):
            error.add_note(_note(program.at, _way_to(program.at, spec, references), spec if root is None else root))
        raise


def _way_to(x: Any, spec: Any, references: References) -> list[Any]:
    """The trail of a fold that stands at `x`."""
    trail: list[Any] = []

    def make(found: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if found is x:
            raise _FoundError
        return found

    try:
        fold(spec, make, kinds=references.kinds, trail=trail)
    except (_FoundError, CallsheetError):
        pass
    return trail


class _FoundError(Exception):
    """The fold stands where it should."""


def _note(x: Any, trail: list[Any], root: Any) -> str:
    steps = next((steps for steps, value in walk(root) if value is x), place_of(trail))
    text = layout(x, width=76) if kind_of(type(x)) is not None else repr(x)
    if len(text) > 300:
        text = text[:296] + " ..."
    origin = origin_of(x, TARGET).where if type(x) in CALLS and not isinstance(x, Ref) else ""
    place = format_path(steps) or "the spec"
    lines = [f"while building {place}" + (f", written at {origin}" if origin else "")]
    return "\n".join([*lines, *("    " + line for line in text.split("\n"))])
