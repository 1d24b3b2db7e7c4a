"""What LightEx's terminal logger notes with: each note is a line of Python's logging."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from callsheet.track._backend import Backend
from callsheet.track._entries import Histogram, Image, Moment, Row
from callsheet.track._tracker import TrackedRun

__all__ = ["Lines"]


class Lines(Backend):
    """Notes as lines, by the logger of a name.

    Where nobody has set up logging, they go to stderr until the end. An
    image is told by its size, a histogram by its range, an artifact by its path.

    Args:
        logger: The name of the logger.
        level: From which level on it lets lines through; notes are of the level `logging.INFO`.
    """

    def __init__(self, logger: str, level: int = logging.DEBUG) -> None:
        super().__init__()
        self.logger = logger
        self.level = level
        self._handler: logging.Handler | None = None

    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        logger = logging.getLogger(self.logger)
        logger.setLevel(self.level)
        if not logger.hasHandlers():
            self._handler = logging.StreamHandler()
            self._handler.setFormatter(logging.Formatter("%(asctime)s  %(name)s  %(message)s", "%H:%M:%S"))
            logger.addHandler(self._handler)
        return self.logger, ""

    def on_params(self, values: Mapping[str, Any]) -> None:
        self._say(_pairs(values))

    def on_scalars(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._say(f"step {row.at.x}  {_pairs(row.values)}")

    def on_text(self, name: str, text: str, at: Moment) -> None:
        self._say(text if name == "log" else f"{name}: {text}")

    def on_image(self, name: str, image: Image, at: Moment) -> None:
        self._say(f"step {at.x}  {name}  image of {image.height} x {image.width}")

    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        spread = f"{histogram.edges[0]:.6g} to {histogram.edges[-1]:.6g}"
        self._say(f"step {at.x}  {name}  {sum(histogram.counts):g} values from {spread}")

    def on_artifact(self, path: str, name: str) -> None:
        self._say(f"{name}  {path}")

    def on_end(self, state: str) -> None:
        if self._handler is not None:
            logging.getLogger(self.logger).removeHandler(self._handler)
            self._handler = None

    def environment(self) -> dict[str, str]:
        """Nothing: logging reads no variables."""
        return {}

    def _say(self, line: str) -> None:
        logging.getLogger(self.logger).info("%s", line)


def _pairs(values: Mapping[str, Any]) -> str:
    shown = {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in values.items()}
    return "  ".join(f"{name} {value}" for name, value in shown.items())
