"""What the verbs that click reads share: options, and errors told to a person."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from callsheet.cli._telling import Misuse, telling
from callsheet.cli._words import ALLOW, JSON, PATH, READING, RUNS, Option, Verb, as_value, near_option
from callsheet.errors import nearest

overrides_argument = click.argument("overrides", nargs=-1, metavar="[PATH=VALUE]...")


def option(said: Option) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option as click reads it."""
    if not said.metavar:
        return click.option(said.flag, said.name, is_flag=True, help=said.help)
    return click.option(said.flag, said.name, multiple=said.multiple, metavar=said.metavar, help=said.help)


path_option, allow_option, runs_option, json_option = map(option, (PATH, ALLOW, RUNS, JSON))


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a verb that reads configs and runs: `--path`, `--allow`, `--runs`, `--json`."""
    for said in reversed(READING):
        function = option(said)(function)
    return function


def told(function: Callable[..., Any], *, outcome: str = "") -> Callable[..., Any]:
    """Tell errors to a person, or with `--json` to a program, and end with the exit code that says what they are.

    Args:
        function: The command.
        outcome: What it does not do where there are faults.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        as_json = bool(kwargs.get("as_json"))
        return _usage_added(
            lambda: telling(lambda: function(*args, **kwargs), as_json=as_json, outcome=outcome, through=(Misuse,))
        )

    return wrapper


def command_of(verb: Verb) -> click.Command:
    """A verb that also answers without click, as a command of click's."""

    def call(**given: Any) -> None:
        _usage_added(lambda: verb.answer(given))

    call.__doc__ = verb.function.__doc__
    command: Callable[..., Any] = call
    for said in reversed(verb.options):
        command = option(said)(command)
    command = click.argument(verb.rest[0], nargs=-1, metavar=verb.rest[1])(command)
    command = click.argument(verb.first[0], metavar=verb.first[1])(command)
    return click.command(verb.name)(command)


def _usage_added(action: Callable[[], Any]) -> Any:
    """Do something; a misuse says how the verb is used."""
    try:
        return action()
    except Misuse as error:
        (fault,) = error.faults
        raise Misuse(fault.problem, *fault.advice, *usage_of(click.get_current_context())) from None


def misuse_of(error: click.ClickException) -> Misuse:
    """What click says of words that make no command, as it is told of the others."""
    problem = error.format_message().rstrip(".")
    problem = problem[:1].lower() + problem[1:]
    context = error.ctx if isinstance(error, click.UsageError) else None
    advice: list[str] = []
    if isinstance(error, click.NoSuchOption):
        problem = f"there is no option {error.option_name}"
        options = [name for option in context.command.params for name in option.opts] if context is not None else []
        advice += near_option(error.option_name, [*options, "--help"]) or _as_values(error.option_name, context)
    if isinstance(error, click.BadParameter) and error.param is not None and isinstance(error.param.type, click.Choice):
        said = problem.partition(": '")[2].partition("' is not one of ")[0]
        advice += [f"did you mean  {name}?" for name in nearest(said, error.param.type.choices)[:1]]
    return Misuse(problem, *advice, *(usage_of(context) if context is not None else ()))


def _as_values(said: str, context: click.Context | None) -> list[str]:
    """How an option that is none is typed where the verb takes values of a config."""
    takes = context is not None and any("PATH=VALUE" in (one.metavar or "") for one in context.command.params)
    return [f"write  {as_value(said)}"] if takes and said.startswith("--") else []


def usage_of(context: click.Context) -> tuple[str, str]:
    """How a verb is used, as advice."""
    return " ".join(context.get_usage().split()), f"{context.command_path} --help  tells more"
