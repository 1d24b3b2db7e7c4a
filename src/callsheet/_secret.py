"""Secrets: a spec holds where a secret is kept, never the secret."""

from __future__ import annotations

import os

from .errors import CallsheetError, Fault, SecretError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Self

    from ._trust import Policy

    _Text = str  # to a type checker, so that it fits where the callable takes the text that `build` gives
else:
    _Text = object

SHOWN = "***"
"""What every text says in place of a secret."""


class Secret(_Text):
    """A text that is kept elsewhere: `Secret("env:API_KEY")`, or `Secret("file:~/.token")`.

    It is saved, compared and hashed by that reference, and shown as `***`.
    `build` gives the text itself to whatever takes it; Python reads it by
    `reveal()`.

    Args:
        reference: `env:` and the name of an environment variable, or `file:` and
            the path of a text file, absolute or from `~`; line breaks at its end do not count.

    Raises:
        SecretError: The reference is neither; it is not shown, since it may be a secret.

    >>> key = Secret("env:API_KEY")
    >>> key
    ***
    >>> Secret("env:API_KEY") == key
    True
    """

    __slots__ = ("_policy", "_reference", "_where")

    if TYPE_CHECKING:
        _policy: Policy | None
        _reference: str
        _where: str

        def __new__(cls, reference: str) -> Self: ...

    else:

        def __init__(self, reference, *, policy=None, where=""):
            if not is_reference(reference):
                raise SecretError(
                    Fault(
                        "",
                        "a secret is given as the place where it is kept, never as itself",
                        origin=where,
                        advice=['write  Secret("env:API_KEY")  or  Secret("file:~/.token")'],
                    )
                )
            _set(self, "_reference", reference)
            _set(self, "_policy", policy)
            _set(self, "_where", where)

    @property
    def reference(self) -> str:
        """Where it is kept, as it was written: `env:API_KEY`."""
        return self._reference

    def reveal(self) -> str:
        """The secret itself, read now.

        Raises:
            SecretError: It is not there.
            TrustError: Data asks for a file that nobody allowed it to read.
        """
        if self._policy is not None:
            self._policy.judge_secret(self._reference, self._where)
        kind, _, place = self._reference.partition(":")
        if kind == "env":
            found = os.environ.get(place)
            if found is None:
                raise SecretError(
                    Fault(
                        "",
                        f"there is no environment variable {place}",
                        origin=self._where,
                        advice=[f"set it:  export {place}=…"],
                    )
                )
            return found
        try:
            with open(os.path.expanduser(place), encoding="utf-8") as file:
                return file.read().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise SecretError(
                Fault(
                    "", f"cannot read {place}: {why}", origin=self._where, advice=["it holds the secret, and no more"]
                )
            ) from None

    def fault(self) -> Fault | None:
        """Why it cannot be revealed; None where it can."""
        try:
            self.reveal()
        except CallsheetError as error:
            return error.faults[0]
        return None

    def __repr__(self) -> str:
        return SHOWN

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return SHOWN

    def __eq__(self, other: object) -> bool:
        return type(other) is Secret and other._reference == self._reference

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((Secret, self._reference))

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError("a secret cannot be changed: set another in its place")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._reference, self._policy, self._where)


_set = object.__setattr__


def read_secret(reference: Any, *, policy: Policy | None = None, where: str = "") -> Secret:
    """A secret that data names: the policy is asked before a file is read for it.

    Raises:
        SecretError: The reference is none.
    """
    return Secret(reference, policy=policy, where=where)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def _restored(reference: str, policy: Policy | None, where: str) -> Secret:
    return read_secret(reference, policy=policy, where=where)


def is_reference(text: Any) -> bool:
    """Whether a text says where a secret is kept.

    >>> is_reference("env:API_KEY"), is_reference("file:~/.token"), is_reference("sk-123")
    (True, True, False)
    """
    if not isinstance(text, str):
        return False
    kind, _, place = text.partition(":")
    if kind == "env":
        return place.isascii() and place.isidentifier()
    return kind == "file" and (os.path.isabs(place) or place.startswith("~/"))
