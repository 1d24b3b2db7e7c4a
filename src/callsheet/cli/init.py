"""`callsheet init`: the files of an example, to start from."""

from __future__ import annotations

import os
from importlib.resources import files

import click

from callsheet._terminal import say
from callsheet.cli._config import told
from callsheet.errors import CallsheetError, Fault


@click.command("init")
@click.argument("example", type=click.Choice(["digits"]))
@click.option("--into", default=".", metavar="DIR", show_default=True, help="Where to write; made if it is not there.")
@told
def command(example: str, into: str) -> None:
    """Write an example into this folder: `digits`, a small network on scikit-learn's handwritten digits.

    \b
    callsheet init digits
    """  # noqa: D301  (click reads the backspace)
    source = files("callsheet") / "examples" / example
    wanted = {item.name: item.read_bytes() for item in source.iterdir() if item.name.endswith(".py")}
    present = [name for name in wanted if os.path.exists(os.path.join(into, name))]
    if present:
        raise CallsheetError(
            Fault(
                "",
                f"{', '.join(sorted(present))} would be overwritten",
                advice=["start in an empty folder, or  --into DIR"],
            )
        )
    os.makedirs(into, exist_ok=True)
    for name, content in sorted(wanted.items()):
        with open(os.path.join(into, name), "xb") as file:
            file.write(content)
        say(f"wrote {os.path.join(into, name) if into != '.' else name}")
    say("next: callsheet run conf.py")
