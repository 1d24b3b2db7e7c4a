"""A tracker that writes event files for TensorBoard, by tensorboardX: neither torch nor tensorflow is needed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from callsheet.track._backend import Backend
from callsheet.track._entries import Histogram, Image, Moment, Row
from callsheet.track._extras import missing
from callsheet.track._tracker import TrackedRun


class TensorBoard(Backend):
    """Notes into event files, which `tensorboard --logdir` shows.

    Params are a table under Text, and at the end of the run a line under HParams
    with the last value of each metric. TensorBoard keeps no files: of an artifact
    it says where it was and how large.

    Args:
        directory: Where the event files are: "${run.dir}/tb".
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        super().__init__()
        self.directory = os.path.abspath(directory)
        self._writer: Any = None
        self._params: dict[str, Any] = {}
        self._last: dict[str, float] = {}

    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise missing("tensorboardX", "tensorboard", error) from None
        suffix = f".{time.time_ns()}"  # by itself it writes over what was begun in the same second
        self._writer = SummaryWriter(self.directory, flush_secs=5, filename_suffix=suffix)
        return self.directory, ""

    def on_params(self, values: Mapping[str, Any]) -> None:
        self._params.update(values)
        rows = [f"| {_cell(name)} | {_cell(value)} |" for name, value in self._params.items()]
        self._writer.add_text("params", "\n".join(["| param | value |", "|---|---|", *rows]), 0)

    def on_scalars(self, rows: Sequence[Row]) -> None:
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

        for row in rows:
            values = [Summary.Value(tag=name, simple_value=value) for name, value in row.values.items()]
            self._add(Summary(value=values), row.at.x, row.at.time)
            self._last.update(row.values)

    def on_text(self, name: str, text: str, at: Moment) -> None:
        self._writer.add_text(name, text, at.x, walltime=at.time)

    def on_image(self, name: str, image: Image, at: Moment) -> None:
        from tensorboardX.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

        drawn = Summary.Image(
            height=image.height, width=image.width, colorspace=image.channels, encoded_image_string=image.png()
        )
        self._add(Summary(value=[Summary.Value(tag=name, image=drawn)]), at.x, at.time)

    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        middles = [(low + high) / 2 for low, high in zip(histogram.edges, histogram.edges[1:], strict=False)]
        weighed = [*zip(middles, histogram.counts, strict=True)]
        self._writer.add_histogram_raw(
            name,
            min=histogram.edges[0],
            max=histogram.edges[-1],
            num=sum(histogram.counts),
            sum=sum(x * n for x, n in weighed),
            sum_squares=sum(x * x * n for x, n in weighed),
            bucket_limits=list(histogram.edges[1:]),
            bucket_counts=list(histogram.counts),
            global_step=at.x,
            walltime=at.time,
        )

    def on_artifact(self, path: str, name: str) -> None:
        size = "a folder" if os.path.isdir(path) else f"{os.path.getsize(path):,} bytes"
        self._writer.add_text(f"artifacts/{name}", f"`{path}`, {size}", 0)

    def on_end(self, state: str) -> None:
        from tensorboardX.summary import hparams

        if self._params:
            for summary in hparams(self._params, self._last):
                self._add(summary, None, None)
        self._writer.close()

    def environment(self) -> dict[str, str]:
        """`TENSORBOARD_LOGDIR`, for a command that hands it to its own `SummaryWriter`: no client reads it."""
        return {"TENSORBOARD_LOGDIR": self.directory}

    def _add(self, summary: Any, step: int | None, walltime: float | None) -> None:
        self._writer.file_writer.add_summary(summary, step, walltime)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
