"""A spec in memory, varied: what its trials have in common is found once, each trial is a copy that differs."""

from __future__ import annotations

from ._items import CALLS, LISTS, MAPPINGS, raw_item, settle_step
from ._override import single
from ._spec import copied, copy, note_origin
from ._stamp import Stamp, Unfit
from ._variants import apply_beside
from ._word import Given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._grammar import Override
    from ._space import Pick
    from ._stamp import Setting


class Base:
    """What all trials of a spec in memory have, and what each axis puts into it."""

    def __init__(self, spec: Any, where: str) -> None:
        self._spec = spec
        self._where = where
        try:
            self._stamp: Stamp | None = Stamp(spec)
        except Unfit:
            self._stamp = None
        self._setting = _Settings(spec, where, self._stamp).__getitem__

    def varied(self, picks: Sequence[Pick]) -> Any:
        """A copy with what was picked."""
        settings = [*map(self._setting, picks)]
        memo: dict[int, Any] = {}
        if None not in settings:
            if self._stamp is not None:
                return self._stamp.copy(settings)
            made = copied(self._spec, memo)
            for number, key, value, origin in settings:
                vars(memo[number])[key] = value
                note_origin(memo[number], key, origin)
            return made
        made = copied(self._spec, memo)
        said = [own(axis.override(value)) for axis, value in picks]
        kinds = {one.text: "sweep" for (axis, _), one in zip(picks, said, strict=True) if axis.said.is_sweep}
        return apply_beside(made, said, where=self._where, kinds=kinds)


class _Settings(dict):  # type: ignore[type-arg]
    """The one leaf that a choice sets, None where it does something else; what few choices set is remembered."""

    def __init__(self, spec: Any, where: str, stamp: Stamp | None) -> None:
        self._spec = spec
        self._where = where
        self._numbers = None if stamp is None else stamp.numbers

    def __missing__(self, pick: Pick) -> Setting | None:
        axis, value = pick
        kind = "sweep" if axis.said.is_sweep else "override"
        said = axis.override(value)
        found = single(self._spec, said, where=self._where, kind=kind) if _holds(self._spec, said.steps) else None
        setting = None
        if found is not None:
            number = id(found[0]) if self._numbers is None else self._numbers[id(found[0])]
            setting = (number, *found[1:])
            if found[3].replaced is not None:
                note_origin(found[0], found[1], found[3].replaced[1])  # or it would be looked up for each choice
        if (axis.count or _FEW + 1) <= _FEW:
            self[pick] = setting
        return setting


def _holds(spec: Any, steps: Sequence[Any]) -> bool:
    """Whether a path leads through calls, mappings and lists alone: what is in there, a copy has once."""
    for step in steps[:-1]:
        if type(spec) not in CALLS and type(spec) not in MAPPINGS and type(spec) not in LISTS:
            return False
        try:
            spec = raw_item(spec, settle_step(spec, step))
        except LookupError:
            return False
    return True


def own(said: Override) -> Override:
    """An override whose value is this trial's own: what was given as an object is copied."""
    first = said.choices[0] if said.choices else None
    return said.like(choices=[Given(copy(first.value), first.text)]) if type(first) is Given else said


_FEW = 1000
"""Choices of an axis up to which what they set is remembered."""
