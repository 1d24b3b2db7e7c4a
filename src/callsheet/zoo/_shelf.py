"""Where published configs are: in installed packages by name, in folders and remote stores by path."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from callsheet._configfile import show_file
from callsheet._storage import files_below, full_path, is_remote, join_path, read_bytes
from callsheet.errors import Fault, LoadError, ZooError, nearest
from callsheet.zoo._card import CARD, Card, read_card

GROUP = "callsheet.zoo"


@dataclass(frozen=True)
class Entry:
    """One published config.

    Attributes:
        name: By which it is found again, from anywhere: `package/name`, an absolute path or a URL.
        place: Its folder.
        package: The installed package that holds it, "" for none.
        card: What is said of it.
    """

    name: str
    place: str
    package: str
    card: Card

    def file(self, name: str) -> str:
        """Where a file is that its card names."""
        return name if is_remote(name) else join_path(self.place, name)


def is_place(name: str) -> bool:
    """Whether a name is a folder's path or a URL, and not that of a package."""
    return is_remote(name) or name.startswith((".", "/", "~"))


def find_entry(name: str) -> Entry:
    """The entry of a name.

    Args:
        name: `package/name` of an installed package; `./zoo/name`, `/zoo/name` or `s3://bucket/zoo/name` elsewhere.

    Raises:
        ZooError: There is none, or its card is faulty.
    """
    asked = name
    if is_place(name):
        name = place = full_path(os.path.expanduser(name)).rstrip("/")
        package = ""
    else:
        zoo, _, inner = name.partition("/")
        folder, package = _located(_point(zoo, name))
        place = join_path(folder, inner)
        if not inner or ".." in inner.split("/"):
            advice = [f"it has  {', '.join(names(zoo))}"]
            raise ZooError(Fault("", f"{name!r} names no entry of the zoo {zoo}", advice=advice))
    path = join_path(place, CARD)
    try:
        raw = read_bytes(path)
    except FileNotFoundError:
        raise _no_entry(asked, place) from None
    except LoadError as error:
        raise ZooError(*error.faults) from None
    return Entry(name, place, package, read_card(raw, path))


def names(zoo: str | None = None) -> list[str]:
    """The names of what is published, each as `get` takes it; nothing is imported.

    Args:
        zoo: An installed package's name, a folder or a URL; all installed packages by default.

    Returns:
        Names in order.

    Raises:
        ZooError: There is no such zoo, or it cannot be listed.
    """
    if zoo is None:
        return [name for each in installed() for name in names(each)]
    start = zoo.rstrip("/")
    folder = _located(_point(zoo, zoo))[0] if not is_place(zoo) else full_path(os.path.expanduser(zoo))
    if not is_remote(folder) and not os.path.isdir(folder):
        raise ZooError(Fault("", f"there is no folder {show_file(folder)}"))
    try:
        found = _entries_below(folder)
    except LoadError as error:
        raise ZooError(*error.faults) from None
    return [f"{start}/{inner}" if inner else start for inner in found]


def installed() -> list[str]:
    """The names of the zoos that installed packages have, in order; nothing is imported."""
    return sorted(point.name for point in _points())


def _entries_below(folder: str) -> list[str]:
    """The folders that have a card, relative to this one."""
    split = [path.rpartition("/") for path in files_below(folder)]
    return sorted(inner for inner, _, name in split if name == CARD)


def _points() -> Iterator[EntryPoint]:
    """The zoos of installed packages, the first of a name: as an import would find it."""
    seen = set()
    for point in entry_points(group=GROUP):
        if point.name not in seen:
            seen.add(point.name)
            yield point


def _point(zoo: str, name: str) -> EntryPoint:
    known = {point.name: point for point in _points()}
    if zoo in known:
        return known[zoo]
    close = nearest(zoo, known)
    advice = [f"did you mean  {close[0]}{name[len(zoo) :]}?"] if close else []
    if os.path.isdir(name):
        advice.append(f"for the folder:  ./{name}")
    advice += [f"installed are  {', '.join(sorted(known))}"] if known else []
    raise ZooError(Fault("", f"no installed package has a zoo named {zoo!r}", advice=advice))


def _located(point: EntryPoint) -> tuple[str, str]:
    """The folder of a package's zoo, found without importing anything, and the package that it lies in."""
    top, *inner = point.value.partition(":")[0].strip().split(".")
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec = find(top, None) if find is not None else None
        for start in (spec.submodule_search_locations or ()) if spec is not None else ():
            if os.path.isdir(os.path.join(start, *inner)):
                package, folder, rest = top, start, list(inner)
                while rest and not os.path.isfile(os.path.join(folder, "__init__.py")):  # others share this name
                    package, folder = f"{package}.{rest[0]}", os.path.join(folder, rest.pop(0))
                return os.path.join(start, *inner), package
    problem = f"the zoo {point.name!r} should lie in {point.value!r}, which is no folder of an installed package"
    made_by = f" of {point.dist.name} {point.dist.version}" if point.dist is not None else ""
    raise ZooError(Fault("", problem, advice=[f"the entry point{made_by} must name the package that holds the cards"]))


def _no_entry(asked: str, place: str) -> ZooError:
    folder, _, last = place.rpartition("/")
    known = _entries_below(folder) if not is_remote(folder) else []
    start = asked.rstrip("/").removesuffix(last)
    close = nearest(last, known)
    advice = [f"did you mean  {start}{close[0]}?"] if close else []
    advice += [f"{start} has  {', '.join(known[:12])}"] if known and not close else []
    advice += [f"{show_file(place)} is a folder, but has no {CARD}"] if os.path.isdir(place) else []
    return ZooError(Fault("", f"there is no entry {asked}", advice=advice))
