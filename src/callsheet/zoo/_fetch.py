"""The weights of an entry as a local file whose SHA-256 is the card's; remote ones are kept, by that, in the cache."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from callsheet._configfile import show_file
from callsheet._signature_cache import cache_folder
from callsheet._storage import copy_file, is_remote, suffix_of
from callsheet._tensors import digest_of
from callsheet.errors import Fault, LoadError, WeightsError, ZooError
from callsheet.run._store import take_lock
from callsheet.zoo._shelf import Entry


@contextlib.contextmanager
def weights_of(entry: Entry) -> Iterator[str]:
    """A local file of an entry's weights, verified; it may be gone afterwards.

    Raises:
        ZooError: The entry has no weights, they cannot be fetched, or are not what the card says.
    """
    card = entry.card
    if not card.weights:
        raise ZooError(Fault("", f"{show_file(entry.name)} is published without weights"))
    source = entry.file(card.weights)
    if not is_remote(source):
        _compare(source, card.weights_sha256, [f"get {show_file(entry.place)} anew, or ask who published it"])
        yield source
        return
    folder = cache_folder()
    if folder:
        yield _kept(source, card.weights_sha256, os.path.join(folder, "zoo"))
        return
    with tempfile.TemporaryDirectory(prefix="callsheet-zoo-") as passing:
        path = os.path.join(passing, "weights" + suffix_of(source))
        _fetch(source, card.weights_sha256, path)
        yield path


def _kept(source: str, sha256: str, folder: str) -> str:
    """The file in the cache, fetched once, whoever asks for it at the same time."""
    path = os.path.join(folder, sha256 + suffix_of(source))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        lock = take_lock(Path(f"{path}.lock"), wait=True)
    except OSError as error:
        advice = ["CALLSHEET_CACHE=DIR  keeps it elsewhere, an empty one keeps nothing"]
        raise ZooError(Fault("", f"the cache {folder} cannot be used: {error.strerror}", advice=advice)) from None
    assert lock is not None
    try:
        if not os.path.exists(path):
            _fetch(source, sha256, f"{path}.part")
            os.replace(f"{path}.part", path)
            return path
    finally:
        os.close(lock)
    _compare(path, sha256, [f"it was kept from {source}", f"to fetch it again:  rm {path}"])
    return path


def _fetch(source: str, sha256: str, path: str) -> None:
    try:
        with open(path, "wb") as file:
            copy_file(source, file)
    except FileNotFoundError:
        raise ZooError(Fault("", f"there is no file {source}, which the card names")) from None
    except LoadError as error:
        raise ZooError(*error.faults) from None
    except OSError as error:
        raise ZooError(Fault("", f"{source} cannot be kept in {path}: {error.strerror}")) from None
    try:
        _compare(
            path,
            sha256,
            ["it came damaged, or the card is of another version: try again, or ask who published it"],
            source,
        )
    except ZooError:
        os.unlink(path)
        raise


def _compare(path: str, sha256: str, advice: list[str], source: str = "") -> None:
    try:
        found = digest_of(path)
    except WeightsError as error:
        raise ZooError(*error.faults) from None
    if found != sha256:
        shown = source or show_file(path)
        problem = f"{shown} is not what its card says: its SHA-256 is {found[:12]}…, the card has {sha256[:12]}…"
        raise ZooError(Fault("", problem, advice=advice))
