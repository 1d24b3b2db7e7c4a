"""A tracker that needs nothing: JSON lines and files in a folder."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from callsheet._storage import read_json_file, write_whole
from callsheet.track._backend import Backend
from callsheet.track._entries import Histogram, Image, Moment, Row
from callsheet.track._tracker import TrackedRun


class JSONL(Backend):
    """Notes into files of a folder, which a person and any other tool can read.

    | what | where |
    |---|---|
    | metrics | `metrics.jsonl`: names to numbers, with `time` and, where one was given, `step` |
    | params | `params.json` |
    | texts, histograms | `texts.jsonl`, `histograms.jsonl` |
    | images | `images/NAME-STEP.png` |
    | artifacts | `artifacts/NAME`, copied |

    NaN and infinity, which JSON lacks, are the texts "nan", "inf" and "-inf". A
    line is written with one call and at once, so that what was noted survives whatever ends the process.

    Args:
        directory: The folder; made at the first use.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        super().__init__()
        self.directory = os.path.abspath(directory)
        self._params: dict[str, Any] = {}

    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        os.makedirs(self.directory, exist_ok=True)
        for name in ("metrics.jsonl", "texts.jsonl", "histograms.jsonl"):
            _drop_half_line(os.path.join(self.directory, name))
        self._params = {**read_json_file(os.path.join(self.directory, "params.json")), **self._params}
        return self.directory, ""

    def on_params(self, values: Mapping[str, Any]) -> None:
        self._params.update(values)
        known = {name: _json(value) for name, value in self._params.items()}
        text = json.dumps(known, indent=1, ensure_ascii=False)
        write_whole(os.path.join(self.directory, "params.json"), text + "\n")

    def on_scalars(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._append("metrics.jsonl", {**row.values, **_when(row.at)})

    def on_text(self, name: str, text: str, at: Moment) -> None:
        self._append("texts.jsonl", {"name": name, "text": text, **_when(at)})

    def on_image(self, name: str, image: Image, at: Moment) -> None:
        folder = os.path.join(self.directory, "images")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{_safe(name)}-{at.x}.png"), "wb") as file:
            file.write(image.png())

    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        line = {"name": name, "edges": list(histogram.edges), "counts": list(histogram.counts), **_when(at)}
        self._append("histograms.jsonl", line)

    def on_artifact(self, path: str, name: str) -> None:
        kept = os.path.join(self.directory, "artifacts", *name.split("/"))
        if os.path.abspath(kept) == path:
            return
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        if os.path.isdir(path):
            shutil.copytree(path, kept, dirs_exist_ok=True)
        else:
            shutil.copy2(path, kept)

    def on_end(self, state: str) -> None:
        """Do nothing: each line was whole when it was written."""

    def environment(self) -> dict[str, str]:
        """`CALLSHEET_METRICS`: the file to which a command may append its metrics, a JSON object a line."""
        return {"CALLSHEET_METRICS": os.path.join(self.directory, "metrics.jsonl")}

    def _append(self, name: str, line: Mapping[str, Any]) -> None:
        raw = json.dumps({key: _json(value) for key, value in line.items()}, ensure_ascii=False).encode() + b"\n"
        handle = os.open(os.path.join(self.directory, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            before = os.fstat(handle).st_size
            written = os.write(handle, raw)
            if written < len(raw):  # the disk is full
                os.ftruncate(handle, before)
                raise OSError(28, f"no space left for a line of {name}")
        finally:
            os.close(handle)


def _when(at: Moment) -> dict[str, Any]:
    return {**({} if at.step is None else {"step": at.step}), "time": round(at.time, 3)}


def _json(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _safe(name: str) -> str:
    """A name as one of a file."""
    return re.sub(r"[^\w.-]", "_", name).lstrip(".") or "_"


def _drop_half_line(path: str) -> None:
    """Take away what a killed process left of a line."""
    try:
        with open(path, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            whole = end
            while whole:
                start = max(0, whole - 65536)
                file.seek(start)
                found = file.read(whole - start).rfind(b"\n")
                whole = start + found + 1 if found >= 0 else start
                if found >= 0:
                    break
            if whole < end:
                file.truncate(whole)
    except FileNotFoundError:
        return
