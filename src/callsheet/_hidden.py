"""What secrets say is kept out of the texts that Callsheet writes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus

from ._ref import Ref
from ._secret import SHOWN, Secret
from ._tree import KINDS, walk
from .errors import CallsheetError

SHORTEST = 4
"""Letters that a secret must have to be sought in texts: shorter ones are found by chance."""


def secrets_of(spec: Any) -> list[str]:
    """What a spec's secrets say, longest first: as it is, as a `repr` has it and as an address has it."""
    found = set()
    for _, value in walk(spec, kinds={**KINDS, Ref: None}):
        if type(value) is Secret:
            try:
                text = value.reveal()
            except CallsheetError:
                continue
            if len(text) >= SHORTEST:
                found |= {text, repr(text)[1:-1], quote(text), quote(text, safe=""), quote_plus(text)}
    return sorted(found, key=len, reverse=True)


def masked(value: Any, secrets: list[str]) -> Any:
    """A value in whose texts `***` stands for each of the secrets; dicts and lists with all that they hold.

    >>> masked({"url": "/?key=sk-123", "n": 1}, ["sk-123"])
    {'url': '/?key=***', 'n': 1}
    """
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, SHOWN)
    elif secrets and isinstance(value, dict):
        return {masked(key, secrets): masked(item, secrets) for key, item in value.items()}
    elif secrets and isinstance(value, list):
        return [masked(item, secrets) for item in value]
    return value
