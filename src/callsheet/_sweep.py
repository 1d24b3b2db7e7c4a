"""Sweeps: one spec and the axes along which it varies, as a sequence of trials."""

from __future__ import annotations

import os
from _collections_abc import Iterator, Sequence

from ._files import load_said
from ._functions import Interval
from ._globs import without_globs
from ._grammar import Override
from ._origin import locate
from ._said import parse_sweeping
from ._spec import attach, copy, here
from ._trust import Policy
from ._variants import apply_beside
from .errors import Fault, SpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


class Trial:
    """One point of a sweep.

    Attributes:
        index: Its place in the sweep, from 0.
        overrides: The texts that make it, in the order in which they were said, its own choice for each axis.
        choices: Its own choice for each axis, by path.
        spec: The spec with the overrides applied.
        files: The files that were read for it.
    """

    __slots__ = ("choices", "files", "index", "overrides", "spec")

    def __init__(
        self, index: int, overrides: tuple[str, ...], choices: dict[str, str], spec: Any, files: Iterable[str] = ()
    ) -> None:
        self.index = index
        self.overrides = overrides
        self.choices = choices
        self.spec = spec
        self.files = tuple(files)

    def __repr__(self) -> str:
        return f"Trial({self.index}, {list(self.overrides)!r})"


class Sweep(Sequence):  # type: ignore[type-arg]
    """All combinations of the choices of some overrides: a sequence whose trials are made when they are asked for.

    With a continuous axis (`interval`) it is a space: it has no length, and its trials are drawn.

    Attributes:
        source: The spec, or the path of the config file.
        texts: The overrides, as they were said.
        axes: What each sweeping override may become, by path: its choices as texts, or an `Interval` with `start` and
            `end`. Empty where nothing sweeps.
        tags: What `tag` said of an axis, by path, where it said something.
    """

    def __init__(self, source: Any, overrides: Sequence[Override], *, where: str, policy: Policy | None) -> None:
        self.source = source
        self.where = where
        self._policy = policy
        self._said = list(overrides)
        self._swept = [said for said in overrides if said.is_sweep]
        self.texts = tuple(said.text for said in overrides)
        self.axes = {said.path: _axis(said) for said in self._swept}
        self.tags = {said.path: said.sweep.tags for said in self._swept if said.sweep is not None and said.sweep.tags}

    @property
    def is_space(self) -> bool:
        """Whether an axis is continuous, so that trials are drawn."""
        return any(isinstance(axis, Interval) for axis in self.axes.values())

    def __len__(self) -> int:
        self._refuse_space("has no length")
        return self._count()

    def __getitem__(self, index: Any) -> Any:
        self._refuse_space("has no trials by number")
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(self._count()))]
        count = self._count()
        if not -count <= index < count:
            raise IndexError(f"trial {index} of {count}")
        return self.trial(index % count)

    def __iter__(self) -> Iterator[Any]:
        self._refuse_space("has no trials to go through")
        for n in range(self._count()):
            yield self.trial(n)

    def __repr__(self) -> str:
        if not self.axes:
            return "<Sweep of no trials: nothing sweeps>"
        shown = [
            f"{path}: {axis!r}" if isinstance(axis, Interval) else f"{path}: {len(axis)}"
            for path, axis in self.axes.items()
        ]
        return f"<Sweep {'over a space' if self.is_space else f'of {self._count()} trials'} ({', '.join(shown)})>"

    def trial(self, index: int) -> Trial:
        """The trial of an index; without axes the one trial is the spec itself."""
        self._refuse_space("has no trials by number")
        return self._made(index, self._chosen(index))

    def drawn(self, index: int, point: Mapping[str, float]) -> Trial:
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
        faults = [Fault(path, "is no axis of the sweep") for path in point if path not in self.axes]
        chosen = []
        for said in self._swept:
            try:
                chosen.append(_decided(said, point[said.path]))
            except KeyError:
                faults.append(Fault(said.path, "is not given by the point", advice=[f"it is one of {said.text}"]))
            except (IndexError, TypeError, ValueError):
                problem = f"{point[said.path]!r} is no place on this axis"
                faults.append(Fault(said.path, problem, advice=[f"it is one of {said.text}"]))
        if faults:
            raise SpaceError(*faults)
        return self._made(index, chosen)

    def choices_of(self, index: int) -> list[str]:
        """The overrides that make a trial what it is among the others, as texts; its spec is not made."""
        return [said.text for said in self._chosen(index)]

    def _count(self) -> int:
        """The number of trials, which may be more than `len` can tell."""
        count = 1 if self._swept else 0
        for said in self._swept:
            count *= len(said.choices)
        return count

    def _refuse_space(self, problem: str) -> None:
        if self.is_space:
            axes = ", ".join(path for path, axis in self.axes.items() if isinstance(axis, Interval))
            advice = ["draw its trials:  sweep.drawn(0, {path: number})", "or name values:  range(…)  choice(…)"]
            raise SpaceError(Fault("", f"the sweep {problem}: {axes} is continuous", advice=advice))

    def _made(self, index: int, chosen: list[Override]) -> Trial:
        own = iter(chosen)
        overrides = [next(own) if said.is_sweep else said for said in self._said]
        kinds = {said.text: "sweep" for said in chosen}
        choices = {said.path: said.texts[0] for said in chosen}
        files: dict[str, None] = {}
        spec = self._spec(overrides, kinds, files)
        return Trial(index, tuple(said.text for said in overrides), choices, spec, files)

    def _chosen(self, index: int) -> list[Override]:
        rest, chosen = index, []
        for said in reversed(self._swept):
            rest, n = divmod(rest, len(said.choices))
            chosen.append(said.chosen(n))
        chosen.reverse()
        return chosen

    def _spec(self, overrides: list[Override], kinds: dict[str, str], files: dict[str, None]) -> Any:
        if isinstance(self.source, str):
            return load_said(self.source, overrides, where=self.where, policy=self._policy, kinds=kinds, files=files)
        made = attach(copy(self.source))
        apply_beside(made, overrides, where=self.where, kinds=kinds)
        return made


def _axis(said: Override) -> Any:
    if isinstance(said.sweep, Interval):
        return said.sweep
    return tuple(said.texts) if len(said.texts) <= _FEW else said.texts


_FEW = 1000
"""Choices of an axis up to which they are kept as texts."""


def _decided(said: Override, value: Any) -> Override:
    """An axis with a value drawn: a number within it, or the position of a choice."""
    axis = said.sweep
    if not isinstance(axis, Interval):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise TypeError
        return said.chosen(value)
    whole = isinstance(axis.start, int) and isinstance(axis.end, int)
    if not axis.start <= value < axis.end or (whole and value != int(value)):
        raise ValueError
    found = int(value) if whole else float(value)
    return said.decided(found, repr(found))


def sweep(source: Any, overrides: Iterable[str] | str = (), *, allow: Iterable[str] = ()) -> Sweep:
    """The variants of a spec that overrides with several values describe.

    Args:
        source: A spec, or the path of a config file, which is then run again for
            each trial so that what it computes follows.
        overrides: Texts; `optim.lr=1e-3,3e-3` sweeps. The last axis varies fastest.
        allow: For a data file: what its targets may be imported from.

    Returns:
        A sequence of `Trial`; making it runs nothing. With an axis such as `lr=interval(0,1)` a space, whose trials
        are drawn (`is_space`, `drawn`).

    Raises:
        OverrideError: A text is no override. Whether each fits is told when its trial is made.

    >>> trials = sweep({"lr": 0.1, "width": 32}, ["lr=0.1,0.2", "width=32,64"])
    >>> len(trials), trials[1].spec
    (4, {'lr': 0.1, 'width': 64})
    """
    where = locate(here(), None).where
    return sweep_said(source, overrides, where=where, policy=Policy(allow))


def sweep_said(source: Any, texts: Iterable[str] | str, *, where: str, policy: Policy | None) -> Sweep:
    """`sweep`, where `where` says who gave the overrides."""
    overrides = parse_sweeping(texts)
    if isinstance(source, os.PathLike | str):
        source = os.fspath(source)
    overrides = without_globs(overrides, source, where=where, policy=policy)
    return Sweep(source, overrides, where=where, policy=policy)
