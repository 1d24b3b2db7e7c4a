"""The verbs as one click command: each is a module of its own, imported when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

import callsheet
from callsheet.cli._config import command_of, misuse_of, usage_of
from callsheet.cli._telling import Misuse, telling
from callsheet.cli._verbs import PLAIN, QUICK, VERBS
from callsheet.errors import nearest


class _Verbs(click.Group):
    """The verbs; a verb's module is imported only when the verb is used."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **more: Any) -> Any:  # type: ignore[override]
        """Run the command; misuse is told as faults are."""
        words = sys.argv[1:] if args is None else args
        code = telling(lambda: self._called(args, prog_name, more), as_json="--json" in words)
        sys.exit(code if isinstance(code, int) else 0)

    def _called(self, args: Sequence[str] | None, prog_name: str | None, more: dict[str, Any]) -> Any:
        try:
            return super().main(args, prog_name, **{**more, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.ClickException as error:
            raise misuse_of(error) from None
        except click.Abort:
            sys.exit(130)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order in which one needs them."""
        return [verb for verb in VERBS if verb not in QUICK]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb."""
        if cmd_name not in VERBS or cmd_name in QUICK:
            return None
        verb = import_module(f"callsheet.cli.{cmd_name}")
        if cmd_name in PLAIN:
            return command_of(verb.VERB)
        command: click.Command = verb.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with a line each, without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A misspelt verb is answered with the nearest one."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            close = nearest(args[0], VERBS)
            meant = [f"did you mean  callsheet {verb}?" for verb in close[:1]]
            raise Misuse(f"there is no verb {args[0]!r}", *meant, *usage_of(ctx))
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Verbs,
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.version_option(callsheet.__version__, prog_name="callsheet")
def command() -> None:
    """Describe a machine-learning experiment as Python calls that have not happened yet; check it, run it, sweep it.

    \b
    A config is a .py, .yaml, .toml or .json file; path=value changes it:
      callsheet run conf.py epochs=8 optim.lr=3e-3

    \b
    What a config takes, with values, types and who set them:
      callsheet help conf.py
    """  # noqa: D301  (click reads the backspace)
