"""What a verb takes on the command line, said once: click reads it, and so do we where the words are plain."""

from __future__ import annotations

from callsheet.cli._telling import Misuse, telling
from callsheet.errors import nearest

TYPE_CHECKING = False  # importing typing costs as much as reading a config
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


class Option:
    """An option.

    Args:
        flag: As it is typed: `--path`.
        name: The parameter that receives it.
        help: What it does.
        metavar: What its value is called; "" where it takes none.
        multiple: Whether it may be given again, for several values.
    """

    __slots__ = ("flag", "help", "metavar", "multiple", "name")

    def __init__(self, flag: str, name: str, help: str, *, metavar: str = "", multiple: bool = False) -> None:
        self.flag = flag
        self.name = name
        self.help = help
        self.metavar = metavar
        self.multiple = multiple

    def unset(self) -> Any:
        """What the parameter receives where the option is not given."""
        return () if self.multiple else None if self.metavar else False


PATH = Option("--path", "paths", "Also import from DIR.", metavar="DIR", multiple=True)
ALLOW = Option(
    "--allow",
    "allow",
    "Let a data file call all that MODULE defines; MODULE:NAME that alone.",
    metavar="MODULE",
    multiple=True,
)
RUNS = Option("--runs", "runs", "Where runs are kept.  [default: PROJECT/runs]", metavar="DIR")
JSON = Option("--json", "as_json", "Print data for a program.")
READING = (PATH, ALLOW, RUNS, JSON)
"""The options of a verb that reads configs and runs."""


def near_option(said: str, options: Iterable[str]) -> list[str]:
    """The option that may have been meant, as advice: the dashes, which all have, make none like another.

    >>> near_option("--jsn", ["--json", "--runs"]), near_option("--lr", ["--json", "--runs"])
    (['did you mean  --json?'], [])
    """
    names = {option.lstrip("-"): option for option in options}
    return [f"did you mean  {names[name]}?" for name in nearest(said.lstrip("-"), names)[:1]]


def as_value(said: str) -> str:
    """What was typed as an option, as it is typed where it shall be a value of the config.

    >>> as_value("--lr"), as_value("--lr=3")
    ('lr=…', 'lr=3')
    """
    name, _, value = said.lstrip("-").partition("=")
    return f"{name}={value or '…'}"


class Verb:
    """A verb that answers a person who waits at a prompt, and so has its plain words read without click.

    Args:
        name: The verb.
        function: What it does; its parameters are the names below. Its docstring is the help.
        first: The parameter that receives the first word, and what that is called.
        rest: The parameter that receives the other words, and what they are called.
        options: Those that it takes, `JSON` among them.
        failure: The exit code of a failure that is no misuse.
    """

    __slots__ = ("failure", "first", "function", "name", "options", "rest")

    def __init__(
        self,
        name: str,
        function: Callable[..., None],
        *,
        first: tuple[str, str],
        rest: tuple[str, str],
        options: tuple[Option, ...],
        failure: int = 1,
    ) -> None:
        self.name = name
        self.function = function
        self.first = first
        self.rest = rest
        self.options = options
        self.failure = failure

    def given(self, words: list[str]) -> dict[str, Any] | None:
        """What the parameters receive; None unless the words are plain, so that click may judge them."""
        flags = {option.flag: option for option in self.options}
        given = {option.name: option.unset() for option in self.options}
        others: list[str] = []
        left = iter(words)
        for word in left:
            flag, equals, value = word.partition("=")
            option = flags.get(flag)
            if option is None:
                others.append(word)
            elif not option.metavar:
                if equals:
                    return None
                given[option.name] = True
            else:
                text = value if equals else next(left, "")
                if not text or text.startswith("-"):
                    return None
                given[option.name] = (*given[option.name], text) if option.multiple else text
        if not others or not all(others) or any(word.startswith("-") for word in others):
            return None
        first, *rest = others
        return given | {self.first[0]: first, self.rest[0]: tuple(rest)}

    def answer(self, given: dict[str, Any]) -> None:
        """Do it; what goes wrong is told.

        Raises:
            Misuse: The words mean nothing together.
        """
        telling(lambda: self.function(**given), as_json=given[JSON.name], failure=self.failure, through=(Misuse,))
