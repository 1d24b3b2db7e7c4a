"""What `zoo.get(..., trained=True)` gives: a config whose model is built with the weights of a zoo."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Literal

from callsheet._build import build
from callsheet._config import Config
from callsheet._configfile import show_file
from callsheet._lazy import plain
from callsheet._lineage import defaults_of
from callsheet._weights import load_weights
from callsheet.errors import Fault, ZooError
from callsheet.zoo._fetch import weights_of
from callsheet.zoo._shelf import find_entry

LOG = logging.getLogger("callsheet.zoo")


class Trained(Config[Any]):
    """A model with published weights; building it fetches them, verifies them and loads them.

    Attributes:
        model: Describes the model, as it was published or changed since.
        entry: The name of the entry that has the weights.
        sha256: Of the weights, as the card had it when the entry was asked for.
        on_mismatch: As for `load_weights`: "skip" leaves what does not fit as it was built, and logs it.
        key_map: As for `load_weights`, as a dict.
    """

    model: Any
    entry: str
    sha256: str
    on_mismatch: Literal["error", "skip"] = "error"
    key_map: Mapping[str, str | None] | None = None

    def build(self) -> Any:
        """Build the model and load the weights.

        Raises:
            ZooError: The weights cannot be had or are others by now, or defaults have changed since they were trained.
            WeightsError: They do not fit the model.
        """
        entry = find_entry(self.entry)
        if entry.card.weights_sha256 != self.sha256:
            now = entry.card.weights_sha256[:12] or "none"
            problem = f"the weights of {show_file(self.entry)} are others than when it was asked for"
            advice = [f"SHA-256 was {self.sha256[:12]}…, is {now}…; zoo.get(..., trained=True)  takes what it is now"]
            raise ZooError(Fault("", problem, advice=advice))
        changed = list(_changed_defaults(self.model, entry.card.defaults))
        if changed:
            raise ZooError(*changed)
        model = build(self.model)
        with weights_of(entry) as path:
            report = load_weights(model, path, on_mismatch=self.on_mismatch, key_map=plain(self.key_map))
        if report.missing or report.misshaped or report.unexpected:
            LOG.info("%s", report)
        return model


def _changed_defaults(spec: Any, then: Mapping[str, Mapping[str, str]]) -> list[Fault]:
    """Arguments that are left to a default which is not what it was."""
    now = {place.removeprefix(": "): given for place, given in defaults_of(spec).items()}
    return [
        Fault(
            ".".join(filter(None, (place.rpartition(": ")[0], name))),
            f"was {was} by default when the weights were trained, and is {now[place][name]} today",
            advice=[f"to set it as it was:  {name}={was}"],
        )
        for place, given in then.items()
        for name, was in given.items()
        if now.get(place, {}).get(name, was) != was
    ]
