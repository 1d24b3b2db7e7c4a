"""What goes wrong while a verb works is told to a person; what that takes is imported when something does."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module

from callsheet._terminal import hush, remark
from callsheet.errors import CallsheetError, CallsheetWarning, Fault

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from callsheet._migrate import Change


class Misuse(CallsheetError):
    """What was typed makes no command. It is raised before anything is read, told like a fault, and ended with 2.

    Args:
        problem: What is wrong, as one phrase.
        advice: What to do and how the verb is used, a line each.
    """

    def __init__(self, problem: str, *advice: str) -> None:
        super().__init__(Fault("", problem, advice=advice))


def telling(
    action: Callable[[], Any],
    *,
    as_json: bool = False,
    failure: int = 1,
    outcome: str = "",
    through: tuple[type[BaseException], ...] = (),
) -> Any:
    """Do something; tell what goes wrong, and end with the exit code that says what it is.

    Args:
        action: What to do.
        as_json: Whether faults are data for a program.
        failure: The exit code of a failure that is no misuse.
        outcome: What the verb did not do because of faults: `nothing was built`.
        through: Exceptions that somebody else tells.

    Returns:
        What the action gives.
    """
    passed: tuple[type[BaseException], ...] = (BrokenPipeError, *through)
    try:
        try:
            with warnings.catch_warnings():
                _show_warnings()
                return action()
        except passed:
            raise
        except Exception as error:
            faults = import_module("callsheet.cli._faults")
            failure = 2 if isinstance(error, Misuse) else failure
            code = faults.tell_raised(error, as_json=as_json, failure=failure, outcome=outcome)
            if code is None:
                raise
            sys.exit(code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # of what is told, too
        hush()
        sys.exit(1)


def _show_warnings() -> None:
    """Let what Callsheet warns of read like what it says; other warnings read as Python shows them."""
    others, told_before = warnings.showwarning, set[str]()

    def show(message: Any, category: type[Warning], *more: Any, **named: Any) -> None:
        if not issubclass(category, CallsheetWarning):
            others(message, category, *more, **named)
        elif str(message) not in told_before:  # a file is loaded for each trial
            told_before.add(str(message))
            remark(Fault("", str(message)), name="callsheet")

    warnings.showwarning = show
    warnings.simplefilter("always", CallsheetWarning)


def tell_changes(file: str, changes: Sequence[Change]) -> None:
    """Say in one line on standard error what migrations changed in a file."""
    if changes:
        more = f", and {len(changes) - 3} more" if len(changes) > 3 else ""
        remark(Fault("", f"{file} was migrated: {', '.join(map(str, changes[:3]))}{more}"), name="callsheet")
