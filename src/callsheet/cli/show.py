"""`callsheet show`: a spec as it reads, with its overrides; nothing is built."""

from __future__ import annotations

import json

import click

from callsheet._codec import to_data
from callsheet._files import load
from callsheet._lazy import get
from callsheet.cli._config import (
    Config,
    allow_option,
    json_option,
    overrides_argument,
    path_option,
    run_named,
    runs_option,
    told,
)
from callsheet.cli._text import spec_text, table, width
from callsheet.run._execute import origins_of


@click.command("show")
@click.argument("config", metavar="FILE[:PATH]|RUN")
@overrides_argument
@click.option("--origins", is_flag=True, help="Tell for each value who set it.")
@path_option
@allow_option
@runs_option
@json_option
@told
def command(
    config: str,
    overrides: tuple[str, ...],
    origins: bool,
    paths: tuple[str, ...],
    allow: tuple[str, ...],
    runs: str | None,
    as_json: bool,
) -> None:
    """Print a spec as it reads with the overrides, or the spec of a run.

    \b
    callsheet show conf.py optim.lr=3e-3
    callsheet show conf.py:model --origins
    """  # noqa: D301  (click reads the backspace)
    run = run_named(config, runs)
    if run is not None:
        if overrides:
            raise click.UsageError("A run is what it was: overrides change a config.")
        spec = load(run.directory / "spec.json")
    else:
        named = Config.named(config, paths, allow)
        spec = named.load(overrides)
        spec = get(spec, named.entry) if named.entry else spec
    if as_json:
        click.echo(json.dumps(to_data(spec), indent=1, ensure_ascii=False))
    elif origins:
        rows = [[path, chain[0]["value"], chain[0]["where"]] for path, chain in origins_of(spec).items()]
        rows = [[path, value if len(value) <= 40 else value[:37] + "...", where] for path, value, where in rows]
        click.echo(table(rows))
    else:
        click.echo(spec_text(spec, columns=max(width(), 40)))
