"""Of the wire form what holds no node: names, keys, values that JSON lacks; and where in the data a fault is."""

from __future__ import annotations

from ._configfile import show_file
from ._forms import VALUES, value_fault
from ._leaf import read_leaf
from ._migrate import Change, Migrations
from ._target import Name, parse_name
from ._tree import ATOMS
from ._trust import Policy
from .errors import CallsheetError, Fault, LoadError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._migrate import Report
    from ._origin import Site, Source


class WireValues:
    """Values of data, read under a policy.

    Args:
        policy: What the data may import; None trusts it as Python.
        where: What origins and errors call the data, or a source that knows its lines.
        rules: What was renamed since it was written.
        report: Called with each change.
    """

    def __init__(
        self, policy: Policy | None, where: str | Source, rules: Migrations | None, report: Report | None
    ) -> None:
        self.policy = policy
        self.rules = rules
        self.report: Report = report or (lambda change: None)
        self.file = where
        self.where = show_file(where) if isinstance(where, str) else str(where)
        self.kept: list[Any] = []  # what was unpacked: as long as it is there, nothing else has its `id`

    def site(self, place: str) -> Site:
        return self.file, 0, place

    def spot(self, place: str) -> Any:
        """What says where a place is, when it is asked."""
        return self.where if isinstance(self.file, str) else self.file.at(place)

    def pairs(self, given: Any, place: str) -> list[tuple[Any, Any]]:
        """The items of a mapping with odd keys."""
        if type(given) is not list or not all(type(pair) is list and len(pair) == 2 for pair in given):
            raise self.bad(place, "has _items_ that are no [key, value] pairs")
        pairs: dict[Any, tuple[Any, Any]] = {}
        for written, value in given:
            key = self.key(written, place)
            try:
                known = key in pairs
            except TypeError:
                raise self.bad(place, f"has the key {key!r}, which no mapping can have") from None
            if known:
                raise self.bad(place, f"has the key {key!r} twice in its _items_")
            pairs[key] = key, value
        return list(pairs.values())

    def key(self, x: Any, place: str) -> Any:
        if type(x) in ATOMS:
            return x
        if type(x) is not dict or set(x) != {"_value_", "of"}:
            raise self.bad(place, f"has the key {x!r}, which is no value")
        if self.kind(x, place) == "tuple":
            return tuple(self.key(member, place) for member in x["of"])
        return self.leaf(x, place)

    def unpacked(self, text: str, place: str) -> Any:
        """Data that YAML could hold only as JSON text."""
        import json

        try:
            self.kept.append(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise self.bad(place, f"holds no json: {error}") from None
        return self.kept[-1]

    def allowed(self, x: dict[str, Any], place: str) -> Policy | None:
        """The policy of this data, or the one that a trusted plan keeps for a part of it."""
        if "_allow_" not in x:
            return self.policy
        if self.policy is not None:
            raise self.bad(place, "has _allow_, which data may not say of itself")
        return Policy(x["_allow_"])

    def name(self, text: Any, place: str, policy: Policy | None = None) -> Name:
        if type(text) is not str:
            raise self.bad(place, f"names {text!r}, which is no name")
        try:
            return parse_name(text, where=self.spot(place), policy=policy or self.policy)
        except CallsheetError as error:
            raise self.bad(place, error.faults[0].problem) from None

    def kind(self, x: dict[str, Any], place: str) -> str:
        """What kind of value a dict stands for, which is written as those are."""
        kind = x["_value_"]
        if type(kind) is not str or kind not in VALUES:
            close = nearest(kind, VALUES) if type(kind) is str else []
            advice = [f"did you mean  {' or '.join(close)}?"] if close else [f"known are {', '.join(VALUES)}"]
            raise self.bad(place, f"has the value kind {kind!r}, which is not known", *advice)
        try:
            problem = value_fault(kind, x.get("of"))
        except CallsheetError as error:
            problem = error.faults[0].problem
        if problem:
            raise self.bad(place, f"holds no {kind}: {problem}")
        return kind

    def leaf(self, x: dict[str, Any], place: str) -> Any:
        """A value whose kind and form are sound."""
        tag = x["_value_"]
        try:
            of = x.get("of") if self.rules is None else self.migrated(tag, x.get("of"), place)
            return read_leaf(tag, of, policy=self.policy, where=self.spot(place))
        except CallsheetError as error:
            raise self.bad(place, f"holds no {tag}: {error.faults[0].problem}") from None
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise self.bad(place, f"holds no {tag}: {error}") from None

    def migrated(self, tag: str, of: Any, place: str) -> Any:
        assert self.rules is not None
        new = self.rules.of_value(tag, of)
        if new != of:
            self.report(Change(place, f"is now {new}, was {of}"))
        return new

    def bad(self, place: str, problem: str, *advice: str) -> LoadError:
        return LoadError(Fault(place, problem, origin=str(self.spot(place)), advice=advice))


def is_packed(x: dict[str, Any]) -> bool:
    """Whether data stands as JSON text."""
    return x.get("_value_") == "json" and type(x.get("of")) is str and len(x) == 2
