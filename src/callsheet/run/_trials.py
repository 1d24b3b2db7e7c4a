"""Experiments as trials: what `get_experiments` gives, what groups unroll to, each found by the name of its config."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from callsheet._build import build
from callsheet._entry import from_entry, holds
from callsheet._equal import equal
from callsheet._files import load_said
from callsheet._grammar import Override
from callsheet._items import CALLS, LISTS, MAPPINGS, noted_origin, raw_item
from callsheet._layout import layout
from callsheet._lazy import get, locate_path, walk
from callsheet._note import note_place
from callsheet._path import parse_path
from callsheet._replace import replace
from callsheet._spec import INSTANCES, attach, copy, note_origin
from callsheet._spec import Mapping as SpecMapping
from callsheet._sweep import Sweep, Trial, sweep_said
from callsheet._target import resolve
from callsheet._tree import kind_of
from callsheet._trust import Policy
from callsheet._variants import apply_beside
from callsheet.errors import Fault, OverrideError, SpecError
from callsheet.run._command import command_faults, faults_below
from callsheet.run._groups import grids_of, groups_in
from callsheet.run._shape import has_shape

if TYPE_CHECKING:
    from callsheet._space import Pick

_raw = object.__getattribute__


def sweep_at(source: Any, entry: str, parts: Any, *, where: str, policy: Policy | None, **how: Any) -> Sweep:
    """The trials of an entry: every combination of what is swept over, and every experiment that it makes.

    An override whose path starts with no name of the file starts in the entry; one that starts with nothing of that
    either starts in each experiment: `callsheet sweep lxconfig.py:C1 hp.lr=1e-3`.

    Args:
        source: A spec, or the path of a config file.
        entry: The path of what is run; "" for `main`, or the whole spec where there is none.
        parts: What varies, as for `sweep`.
        where: Who said it.
        policy: What a data file may import.
        how: What `sweep_said` takes besides.

    Raises:
        OverrideError: A text is no override, or a `glob` chooses from nothing.
        PathError: There is no such entry.
    """
    late: set[Any] = set()

    def in_place(said: list[Override]) -> list[Override]:
        found = _in_place(source, entry, said, policy=policy)
        late.update(one.steps[0] for one, whole in zip(said, found, strict=True) if whole is None)
        return [whole or one for one, whole in zip(said, found, strict=True)]

    base = sweep_said(source, parts, where=where, policy=policy, placed=in_place, **how)
    found = base.trial(0).spec if not late and not base.is_space else _read(source, policy)
    name = entry or _default_entry(found)
    if not late and not _makes_them(found, name):
        return base
    return _Experiments(base, name, frozenset(late))


def placed(
    source: Any, entry: str, overrides: Sequence[Override], *, policy: Policy | None
) -> tuple[list[Override], list[Override]]:
    """Overrides as they start in the whole spec, then those that start in each experiment of the entry."""
    found = _in_place(source, entry, overrides, policy=policy)
    late = [said for said, whole in zip(overrides, found, strict=True) if whole is None]
    return [whole for whole in found if whole is not None], late


def _in_place(
    source: Any, entry: str, overrides: Sequence[Override], *, policy: Policy | None
) -> list[Override | None]:
    """Overrides as they start in the whole spec; None for one that starts in each experiment of the entry."""
    found = from_entry(source, entry, overrides, policy=policy)
    if None not in found:
        return found
    spec = _read(source, policy)
    part = get(spec, entry)
    made = _experiments_of(part, spec) if makes_experiments(part) else []
    for n, said in enumerate(overrides):
        if found[n] is None and not any(holds(each, said.steps[0]) for each in made):
            found[n] = said  # which is told where it is applied
    return found


def _read(source: Any, policy: Policy | None) -> Any:
    return load_said(source, [], where="", policy=policy) if isinstance(source, str) else source


def one_experiment(spec: Any, entry: str, late: Sequence[Override] = (), *, where: str = "") -> Any:
    """A loaded spec with the one experiment of an entry in the place of what makes it.

    Raises:
        SpecError: It makes several, which a sweep runs.
    """
    name = entry or _default_entry(spec)
    if not _makes_them(spec, name):
        return spec
    trials = _of_loaded(spec, name, late, where)
    if len(trials) > 1:
        advice = [
            "callsheet sweep  runs each",
            *(f"  {' '.join(trials.choices_of(n))}" for n in range(min(len(trials), 3))),
        ]
        raise SpecError(Fault(name, f"makes {len(trials)} experiments, and one can run here", advice=advice))
    return trials.trial(0).spec


def entry_faults(spec: Any, entry: str, late: Sequence[Override] = (), *, where: str = "") -> list[Fault]:
    """What is wrong with the command of an entry, or with the experiments that it makes.

    Args:
        spec: The whole spec, in which nothing else is wrong.
        entry: A path; "" for `main`, or the whole spec where there is none.
        late: Overrides that start in each experiment.
        where: Who said them.
    """
    name = entry or _default_entry(spec)
    if not _makes_them(spec, name):
        return command_faults(spec, name)
    found: dict[tuple[str, str], Fault] = {}
    try:
        trials = _of_loaded(spec, name, late, where)
        for n in range(min(len(trials), _CHECKED)):
            for fault in faults_below(trials.trial(n).spec, name):
                found.setdefault((fault.path, fault.problem), fault)
    except (OverrideError, SpecError) as error:
        return [*found.values(), *error.faults]
    return list(found.values())


def _of_loaded(spec: Any, entry: str, late: Sequence[Override], where: str) -> Sweep:
    """The experiments of an entry of a spec in memory, with overrides that start in each."""
    names = frozenset(said.steps[0] for said in late)
    return _Experiments(Sweep(spec, late, where=where, policy=None), entry, names)


_CHECKED = 100
"""Experiments of an entry that `check` looks at; a sweep checks all of its own."""


def makes_experiments(part: Any) -> bool:
    """Whether a part of a spec stands for a list of experiments: it lists them, or holds groups."""
    return _is_list(part) or _lists_them(part) or bool(groups_in(part))


def _makes_them(spec: Any, name: str) -> bool:
    """Whether an entry stands for a list of experiments; all names of a file together do not."""
    if name:
        return makes_experiments(get(spec, name))
    return not isinstance(spec, SpecMapping) and makes_experiments(spec)


def experiments_named(spec: Any) -> dict[str, str]:
    """The names of a whole spec that stand for experiments, but not for what only belongs to one.

    Nothing is imported for them: of what data has in the place of a class, it is not asked what it would list.

    Returns:
        For each name the verb for it: `run`, or `sweep` where it makes several.
    """
    if not isinstance(spec, SpecMapping):
        return {}
    found: dict[str, tuple[Any, str]] = {}
    for name in spec:
        part = raw_item(spec, name)
        several = bool(groups_in(part)) or (type(part) not in INSTANCES and makes_experiments(part))
        if several or has_shape(part):
            found[str(name)] = part, "sweep" if several else "run"
    inner = {id(value) for part, _ in found.values() for path, value in walk(part) if path}
    return {name: verb for name, (part, verb) in found.items() if id(part) not in inner}


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
        self.entry = entry
        self.grids = [*grids_of(self.experiments, entry)]
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
            own = [_text(f"{path}.{name}", value) for name, value in grid.varied(at).items()]
            said = [*own, *said]
            try:
                changes[path] = grid.point(at)
            except Exception as error:
                note_place(error, ".".join(filter(None, (self.entry, path))), grid.where)
                if own:
                    error.add_note(f"in the combination  {' '.join(own)}")
                raise
        made = _put(copy(experiment), changes)
        for path, grid in self.grids[which].items():
            grid.note_origins(locate_path(made, path)[2])
        return made, said

    def _varied(self, which: int) -> list[str]:
        if self._told is None:
            leaves = [_leaves(experiment) for experiment in self.experiments]
            paths = dict.fromkeys(path for found in leaves for path in found)
            rows = {path: [found.get(path) for found in leaves] for path in paths}
            self._told = {path: row for path, row in rows.items() if not all(equal(value, row[0]) for value in row)}
        return [_text(path, row[which]) for path, row in self._told.items()]


def _put(spec: Any, values: Mapping[str, Any]) -> Any:
    """A spec with other values in it, each set by who set what stood there."""
    made = replace(spec, values) if values else spec
    for path in values:
        holder, key, _ = locate_path(spec, path)
        if type(holder) in CALLS or type(holder) in MAPPINGS or type(holder) in LISTS:
            note_origin(locate_path(made, path)[0], key, noted_origin(holder, key))
    return made


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
    """The trials of an entry that makes experiments: each of them, for every combination of what is swept over.

    Args:
        base: What is swept over.
        entry: The path of what makes the experiments.
        late: The names in each experiment with which some of the overrides start; others start in the whole spec.
    """

    def __init__(self, base: Sweep, entry: str, late: frozenset[Any]) -> None:
        self._late = late
        said = base.fixed
        super().__init__(
            base.source,
            [one for one in said if not self._is_late(one)],
            base.space,
            where=base.where,
            policy=base.policy,
            texts=base.texts,
            condition=base.condition,
            sampler=base.sampler,
        )
        self.axes = {**self.axes, entry or "experiment": ("each",)}
        self._said_late = [one for one in said if self._is_late(one)]
        self._entry = entry
        self._last: tuple[list[Pick], Trial, _Made] | None = None
        self._ends: list[int] | None = None

    def __repr__(self) -> str:
        return "<Sweep over a space of experiments>" if self.is_space else f"<Sweep of {self._count()} experiments>"

    def __iter__(self) -> Iterator[Any]:
        self._refuse_space("has no trials to go through")
        return filter(self.fits, map(self.trial, range(self._count())))

    def trial(self, index: int) -> Trial:
        """The trial of an index."""
        self._refuse_space("has no trials by number")
        picks, n = self._place(index)
        return self._experiment(index, picks, n)

    def choices_of(self, index: int) -> list[str]:
        """What makes a trial what it is among the others, as overrides."""
        picks, n = self._place(index)
        return [*(axis.override(v).text for axis, v in picks if not axis.common), *self._made_of(picks)[1].at(n)[1]]

    def _made(self, index: int, picks: Sequence[Pick], point: Mapping[str, Any] | None = None) -> Trial:
        made = self._made_of(picks)[1]
        if len(made) != 1:
            advice = ["give each a range of values instead of an interval, and no sampler"]
            raise SpecError(Fault(self._entry, f"makes {len(made)} experiments, and trials are drawn", advice=advice))
        return self._experiment(index, picks, 0, point)

    def _experiment(self, index: int, picks: Sequence[Pick], n: int, point: Mapping[str, Any] | None = None) -> Trial:
        trial, made = self._made_of(picks)
        experiment, said = made.at(n)
        spec = _put(trial.spec, {self._entry: experiment}) if self._entry else attach(experiment)
        steps = parse_path(self._entry) if self._entry else ()
        chosen = [axis.override(value) for axis, value in picks if self._is_late(axis.said)]
        late = [one.like(steps=(*steps, *one.steps)) for one in (*self._said_late, *chosen)]
        spec = apply_beside(spec, late, where=self.where, kinds={one.text: "sweep" for one in chosen})
        return Trial(index, [*self.fixed, *self._said_late], picks, spec, trial.files, point=point, more=said)

    def _is_late(self, said: Override) -> bool:
        return bool(said.steps) and said.steps[0] in self._late

    def probes(self, most: int) -> list[int]:
        """Indices of the first experiment of combinations in which each choice of each axis stands once."""
        ends = self._counted()
        return sorted({ends[n - 1] if n else 0 for n in self.space.probes(most)})

    def _count(self) -> int:
        return self._counted()[-1]

    def _counted(self) -> list[int]:
        """For each combination of what is swept over, how many trials there are up to its last."""
        if self._ends is None:
            ends, total = [], 0
            for picks in self.space.each():
                total += len(self._made_of(picks)[1])
                ends.append(total)
            self._ends = ends
        return self._ends

    def _place(self, index: int) -> tuple[Sequence[Pick], int]:
        """What was picked for a trial, and the number of its experiment."""
        at = bisect_right(self._counted(), index)
        return self.space.at(at), index - (self._counted()[at - 1] if at else 0)

    def _made_of(self, picks: Sequence[Pick]) -> tuple[Trial, _Made]:
        early = [pick for pick in picks if not self._is_late(pick[0].said)]
        if self._last is None or self._last[0] != early:
            trial = super()._made(0, early)
            self._last = early, trial, _Made(trial.spec, self._entry)
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
