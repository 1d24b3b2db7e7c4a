"""`callsheet report`: runs as one page for a browser."""

from __future__ import annotations

import os

import click

from callsheet._storage import unwritable
from callsheet._terminal import say
from callsheet.cli._config import json_option, runs_option, told
from callsheet.cli._selection import names_said, nothing, selected
from callsheet.cli._text import print_json
from callsheet.errors import Fault, RunError
from callsheet.report._page import is_report, write_report


@click.command("report")
@click.argument("words", nargs=-1, metavar="[FILTER|RUN]...")
@click.option("-o", "--output", default="report.html", show_default=True, metavar="FILE", help="Where to write.")
@click.option("--title", default="", metavar="TEXT", help="Title of the page.  [default: the project's folder]")
@click.option("--sort", "order", metavar="NAMES", help="Sort by NAMES, comma between; -NAME the largest first.")
@runs_option
@json_option
@told
def command(
    words: tuple[str, ...], output: str, title: str, order: str | None, runs: str | None, as_json: bool
) -> None:
    """Write runs as one page: a table, curves, parallel coordinates, and each run's spec with who set what.

    The file needs nothing else and no network: open it in a browser, mail it, keep it.

    \b
    callsheet report
    callsheet report 'status=done and result.acc>0.9' -o best.html
    """  # noqa: D301  (click reads the backspace)
    found = selected(words, runs)
    if not found:
        raise nothing(found, words)
    found = found.sort(*names_said(order))
    try:
        if os.path.exists(output) and os.path.getsize(output) and not is_report(output):
            raise RunError(Fault("", f"{output} is there already, and is no report", advice=["-o FILE  names another"]))
        write_report(found, output, title=title, said=" ".join(words))
    except OSError as error:
        raise RunError(unwritable(str(output), error)) from None
    size = os.path.getsize(output)
    if as_json:
        print_json({"file": os.path.abspath(output), "runs": len(found), "bytes": size})
    else:
        say(f"wrote {output}: {len(found)} run{'' if len(found) == 1 else 's'}, {size / 1e6:.1f} MB")
