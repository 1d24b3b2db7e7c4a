"""Callsheet beside its peers and the plain Python that does the same: medians and ratios of one run, as a table."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import commands
import configs
import datafiles
import edits
import lazyconfig
import peers
import plain
import references
import runs
import runs_index
import sweeps
from measure import medians, processor_times

import callsheet
from callsheet import build, copy, equal, factory, lazy

Subject = Callable[[], object]

PEERS = peers.installed()
OWN = ("callsheet", "plain")
SIZES = (1_000, 10_000, 100_000)
CALLS = 10_000
PEER_LEAVES = 10_000  # of a larger tree they need minutes
LAYERS = 50
TIMES = 1_000
FEW = 1_000  # calls that a slow peer builds; its time is scaled


class Row:
    """One operation: the median seconds of Callsheet ("callsheet"), plain Python ("plain") and the peers."""

    def __init__(self, label: str, goal: float | None, seconds: dict[str, float]) -> None:
        self.label = label
        self.goal = goal
        self.seconds = seconds


def imports() -> Iterator[Row]:
    programs = {"callsheet": "from callsheet import lazy, load", "plain": "import dataclasses"}
    programs |= {name: peer.program for name, peer in PEERS.items() if peer is not None}
    paths = [sysconfig.get_path("purelib"), os.path.dirname(callsheet.__path__[0])]
    yield Row("import lazy, load (cpu)", 1.3, processor_times(programs, paths))


def leaves() -> Iterator[Row]:
    made: list[Row] = []
    copied: list[Row] = []
    compared: list[Row] = []
    for size in SIZES:
        data, twin = plain.tree(size), plain.tree(size)
        spec, other = describe(data), describe(twin)
        make: dict[str, Subject] = {"callsheet": lambda: describe(data), "plain": lambda: plain.remade(data)}
        clone: dict[str, Subject] = {"callsheet": lambda: copy(spec), "plain": lambda: plain.remade(data)}
        compare: dict[str, Subject] = {"callsheet": lambda: equal(spec, other), "plain": lambda: plain.same(data, twin)}
        for name, peer in PEERS.items():
            if hasattr(peer, "make") and size <= PEER_LEAVES:
                theirs, others = peer.make(data), peer.make(twin)
                make[name] = lambda peer=peer: peer.make(data)
                clone[name] = lambda peer=peer, theirs=theirs: peer.copy(theirs)
                compare[name] = lambda theirs=theirs, others=others: theirs == others
        made.append(Row(f"make {size:,} leaves", 2, medians(make)))
        copied.append(Row(f"copy {size:,} leaves", 2, medians(clone)))
        compared.append(Row(f"compare {size:,} leaves", 1.5, medians(compare)))
    yield from (*made, *copied, *compared)


def describe(data: Any) -> Any:
    """A spec that holds nested dicts: they become mappings of its own."""
    return lazy(dict)(config=data)


def builds() -> Iterator[Row]:
    for label, goal in (("wide", 3), ("chains", 4), ("positional", 3), ("named", 3)):
        spec = globals()[f"{label}_calls"](CALLS)
        subjects: dict[str, Subject] = {"callsheet": lambda: build(spec), "plain": lambda: getattr(plain, label)(CALLS)}
        for name, peer in PEERS.items():
            if hasattr(peer, "build") and hasattr(peer, label):
                theirs = getattr(peer, label)(FEW)
                subjects[name] = lambda peer=peer, theirs=theirs: peer.build(theirs)
        seconds = medians(subjects)
        for name in PEERS.keys() & seconds.keys():
            seconds[name] *= CALLS / FEW
        yield Row(f"build {CALLS:,} calls, {label}", goal, seconds)


def positional_calls(calls: int) -> list[Any]:
    return [lazy(plain.Layer)(n, 0.5) for n in range(calls)]


def named_calls(calls: int) -> list[Any]:
    layer = lazy("plain.Layer")
    return [layer(width=n, rate=0.5) for n in range(calls)]


def factories() -> Iterator[Row]:
    for label in ("wide", "chain"):
        by_hand = plain.written_out(label, LAYERS)
        make = factory(wide_calls(LAYERS) if label == "wide" else nested_call(LAYERS))
        subjects: dict[str, Subject] = {"callsheet": lambda make=make: many(make), "plain": lambda f=by_hand: many(f)}  # type: ignore[misc]
        yield Row(f"factory, {LAYERS} calls, {label}, {TIMES:,} times", 1.15, medians(subjects))


def many(make: Callable[[], object]) -> None:
    for _ in range(TIMES):
        make()


def nestings() -> Iterator[Row]:
    for depth in (10, 20, 40):
        subjects: dict[str, Subject] = {
            "callsheet": lambda depth=depth: many(lambda: nested_call(depth)),  # type: ignore[misc]
            "plain": lambda depth=depth: many(lambda: plain.chain(depth)),  # type: ignore[misc]
        }
        yield Row(f"describe calls {depth} deep, {TIMES:,} times", None, medians(subjects))


def nested_call(depth: int) -> Any:
    layer = None
    for n in range(depth):
        layer = lazy(plain.Layer)(width=n, inner=layer)
    return layer


def wide_calls(calls: int) -> list[Any]:
    return [lazy(plain.Layer)(width=n, rate=0.5) for n in range(calls)]


def chains_calls(calls: int) -> list[Any]:
    return [nested_call(plain.LENGTH) for _ in range(calls // plain.LENGTH)]


def reads() -> Iterator[Row]:
    calls = lazy(dict)(a=lazy(dict)(b=lazy(dict)(c=lazy(dict)(d=1))))
    mappings = describe({"a": {"b": {"c": {"d": 1}}}}).config
    others = {name: peer.nested() for name, peer in PEERS.items() if hasattr(peer, "nested")}
    for label, cfg in (("calls", calls), ("mappings", mappings)):
        chains = {"callsheet": cfg, "plain": plain.nested(), **others}
        seconds = medians({name: plain.reader(chain) for name, chain in chains.items()}, rounds=101, budget=0.3)
        yield Row(f"read cfg.a.b.c.d, {label}", 1.5, {name: s / plain.READS for name, s in seconds.items()})


def loads() -> Iterator[Row]:
    for label, goal, seconds in configs.rows():
        yield Row(label, goal, seconds)


def files() -> Iterator[Row]:
    for label, goal, seconds in datafiles.rows():
        yield Row(label, goal, seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "conf.py")
        with open(path, "w") as file:
            file.write("from callsheet import lazy\nlr = 1e-3\nmain = lazy('train.fit')(lr=lr, epochs=5)\n")
        programs = {
            "callsheet": f"from callsheet import load; load({path!r}).main.lr",
            "plain": "import dataclasses",
        }
        paths = [sysconfig.get_path("purelib"), os.path.dirname(callsheet.__path__[0])]
        yield Row("load a .py, read a value (cpu)", 1.5, processor_times(programs, paths))


def links() -> Iterator[Row]:
    for label, goal, seconds in references.rows({name: peer for name, peer in PEERS.items() if peer is not None}):
        yield Row(label, goal, seconds)


def edited() -> Iterator[Row]:
    for label, goal, seconds in edits.rows(PEERS):
        yield Row(label, goal, seconds)


def lines(rows: list[Row]) -> Iterator[str]:
    """The table: times of Callsheet and plain Python, then everyone's ratio to plain Python."""
    columns = ["Callsheet", "plain", "ratio", "goal", *PEERS]
    yield f"{'':40}" + "".join(f"{name:>15}" for name in columns)
    for row in rows:
        ours, limit = row.seconds["callsheet"], row.seconds["plain"]
        over = row.goal is not None and ours / limit > row.goal
        cells = [duration(ours), duration(limit), f"{'* ' if over else ''}{ours / limit:.2f}"]
        cells.append("" if row.goal is None else f"{row.goal:.1f}")
        for name, peer in PEERS.items():
            known = row.seconds.get(name)
            cells.append("not installed" if peer is None else "-" if known is None else f"{known / limit:.1f}")
        others = [f"{name} {known / limit:.1f}" for name, known in row.seconds.items() if name not in (*PEERS, *OWN)]
        yield f"{row.label:40}" + "".join(f"{cell:>15}" for cell in cells) + "".join(f"  {other}" for other in others)
    yield "ratios to plain Python; * over the goal; - has no such operation, or none that ends in reasonable time"


def duration(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def rcnn() -> Iterator[Row]:
    for label, goal, seconds in lazyconfig.rows(PEERS):
        yield Row(label, goal, seconds)


def grids() -> Iterator[Row]:
    for label, goal, seconds in sweeps.rows():
        yield Row(label, goal, seconds)


def prompts() -> Iterator[Row]:
    for label, goal, seconds in commands.rows():
        yield Row(label, goal, seconds)


def listed() -> Iterator[Row]:
    for label, goal, seconds in runs_index.rows():
        yield Row(label, goal, seconds)


def running() -> Iterator[Row]:
    for label, goal, seconds in runs.rows():
        yield Row(label, goal, seconds)


SECTIONS = (
    imports,
    leaves,
    nestings,
    builds,
    factories,
    links,
    edited,
    reads,
    loads,
    files,
    rcnn,
    prompts,
    grids,
    listed,
    running,
)


def main() -> None:
    print(f"Callsheet {callsheet.__version__}, Python {platform.python_version()}, {os.cpu_count()} cores")
    rows = [row for section in SECTIONS for row in section()]
    print("\n".join(lines(rows)))


if __name__ == "__main__":
    sys.exit(main())
