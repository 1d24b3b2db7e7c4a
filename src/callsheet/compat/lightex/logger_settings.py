"""LightEx's loggers: their settings, which reach a command as environment variables."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from callsheet.errors import Fault, SpecError, nearest

__all__ = ["LoggerConfig", "MLFlowConfig", "PytorchTBConfig", "TermLogConfig", "TrainsConfig", "WBConfig"]

Variables = list[tuple[str, str]]


@dataclass(frozen=True)
class MLFlowConfig:
    """Where the tracking server of MLflow is.

    Args:
        client_in_cluster: Whether the command runs in the server's cluster.
        host: The server's address from elsewhere.
        port: Its port.
        node_port: Its port on the nodes of a Kubernetes cluster.
        cluster_uri: Its address within the cluster.
        output_path_suffix: Its folder in the output.
    """

    client_in_cluster: bool = False
    host: str = "http://localhost"
    port: int = 5000
    node_port: int = 30005
    cluster_uri: str = "http://mlflow.default.svc.cluster.local:5000"
    output_path_suffix: str = "/mlflow-data"

    @property
    def external_uri(self) -> str:
        """Where the server is, from outside of its cluster."""
        return f"{self.host}:{self.port}"

    def uri(self) -> str:
        """Where the server is."""
        return self.cluster_uri if self.client_in_cluster else self.external_uri

    def get_env(self, experiment: str = "") -> Variables:
        """What MLflow's client reads."""
        return [("MLFLOW_TRACKING_URI", self.uri()), *([("MLFLOW_EXPERIMENT_NAME", experiment)] if experiment else [])]


@dataclass(frozen=True)
class PytorchTBConfig:
    """Where TensorBoard's files are.

    Args:
        output_path_suffix: Their folder in the output.
        output_dir: Another folder; by default the one of the run.
    """

    output_path_suffix: str = "/tblogs"
    output_dir: str = ""

    def get_env(self, experiment: str = "") -> Variables:
        """Nothing: TensorBoard reads no variables."""
        return []


@dataclass(frozen=True)
class TrainsConfig:
    """Where the server of ClearML is, which was called trains.

    Args:
        host: Its address.
        webserver_port: The port of its pages.
        apiserver_port: The port of its interface.
        config_file: A file with keys and addresses.
    """

    host: str = "http://localhost"
    webserver_port: int = 8080
    apiserver_port: int = 8008
    config_file: str = "./trains.conf"

    def uri(self) -> str:
        """Where the server is."""
        return f"{self.host}:{self.apiserver_port}"

    def get_env(self, experiment: str = "") -> Variables:
        """What the clients read, by their name of today and the one before."""
        path = os.path.abspath(self.config_file)
        return [("CLEARML_CONFIG_FILE", path), ("TRAINS_CONFIG_FILE", path)]


@dataclass(frozen=True)
class WBConfig:
    """How W&B notes.

    Args:
        WANDB_DIR: Where it keeps files.
        mode: `offline`, `online` or `disabled`; `dryrun` is `offline`.
        WANDB_RUN_ID: The run that it goes on with.
        WANDB_RESUME: Whether it goes on with a run.
    """

    WANDB_DIR: str = "./wandb"
    mode: str | None = None
    WANDB_RUN_ID: str | None = None
    WANDB_RESUME: bool = False

    def get_env(self, experiment: str = "") -> Variables:
        """What W&B's client reads."""
        mode = "offline" if self.mode == "dryrun" else self.mode
        told = {
            "WANDB_DIR": os.path.abspath(self.WANDB_DIR),
            "WANDB_MODE": mode,
            "WANDB_RUN_ID": self.WANDB_RUN_ID,
            "WANDB_RESUME": "allow" if self.WANDB_RESUME else None,
        }
        return [(name, value) for name, value in told.items() if value is not None]


@dataclass(frozen=True)
class TermLogConfig:
    """Which lines are shown at the terminal.

    Args:
        level: From which level of Python's logging on; what is noted is of the level `logging.INFO`.
    """

    level: int = logging.DEBUG

    def get_env(self, experiment: str = "") -> Variables:
        """Nothing: logging reads no variables."""
        return []


KNOWN: dict[str, Any] = {
    "mlflow": MLFlowConfig,
    "tb_pt": PytorchTBConfig,
    "trains": TrainsConfig,
    "wandb": WBConfig,
    "terminal": TermLogConfig,
}
"""The settings of a logger, by its name."""
_ALSO = {"ptb": "tb_pt", "tbpt": "tb_pt", "fslogger": "terminal"}
"""Names that LightEx has for them too."""


@dataclass(init=False)
class LoggerConfig:
    """The settings of some loggers, by name.

    Args:
        loggers: Names of loggers with their default settings.
        **settings: Settings of loggers by their names.

    Raises:
        SpecError: There is no such logger, or none is named.
    """

    mlflow: MLFlowConfig | None
    tb_pt: PytorchTBConfig | None
    trains: TrainsConfig | None
    wandb: WBConfig | None
    terminal: TermLogConfig | None

    def __init__(self, loggers: Iterable[str] | None = None, **settings: Any) -> None:
        for name in KNOWN:
            setattr(self, name, None)
        for name in loggers or ():
            self.register_logger(name)
        for name, config in settings.items():
            if config is not None:
                self.register_logger(name, config)
        if not self.names:
            advice = [f"LoggerConfig(loggers=[…])  of  {', '.join(KNOWN)}"]
            raise SpecError(Fault("", "no logger is named", advice=advice))

    @property
    def names(self) -> list[str]:
        """The loggers that have settings."""
        return [name for name in KNOWN if getattr(self, name) is not None]

    def register_logger(self, name: str, config: Any = None) -> None:
        """Add a logger, with its default settings if none are given.

        Raises:
            SpecError: There is no such logger.
        """
        known = logger_name(name)
        setattr(self, known, KNOWN[known]() if config is None else config)

    def get_env(self, experiment: str = "") -> Variables:
        """What the clients of the loggers read, and the loggers of this module."""
        told = [pair for name in self.names for pair in getattr(self, name).get_env(experiment)]
        told.append(("LX_LOGGERS", ",".join(self.names)))
        return [*told, *([("LX_EXPERIMENT_NAME", experiment)] if experiment else [])]


def logger_name(name: str) -> str:
    """The name of a logger as it is known here.

    Raises:
        SpecError: There is none.
    """
    known = _ALSO.get(name, name)
    if known not in KNOWN:
        close = nearest(name, KNOWN)
        advice = [f"did you mean  {close[0]}?"] if close else []
        raise SpecError(Fault("", f"there is no logger {name!r}", advice=[*advice, f"known are  {', '.join(KNOWN)}"]))
    return known
