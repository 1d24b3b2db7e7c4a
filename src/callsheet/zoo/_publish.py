"""Putting into a zoo: a spec with its weights and card, proven to fit each other before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from callsheet._build import build
from callsheet._check import check
from callsheet._configfile import show_file
from callsheet._encode import to_data
from callsheet._lazy import locate_path
from callsheet._lineage import defaults_of
from callsheet._path import format_path
from callsheet._resolve import resolve
from callsheet._storage import full_path, is_remote, join_path, read_bytes, suffix_of, write_whole
from callsheet._tensors import SAFETENSORS, digest_of
from callsheet._tree import walk
from callsheet._weights import load_weights
from callsheet._wire import FORMAT
from callsheet.errors import Fault, LoadError, PathError, SaveError, WeightsError, ZooError
from callsheet.run._recorded import recorded_spec
from callsheet.run._store import find_run
from callsheet.run.restore import recorded_weights
from callsheet.zoo._card import CARD, Card, Number, card_text, read_card

CONFIG = "config.json"
WEIGHTS = "weights" + SAFETENSORS


def publish(
    spec: Any,
    place: str | os.PathLike[str],
    *,
    description: str,
    licence: str,
    weights: str | os.PathLike[str] | None = None,
    metrics: Mapping[str, Number | str] | None = None,
    defaults: Mapping[str, Mapping[str, str]] | None = None,
) -> Card:
    """Publish a spec in a folder or a remote store, as `card.toml`, `config.json` and `weights.safetensors`.

    References are resolved, the spec is checked, and weights are loaded into what
    it builds, so that what does not fit is found out here. The card is written
    last: an entry is there whole or not at all.

    Args:
        spec: Describes what is published; it must be data, and name what others can import.
        place: The entry's own folder, `zoo/digits_small` or `s3://bucket/zoo/digits_small`; it may hold no card yet.
        description: What it is, in a sentence.
        licence: Under which config and weights may be used: `Apache-2.0`.
        weights: A `.safetensors` file, as `save_weights` writes it.
        metrics: What was measured: numbers or texts by name.
        defaults: The defaults that were in force when it was trained; today's by default.

    Returns:
        The card.

    Raises:
        ZooError: Something is published there already, or the card would be faulty; nothing is written.
        SaveError: The spec is no data, or names what only your files define; nothing is written.
        SpecError: The spec has faults, as `check` tells them; nothing is written.
        WeightsError: The weights do not fit what the spec builds; nothing is written.
        OSError: The file system refuses.

    Example:
        ``zoo.publish(cfg.model, "zoo/small", description="…", licence="Apache-2.0", weights="weights.safetensors")``
    """
    folder = full_path(os.path.expanduser(os.fspath(place))).rstrip("/")
    _refuse_published(folder)
    spec = resolve(spec)
    config = _config_text(spec)
    check(spec)
    raw = _checked_weights(spec, os.fspath(weights)) if weights is not None else b""
    card = Card(
        description=description,
        licence=licence,
        config=CONFIG,
        config_sha256=hashlib.sha256(config).hexdigest(),
        weights=WEIGHTS if raw else "",
        weights_sha256=hashlib.sha256(raw).hexdigest() if raw else "",
        metrics=dict(metrics or {}),
        defaults={place: dict(texts) for place, texts in _told(defaults_of(spec) if defaults is None else defaults)},
    )
    _write(folder, card, config, raw)
    return card


def _write(folder: str, card: Card, config: bytes, weights: bytes) -> None:
    text = card_text(card).encode()
    read_card(text, join_path(folder, CARD))  # with every fault that readers would find
    if not is_remote(folder):
        os.makedirs(folder, exist_ok=True)
    if weights:
        write_whole(join_path(folder, WEIGHTS), weights)
    write_whole(join_path(folder, CONFIG), config)
    write_whole(join_path(folder, CARD), text)


def publish_run(
    run: str | os.PathLike[str],
    node: str,
    place: str | os.PathLike[str],
    *,
    description: str,
    licence: str,
    file: str | None = None,
    metrics: Mapping[str, Number | str] | None = None,
    runs: str | os.PathLike[str] | None = None,
) -> Card:
    """Publish a node of a run with the weights that the run saved for it, its result and the defaults in force then.

    Args:
        run: The id of a run, the beginning of one, or a run's directory.
        node: The path of the node: "model".
        place: As for `publish`.
        description: What it is, in a sentence.
        licence: Under which config and weights may be used.
        file: Which of several files of weights; the last one by default.
        metrics: What was measured; the run's result by default.
        runs: The directory of the runs; `runs` under the project's root by default.

    Returns:
        The card.

    Raises:
        RunError: There is no such run, or it recorded no weights for the node.
        WeightsError: The weights are not what was recorded, or no longer fit.
        ZooError: As for `publish`, and so is `SaveError`.

    Example:
        ``zoo.publish_run("7f3a9c", "model", "zoo/digits_small", description="…", licence="Apache-2.0")``
    """
    found = find_run(run, runs)
    spec = recorded_spec(found)
    weights, sha256, made_by = recorded_weights(found, spec, node, file)
    if digest_of(weights) != sha256:
        raise WeightsError(
            Fault(node, f"{weights} is not what run {found.id} saved: something was written to it since")
        )
    part = locate_path(spec, made_by)[2]
    return publish(
        part,
        place,
        description=description,
        licence=licence,
        weights=weights,
        metrics={k: v for k, v in found.result.items() if v is not None} if metrics is None else metrics,
        defaults=_defaults_below(found.record.get("defaults", {}), spec, part),
    )


def _refuse_published(folder: str) -> None:
    try:
        read_bytes(join_path(folder, CARD))
    except FileNotFoundError:
        return
    except LoadError as error:
        raise ZooError(*error.faults) from None
    advice = ["what was published stays what it was: choose another name, or remove it first"]
    raise ZooError(Fault("", f"something is published in {show_file(folder)} already", advice=advice))


def _config_text(spec: Any) -> bytes:
    data = to_data(spec)
    local = list(dict.fromkeys(_local_names(data)))
    if local:
        advice = ["move it into a module that is installed with the zoo, or that others have"]
        raise SaveError(
            *(Fault("", f"{name} is in a file of yours, which others do not have", advice=advice) for name in local)
        )
    whole = {"_format_": FORMAT, **(data if isinstance(data, dict) and "_same_" not in data else {"_root_": data})}
    return (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode()


def _local_names(data: Any) -> Iterator[str]:
    """What in data is named by a file."""
    todo = [data]
    while todo:
        x = todo.pop()
        if isinstance(x, dict):
            named = [x[key] for key in ("_target_", "_type_", "of") if isinstance(x.get(key), str)]
            yield from (text for text in named if ".py:" in text)
        if isinstance(x, dict | list):
            todo += x.values() if isinstance(x, dict) else x


def _checked_weights(spec: Any, path: str) -> bytes:
    full = full_path(path)
    if suffix_of(full) != SAFETENSORS:
        advice = ["load_weights(model, path)  and  save_weights(model, 'weights.safetensors')  make it one"]
        raise WeightsError(Fault("", f"{path} is no {SAFETENSORS} file, which is what is published", advice=advice))
    load_weights(build(spec), full)
    return read_bytes(full)


def _told(defaults: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Defaults as a card has them, without those whose text is another in every process."""
    for place, given in defaults.items():
        kept = {name: text for name, text in given.items() if " at 0x" not in text}
        if kept:
            yield place.removeprefix(": "), kept


def _defaults_below(recorded: Mapping[str, Mapping[str, str]], spec: Any, part: Any) -> dict[str, Mapping[str, str]]:
    """The recorded defaults of a part of a spec, by paths that start there."""
    paths = {id(value): format_path(steps) for steps, value in walk(part)}
    found = {}
    for place, given in recorded.items():
        path, _, target = place.rpartition(": ")
        try:
            node = locate_path(spec, path)[2]
        except PathError:
            continue
        if id(node) in paths:
            found[f"{paths[id(node)]}: {target}"] = given
    return found
