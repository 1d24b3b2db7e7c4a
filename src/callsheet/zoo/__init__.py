"""Named configs that others publish, with a card and weights: find them, take them, and publish one's own."""

from callsheet.zoo._card import Card as Card
from callsheet.zoo._get import copy as copy
from callsheet.zoo._get import get as get
from callsheet.zoo._publish import publish as publish
from callsheet.zoo._publish import publish_run as publish_run
from callsheet.zoo._shelf import find_entry
from callsheet.zoo._shelf import installed as installed
from callsheet.zoo._shelf import names as names
from callsheet.zoo.trained import Trained as Trained

__all__ = ["Card", "Trained", "card", "copy", "file_of", "get", "installed", "names", "publish", "publish_run"]


def card(name: str) -> Card:
    """The card of a published config; nothing else of it is read.

    Args:
        name: As for `get`.

    Raises:
        ZooError: There is no such entry, or its card is faulty.
    """
    return find_entry(name).card


def file_of(name: str, file: str) -> str:
    """Where a file is that the card of a published config names.

    Args:
        name: As for `get`.
        file: As the card has it: `config.json`.

    Raises:
        ZooError: There is no such entry, or its card is faulty.
    """
    return find_entry(name).file(file)
