"""`callsheet schema`: the JSON Schema of a config, with which an editor completes and checks its data."""

from __future__ import annotations

import click

from callsheet._schema import schema
from callsheet.cli._config import allow_option, json_option, overrides_argument, path_option, told
from callsheet.cli._subject import Subject
from callsheet.cli._text import print_json


@click.command("schema")
@click.argument("config", metavar="FILE[:PATH]")
@overrides_argument
@path_option
@allow_option
@json_option
@told
def command(
    config: str, overrides: tuple[str, ...], paths: tuple[str, ...], allow: tuple[str, ...], as_json: bool
) -> None:
    """Print the JSON Schema of a config: its calls with their parameters, types and defaults.

    It is JSON in any case; with --json, what is wrong is told as data too.

    \b
    callsheet schema conf.py > conf.schema.json
    """  # noqa: D301  (click reads the backspace)
    part = Subject.read(config, overrides, paths=paths, allow=allow, runs=None).part
    print_json(schema(part))
