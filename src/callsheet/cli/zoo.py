"""`callsheet zoo`: what others publish: list it, show an entry, copy its files; nothing of it is run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from callsheet import zoo
from callsheet._storage import read_bytes, suffix_of, text_of
from callsheet._terminal import columns, say
from callsheet.cli._config import json_option, told
from callsheet.cli._faults import tell
from callsheet.cli._text import number, print_json, spec_text, table
from callsheet.errors import Fault, ZooError
from callsheet.zoo import Card


@click.group("zoo", subcommand_metavar="list|show|copy ...")
def command() -> None:
    """List, show and copy published configs; nothing of them is run.

    A zoo is an installed package that publishes configs, a folder (./zoo),
    or a remote one (s3://bucket/zoo).

    \b
    callsheet zoo list
    callsheet zoo show digits/small
    """  # noqa: D301  (click reads the backspace)


@command.command("list", short_help="List the entries of a zoo.")
@click.argument("place", required=False, metavar="[ZOO]")
@json_option
@told
def list_entries(place: str | None, as_json: bool) -> None:
    """List the entries of a zoo: of all installed packages, or of ZOO.

    \b
    callsheet zoo list
    callsheet zoo list ./zoo
    """  # noqa: D301  (click reads the backspace)
    found, faults = _cards(place)
    if as_json:
        print_json({"entries": {name: asdict(card) for name, card in found.items()}, "faults": _as_data(faults)})
    elif found:
        say(_shown(_listing(found)))
    elif not faults:
        where = f"{place} has no entries" if place else "no installed package publishes a config"
        advice = [] if place else ["callsheet zoo list ./FOLDER  lists a folder"]
        raise ZooError(Fault("", where, advice=advice))
    if faults:
        if not as_json:
            tell(faults, as_json=False)
        sys.exit(1)


def _cards(place: str | None) -> tuple[dict[str, Card], list[Fault]]:
    """The cards of a zoo, or of all that are installed, and what is wrong with the others."""
    found: dict[str, Card] = {}
    faults: list[Fault] = []

    def tried(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except ZooError as error:
            faults.extend(error.faults)
            return None

    for each in [place] if place else zoo.installed():
        for name in tried(partial(zoo.names, each)) or ():
            card = tried(partial(zoo.card, name))
            if card is not None:
                found[name] = card
    return found, faults


def _shown(text: str) -> str:
    """A text of somebody else's with nothing in it that a terminal obeys."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in text)


def _as_data(faults: list[Fault]) -> list[dict[str, object]]:
    return [fault.as_data() for fault in faults]


def _listing(found: dict[str, Card]) -> str:
    """A line for each entry; descriptions are cut where the others need the room."""
    rows = [
        [
            name,
            ", ".join(f"{key} {number(value)}" for key, value in card.metrics.items()),
            "weights" if card.weights else "",
            card.licence,
            card.description.partition("\n")[0],
        ]
        for name, card in found.items()
    ]
    room = columns() - sum(max(len(row[n]) for row in rows) + 2 for n in range(4))
    for row in rows:
        row[4] = row[4] if len(row[4]) <= max(room, 20) else row[4][: max(room, 20) - 3].rstrip() + "..."
    return table(rows)


@command.command("show")
@click.argument("name", metavar="ENTRY")
@json_option
@told
def show(name: str, as_json: bool) -> None:
    """Print the card of an entry, and its config.

    \b
    callsheet zoo show digits/small
    """  # noqa: D301  (click reads the backspace)
    card = zoo.card(name)
    if as_json:
        print_json(asdict(card))
        return
    rows = [["description", card.description], ["licence", card.licence]]
    rows += [["metrics", f"{key} {number(value)}"] for key, value in card.metrics.items()]
    if card.weights:
        rows += [["weights", card.weights], ["", f"SHA-256 {card.weights_sha256}"]]
    for place, given in card.defaults.items():
        rows.append(["defaults", f"{place}: {', '.join(f'{key}={text}' for key, text in given.items())}"])
    for n in range(len(rows) - 1, 0, -1):
        rows[n][0] = "" if rows[n][0] == rows[n - 1][0] else rows[n][0]
    say(_shown(f"{table(rows)}\n\n{_config_text(name, card)}".rstrip("\n")))


def _config_text(name: str, card: Card) -> str:
    """Data as the spec that it is, code as it is written: it is not run to be shown."""
    if suffix_of(card.config) != ".py":
        return spec_text(zoo.get(name))
    path = zoo.file_of(name, card.config)
    return text_of(read_bytes(path), path)


@command.command("copy", short_help="Copy the files of an entry into a new folder.")
@click.argument("name", metavar="ENTRY")
@click.argument("into", required=False, metavar="[DIR]")
@told
def copy(name: str, into: str | None) -> None:
    """Copy an entry's card, config and weights into a new folder, verified: into its own name, or DIR.

    \b
    callsheet zoo copy digits/small
    """  # noqa: D301  (click reads the backspace)
    folder = into or name.rstrip("/").rpartition("/")[2]
    for file in zoo.copy(name, folder):
        say(f"wrote {os.path.join(folder, file)}")
