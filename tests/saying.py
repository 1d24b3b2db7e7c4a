"""What an error says, whole, with the test's own line numbers written as `here`."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from callsheet.errors import CallsheetError, Fault, render


def said(error: BaseException) -> str:
    """The text of an error; origins within the tests, whose numbers mean nothing, read `here`."""
    if not isinstance(error, CallsheetError):
        return str(error)
    return render(
        [Fault(f.path, f.problem, origin=_place(f.origin), advice=map(_place, f.advice)) for f in error.faults]
    )


def told(action: Callable[[], object], kind: type[BaseException] = CallsheetError) -> str:
    """What the error says that an action raises."""
    with pytest.raises(kind) as caught:
        action()
    return said(caught.value)


def _place(text: str) -> str:
    return re.sub(r"[\w/.-]*test_\w+\.py:\d+", "here", text)
