"""A tracker that notes in ClearML, which LightEx knew as Trains; offline unless it is told otherwise."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from callsheet.track._backend import Backend
from callsheet.track._entries import Histogram, Image, Moment, Row
from callsheet.track._extras import missing
from callsheet.track._tracker import TrackedRun

CONNECTED = (
    *("catboost", "detect_repository", "fastai", "gradio", "hydra", "joblib", "lightgbm", "matplotlib"),
    *("megengine", "pytorch", "scikit", "tensorboard", "tensorflow", "tfdefines", "xgboost"),
)
"""What its client would record by itself; looking through a repository takes minutes, and a run knows its code."""


class ClearML(Backend):
    """Notes in ClearML, by a thread of its own, and nothing but what it is given.

    The client's own recording of arguments, output, frameworks and the machine is
    switched off. Offline, the task is a zip file, `clearml.zip` in the run's
    directory, which `Task.import_offline_session` sends later; a second attempt writes `clearml-2.zip`.

    Args:
        project: The run's own experiment by default.
        task: What the task is called; the run's id by default.
        is_offline: Whether to write a zip file in place of asking the server that the client is set up for.
        directory: Where the zip file is put; the run's directory by default.
        wait_s: Seconds that the end of a run waits for what is not passed on yet.
    """

    is_queued: ClassVar[bool] = True

    def __init__(
        self,
        project: str | None = None,
        task: str | None = None,
        *,
        is_offline: bool = True,
        directory: str | os.PathLike[str] | None = None,
        wait_s: float = 60.0,
    ) -> None:
        super().__init__()
        self.project = project
        self.task = task
        self.is_offline = is_offline
        self.directory = None if directory is None else os.path.abspath(directory)
        self.wait_s = wait_s
        self._task: Any = None
        self._logger: Any = None

    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        try:
            from clearml import Task
        except ImportError as error:
            raise missing("clearml", "clearml", error) from None
        if self.is_offline:
            Task.set_offline(True)
        self._task = Task.init(
            project_name=self.project or run.experiment or "callsheet",
            task_name=self.task or run.id or "run",
            tags=[f"callsheet {run.id}"] if run.id else None,
            reuse_last_task_id=False,
            continue_last_task=run.before if run.before and not self.is_offline else False,
            auto_connect_arg_parser=False,
            auto_connect_frameworks=dict.fromkeys(CONNECTED, False),
            auto_connect_streams=False,
            auto_resource_monitoring=False,
        )
        self._logger = self._task.get_logger()
        return str(self._task.id), "" if self.is_offline else str(self._task.get_output_log_web_page())

    def on_params(self, values: Mapping[str, Any]) -> None:
        self._task.update_parameters({f"General/{name}": value for name, value in values.items()})

    def on_scalars(self, rows: Sequence[Row]) -> None:
        for row in rows:
            for name, value in row.values.items():
                self._logger.report_scalar(name, name, value, row.at.x)

    def on_text(self, name: str, text: str, at: Moment) -> None:
        self._logger.report_text(f"{name} [{at.x}]: {text}", print_console=False)

    def on_image(self, name: str, image: Image, at: Moment) -> None:
        handle, path = tempfile.mkstemp(suffix=".png")
        with os.fdopen(handle, "wb") as file:
            file.write(image.png())
        self._logger.report_image(name, name, at.x, local_path=path, delete_after_upload=True)

    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        labels = [f"{low:.4g}" for low in histogram.edges[:-1]]
        self._logger.report_histogram(name, name, list(histogram.counts), at.x, xlabels=labels)

    def on_artifact(self, path: str, name: str) -> None:
        self._task.upload_artifact(name, path, wait_on_upload=True)

    def on_end(self, state: str) -> None:
        folder = self._task.get_offline_mode_folder() if self.is_offline else None
        if state != "done":
            self._task.mark_failed(status_reason=state, force=True)
        self._task.close()
        into = self.directory or self.run.directory
        if folder is not None and into:
            os.makedirs(into, exist_ok=True)
            shutil.move(f"{folder}.zip", _free(into))
            shutil.rmtree(folder, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """`CLEARML_OFFLINE_MODE`; its client reads neither project nor task from the environment."""
        return {"CLEARML_OFFLINE_MODE": "1" if self.is_offline else "0"}


def _free(directory: str) -> str:
    """Where the zip file is put; one of an earlier attempt stays."""
    n, path = 1, os.path.join(directory, "clearml.zip")
    while os.path.exists(path):
        n += 1
        path = os.path.join(directory, f"clearml-{n}.zip")
    return path
