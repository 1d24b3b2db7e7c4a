"""How much work something is, told without a clock."""

import sys
from collections.abc import Callable


def calls_made(action: Callable[[], object]) -> int:
    """How many calls and returns there are in an action, of functions in Python and in C."""
    count = 0

    def note(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count
