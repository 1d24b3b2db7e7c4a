"""Sweeps: one spec and the axes along which it varies, as a sequence of trials."""

from __future__ import annotations

import os
from _collections_abc import Iterator, Sequence

from ._files import load_said
from ._grammar import Override, parse
from ._origin import locate
from ._override import apply_all
from ._spec import attach, copy, here
from ._trust import Policy
from .errors import Fault, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any


class Trial:
    """One point of a sweep.

    Attributes:
        index: Its place in the sweep, from 0.
        overrides: The texts that make it: those that all trials have, then its own choices.
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

    Attributes:
        source: The spec, or the path of the config file.
        texts: The overrides, as they were said.
        axes: The choices of each sweeping override, as texts, by path. Empty where nothing sweeps.
    """

    def __init__(self, source: Any, overrides: Sequence[Override], *, where: str, policy: Policy | None) -> None:
        self.source = source
        self.where = where
        self._policy = policy
        self._fixed = [said for said in overrides if not said.is_sweep]
        self._swept = [said for said in overrides if said.is_sweep]
        self.texts = tuple(said.text for said in overrides)
        self.axes = {said.path: tuple(said.texts) for said in self._swept}

    def __len__(self) -> int:
        if not self._swept:
            return 0
        count = 1
        for said in self._swept:
            count *= len(said.choices)
        return count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"trial {index} of {count}")
        return self.trial(index % count)

    def __iter__(self) -> Iterator[Any]:
        for n in range(len(self)):
            yield self.trial(n)

    def __repr__(self) -> str:
        axes = ", ".join(f"{path}: {len(choices)}" for path, choices in self.axes.items())
        return f"<Sweep of {len(self)} trials ({axes})>" if axes else "<Sweep of no trials: nothing sweeps>"

    def trial(self, index: int) -> Trial:
        """The trial of an index; without axes the one trial is the spec itself."""
        chosen = self._chosen(index)
        overrides = [*self._fixed, *chosen]
        kinds = {said.text: "sweep" for said in chosen}
        choices = {said.path: said.texts[0] for said in chosen}
        files: dict[str, None] = {}
        spec = self._spec(overrides, kinds, files)
        return Trial(index, tuple(said.text for said in overrides), choices, spec, files)

    def choices_of(self, index: int) -> list[str]:
        """The overrides that make a trial what it is among the others, as texts; its spec is not made."""
        return [said.text for said in self._chosen(index)]

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
        for said in overrides:
            apply_all(made, [said], where=self.where, kind=kinds.get(said.text, "override"))
        return made


def sweep(source: Any, overrides: Iterable[str] | str = (), *, allow: Iterable[str] = ()) -> Sweep:
    """The variants of a spec that overrides with several values describe.

    Args:
        source: A spec, or the path of a config file, which is then run again for
            each trial so that what it computes follows.
        overrides: Texts; `optim.lr=1e-3,3e-3` sweeps. The last axis varies fastest.
        allow: For a data file: what its targets may be imported from.

    Returns:
        A sequence of `Trial`; making it runs nothing.

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
    overrides: list[Override] = []
    faults: list[Fault] = []
    for text in [texts] if isinstance(texts, str) else texts:
        try:
            overrides.append(parse(text))
        except OverrideError as error:
            faults += error.faults
    if faults:
        raise OverrideError(*faults)
    if isinstance(source, os.PathLike | str):
        source = os.fspath(source)
    return Sweep(source, overrides, where=where, policy=policy)
