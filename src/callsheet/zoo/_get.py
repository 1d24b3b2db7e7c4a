"""Taking from a zoo: the spec of an entry under the trust that it has, with or without weights; a copy of its files."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, Literal

from callsheet._configfile import show_file
from callsheet._files import load_said
from callsheet._lazy import get as get_part
from callsheet._origin import locate
from callsheet._project import project_settings
from callsheet._said import parse_all
from callsheet._spec import here
from callsheet._storage import copy_file, files_below, is_remote, suffix_of
from callsheet._tensors import digest_of
from callsheet._trust import Policy
from callsheet.errors import Fault, LoadError, TrustError, WeightsError, ZooError
from callsheet.zoo._card import CARD, card_text
from callsheet.zoo._fetch import weights_of
from callsheet.zoo._shelf import Entry, find_entry
from callsheet.zoo.trained import Trained


def get(
    name: str,
    overrides: Iterable[str] = (),
    *,
    trained: bool = False,
    on_mismatch: Literal["error", "skip"] = "error",
    key_map: Mapping[str, str | None] | None = None,
    allow: Iterable[str] = (),
) -> Any:
    """The spec of a published config.

    A config that is data imports nothing, and may name what `allow` and the
    project's `pyproject.toml` allow, and what the installed package defines
    that it lies in. One that is code is run if it lies in an installed
    package, or in a folder and `allow` names its file; never from a remote store.

    Args:
        name: `package/name` for an installed package; `./zoo/name`, `/zoo/name` or `s3://bucket/zoo/name` elsewhere.
        overrides: Texts such as `classes=5`, as for `load`.
        trained: Whether building it loads the weights as well: gives a `Trained`, whose `model` is the spec.
        on_mismatch: With `trained`: "error" refuses weights of which anything does not fit, "skip" loads the rest.
        key_map: With `trained`: what tensors of the file are called in the model, as for `load_weights`.
        allow: What it may name, as for `load`.

    Returns:
        The spec; nothing is built or fetched before it is built.

    Raises:
        ZooError: There is no such entry, its card is faulty, or it has no weights.
        TrustError: Its config is code that nobody allowed.
        LoadError: Its config cannot be read.
        OverrideError: An override does not fit.

    Example:
        ``net = build(zoo.get("digits/small", ["classes=5"], trained=True, on_mismatch="skip"))``
    """
    where = locate(here(), None).where
    entry = find_entry(name)
    spec = read_spec(entry, overrides, where=where, allow=allow, asked=name)
    if not trained:
        return spec
    if not entry.card.weights:
        advice = [f"zoo.get({name!r})  gives its spec"]
        raise ZooError(Fault("", f"{show_file(entry.name)} is published without weights", advice=advice))
    return Trained(spec, entry.name, entry.card.weights_sha256, on_mismatch=on_mismatch, key_map=key_map)


def read_spec(
    entry: Entry, overrides: Iterable[str] = (), *, where: str = "", allow: Iterable[str] = (), asked: str = ""
) -> Any:
    """The published part of an entry's config, with overrides.

    Args:
        entry: The entry.
        overrides: Texts.
        where: Who said them.
        allow: What it may name.
        asked: The name by which it was asked for, for errors.
    """
    path, card = entry.file(entry.card.config), entry.card
    own = [entry.package] if entry.package else []
    policy = Policy([*Policy(allow).allow, *own], reads=f'zoo.get("{asked or entry.name}", ')
    is_code = suffix_of(path) == ".py"
    if is_code:
        _judge_code(entry, path, policy, asked or entry.name)
    if card.config_sha256:
        _verify_config(path, card.config_sha256)
    spec = load_said(path, parse_all(overrides), where=where, policy=None if is_code else policy)
    return get_part(spec, card.node) if card.node else spec


def _judge_code(entry: Entry, path: str, policy: Policy, asked: str) -> None:
    if is_remote(path):
        problem = f"{path} is code, which is never run from a remote store"
        raise TrustError(
            Fault("", problem, advice=[f"callsheet zoo copy {asked} DIR  brings it here, to be read first"])
        )
    allowed = Policy(policy.allow, project=project_settings().allow)
    if not entry.package and not allowed.allows(path, ""):
        shown = show_file(path)
        advice = [
            f'to allow it in Python:   zoo.get("{asked}", allow=["{shown}"])',
            f'in pyproject.toml:       allow = ["{shown}"]  under [tool.callsheet]',
        ]
        raise TrustError(
            Fault("", f"{shown} is code, which a zoo in a folder runs only where you allow it", advice=advice)
        )


def _verify_config(path: str, sha256: str) -> None:
    try:
        found = digest_of(path)
    except WeightsError as error:
        raise ZooError(*error.faults) from None
    if found != sha256:
        problem = f"{show_file(path)} is not what its card says"
        now = f'if the change is meant:  config_sha256 = "{found}"  in its card'
        raise ZooError(Fault("", problem, advice=["it was changed, or came damaged: get it anew", now]))


def copy(name: str, into: str | os.PathLike[str]) -> list[str]:
    """Copy an entry into a new folder: all that lies beside its card, and its weights, verified; nothing is run.

    Args:
        name: As for `get`.
        into: The folder, which must not exist yet.

    Returns:
        The paths of the files, relative to the folder.

    Raises:
        ZooError: There is no such entry, a file is not what the card says, or the folder exists.
    """
    entry, folder = find_entry(name), os.path.abspath(into)
    if os.path.lexists(folder):
        raise ZooError(Fault("", f"{show_file(folder)} is there already", advice=["name a folder that is not"]))
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    passing = os.path.join(os.path.dirname(folder), f".{os.path.basename(folder)}.{os.urandom(4).hex()}")
    os.mkdir(passing)
    try:
        _fill(entry, passing)
        os.rename(passing, folder)
    except (FileNotFoundError, LoadError) as error:
        shutil.rmtree(passing, ignore_errors=True)
        problem = f"{show_file(entry.name)} cannot be copied whole: {error}"
        raise ZooError(Fault("", problem)) from None
    except BaseException:
        shutil.rmtree(passing, ignore_errors=True)
        raise
    return files_below(folder)


def _fill(entry: Entry, folder: str) -> None:
    """Copy all that lies beside the card, and the weights, wherever they lie."""
    card, config = entry.card, entry.file(entry.card.config)
    if card.config_sha256:
        _verify_config(config, card.config_sha256)
    weights = f"weights{suffix_of(card.weights)}" if is_remote(card.weights) else card.weights
    try:
        files = files_below(entry.place)
    except LoadError:
        files = [CARD, card.config]  # a web server need not list what it has
    if card.config not in files:
        raise ZooError(Fault("", f"there is no file {show_file(config)}, which the card names"))
    for name in files:
        if name != weights:
            with _open_below(folder, name) as file:
                copy_file(entry.file(name), file)
    if weights != card.weights:
        with open(os.path.join(folder, CARD), "w", encoding="utf-8") as text:
            text.write(card_text(dataclasses.replace(card, weights=weights)))
    if weights:
        with weights_of(entry) as path, _open_below(folder, weights) as file:
            copy_file(path, file)


def _open_below(folder: str, name: str) -> BinaryIO:
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return open(path, "wb")
