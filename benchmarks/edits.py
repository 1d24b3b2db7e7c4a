"""Edits of a spec of 1,000 leaves by ten texts: parsed, as the declared type, with who set what."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from measure import medians

from callsheet import edit, lazy, override

CALLS = 100
TIMES = 50
TEXTS = (
    "m0.block.width=5",
    "m10.block.depth=7",
    "m20.block.lr=1e-3",
    "m30.block.name=abc",
    "m40.block.drop=0.5",
    "m50.block.bias=false",
    "m60.block.groups=4",
    "m70.block.heads=8",
    "m80.block.norm=layer",
    "m90.block.eps=1e-6",
)


@dataclasses.dataclass
class Block:
    width: int = 1
    depth: int = 2
    lr: float = 0.1
    name: str = "x"
    drop: float = 0.0
    bias: bool = True
    groups: int = 1
    heads: int = 1
    norm: str = "batch"
    eps: float = 1e-5


class Names:
    """Plain Python's own attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


READERS = {"int": int, "float": float, "str": str, "bool": lambda text: {"true": True, "false": False}[text]}
DECLARED = {field.name: READERS[str(field.type)] for field in dataclasses.fields(Block)}


def by_hand(root: Any, texts: tuple[str, ...], origins: dict[str, Any]) -> None:
    """What one writes who needs no more: the value as its type, set, and who set it in place of what."""
    where = f"{sys._getframe(1).f_code.co_filename}:{sys._getframe(1).f_lineno}"
    for text in texts:
        path, equals, said = text.partition("=")
        if not equals:
            raise ValueError(text)
        *way, last = path.split(".")
        holder = root
        for step in way:
            holder = getattr(holder, step)
        before = getattr(holder, last)
        setattr(holder, last, DECLARED[last](said))
        origins[path] = (where, text, before, origins.get(path))


def rows(peers: Mapping[str, Any]) -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """Labels, goals and seconds, for `bench.py`; of Hydra only what it takes to read the texts, before it composes."""
    values = dataclasses.asdict(Block())
    spec = override({f"m{n}": {"block": lazy(Block)(**values)} for n in range(CALLS)}, [])
    plain = Names(**{f"m{n}": Names(block=Block()) for n in range(CALLS)})
    subjects: dict[str, Callable[[], object]] = {
        "callsheet": lambda: edit(spec, TEXTS),
        "plain": lambda: by_hand(plain, TEXTS, {}),
    }
    if peers.get("omegaconf") is not None:
        from omegaconf import OmegaConf

        cfg = OmegaConf.create({f"m{n}": {"block": values} for n in range(CALLS)})
        subjects["omegaconf"] = lambda: cfg.merge_with_dotlist(list(TEXTS))
    if peers.get("hydra") is not None:
        from hydra.core.override_parser.overrides_parser import OverridesParser

        parser = OverridesParser.create()
        subjects["hydra"] = lambda: parser.parse_overrides(list(TEXTS))
    seconds = medians({name: partial(repeated, subject) for name, subject in subjects.items()})
    yield "edit 1,000 leaves by 10 texts", 10, {name: taken / TIMES for name, taken in seconds.items()}


def repeated(subject: Callable[[], object]) -> None:
    for _ in range(TIMES):
        subject()
