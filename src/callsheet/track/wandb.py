"""A tracker that notes in Weights & Biases, offline unless it is told otherwise."""

from __future__ import annotations

import html
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from callsheet.track._backend import Backend
from callsheet.track._entries import Histogram, Image, Moment, Row
from callsheet.track._extras import missing
from callsheet.track._tracker import TrackedRun


class WandB(Backend):
    """Notes in Weights & Biases, by a thread of its own.

    Offline, the run is a folder that `wandb sync` sends later. A run keeps its id
    there: an attempt that goes on continues the same one. The x axis of all charts is `step`.

    Args:
        project: The run's own experiment by default.
        entity: The user or team; the client's own default without it.
        mode: "offline", "online" or "disabled".
        directory: Where the client keeps its folder `wandb`; the run's directory by default.
        wait_s: Seconds that the end of a run waits for what is not passed on yet.
    """

    is_queued: ClassVar[bool] = True

    def __init__(
        self,
        project: str | None = None,
        entity: str | None = None,
        *,
        mode: Literal["offline", "online", "disabled"] = "offline",
        directory: str | os.PathLike[str] | None = None,
        wait_s: float = 60.0,
    ) -> None:
        super().__init__()
        self.project = project
        self.entity = entity
        self.mode: Literal["offline", "online", "disabled"] = mode
        self.directory = None if directory is None else os.path.abspath(directory)
        self.wait_s = wait_s
        self._client: Any = None
        self._run: Any = None

    @property
    def _folder(self) -> str:
        return self.directory or self.run.directory or os.getcwd()

    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        try:
            import wandb
        except ImportError as error:
            raise missing("wandb", "wandb", error) from None
        self._client = wandb
        os.makedirs(self._folder, exist_ok=True)
        self._run = wandb.init(
            project=self.project or run.experiment or None,
            entity=self.entity,
            mode=self.mode,
            dir=self._folder,
            id=run.id or None,
            name=run.id or None,
            resume="allow" if run.id else None,
            reinit="create_new",
            settings=wandb.Settings(console="off", silent=True, init_timeout=self.wait_s),
        )
        self._run.define_metric("*", step_metric="step")
        return str(self._run.id), str(self._run.url or "")

    def on_params(self, values: Mapping[str, Any]) -> None:
        self._run.config.update(dict(values), allow_val_change=True)

    def on_scalars(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._run.log({**row.values, "step": row.at.x})

    def on_text(self, name: str, text: str, at: Moment) -> None:
        self._run.log({name: self._client.Html(f"<pre>{html.escape(text)}</pre>", inject=False), "step": at.x})

    def on_image(self, name: str, image: Image, at: Moment) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            path = os.path.join(temporary, "image.png")
            with open(path, "wb") as file:
                file.write(image.png())
            self._run.log({name: self._client.Image(path), "step": at.x})

    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        drawn = self._client.Histogram(np_histogram=(list(histogram.counts), list(histogram.edges)))
        self._run.log({name: drawn, "step": at.x})

    def on_artifact(self, path: str, name: str) -> None:
        kept = self._client.Artifact(re.sub(r"[^\w.-]", "_", name), type="file")
        if os.path.isdir(path):
            kept.add_dir(path)
        else:
            kept.add_file(path, name=name.rpartition("/")[2])
        self._run.log_artifact(kept)

    def on_end(self, state: str) -> None:
        self._run.finish(exit_code=0 if state == "done" else 1)

    def environment(self) -> dict[str, str]:
        """`WANDB_MODE`, `WANDB_PROJECT`, `WANDB_ENTITY`, `WANDB_DIR`, and in a run `WANDB_RUN_ID`, `WANDB_NAME`."""
        run = self.run
        found = {
            "WANDB_MODE": self.mode,
            "WANDB_PROJECT": self.project or run.experiment,
            "WANDB_ENTITY": self.entity,
            "WANDB_DIR": self.directory or run.directory,
            "WANDB_RUN_ID": run.id,
            "WANDB_NAME": run.id,
            "WANDB_RESUME": "allow" if run.id else "",
        }
        return {name: value for name, value in found.items() if value}
