"""`callsheet show`: a spec as it reads, with its overrides; nothing is built."""

from __future__ import annotations

import json

import click

from callsheet._encode import to_data
from callsheet._terminal import columns
from callsheet.cli._config import Subject, overrides_argument, reading_options, run_named, told
from callsheet.cli._text import spec_text, table
from callsheet.run._execute import origins_of


@click.command("show")
@click.argument("config", metavar="FILE[:PATH]|RUN[:PATH]")
@overrides_argument
@click.option("--origins", is_flag=True, help="Tell for each value who set it.")
@reading_options
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
    run = None if as_json or origins else run_named(config, runs)
    if run is not None and run.record.get("not_data"):
        click.echo((run.directory / "spec.txt").read_text(encoding="utf-8"), nl=False)
        return
    spec = Subject.read(config, overrides, paths=paths, allow=allow, runs=runs).part
    if as_json:
        click.echo(json.dumps(to_data(spec), indent=1, ensure_ascii=False))
    elif origins:
        rows = [[path, chain[0]["value"], chain[0]["where"]] for path, chain in origins_of(spec).items()]
        longest = min(40, columns() - 4)
        rows = [[path, v if len(v) <= longest else v[: longest - 3] + "...", where] for path, v, where in rows]
        click.echo(table(rows, style=lambda row, column: "dim" if column == 2 else ""))
    else:
        click.echo(spec_text(spec))
