"""Overrides applied again and again while a file runs: what may happen once happens once to each place."""

from __future__ import annotations

from ._holder import holder_of
from ._items import origin_of, raw_item, settle_step
from ._override import apply, each_below
from ._swap import is_node, variant_word
from ._tree import ATOMS, kind_of
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

    Attributes:
        nodes: How often what was set was a node, or stood in the place of one.
    """

    def __init__(self, where: str, kinds: dict[str, str], journal: Journal | None = None) -> None:
        self.where = where
        self.kinds = kinds
        self.journal = journal
        self.nodes = 0
        self._deleted: dict[int, list[Any]] = {}  # by a delete's number, what it has taken from
        self._edited: dict[int, tuple[str, ...]] = {}  # by number, where edits and deletes of items have happened
        # By surroundings and a name of theirs, where an override put or deleted a whole value below it, by its number.
        self._whole: dict[tuple[int, str], dict[tuple[str, ...], int]] = {}
        self._atoms: dict[Any, tuple[Any, Any, Any]] = {}  # by surroundings, number and steps: holder, key, value
        self._met: dict[Any, dict[int, tuple[Any, Any]]] = {}  # of wildcards: each holder, and what was put there
        self._errors: dict[tuple[int, int], list[CallsheetError]] = {}  # by surroundings and number: of the last time
        self._places: dict[int, list[tuple[Any, Any, Any]]] = {}  # of wildcards: holder, key and what stands there now

    def impose(
        self,
        root: Any,
        said: Override,
        around: Surroundings,
        *,
        after: int = 0,
        names: tuple[str, ...] | None = None,
        quiet: bool = False,
    ) -> tuple[Any, list[CallsheetError]]:
        """Apply an override at its place, a wildcard at each of its own.

        A delete takes once from each object, and what edits what is there happens once; of a wildcard, once at each
        place, and not to what has come there from another.

        Args:
            root: What its path starts in.
            said: The override.
            around: What its words can name.
            after: Of deletes, only those of more steps than this count.
            names: Of a wildcard that starts at the root, below which names something is new; None for all.
            quiet: Whether it is no fault yet that a wildcard means no place.

        Returns:
            The root, as `apply` gives it, and what does not fit.
        """
        if self.stands(root, said, around):
            return root, []
        stood = False
        try:
            places, stood = self._meant(root, said, around, names, quiet=quiet)
        except CallsheetError as error:
            places, errors = [], [error]
        else:
            left = [one for one in places if not self._is_gone(one, around)]
            errors = [] if left or stood or not places else self._errors.get((id(around), said.number), [])
            places = left
        for one in places:
            if one.operation != "delete" or len(one.steps) > after:
                try:
                    root = self._impose(root, one, around, at_each=bool(said.below))
                except CallsheetError as error:
                    errors = [error, *errors]
        if errors or names is None:
            self._errors[id(around), said.number] = errors
        return root, errors

    def stands(self, root: Any, said: Override, around: Surroundings) -> bool:
        """Whether a number or text that was put somewhere stands there still, and by this override."""
        known = self._atoms.get((id(around), said.number, said.steps))
        if known is None:
            return False
        holder, key, value = known
        try:
            return holder_of(root, said, self.where) is holder and _holds(holder, value, key, said)
        except OverrideError:
            return False

    def forget(self, overrides: Iterable[Override], names: Iterable[str], around: Surroundings) -> None:
        """Say that names were bound anew, to values that do not come from what they held: what happens once may again.

        Args:
            overrides: Those of the file that binds them.
            names: Which.
            around: What the words of its overrides can name.
        """
        bound = frozenset(names)
        for name in bound:
            self._whole.pop((id(around), name), None)
        for said in overrides:
            if said.steps and str(said.steps[0]) in bound:
                self._edited.pop(said.number, None)

    def _is_gone(self, one: Override, around: Surroundings) -> bool:
        """Whether an override is about what another has replaced, deleted or moved that was said after it."""
        steps = tuple(map(str, one.steps))
        last = self._whole.get((id(around), steps[0]), {})
        if any(last.get(steps[:n], -1) > one.number for n in range(1, len(steps) + 1)):
            return True
        return any(number > one.number and _moves(place, steps) for number, place in self._edited.items())

    def _meant(
        self, root: Any, said: Override, around: Surroundings, names: tuple[str, ...] | None, *, quiet: bool
    ) -> tuple[list[Override], bool]:
        """The overrides of single places that are left to be imposed, and whether others were left out.

        Where only some names are new, what was met before is left out; else, where what was put stands still.
        """
        if not said.below:
            return [said], False
        met = self._met.setdefault((id(around), said.number), {})
        stood = False

        def stands(holder: Any, step: Any) -> bool:
            nonlocal stood
            before = met.get(id(holder))
            met.setdefault(id(holder), (holder, _UNSET))
            if before is None or (names is None and not _holds(*before, settle_step(holder, step), said)):
                return False
            stood = True
            return True

        try:
            where = said.where or self.where
            return each_below(root, said, where, around, stands=stands, names=names, quiet=quiet), stood
        except OverrideError:
            if self._deleted.get(said.number):
                return [], stood
            raise

    def _impose(self, root: Any, said: Override, around: Surroundings, *, at_each: bool) -> Any:
        if said.operation == "delete":
            return self._delete(root, said, around, at_each=at_each)
        elif not said.happens_once:
            return self._set(root, said, around, at_each=at_each)
        elif not at_each:
            if said.number not in self._edited:
                root = self._apply(root, said, around)
                self._edited[said.number] = tuple(map(str, said.steps))
        elif not self._has_happened(holder_of(root, said, self.where), said):
            root = self._apply(root, said, around)
            holder = holder_of(root, said, self.where)  # a frozen one is another now
            key = settle_step(holder, said.steps[-1])
            self._places.setdefault(said.number, []).append((holder, key, raw_item(holder, key)))
        return root

    def _apply(self, root: Any, said: Override, around: Surroundings) -> Any:
        kind = self.kinds.get(said.text, "override")
        return apply(root, said, where=self.where, kind=kind, around=around, journal=self.journal)

    def _set(self, root: Any, said: Override, around: Surroundings, *, at_each: bool) -> Any:
        """Set a value; what was added to it since it was set last is added again."""
        before = _found(root, said, self.where)
        self._atoms.pop((id(around), said.number, said.steps), None)
        root = self._apply(root, said, around)
        after = _found(root, said, self.where)
        self.nodes += is_node(before) or is_node(after)
        if type(after) in ATOMS and said.operation == "set":
            holder = holder_of(root, said, self.where)
            if at_each:
                self._met[id(around), said.number][id(holder)] = holder, after
            else:
                self._atoms[id(around), said.number, said.steps] = holder, settle_step(holder, said.steps[-1]), after
        steps = tuple(map(str, said.steps))
        last = self._whole.setdefault((id(around), steps[0]), {})
        if not is_node(after) or variant_word(said):
            last[steps] = said.number
        if after is not before and not is_node(after):  # what was said of it afterwards is so of what stands there now
            for number, place in [*self._edited.items()]:
                if number > said.number and place[: len(steps)] == steps:
                    del self._edited[number]
            for place in [place for place in last if len(place) > len(steps) and place[: len(steps)] == steps]:
                del last[place]
        return root

    def _delete(self, root: Any, said: Override, around: Surroundings, *, at_each: bool) -> Any:
        taken = self._deleted.setdefault(said.number, [])
        if said.number in self._edited:
            return root
        holder = holder_of(root, said, self.where)
        key = settle_step(holder, said.steps[-1])
        if any(holder is x for x in taken) if isinstance(key, int) and at_each else taken and _lacks(holder, key):
            return root
        root = apply(root, said, where=self.where, journal=self.journal)
        taken.append(holder)
        if not isinstance(key, int):
            steps = tuple(map(str, said.steps))
            self._whole.setdefault((id(around), steps[0]), {})[steps] = said.number
        elif not at_each:
            self._edited[said.number] = (*map(str, said.steps[:-1]), _ITEM)
        return root

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


_UNSET = object()
_ITEM = "[]"
"""Stands for an item of a list that was deleted: those after it have other places since."""


def _moves(place: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    """Whether a delete of an item has changed what some steps lead to."""
    return place[-1:] == (_ITEM,) and len(steps) >= len(place) and steps[: len(place) - 1] == place[:-1]


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


def _holds(holder: Any, value: Any, key: Any, said: Override) -> bool:
    """Whether a value stands in a holder as an override has put it there."""
    try:
        return raw_item(holder, key) is value and origin_of(holder, key).text == said.text
    except LookupError:
        return False


def _lacks(holder: Any, key: Any) -> bool:
    try:
        raw_item(holder, key)
    except LookupError:
        return True
    return False
