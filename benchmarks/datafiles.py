"""Data files: saved and loaded, beside json and libyaml with the same data, and what their lines cost."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import plain
import yaml
from measure import medians

from callsheet import from_data, lazy, load, save
from callsheet.formats import yaml as format_yaml

LEAVES = 1_000
WITH_LINES = 10_000


def rows() -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """`(label, goal, seconds)` of each operation."""
    data = plain.tree(LEAVES)
    spec = lazy(dict)(config=data).config
    with tempfile.TemporaryDirectory() as folder:
        by_hand: dict[str, tuple[float, Callable[..., Any], Callable[..., Any]]] = {
            "json": (2.5, partial(json.dump, indent=2), json.load),
            "yaml": (
                1.3,
                partial(yaml.dump, Dumper=yaml.CSafeDumper, sort_keys=False),
                partial(yaml.load, Loader=yaml.CSafeLoader),
            ),
        }
        for suffix, (goal, dump, read) in by_hand.items():
            ours, theirs = (os.path.join(folder, f"{name}.{suffix}") for name in ("ours", "theirs"))
            save(spec, ours)
            saving = {"callsheet": partial(save, spec, ours), "plain": partial(_write, dump, data, theirs)}
            loading = {"callsheet": partial(load, ours), "plain": partial(_read, read, ours)}
            yield f"save {LEAVES:,} leaves, {suffix}", goal, medians(saving, rounds=31)
            yield f"load {LEAVES:,} leaves, {suffix}", goal, medians(loading, rounds=31)
        path = os.path.join(folder, "large.yaml")
        save(lazy(dict)(config=plain.tree(WITH_LINES)).config, path)
        subjects = {"callsheet": partial(load, path), "plain": partial(_without_lines, path)}
        yield f"load {WITH_LINES:,} leaves with origins", 1.5, medians(subjects, rounds=11)


def _write(dump: Callable[..., Any], data: Any, path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        dump(data, file)


def _read(read: Callable[..., Any], path: str) -> Any:
    with open(path, encoding="utf-8") as file:
        return read(file)


def _without_lines(path: str) -> Any:
    """The same reading, of data that does not know its file."""
    with open(path, encoding="utf-8") as file:
        return from_data(format_yaml.read(file.read(), path))
