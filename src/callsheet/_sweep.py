"""Sweeps: one spec and the axes along which it varies, as a sequence of trials."""

from __future__ import annotations

import os
from _collections_abc import Iterator, Sequence

from ._alternatives import Glob, Interval
from ._axes import space_of
from ._drawn import Drawn, Point
from ._files import load_said
from ._globs import without_globs
from ._origin import locate
from ._points import Random
from ._said import parse_sweeping
from ._space import Axis, Grid, Space
from ._spacefile import names_python, space_in
from ._spec import Mapping, attach, copy, here
from ._trust import Policy
from ._variants import apply_beside
from ._varied import Base, own
from .errors import Fault, OverrideError, SpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Mapping as AnyMapping
    from typing import Any

    from ._axes import Part
    from ._drawn import Sampler
    from ._grammar import Override
    from ._space import Pick


class Trial:
    """One point of a sweep.

    Attributes:
        index: Its place in the sweep, from 0.
        overrides: The texts that make it, as they were said. Made when they are read.
        choices: Its own choice for each axis, by path. Made when they are read.
        spec: The spec with the overrides applied.
        files: The files that were read for it.
        point: Of a trial that was drawn, what `Drawn.recall` takes, as data; None for one of a finite sweep.
    """

    __slots__ = ("_fixed", "_more", "_picks", "files", "index", "point", "spec")

    def __init__(
        self,
        index: int,
        fixed: Sequence[Override],
        picks: Sequence[Pick],
        spec: Any,
        files: Iterable[str] = (),
        *,
        point: AnyMapping[str, Any] | None = None,
        more: Sequence[str] = (),
    ) -> None:
        self.index = index
        self._fixed = fixed
        self._picks = picks
        self._more = more
        self.spec = spec
        self.files = tuple(files) if files else ()
        self.point = None if point is None else dict(point)

    @property
    def overrides(self) -> tuple[str, ...]:
        """The texts that make it."""
        picked = (axis.override(value).text for axis, value in self._picks)
        return (*(said.text for said in self._fixed), *picked, *self._more)

    @property
    def choices(self) -> dict[str, str]:
        """Its own choice for each axis, by path."""
        chosen = [axis.override(value) for axis, value in self._picks if not axis.common]
        return {said.path: said.texts[0] if said.texts else "" for said in chosen}

    def __repr__(self) -> str:
        return f"Trial({self.index}, {list(self.overrides)!r})"


class Sweep(Sequence):  # type: ignore[type-arg]
    """The trials of a space, made when they are asked for: a sequence where it is finite.

    With a continuous axis (`interval`) or a sampler it is a space: it has no length, and its trials are drawn. With a
    filter it has no length either, and its trials keep the numbers that they have without one.

    Attributes:
        source: The spec, or the path of the config file.
        texts: The overrides, as they were said, and how spaces and samplers read: sweeps of one source and the same
            texts have the same trials, as far as both go.
        axes: What each axis may become, by its name, which is its path: its choices as texts, or an `Interval` with
            `start` and `end`. Empty where nothing sweeps. What only some trials have is named by what those have
            chosen, and the path: `optim=0/optim.lr`.
        tags: What `tag` said of an axis, by its name, where it said something.
        fixed: The overrides that all trials have, whatever they choose.
        space: The axes, and how they go together.
        sampler: What draws the trials, or None.
        condition: What a trial's spec must fulfil, or None.
        policy: What a data file may import.
    """

    def __init__(
        self,
        source: Any,
        fixed: Sequence[Override],
        space: Space | None = None,
        *,
        where: str,
        policy: Policy | None,
        texts: Sequence[str] = (),
        condition: Callable[[Any], object] | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self.source = source
        self.where = where
        self.texts = tuple(texts)
        self.condition = condition
        self.sampler = sampler
        self.policy = policy
        self.fixed = tuple(fixed)
        self._base: Base | None = None
        self.space = space = space or Grid(())
        swept = dict(space.axes())
        self.axes = {name: _axis(said) for name, said in swept.items()}
        self.tags = {
            name: said.sweep.tags for name, said in swept.items() if said.sweep is not None and said.sweep.tags
        }

    @property
    def is_space(self) -> bool:
        """Whether trials are drawn, since an axis is continuous or a sampler chooses."""
        return self.sampler is not None or self.space.count is None

    def __len__(self) -> int:
        self._refuse_space("has no length")
        if self.condition is not None:
            advice = ["count what it lets through:  sum(1 for trial in trials)"]
            raise SpaceError(Fault("", "a sweep with a filter has no length", advice=advice))
        return self._count()

    def __getitem__(self, index: Any) -> Any:
        self._refuse_space("has no trials by number")
        if self.condition is not None:
            advice = ["the trial of a number, let through or not:  sweep.trial(number)"]
            raise SpaceError(Fault("", "a sweep with a filter has no trials by position", advice=advice))
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(self._count()))]
        count = self._count()
        if not -count <= index < count:
            raise IndexError(f"trial {index} of {count}")
        return self.trial(index % count)

    def __iter__(self) -> Iterator[Any]:
        self._refuse_space("has no trials to go through")
        picked = enumerate(self.space.each() if self.axes else ())
        if isinstance(self.source, str):
            trials = (self._made(n, picks) for n, picks in picked)
        else:
            fixed, varied = self.fixed, (self._base or self._new_base()).varied
            trials = (Trial(n, fixed, picks, varied(picks)) for n, picks in picked)
        return trials if self.condition is None else filter(self.fits, trials)

    def __repr__(self) -> str:
        if not self.axes:
            return "<Sweep of no trials: nothing sweeps>"
        shown = [
            f"{name}: {axis!r}" if isinstance(axis, Interval) else f"{name}: {len(axis)}"
            for name, axis in self.axes.items()
        ]
        kind = "over a space" if self.is_space else f"of {self._count()} trials"
        filtered = ", filtered" if self.condition is not None else ""
        return f"<Sweep {kind}{filtered} ({', '.join(shown)})>"

    def trial(self, index: int) -> Trial:
        """The trial of an index; without axes the one trial is the spec itself."""
        self._refuse_space("has no trials by number")
        return self._made(index, self.space.at(index))

    def drawn(self, index: int, point: AnyMapping[str, float]) -> Trial:
        """The trial at a point of the space.

        Args:
            index: The number that it shall have.
            point: For each axis, by its path: a number within a continuous one, else the position of a choice.

        Raises:
            SpaceError: The point leaves an axis out, has one too many, or lies outside of one.

        >>> space = sweep({"lr": 0.1, "width": 32}, ["lr=interval(0,1)", "width=32,64"])
        >>> space.is_space, space.drawn(0, {"lr": 0.25, "width": 1}).spec
        (True, {'lr': 0.25, 'width': 64})
        """
        named = Point(self.space, point)
        chosen = self.space.decided(named.suggest)
        named.refuse_unused()
        return self._made(index, chosen, point)

    def draw(self) -> Drawn:
        """The trials one after the other, for whoever runs them.

        Raises:
            SpaceError: An axis is continuous.

        >>> trials = sweep({"lr": 0.1}, "lr=0.1,0.2").draw()
        >>> trials.size, trials.ask().spec, trials.ask().spec, trials.ask()
        (2, {'lr': 0.1}, {'lr': 0.2}, None)
        """
        if self.sampler is not None:
            study = self.sampler.study(self.space)
            count, goal, prunes = self.sampler.trials, self.sampler.goal, self.sampler.prunes
            return Drawn(self, count=count, study=study, goal=goal, prunes=prunes)
        self._refuse_space("cannot be drawn in order")
        return Drawn(self, count=self._count() if self.axes else 1, filtered=self.condition is not None)

    def fits(self, trial: Trial) -> bool:
        """Whether the filter lets a trial through."""
        return self.condition is None or bool(self.condition(trial.spec))

    def choices_of(self, index: int) -> list[str]:
        """The overrides that make a trial what it is among the others, as texts; its spec is not made."""
        return [axis.override(value).text for axis, value in self.space.at(index) if not axis.common]

    def probes(self, most: int) -> list[int]:
        """Indices of trials in which each choice of each axis stands once; of an axis with more than `most`, so many.

        >>> sweep({"a": 0, "b": 0}, ["a=1,2,3", "b=x,y"]).probes(1000)
        [0, 3, 4]
        """
        self._refuse_space("has no trials by number")
        return self.space.probes(most) if self.axes else [0]

    def _count(self) -> int:
        """The number of trials, which may be more than `len` can tell."""
        return (self.space.count or 0) if self.axes else 0

    def _refuse_space(self, problem: str) -> None:
        if self.is_space:
            axes = ", ".join(path for path, axis in self.axes.items() if isinstance(axis, Interval))
            why = f"{axes} is continuous" if axes else f"{type(self.sampler).__name__} draws its trials"
            advice = ["draw its trials:  sweep.drawn(0, {path: number})", "or name values:  range(…)  choice(…)"]
            raise SpaceError(Fault("", f"the sweep {problem}: {why}", advice=advice))

    def _made(self, index: int, picks: Sequence[Pick], point: AnyMapping[str, Any] | None = None) -> Trial:
        if not isinstance(self.source, str):
            base = self._base or self._new_base()
            return Trial(index, self.fixed, picks, base.varied(picks), point=point)
        chosen = [own(axis.override(value)) for axis, value in picks]
        kinds = {said.text: "sweep" for (axis, _), said in zip(picks, chosen, strict=True) if not axis.common}
        files: dict[str, None] = {}
        more: Any = {"where": self.where, "policy": self.policy, "kinds": kinds, "files": files}
        return Trial(
            index, self.fixed, picks, load_said(self.source, [*self.fixed, *chosen], **more), files, point=point
        )

    def _new_base(self) -> Base:
        """What all trials of a spec in memory have."""
        made = attach(copy(self.source))
        self._base = Base(apply_beside(made, self.fixed, where=self.where), self.where)
        return self._base


def _axis(said: Override) -> Any:
    if isinstance(said.sweep, Interval):
        return said.sweep
    return tuple(said.texts) if len(said.texts) <= _FEW else said.texts


_FEW = 1000
"""Choices of an axis up to which they are kept as texts."""


def sweep(
    source: Any,
    overrides: Part | Iterable[Part] = (),
    *,
    where: Callable[[Any], object] | None = None,
    sampler: Sampler | None = None,
    allow: Iterable[str] = (),
) -> Sweep:
    """The variants of a spec that a space describes: overrides with several values, dicts of values, and more.

    Args:
        source: A spec, or the path of a config file, which is then run again for
            each trial so that what it computes follows.
        overrides: What varies: a text or several (`optim.lr=1e-3,3e-3` sweeps, the last axis fastest; `@file.txt`
            names a file of such texts, `@file.py:name` a space that a Python file defines), a dict from paths to
            values, or what `grid`, `zipped`, `chain`, `random` and `halton` make.
        where: Called with a trial's spec; trials for which it says no are left out.
        sampler: What draws the trials and learns from them, such as `Optuna(trials=50, maximize="accuracy")`.
        allow: For a data file: what its targets may be imported from.

    Returns:
        A sequence of `Trial`; making it runs nothing. With an axis such as `lr=interval(0,1)`, or a sampler, a space,
        whose trials are drawn (`is_space`, `draw`, `drawn`); with a filter, an iterable.

    Raises:
        OverrideError: A text is no override. Whether each fits is told when its trial is made.
        SpaceError: The parts of a space do not go together.

    >>> trials = sweep({"lr": 0.1, "width": 32}, ["lr=0.1,0.2", "width=32,64"])
    >>> len(trials), trials[1].spec
    (4, {'lr': 0.1, 'width': 64})
    """
    said_by = locate(here(), None).where
    return sweep_said(source, overrides, where=said_by, policy=Policy(allow), condition=where, sampler=sampler)


def sweep_said(
    source: Any,
    parts: Part | Iterable[Part],
    *,
    where: str,
    policy: Policy | None,
    condition: Callable[[Any], object] | None = None,
    sampler: Sampler | None = None,
    shape: Callable[[Space], Space] | None = None,
    placed: Callable[[list[Override]], list[Override]] | None = None,
) -> Sweep:
    """`sweep`, where `where` says who gave the overrides.

    Args:
        source: As for `sweep`.
        parts: What varies, as for `sweep`.
        where: Who gave the overrides.
        policy: What a data file may import.
        condition: What a trial's spec must fulfil.
        sampler: What draws the trials.
        shape: Makes another space of what varies.
        placed: Gives for overrides those that are meant, each in its place.
    """
    if isinstance(source, os.PathLike | str):
        source = os.fspath(source)
    fixed, spaces, texts = _read(parts)
    if placed is not None:
        found = iter(placed([*fixed, *(axis.said for axis in spaces if type(axis) is Axis)]))
        fixed = [next(found) for _ in fixed]
        spaces = [Axis(next(found), common=each.common) if type(each) is Axis else each for each in spaces]
    if shape is not None and spaces:
        spaces = [shape(Grid(spaces))]
        texts = [said.text for said in fixed] + [spaces[0].text]
    if len(spaces) == 1 and isinstance(spaces[0], Random):
        texts[texts.index(spaces[0].text)] = spaces[0].endless  # with more of them the first stay what they are
    if sampler is not None:
        texts.append(repr(sampler))
    globs = [said for space in spaces for _, said in space.axes() if isinstance(said.sweep, Glob)]
    chosen = without_globs([*fixed, *globs], source, where=where, policy=policy)[len(fixed) :]
    known = {id(said): choice for said, choice in zip(globs, chosen, strict=True)}
    space = Grid(spaces).resolved(lambda said: known.get(id(said), said))
    return Sweep(source, fixed, space, where=where, policy=policy, texts=texts, condition=condition, sampler=sampler)


def _read(parts: Part | Iterable[Part]) -> tuple[list[Override], list[Space], list[str]]:
    """What all trials have, what varies, and how both read.

    Raises:
        OverrideError: With a fault for each text that cannot be read.
    """
    fixed: list[Override] = []
    spaces: list[Space] = []
    texts: list[str] = []
    faults: list[Fault] = []
    given: Any = [parts] if isinstance(parts, str | dict | Mapping | Space) else parts
    for part in given:
        try:
            if isinstance(part, str) and not names_python(part):
                said = parse_sweeping(part)
                for one in said:
                    if one.is_sweep or spaces:  # what is said after an axis is said of what that puts there
                        spaces.append(Axis(one, common=not one.is_sweep))
                    else:
                        fixed.append(one)
                    texts.append(one.text)
            else:
                space = space_in(part) if isinstance(part, str) else space_of(part)
                spaces.append(space)
                texts.append(space.text)
        except OverrideError as error:
            faults += error.faults
    if faults:
        raise OverrideError(*faults)
    return fixed, spaces, texts
