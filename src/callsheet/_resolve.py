"""References replaced by what they lead to, save what only a build or a run can know."""

from __future__ import annotations

from ._ready import References
from ._ref import Ref, Template, apply_steps, depends_on_run, with_operands
from ._secret import Secret
from ._spec import attach
from ._tree import Kind, fold, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def resolve_references(spec: Any) -> Any:
    """A copy of a spec whose references by path are replaced by values and nodes.

    What is done to a built object stays a reference to its node; `${run.…}`
    stays as it is written.

    Args:
        spec: The whole spec, in which the paths start.

    Raises:
        PathError: A reference leads to nothing.
        CycleError: A reference leads to itself.
    """
    references = References(spec)

    def items(ref: Ref) -> tuple[list[Any], list[Any]]:
        return ([], []) if depends_on_run(ref) else references.items(ref)

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        if type(x) is not Ref:
            return kind.remake(x, keys, values)
        base = x.__base__
        if depends_on_run(x):
            return Ref(base, x.__steps__, None, x.__policy__)
        if type(base) is Template:
            if any(kind_of(type(value)) is not None or type(value) is Secret for value in values):
                return x  # a part must be built first, or is not to be written out
            return references.make(x, keys, values)
        steps = with_operands(x.__steps__, values[1:])
        if not steps:
            return values[0] if type(base) is tuple else Ref(values[0], (), None, x.__policy__)
        if kind_of(type(values[0])) is not None:
            return Ref(values[0], steps, None, x.__policy__)
        if any(type(value) is Secret for value in values):
            return Ref(base, steps, None, x.__policy__)
        return apply_steps(values[0], steps, x.__policy__)

    kinds = {**references.kinds, Ref: Kind(items, references.make, family="ref")}
    return attach(fold(spec, make, kinds=kinds))


def reached(spec: Any, start: Any) -> set[int]:
    """The ids of all containers that building `start` would reach, references followed.

    Args:
        spec: The whole spec, in which paths start.
        start: A part of it.
    """
    references = References(spec)
    found: set[int] = set()

    def make(x: Any, kind: Kind, keys: list[Any], values: list[Any]) -> Any:
        found.add(id(x))
        return x

    def items(ref: Ref) -> tuple[list[Any], list[Any]]:
        try:
            return references.items(ref)
        except LookupError:
            return [], []  # it leads nowhere: a fault that the check names

    fold(start, make, kinds={**references.kinds, Ref: Kind(items, references.make, family="ref")})
    return found
