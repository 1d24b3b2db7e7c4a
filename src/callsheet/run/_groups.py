"""Groups of hyperparameters: several values for a field, unrolled into each combination."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from callsheet._hint import Form
from callsheet._items import CALLS, raw_item
from callsheet._lazy import arguments, lazy, plain, walk
from callsheet._signature import signature_of
from callsheet._spec import INSTANCES
from callsheet._target import Name, resolve
from callsheet.errors import Fault, SpecError
from callsheet.run._experiment import Axis

_raw = object.__getattribute__


def axis(values: list[Any]) -> Axis:
    """Say that a field of a group takes each of some values, also where the values are lists themselves.

    >>> unroll(sizes=axis([[64], [64, 64]]))
    [{'sizes': [64]}, {'sizes': [64, 64]}]
    """
    return Axis(list(values))


def HPGroup(of: Any = None, /, **values: Any) -> Any:  # noqa: N802  (the name that LightEx's users know)
    """Several sets of hyperparameters in the place of one: an experiment that holds a group is unrolled into each.

    Args:
        of: The dataclass of which each set shall be; without one each is a mapping.
        **values: A value for all, or a list of those that a field takes in turn. A field that is declared as a
            sequence takes a list as it is, and several as `axis([...])`. A value may be a group itself.

    Returns:
        A call of `unroll`.

    >>> HPGroup(lr=[1e-3, 1e-2], layers=4)
    lazy(unroll)(lr=[0.001, 0.01], layers=4)
    """
    return lazy(unroll)(*([] if of is None else [of]), **values)


def unroll(of: Any = None, /, **values: Any) -> list[Any]:
    """Each combination of the values of a group, the last varying fastest; the arguments are those of `HPGroup`.

    >>> unroll(lr=[1e-3, 1e-2], layers=4)
    [{'lr': 0.001, 'layers': 4}, {'lr': 0.01, 'layers': 4}]
    """
    grid = Grid(of, values)
    return [plain(grid.point(n)) for n in range(len(grid))]


unroll.__module__ = "callsheet.run"  # which data names
_UNROLL, _AXIS = "callsheet.run.unroll", "callsheet.run.Axis"


def is_group(x: Any) -> bool:
    """Whether a node of a spec is what `HPGroup` gives, also as data has it."""
    if type(x) not in CALLS or type(x) in INSTANCES:
        return False
    target = _raw(x, "__target__")
    return target is unroll or (type(target) is Name and target.key == _UNROLL)


def groups_in(part: Any) -> dict[str, Any]:
    """The groups within a part of a spec, each by its path; those within others are the others' own."""
    found: dict[str, Any] = {}
    for path, value in walk(part):
        if is_group(value) and not any(path.startswith((f"{outer}.", f"{outer}[")) for outer in found if outer):
            found[path] = value
    return found


def grid_of(group: Any) -> Grid:
    """The combinations of a group in a spec."""
    given = dict(arguments(group))
    of = raw_item(group, 0) if 0 in given else None
    return Grid(resolve(of) if type(of) is Name else of, {key: raw_item(group, key) for key in given if key != 0})


class Grid:
    """Each combination of some values, by number: none is made before it is asked for.

    Args:
        of: The dataclass of which each shall be, or None for mappings.
        values: By field.

    Raises:
        SpecError: A list or an axis has no values.
    """

    def __init__(self, of: Any, values: Mapping[str, Any]) -> None:
        self.of = of
        self.choices: dict[str, Any] = {name: self._choices(name, value) for name, value in values.items()}
        empty = [name for name, choices in self.choices.items() if not len(choices)]
        if empty:
            raise SpecError(*(Fault(name, "of a group has no values") for name in empty))

    def __len__(self) -> int:
        count = 1
        for choices in self.choices.values():
            count *= len(choices)
        return count

    def __iter__(self) -> Iterator[Any]:
        return (self.point(n) for n in range(len(self)))

    def __getitem__(self, n: int) -> Any:
        return self.point(n)

    def point(self, n: int) -> Any:
        """A combination: an instance of the class, or a mapping."""
        chosen = {}
        for name, choices in reversed(self.choices.items()):
            n, at = divmod(n, len(choices))
            chosen[name] = choices[at]
        chosen = {name: chosen[name] for name in self.choices}
        return chosen if self.of is None else self.of(**chosen)

    def varied(self, n: int) -> dict[str, Any]:
        """What a combination has where others have something else, by path."""
        found: dict[str, Any] = {}
        for name, choices in reversed(self.choices.items()):
            n, at = divmod(n, len(choices))
            if isinstance(choices, Grid):
                found |= {f"{name}.{inner}": value for inner, value in choices.varied(at).items()}
            elif len(choices) > 1:
                found[name] = choices[at]
        return dict(reversed(found.items()))

    def _choices(self, name: str, value: Any) -> Any:
        if is_group(value):
            return grid_of(value)
        held = raw_item(value, "values") if _is_axis(value) else value
        if _is_axis(value) or (isinstance(held, list) and not _takes_lists(self.of, name)):
            return plain(held)
        return [value]


def _is_axis(value: Any) -> bool:
    if isinstance(value, Axis):
        return True
    target = _raw(value, "__target__") if type(value) in INSTANCES else None
    return type(target) is Name and target.key == _AXIS


def _takes_lists(of: Any, name: str) -> bool:
    """Whether a field of a class is declared as a sequence."""
    signature = signature_of(of) if of is not None else None
    return signature is not None and _is_sequence(signature.form(name))


def _is_sequence(form: Form) -> bool:
    if form.kind == "union":
        return any(map(_is_sequence, form.parts))
    return form.kind in ("items", "tuple", "many") or (
        form.kind == "class" and form.of in (list, tuple, set, frozenset)
    )
