"""Overrides applied again and again while a file runs: what may happen once happens once to each place."""

from __future__ import annotations

from ._holder import holder_of
from ._items import origin_of, raw_item, settle_step
from ._override import apply, each_below
from ._swap import is_node, variant_word
from ._tree import kind_of
from .errors import CallsheetError, OverrideError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._grammar import Override
    from ._journal import Journal
    from ._swap import Surroundings
    from .errors import Fault


class Imposer:
    """Applies overrides that may have been applied before.

    Args:
        where: Who said them.
        kinds: The kind of origin of an override, by its text, where it is not "override".
        journal: Gets notes of what is changed.
    """

    def __init__(self, where: str, kinds: dict[str, str], journal: Journal | None = None) -> None:
        self.where = where
        self.kinds = kinds
        self.journal = journal
        self._deleted: dict[str, list[Any]] = {}  # by a delete's text, what it has taken from
        self._edited: dict[
            int, tuple[str, ...]
        ] = {}  # by number, where the appends and other edits were that have happened
        self._whole: dict[
            int, dict[tuple[str, ...], int]
        ] = {}  # by surroundings: where a value was put, by which number
        self._errors: dict[tuple[int, int], list[CallsheetError]] = {}  # by surroundings and number: of the last time
        self._places: dict[int, list[tuple[Any, Any, Any]]] = {}  # of wildcards: holder, key and what stands there now

    def impose(self, root: Any, said: Override, around: Surroundings, *, after: int = 0) -> list[CallsheetError]:
        """Apply an override at its place, a wildcard at each of its own.

        A delete takes once from each object, and what edits what is there happens once; of a wildcard, once at each
        place, and not to what has come there from another.

        Args:
            root: What its path starts in.
            said: The override.
            around: What its words can name.
            after: Of deletes, only those of more steps than this count.

        Returns:
            What does not fit.
        """
        try:
            places = self._meant(root, said, around)
        except CallsheetError as error:
            places, errors = [], [error]
        else:
            left = [one for one in places if not self._is_gone(one, around)]
            errors = [] if left or not places else self._errors.get((id(around), said.number), [])
            places = left
        for one in places:
            if one.operation != "delete" or len(one.steps) > after:
                try:
                    self._impose(root, one, around, at_each=bool(said.below))
                except CallsheetError as error:
                    errors = [error, *errors]
        self._errors[id(around), said.number] = errors
        return errors

    def _is_gone(self, one: Override, around: Surroundings) -> bool:
        """Whether an override is about what another has replaced that was said after it."""
        last = self._whole.get(id(around), {})
        steps = tuple(map(str, one.steps))
        return any(last.get(steps[:n], -1) > one.number for n in range(1, len(steps) + 1))

    def _meant(self, root: Any, said: Override, around: Surroundings) -> list[Override]:
        if not said.below:
            return [said]
        try:
            return each_below(root, said, said.where or self.where, around)
        except OverrideError:
            if self._deleted.get(said.text):
                return []
            raise

    def _impose(self, root: Any, said: Override, around: Surroundings, *, at_each: bool) -> None:
        if said.operation == "delete":
            self._delete(root, said)
        elif not said.happens_once:
            self._set(root, said, around)
        elif not at_each:
            if said.number not in self._edited:
                self._apply(root, said, around)
                self._edited[said.number] = tuple(map(str, said.steps))
        elif not self._has_happened(holder_of(root, said, self.where), said):
            self._apply(root, said, around)
            holder = holder_of(root, said, self.where)  # a frozen one is another now
            key = settle_step(holder, said.steps[-1])
            self._places.setdefault(said.number, []).append((holder, key, raw_item(holder, key)))

    def _apply(self, root: Any, said: Override, around: Surroundings) -> None:
        kind = self.kinds.get(said.text, "override")
        apply(root, said, where=self.where, kind=kind, around=around, journal=self.journal)

    def _set(self, root: Any, said: Override, around: Surroundings) -> None:
        """Set a value; what was added to it since it was set last is added again."""
        before = _found(root, said, self.where)
        self._apply(root, said, around)
        after = _found(root, said, self.where)
        steps = tuple(map(str, said.steps))
        if not is_node(after) or variant_word(said):
            self._whole.setdefault(id(around), {})[steps] = said.number
        if after is not before and not is_node(after):
            for number, place in [*self._edited.items()]:
                if number > said.number and place[: len(steps)] == steps:
                    del self._edited[number]

    def _delete(self, root: Any, said: Override) -> None:
        holder, taken = holder_of(root, said, self.where), self._deleted.setdefault(said.text, [])
        key = settle_step(holder, said.steps[-1])
        gone = any(holder is x for x in taken) if isinstance(key, int) else taken and _lacks(holder, key)
        if not gone:
            apply(root, said, where=self.where, journal=self.journal)
            taken.append(holder)

    def _has_happened(self, holder: Any, said: Override) -> bool:
        """Whether an edit has reached a place already: there itself, or where the file took the value or a copy."""
        key = settle_step(holder, said.steps[-1])
        found, origin = raw_item(holder, key), origin_of(holder, key)
        done = self._places.get(said.number, [])
        if any(x is holder and k == key for x, k, _ in done):
            return True
        if kind_of(type(found)) is not None and any(x is found for _, _, x in done):
            return True
        return bool(done) and origin.text == said.text


def numbered(overrides: Iterable[Override]) -> list[Override]:
    """The overrides, each of which knows which of them it is."""
    return [said.like(number=n) for n, said in enumerate(overrides)]


def raise_all(errors: Iterable[CallsheetError]) -> None:
    """Raise what did not fit as one error; what is no matter of an override by itself.

    Raises:
        OverrideError: With all faults.
        CallsheetError: The first that is another.
    """
    faults: list[Fault] = []
    for error in errors:
        if not isinstance(error, OverrideError):
            raise error
        faults += error.faults
    if faults:
        raise OverrideError(*faults)


def _found(root: Any, said: Override, where: str) -> Any:
    """What stands at the place of an override, None for nothing."""
    try:
        holder = holder_of(root, said, where)
        return raw_item(holder, settle_step(holder, said.steps[-1]))
    except (LookupError, OverrideError):
        return None


def _lacks(holder: Any, key: Any) -> bool:
    try:
        raw_item(holder, key)
    except LookupError:
        return True
    return False
