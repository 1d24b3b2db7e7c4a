"""The card of a published config: what is said of it, as TOML, read with every fault named."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from callsheet._configfile import show_file
from callsheet._storage import is_remote, text_of
from callsheet.errors import Fault, LoadError, ZooError, nearest

CARD = "card.toml"
FORMAT = 1
CONFIGS = (".json", ".yaml", ".yml", ".toml", ".py")

Number = int | float


@dataclass(frozen=True)
class Card:
    """What is said of a published config.

    Attributes:
        description: What it is, in a sentence.
        licence: Under which its config and weights may be used.
        config: Its config file, beside the card.
        node: The path of the part of the config that is published; "" for all of it.
        config_sha256: Of the config file, in hexadecimal; "" where it is not checked.
        weights: The file of its weights, beside the card or at a URL; "" where it has none.
        weights_sha256: Of the weights.
        metrics: What was measured, by name.
        defaults: Of calls that were left to their defaults, these as text, by target (`nets.Net`, deeper
            down `backbone: nets.Tower`).
    """

    description: str
    licence: str
    config: str
    node: str = ""
    config_sha256: str = ""
    weights: str = ""
    weights_sha256: str = ""
    metrics: Mapping[str, Number | str] = field(default_factory=dict)
    defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


_TEXTS = ("description", "licence", "config", "node", "config_sha256", "weights", "weights_sha256")
_REQUIRED = ("description", "licence", "config")
_KNOWN = ("format", *(f.name for f in fields(Card)))


def read_card(raw: bytes, path: str) -> Card:
    """The card in a file.

    Raises:
        ZooError: It is no TOML, or says what a card does not; `faults` has all that is wrong.
    """
    try:
        text = text_of(raw, path)
        data = tomllib.loads(text)
    except LoadError as error:
        raise ZooError(*error.faults) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ZooError(Fault("", f"is not valid TOML: {error}", origin=show_file(path))) from None
    faults = list(_Judge(text, show_file(path)).faults(data))
    if faults:
        raise ZooError(*faults)
    return Card(**{key: value for key, value in data.items() if key != "format"})


class _Judge:
    """What is wrong with a card, by the line that says it."""

    def __init__(self, text: str, file: str) -> None:
        self.lines = text.split("\n")
        self.file = file

    def fault(self, key: str, problem: str, *advice: str) -> Fault:
        wanted = re.compile(rf"\s*\[?\"?{re.escape(key.partition('.')[0])}\b")
        line = next((f":{n}" for n, line in enumerate(self.lines, 1) if wanted.match(line)), "")
        return Fault(key, problem, origin=self.file + line, advice=advice)

    def faults(self, data: dict[str, Any]) -> list[Fault]:
        version = data.get("format", FORMAT)
        if not isinstance(version, int) or version > FORMAT:
            known = f"this Callsheet reads cards up to format {FORMAT}"
            return [self.fault("format", f"is {version!r}", known, "a newer Callsheet may read it")]
        found = [self.unknown(key) for key in data if key not in _KNOWN]
        found += [Fault(key, "is missing", origin=self.file) for key in _REQUIRED if key not in data]
        for key in _TEXTS:
            if key in data and not isinstance(data[key], str):
                found.append(self.fault(key, f"must be a text, found {data[key]!r}"))
            elif key in _REQUIRED and not data.get(key, "-").strip():
                found.append(self.fault(key, "is empty"))
        return found or [*self.files(data), *self.metrics(data), *self.defaults(data)]

    def unknown(self, key: str) -> Fault:
        close = nearest(key, _KNOWN)
        advice = f"did you mean  {close[0]}?" if close else f"a card has  {', '.join(_KNOWN[1:])}"
        return self.fault(key, "is nothing that a card says", advice)

    def files(self, data: dict[str, Any]) -> list[Fault]:
        found = []
        if not data["config"].endswith(CONFIGS):
            found.append(self.fault("config", f"must be a {', '.join(CONFIGS)} file, found {data['config']!r}"))
        for key in ("config", "weights"):
            problem = _place_problem(data.get(key, "") or "x", remote=key == "weights")
            found += [self.fault(key, f"{problem}, found {data[key]!r}")] if problem else []
        for key in ("config_sha256", "weights_sha256"):
            if data.get(key) and not re.fullmatch("[0-9a-f]{64}", data[key]):
                found.append(self.fault(key, f"must be 64 hexadecimal digits in lower case, found {data[key]!r}"))
        if data.get("weights") and not data.get("weights_sha256"):
            found.append(self.fault("weights", "needs a weights_sha256", f"sha256sum {data['weights']}  tells it"))
        if data.get("weights_sha256") and not data.get("weights"):
            found.append(self.fault("weights_sha256", "is of no weights", 'weights = "weights.safetensors"'))
        return found

    def metrics(self, data: dict[str, Any]) -> list[Fault]:
        found = data.get("metrics", {})
        if not isinstance(found, dict):
            return [self.fault("metrics", f"must be a table, found {found!r}")]
        odd = {key: value for key, value in found.items() if not isinstance(value, int | float | str)}
        return [self.fault(f"metrics.{key}", f"must be a number or a text, found {odd[key]!r}") for key in odd]

    def defaults(self, data: dict[str, Any]) -> list[Fault]:
        found = data.get("defaults", {})
        if not isinstance(found, dict):
            return [self.fault("defaults", f"must be a table, found {found!r}")]
        return [
            self.fault(f"defaults.{key}", f"must be a table of texts, found {value!r}")
            for key, value in found.items()
            if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values())
        ]


def _place_problem(place: str, *, remote: bool) -> str:
    """Why a card may not name this file; "" where it may."""
    if is_remote(place):
        protocol = place.partition("://")[0]
        if not remote:
            return "must lie beside the card"
        local = "::" in place or protocol in ("file", "local")
        return "must lie beside the card, or at one URL such as https://… or s3://…" if local else ""
    inside = place.startswith(("/", "~", "\\")) or ".." in re.split(r"[/\\]", place)
    return "must lie beside the card" if inside else ""


def card_text(card: Card) -> str:
    """A card as it stands in a file."""
    lines = [f"format = {FORMAT}"]
    lines += [f"{key} = {_value(getattr(card, key))}" for key in _TEXTS if getattr(card, key)]
    if card.metrics:
        lines += ["", "[metrics]", *(f"{_key(key)} = {_value(value)}" for key, value in card.metrics.items())]
    for place, given in card.defaults.items():
        lines += ["", f"[defaults.{_key(place)}]"]
        lines += [f"{_key(key)} = {_value(value)}" for key, value in given.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(x: Number | str) -> str:
    if isinstance(x, str):
        return json.dumps(x, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(x, float) and not math.isfinite(x):
        return repr(x).removeprefix("+")
    return json.dumps(x)
