"""Loading config files: chains of them, first and again, and files that name what is not imported."""

from __future__ import annotations

import os
import sys
import tempfile
import types
from collections.abc import Iterator
from functools import partial

from measure import medians

from callsheet import load

FILES = 5
ROUNDS = 15
NAMED = 60

PLAIN = "".join(f"width{n} = {n}\nname{n} = 'layer {n}'\ntotal{n} = width{n} * 2 + 1\n" for n in range(20))
REWRITTEN = "from shop import layers\nfrom shop.layers import Net\nfrom callsheet import lazy\n" + "".join(
    f"net{n} = lazy(layers.Conv)({n}, 8, kernel_size=3)\noptim{n} = lazy(Net)(lr={n}, betas=(0.9, 0.99))\n"
    f"sizes{n} = dict(a={n}, b=[1, 2])\n"
    for n in range(10)
)
TORCH = (
    "import torch.nn as nn\nfrom torch.optim import AdamW\nfrom callsheet import lazy\n"
    + "".join(f"layer{n} = lazy(nn.Linear)({n}, 8, bias=False)\n" for n in range(NAMED))
    + "optim = lazy(AdamW)(lr=0.1)\n"
)
UNNAMED = (
    "from callsheet import lazy\n"
    + "".join(f"layer{n} = lazy('torch.nn:Linear')({n}, 8, bias=False)\n" for n in range(NAMED))
    + "optim = lazy('torch.optim:AdamW')(lr=0.1)\n"
)


def rows() -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """`(label, goal, seconds)` of each operation."""
    shop = types.ModuleType("shop")
    shop.layers = sys.modules["shop.layers"] = types.SimpleNamespace(Conv=dict, Net=dict)  # type: ignore[assignment,attr-defined]
    sys.modules["shop"] = shop
    with tempfile.TemporaryDirectory() as folder:
        for label, goal, text in (("nothing to rewrite", 1.5, PLAIN), ("rewritten", 3.5, REWRITTEN)):
            first = [_chain(folder, f"{label[0]}{n}", text) for n in range(ROUNDS + 1)]
            limit = partial(_by_hand, first[-1])
            fresh = iter(first)
            yield (
                f"{FILES} config files, {label}",
                goal,
                medians({"callsheet": lambda fresh=fresh: load(next(fresh)), "plain": limit}, rounds=ROUNDS),
            )
            yield (
                f"{FILES} config files, again",
                0.4,
                medians({"callsheet": lambda path=first[0]: load(path), "plain": limit}, rounds=ROUNDS),
            )
        named, unnamed = (
            [_file(folder, f"{stem}{n}.py", text) for n in range(ROUNDS)]
            for stem, text in (("t", TORCH), ("u", UNNAMED))
        )
        fresh_named, fresh_unnamed = iter(named), iter(unnamed)
        yield (
            "names torch classes, first",
            3,
            medians(
                {"callsheet": lambda: load(next(fresh_named)), "plain": lambda: load(next(fresh_unnamed))},
                rounds=ROUNDS,
            ),
        )
        yield (
            "names torch classes, again",
            1.5,
            medians({"callsheet": lambda: load(named[0]), "plain": lambda: load(unnamed[0])}, rounds=ROUNDS),
        )
    if "torch" in sys.modules:
        raise RuntimeError("torch was imported")


def _file(folder: str, name: str, text: str) -> str:
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def _chain(folder: str, stem: str, text: str) -> str:
    """Files of which each takes everything from the next; gives the first."""
    for n in range(FILES):
        taken = f"from .{stem}_{n + 1} import *\n" if n + 1 < FILES else ""
        _file(folder, f"{stem}_{n}.py", taken + text)
    return os.path.join(folder, f"{stem}_0.py")


def _by_hand(path: str) -> None:
    """The same files opened, compiled and run as ordinary Python."""
    for n in range(FILES):
        with open(path.removesuffix("_0.py") + f"_{n}.py", encoding="utf-8") as file:
            text = file.read()
        if n + 1 < FILES:
            text = text.partition("\n")[2]
        exec(compile(text, path, "exec"), {"__name__": "by_hand"})
