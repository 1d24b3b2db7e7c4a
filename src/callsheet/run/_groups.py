"""Groups of hyperparameters: several values for a field, unrolled into each combination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from callsheet._hint import Form
from callsheet._items import CALLS, check_names, noted_origin, origin_of, raw_item
from callsheet._lazy import arguments, plain, walk
from callsheet._origin import UNKNOWN, Origin
from callsheet._ready import argument_faults
from callsheet._signature import signature_of
from callsheet._spec import INSTANCES, Call, attach, here, new_call, note_origin
from callsheet._target import Name, resolve
from callsheet._tree import TARGET
from callsheet.errors import ArgumentError, Fault, SpecError
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

    Raises:
        ArgumentError: The class does not take one of the names.

    >>> HPGroup(lr=[1e-3, 1e-2], layers=4)
    lazy(unroll)(lr=[0.001, 0.01], layers=4)
    """
    site = here()
    args = [] if of is None else [attach(of)]
    group = new_call(Call, unroll, args, {name: attach(value, site) for name, value in values.items()}, site)
    if args:
        check_names(_described(of, values, group), values, site)
    return group


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
    values = {key: raw_item(group, key) for key in given if key != 0}
    return Grid(resolve(of) if type(of) is Name else of, values, group)


def _described(of: Any, values: Mapping[str, Any], group: Any) -> Any:
    """The call of a class with the values of a group, each set by who set it there."""
    call = new_call(Call, of, [], dict(values), None if group is None else _raw(group, "__site__"))
    for name in values if group is not None else ():
        note_origin(call, name, noted_origin(group, name))
    return call


def grids_of(experiments: Iterable[Any], entry: str) -> Iterator[dict[str, Grid]]:
    """The combinations of the groups in each of some experiments, by path.

    Args:
        experiments: What the groups stand in.
        entry: The path of what makes them, with which faults begin.

    Raises:
        SpecError: At the end, with the faults of all.
    """
    faults: dict[tuple[str, str], Fault] = {}
    for experiment in experiments:
        grids = {}
        for path, group in groups_in(experiment).items():
            try:
                grids[path] = grid_of(group)
            except SpecError as error:
                for fault in _below(entry, _below(path, error.faults)):
                    faults.setdefault((fault.path, fault.problem), fault)
        yield grids
    if faults:
        raise SpecError(*faults.values())


def _below(path: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Faults of a part of a spec as those of what holds it under a path."""
    for fault in faults:
        inner = ".".join(filter(None, (path, fault.path)))
        yield Fault(inner, fault.problem, origin=fault.origin, advice=fault.advice)


class Grid:
    """Each combination of some values, by number: none is made before it is asked for.

    Args:
        of: The dataclass of which each shall be, or None for mappings.
        values: By field.
        group: The group in a spec, which knows who set them; None where they are of no spec.

    Raises:
        ArgumentError: The class does not take one of the fields, or asks for others.
        SpecError: A list or an axis has no values.
    """

    def __init__(self, of: Any, values: Mapping[str, Any], group: Any = None) -> None:
        self.of = of
        self.group = group
        self._origins: dict[str, Origin] = {}
        signature = signature_of(of) if of is not None else None
        if signature is not None and (faults := [*argument_faults(_described(of, values, group), signature, [])]):
            raise ArgumentError(*faults)
        faults = []
        self.choices: dict[str, Any] = {}
        for name, value in values.items():
            try:
                self.choices[name] = self._choices(name, value)
            except SpecError as error:
                faults += _below(name, error.faults)
                continue
            if not len(self.choices[name]):
                faults.append(Fault(name, "of a group has no values", origin=self._origin(name).where))
        if faults:
            raise SpecError(*faults)

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

    @property
    def where(self) -> str:
        """Who wrote the group; "" where it is of no spec."""
        return self._origin(TARGET).where

    def note_origins(self, made: Any) -> None:
        """Note of the values in a combination that stands in a spec who set them in the group."""
        for name, choices in self.choices.items():
            note_origin(made, name, self._origin(name))
            if isinstance(choices, Grid):
                choices.note_origins(raw_item(made, name))

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

    def _origin(self, name: str) -> Origin:
        if name not in self._origins:
            self._origins[name] = UNKNOWN if self.group is None else origin_of(self.group, name)
        return self._origins[name]

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
