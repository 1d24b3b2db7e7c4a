"""References replaced by what they lead to, beside a walk by hand that keeps what it has found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from measure import medians

from callsheet import from_data, resolve

COUNT = 1_000
CHAINS = (80, 5_000)
TIMES = 50  # a short chain is resolved

Data = dict[str, Any]


def rows(peers: dict[str, Any]) -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """`(label, goal, seconds)` of each operation."""
    absolute = {
        "train": {f"x{n}": n for n in range(COUNT)},
        "test": {f"x{n}": f"${{train.x{n}}}" for n in range(COUNT)},
    }
    relative = {f"group{n}": {"x": n, "y": "${.x}"} for n in range(COUNT)}
    yield _row(f"resolve {COUNT:,} references, absolute", absolute, peers)
    yield _row(f"resolve {COUNT:,} references, relative", relative, peers)
    for length in CHAINS:
        chain: Data = {f"x{n}": f"${{x{n + 1}}}" for n in range(length)} | {f"x{length}": 1}
        times = max(1, TIMES * CHAINS[0] // length)
        yield _row(f"resolve a chain of {length:,} references", chain, peers if length < COUNT else {}, times)


def _row(label: str, data: Data, peers: dict[str, Any], times: int = 1) -> tuple[str, float | None, dict[str, float]]:
    spec, links = from_data(data), linked(data, ())
    subjects: dict[str, Callable[[], object]] = {"callsheet": partial(resolve, spec), "plain": partial(followed, links)}
    for name, peer in peers.items():
        if hasattr(peer, "resolved"):
            subjects[name] = partial(peer.resolved, peer.make(data))
    if resolve(spec) != from_data(followed(links)):
        raise RuntimeError("the walk by hand comes to something else")
    return label, 2.5, medians({name: partial(_often, subject, times) for name, subject in subjects.items()})


def _often(subject: Callable[[], object], times: int) -> None:
    for _ in range(times):
        subject()


class Link:
    """A path from the root, read already, as a loaded spec has read it."""

    def __init__(self, *steps: str) -> None:
        self.steps = steps


def linked(x: Any, at: tuple[str, ...]) -> Any:
    """The same data with the references as links."""
    if type(x) is dict:
        return {key: linked(value, (*at, key)) for key, value in x.items()}
    if type(x) is str and x.startswith("${."):
        return Link(*at[:-1], *x[3:-1].split("."))
    return Link(*x[2:-1].split(".")) if type(x) is str and x.startswith("${") else x


def followed(root: Data) -> Any:
    """The data made anew with what the links lead to, each followed once."""
    known: dict[int, Any] = {}

    def end_of(link: Link) -> Any:
        passed = []
        value: Any = link
        while type(value) is Link:
            if id(value) in known:
                value = known[id(value)]
                break
            passed.append(value)
            steps, value = value.steps, root
            for step in steps:
                value = value[step]
        for one in passed:
            known[id(one)] = value
        return value

    def made(x: Any) -> Any:
        if type(x) is dict:
            return {key: made(value) for key, value in x.items()}
        return end_of(x) if type(x) is Link else x

    return made(root)
