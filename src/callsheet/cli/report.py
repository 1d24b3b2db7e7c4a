"""`callsheet report`: runs as one page for a browser."""

from __future__ import annotations

import os

import click

from callsheet._terminal import say
from callsheet.cli._config import runs_option, told
from callsheet.cli._selection import nothing, selected
from callsheet.report._page import write_report


@click.command("report")
@click.argument("words", nargs=-1, metavar="[FILTER|RUN]...")
@click.option("-o", "--output", default="report.html", show_default=True, metavar="FILE", help="Where to write.")
@click.option("--title", default="", metavar="TEXT", help="Title of the page.  [default: the project's folder]")
@click.option("--sort", "order", metavar="NAMES", help="Sort by NAMES, comma between; -NAME the largest first.")
@runs_option
@told
def command(words: tuple[str, ...], output: str, title: str, order: str | None, runs: str | None) -> None:
    """Write runs as one page: a table, curves, parallel coordinates, and each run's spec with who set what.

    The file needs nothing else and no network: open it in a browser, mail it, keep it.

    \b
    callsheet report
    callsheet report 'status=done and result.acc>0.9' -o best.html
    """  # noqa: D301  (click reads the backspace)
    found = selected(words, runs)
    if not found:
        raise nothing(found, words)
    if order:
        found = found.sort(*(name.strip() for name in order.split(",")))
    write_report(found, output, title=title, said=" ".join(words))
    size = os.path.getsize(output) / 1e6
    say(f"wrote {output}: {len(found)} run{'' if len(found) == 1 else 's'}, {size:.1f} MB")
