"""Whether two specs are the same experiment, and the hash that agrees, of whatever a user gives for a spec."""

from __future__ import annotations

from . import _equal
from ._spec import given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def equal(a: Any, b: Any) -> bool:
    """Whether two specs describe the same calls.

    Strict in types (`1`, `1.0` and `True` differ), blind to the order of dicts;
    NaN and arrays count by value, sharing as a bijection, targets by name. A
    default written out is not the same as one left out.

    Args:
        a: Any spec or value.
        b: Another.

    Returns:
        Whether they are equal; `hash_of` agrees.

    Raises:
        PathError: A text with `${` in a plain dict or list is no reference.
        CycleError: One of them contains itself.

    >>> equal({"a": 1, "b": float("nan")}, {"b": float("nan"), "a": 1})
    True
    >>> equal(1, True)
    False
    """
    return _equal.equal(given(a), given(b))


def hash_of(spec: Any) -> str:
    """The identity of a spec: 64 hex digits (SHA-256), the same in any process, on any day.

    It agrees with `equal`, and ignores the order of keys, origins, file paths
    and what is imported.

    Args:
        spec: Any spec or value.

    Raises:
        PathError: A text with `${` in a plain dict or list is no reference.
        CycleError: The spec contains itself.
        SaveError: It holds a live object, which has no identity beyond this process.

    >>> hash_of({"a": 1, "b": 2}) == hash_of({"b": 2, "a": 1}) != hash_of({"a": 1.0, "b": 2})
    True
    """
    return _equal.hash_of(given(spec))
