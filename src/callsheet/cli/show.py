"""`callsheet show`: a spec as it reads, with its overrides; nothing is built."""

from __future__ import annotations

from callsheet._encode import to_data
from callsheet._lineage import origins_of
from callsheet._terminal import columns, say
from callsheet.cli._subject import Subject, run_named
from callsheet.cli._text import print_json, spec_text, table
from callsheet.cli._words import READING, Option, Verb


def show(
    config: str,
    overrides: tuple[str, ...],
    *,
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
        say((run.directory / "spec.txt").read_text(encoding="utf-8").removesuffix("\n"))
        return
    spec = Subject.read(config, overrides, paths=paths, allow=allow, runs=runs).part
    if as_json:
        print_json(to_data(spec))
    elif origins:
        rows = [[path, chain[0]["value"], chain[0]["where"]] for path, chain in origins_of(spec).items()]
        longest = min(40, columns() - 4)
        rows = [[path, v if len(v) <= longest else v[: longest - 3] + "...", where] for path, v, where in rows]
        say(table(rows, style=lambda row, column: "dim" if column == 2 else ""))
    else:
        say(spec_text(spec))


VERB = Verb(
    "show",
    show,
    first=("config", "FILE[:PATH]|RUN[:PATH]"),
    rest=("overrides", "[PATH=VALUE]..."),
    options=(Option("--origins", "origins", "Tell for each value who set it."), *READING),
)
