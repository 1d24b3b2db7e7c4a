"""Experiments as trials: what `get_experiments` gives, what groups unroll to, each found by the name of its config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from callsheet._build import build
from callsheet._drawn import Drawn
from callsheet._entry import from_entry, holds
from callsheet._equal import equal
from callsheet._files import load_said
from callsheet._globs import without_globs
from callsheet._grammar import Override
from callsheet._layout import layout
from callsheet._lazy import get, walk
from callsheet._path import parse_path
from callsheet._replace import replace
from callsheet._spec import INSTANCES, attach, copy
from callsheet._sweep import Sweep, Trial
from callsheet._target import resolve
from callsheet._tree import kind_of
from callsheet._trust import Policy
from callsheet._variants import apply_beside
from callsheet.errors import Fault, OverrideError, SpecError
from callsheet.run._command import command_faults
from callsheet.run._groups import Grid, grid_of, groups_in
from callsheet.run._shape import has_shape

_raw = object.__getattribute__


def sweep_at(source: Any, entry: str, overrides: Sequence[Override], *, where: str, policy: Policy | None) -> Sweep:
    """The trials of an entry: every combination of what overrides sweep over, and every experiment that it makes.

    An override whose path starts with no name of the file starts in the entry; one that starts with nothing of that
    either starts in each experiment: `callsheet sweep lxconfig.py:C1 hp.lr=1e-3`.

    Args:
        source: A spec, or the path of a config file.
        entry: The path of what is run; "" for `main`, or the whole spec where there is none.
        overrides: Each of one value or several.
        where: Who said them.
        policy: What a data file may import.

    Raises:
        OverrideError: A `glob` chooses from nothing.
        PathError: There is no such entry.
    """
    early, late = placed(source, entry, overrides, policy=policy)
    early = without_globs(early, source, where=where, policy=policy)
    base = Sweep(source, early, where=where, policy=policy)
    base.texts = tuple(said.text for said in overrides)
    if base.is_space:
        return base
    first = base.trial(0)
    name = entry or _default_entry(first.spec)
    if not late and not makes_experiments(get(first.spec, name) if name else first.spec):
        return base
    return _Experiments(base, name, late)


def placed(
    source: Any, entry: str, overrides: Sequence[Override], *, policy: Policy | None
) -> tuple[list[Override], list[Override]]:
    """Overrides as they start in the whole spec, then those that start in each experiment of the entry."""
    early, others = from_entry(source, entry, overrides, policy=policy)
    if not others:
        return early, []
    spec = load_said(source, [], where="", policy=policy) if isinstance(source, str) else source
    part = get(spec, entry)
    made = _experiments_of(part, spec) if makes_experiments(part) else []
    late = [said for said in others if any(holds(each, said.steps[0]) for each in made)]
    return [*early, *(said for said in others if said not in late)], late


def one_experiment(spec: Any, entry: str, late: Sequence[Override] = (), *, where: str = "") -> Any:
    """A loaded spec with the one experiment of an entry in the place of what makes it.

    Raises:
        SpecError: It makes several, which a sweep runs.
    """
    name = entry or _default_entry(spec)
    if not makes_experiments(get(spec, name) if name else spec):
        return spec
    trials = _Experiments(Sweep(spec, [], where=where, policy=None), name, late)
    if len(trials) > 1:
        advice = [
            "callsheet sweep  runs each",
            *(f"  {' '.join(trials.choices_of(n))}" for n in range(min(len(trials), 3))),
        ]
        raise SpecError(Fault(name, f"makes {len(trials)} experiments, and one can run here", advice=advice))
    return trials.trial(0).spec


def entry_faults(spec: Any, entry: str, late: Sequence[Override] = (), *, where: str = "") -> list[Fault]:
    """What is wrong with the commands of an entry: its own, or those of the experiments that it makes.

    Args:
        spec: The whole spec, in which nothing else is wrong.
        entry: A path; "" for `main`, or the whole spec where there is none.
        late: Overrides that start in each experiment.
        where: Who said them.
    """
    name = entry or _default_entry(spec)
    if not makes_experiments(get(spec, name) if name else spec):
        return command_faults(spec, name)
    found: dict[tuple[str, str], Fault] = {}
    try:
        trials = _Experiments(Sweep(spec, [], where=where, policy=None), name, late)
        for n in range(min(len(trials), _CHECKED)):
            for fault in command_faults(trials.trial(n).spec, name):
                found.setdefault((fault.path, fault.problem), fault)
    except (OverrideError, SpecError) as error:
        return [*found.values(), *error.faults]
    return list(found.values())


_CHECKED = 100
"""Experiments of an entry of which `check` fills in the commands; a sweep checks all of its own."""


def makes_experiments(part: Any) -> bool:
    """Whether a part of a spec stands for a list of experiments: it lists them, or holds groups."""
    return _is_list(part) or _lists_them(part) or bool(groups_in(part))


def _is_list(part: Any) -> bool:
    kind = kind_of(type(part))
    if kind is None or kind.family not in ("list", "tuple"):
        return False
    items = kind.items(part)[1]
    return bool(items) and all(map(has_shape, items))


def _lists_them(part: Any) -> bool:
    cls = resolve(_raw(part, "__target__")) if type(part) in INSTANCES else type(part)
    return callable(getattr(cls, "get_experiments", None))


def _experiments_of(part: Any, root: Any) -> list[Any]:
    if _lists_them(part):
        real = build(part, root=root) if type(part) in INSTANCES else part
        found = [attach(each) for each in real.get_experiments()]
        if not found:
            raise SpecError(Fault("", f"get_experiments of {type(real).__qualname__} gives none"))
        return found
    kind = kind_of(type(part))
    return list(kind.items(part)[1]) if _is_list(part) and kind is not None else [part]


def _default_entry(spec: Any) -> str:
    return "main" if kind_of(type(spec)) is not None and holds(spec, "main") else ""


class _Made:
    """The experiments that one loaded spec makes, groups unrolled: by number, none made before it is asked for."""

    def __init__(self, spec: Any, entry: str) -> None:
        self.experiments = _experiments_of(get(spec, entry) if entry else spec, spec)
        self.grids = [_grids(experiment) for experiment in self.experiments]
        self.counts = [_product(grids.values()) for grids in self.grids]
        self._told: dict[str, list[Any]] | None = None

    def __len__(self) -> int:
        return sum(self.counts)

    def at(self, n: int) -> tuple[Any, list[str]]:
        """An experiment of its own, and what it has that others have not, as overrides."""
        which = 0
        while n >= self.counts[which]:
            n -= self.counts[which]
            which += 1
        experiment, said = self.experiments[which], self._varied(which)
        changes = {}
        for path, grid in reversed(self.grids[which].items()):
            n, at = divmod(n, len(grid))
            changes[path] = grid.point(at)
            said = [*(_text(f"{path}.{name}", value) for name, value in grid.varied(at).items()), *said]
        made = copy(experiment)
        return (replace(made, changes) if changes else made), said

    def _varied(self, which: int) -> list[str]:
        if self._told is None:
            leaves = [_leaves(experiment) for experiment in self.experiments]
            paths = dict.fromkeys(path for found in leaves for path in found)
            rows = {path: [found.get(path) for found in leaves] for path in paths}
            self._told = {path: row for path, row in rows.items() if not all(equal(value, row[0]) for value in row)}
        return [_text(path, row[which]) for path, row in self._told.items()]


def _grids(experiment: Any) -> dict[str, Grid]:
    return {path: grid_of(group) for path, group in groups_in(experiment).items()}


def _product(grids: Any) -> int:
    count = 1
    for grid in grids:
        count *= len(grid)
    return count


def _leaves(experiment: Any) -> dict[str, Any]:
    """The plain values of an experiment, by path."""
    return {path: value for path, value in walk(experiment) if path and kind_of(type(value)) is None}


def _text(path: str, value: Any) -> str:
    return f"{path}={value if isinstance(value, str) else layout(value, width=1000)}"


class _Experiments(Sweep):
    """The trials of an entry that makes several experiments.

    Args:
        base: Every combination of the axes of the file.
        entry: The path of what makes the experiments.
        late: Overrides that start in each experiment.
    """

    def __init__(self, base: Sweep, entry: str, late: Sequence[Override]) -> None:
        super().__init__(base.source, late, where=base.where, policy=None)
        self.texts = base.texts
        self.axes = {**base.axes, **self.axes, entry or "experiment": ("each",)}
        self._base = base
        self._late = list(late)
        self._entry = entry
        self._last: tuple[int, Trial, _Made] | None = None
        self._ends: list[int] | None = None

    def __repr__(self) -> str:
        return f"<Sweep of {self._count()} experiments>"

    def trial(self, index: int) -> Trial:
        """The trial of an index."""
        at, chosen, n = self._place(index)
        trial, made = self._base_trial(at)
        experiment, said = made.at(n)
        spec = replace(trial.spec, {self._entry: experiment}) if self._entry else attach(experiment)
        steps = parse_path(self._entry) if self._entry else ()
        own = iter(chosen)
        late = [next(own) if one.is_sweep else one for one in self._late]
        placed_here = [one.like(steps=(*steps, *one.steps)) for one in late]
        apply_beside(spec, placed_here, where=self.where, kinds={one.text: "sweep" for one in chosen})
        choices = {**trial.choices, **{o.path: o.texts[0] for o in chosen}}
        return Trial(index, (*trial.overrides, *(one.text for one in late), *said), choices, spec, trial.files)

    def draw(self) -> Drawn:
        """The trials one after the other."""
        return Drawn(self, count=self._count())

    def choices_of(self, index: int) -> list[str]:
        """What makes a trial what it is among the others, as overrides."""
        at, chosen, n = self._place(index)
        trial, made = self._base_trial(at)
        return [*(f"{path}={text}" for path, text in trial.choices.items()), *(o.text for o in chosen), *made.at(n)[1]]

    def _count(self) -> int:
        return self._counted()[-1]

    def _late_count(self) -> int:
        count = 1
        for said in self._swept:
            count *= len(said.choices)
        return count

    def _counted(self) -> list[int]:
        """For each combination of the file's axes, how many trials there are up to its last."""
        if self._ends is None:
            ends, total = [], 0
            for at in range(max(self._base._count(), 1)):
                total += self._late_count() * len(self._base_trial(at)[1])
                ends.append(total)
            self._ends = ends
        return self._ends

    def _place(self, index: int) -> tuple[int, list[Override], int]:
        """The combination of the file's axes, the choices of the late ones, and the number of the experiment."""
        from bisect import bisect_right

        at = bisect_right(self._counted(), index)
        rest = index - (self._counted()[at - 1] if at else 0)
        late, n = divmod(rest, len(self._base_trial(at)[1]))
        chosen = self._chosen(late)
        return at, chosen, n

    def _base_trial(self, at: int) -> tuple[Trial, _Made]:
        if self._last is None or self._last[0] != at:
            trial = self._base.trial(at)
            self._last = at, trial, _Made(trial.spec, self._entry)
        return self._last[1:]


def experiments(part: Any) -> Iterator[Any]:
    """The experiments that a config makes: those of its `get_experiments`, with groups unrolled.

    Args:
        part: An experiment, a config with `get_experiments`, or a list of experiments.

    >>> from callsheet.run import Experiment, HPGroup, Launch
    >>> config = Experiment(Launch("train.py {{hp.lr}}"), hp=HPGroup(lr=[1, 2]))
    >>> [experiment.hp for experiment in experiments(config)]
    [{'lr': 1}, {'lr': 2}]
    """
    made = _Made(attach(part), "")
    return (made.at(n)[0] for n in range(len(made)))
