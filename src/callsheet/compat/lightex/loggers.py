"""LightEx's single loggers: each notes with one tracker."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from typing import Any

from callsheet.track import ClearML, MLflow, TensorBoard, Tracker, WandB

from .logger_settings import MLFlowConfig, PytorchTBConfig, TermLogConfig, TrainsConfig, WBConfig
from .terminal import Lines

__all__ = [
    "AbstractLogger",
    "MLFlowLogger",
    "PytorchTBLogger",
    "PytorchTensorBoardLogger",
    "TerminalLogger",
    "TrainsLogger",
    "WBLogger",
    "get_experiment_name",
    "get_project_name",
]


def get_experiment_name(experiment_name: str | None = None) -> str:
    """A name, else the one that the command was given by its run, else a new one."""
    given = os.environ.get("LX_EXPERIMENT_NAME") or os.environ.get("CALLSHEET_EXPERIMENT")
    return experiment_name or given or uuid.uuid4().hex[:8]


def get_project_name(project_name: str | None = None) -> str:
    """A name, else that of the working directory."""
    return project_name or os.path.basename(os.getcwd())


class AbstractLogger:
    """Notes with a tracker, which is made when a run starts or something is noted first.

    Args:
        project_name: The name of the project; the working directory's by default.
        experiment_name: The name of the experiment; by default what `LX_EXPERIMENT_NAME` says.
        C: The settings; the logger's own defaults without them.
    """

    name = "logger"

    def __init__(
        self,
        project_name: str | None = None,
        experiment_name: str | None = None,
        C: Any = None,  # noqa: N803  (LightEx's name)
    ) -> None:
        self.project_name = get_project_name(project_name)
        self.experiment_name = get_experiment_name(experiment_name)
        self.C = C
        self._tracker: Tracker | None = None

    def make_tracker(self) -> Tracker:
        """The tracker of a new run, as the settings say."""
        raise NotImplementedError

    @property
    def tracker(self) -> Tracker:
        """What notes."""
        if self._tracker is None:
            self._tracker = self.make_tracker()
        return self._tracker

    def start_run(self, expt_id: Any = None) -> None:
        """Start, where the first note would be too late."""
        self.tracker.start()

    def end_run(self) -> None:
        """Write what is not written yet, and close; what is noted afterwards is another run."""
        if self._tracker is not None:
            self._tracker.end()
            self._tracker = None

    def log_hparam(self, name: str, value: Any) -> None:
        """Note a hyperparameter."""
        self.log_hparam_dict({name: value})

    def log_hparam_dict(self, args: Mapping[str, Any]) -> None:
        """Note hyperparameters."""
        self.tracker.params(args)

    def log_scalar(self, name: str, value: Any, step: int | None = None) -> None:
        """Note a number."""
        self.log_scalar_dict({name: value}, step)

    def log_scalar_dict(self, sc_dict: Mapping[str, Any], step: int | None = None) -> None:
        """Note numbers."""
        self.tracker.scalars(sc_dict, step)

    def log_text(self, msg: str, name: str = "log", step: int | None = None) -> None:
        """Note a text."""
        self.tracker.text(name, msg, step)

    def log_histogram(self, name: str, value: Any, step: int | None = None) -> None:
        """Note how numbers are spread."""
        self.tracker.histogram(name, value, step)

    def log_1d(self, name: str, value: Any, step: int | None = None, histogram: bool = False) -> None:
        """Note a vector: how it is spread, or its numbers as a text."""
        if histogram:
            self.log_histogram(name, value, step)
        else:
            self._log_numbers(name, value, step)

    def log_2d(self, name: str, value: Any, step: int | None = None, scatter: bool = False) -> None:
        """Note a matrix, or points, as a text of numbers."""
        self._log_numbers(name, value, step)

    def log_3d(self, name: str, value: Any, step: int | None = None, scatter: bool = False) -> None:
        """Note points as a text of numbers."""
        self._log_numbers(name, value, step)

    def _log_numbers(self, name: str, value: Any, step: int | None) -> None:
        numbers = value.tolist() if hasattr(value, "tolist") else value
        self.log_text(json.dumps(numbers, default=str), name, step)

    def log_image(self, name: str, img_matrix: Any, step: int | None = None) -> None:
        """Note an image: height, width, and colours if any, from 0 to 255, or from 0 to 1 as floats."""
        self.tracker.image(name, img_matrix, step)

    def log_artifacts(self, from_dir: str | os.PathLike[str], artifact_path: str | None = None) -> None:
        """Keep a file or a folder as it is now."""
        self.tracker.artifact(from_dir, artifact_path)


class MLFlowLogger(AbstractLogger):
    """Notes in MLflow: where the settings say, else `MLFLOW_TRACKING_URI`."""

    name = "mlflow"

    def make_tracker(self) -> Tracker:
        """The tracker of a new run."""
        named = os.environ.get("MLFLOW_TRACKING_URI")
        uri = self.C.uri() if self.C is not None else named or MLFlowConfig().uri()
        return MLflow(uri=uri, experiment=self.experiment_name)


class PytorchTBLogger(AbstractLogger):
    """Notes into the event files of TensorBoard, in the folder of the settings, else below the run's output."""

    name = "tb_pt"

    def make_tracker(self) -> Tracker:
        """The tracker of a new run."""
        settings = self.C if self.C is not None else PytorchTBConfig()
        output = os.environ.get("CALLSHEET_OUTPUT_DIR", ".")
        return TensorBoard(settings.output_dir or os.path.join(output, settings.output_path_suffix.lstrip("/")))


PytorchTensorBoardLogger = PytorchTBLogger


class TrainsLogger(AbstractLogger):
    """Notes in ClearML: at the server where the settings' file is there, else offline."""

    name = "trains"

    def make_tracker(self) -> Tracker:
        """The tracker of a new run."""
        settings = self.C if self.C is not None else TrainsConfig()
        at_server = os.path.exists(settings.config_file)
        return ClearML(project=self.project_name, task=self.experiment_name, is_offline=not at_server)


class WBLogger(AbstractLogger):
    """Notes in W&B."""

    name = "wandb"

    def make_tracker(self) -> Tracker:
        """The tracker of a new run."""
        settings = self.C if self.C is not None else WBConfig()
        mode: Any = "offline" if settings.mode in (None, "dryrun") else settings.mode
        return WandB(project=self.project_name, mode=mode, directory=settings.WANDB_DIR)


class TerminalLogger(AbstractLogger):
    """Notes as lines of Python's logging, by the logger of the experiment's name."""

    name = "terminal"

    def make_tracker(self) -> Tracker:
        """The tracker of a new run."""
        settings = self.C if self.C is not None else TermLogConfig()
        return Lines(self.experiment_name, settings.level)

    def print(self, s: str) -> None:
        """Note a text."""
        self.log_text(s)
