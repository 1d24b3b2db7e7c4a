"""LightEx's MultiLogger: several loggers, of which all are told, or one by its name."""

from __future__ import annotations

import os
from typing import Any

from callsheet.errors import Fault, SpecError, nearest
from callsheet.track import JSONL, Tracker

from .logger_settings import LoggerConfig as LoggerConfig
from .logger_settings import MLFlowConfig as MLFlowConfig
from .logger_settings import PytorchTBConfig as PytorchTBConfig
from .logger_settings import TermLogConfig as TermLogConfig
from .logger_settings import TrainsConfig as TrainsConfig
from .logger_settings import WBConfig as WBConfig
from .logger_settings import logger_name as _known
from .loggers import AbstractLogger as AbstractLogger
from .loggers import MLFlowLogger as MLFlowLogger
from .loggers import PytorchTBLogger as PytorchTBLogger
from .loggers import PytorchTensorBoardLogger as PytorchTensorBoardLogger
from .loggers import TerminalLogger as TerminalLogger
from .loggers import TrainsLogger as TrainsLogger
from .loggers import WBLogger as WBLogger
from .loggers import get_experiment_name as get_experiment_name
from .loggers import get_project_name as get_project_name

_CLASSES: dict[str, type[AbstractLogger]] = {
    "mlflow": MLFlowLogger,
    "tb_pt": PytorchTBLogger,
    "trains": TrainsLogger,
    "wandb": WBLogger,
    "terminal": TerminalLogger,
}


class MultiLogger:
    """Several loggers. What they are told in numbers is also in the `metrics.jsonl` of the run, if there is one.

    Args:
        loggers: Their names; by default those of `LX_LOGGERS`, which a run sets as its experiment says.
        experiment_name: The name of the experiment; by default what `LX_EXPERIMENT_NAME` says.
        project_name: The name of the project; the working directory's by default.
        C: Their settings.

    Raises:
        SpecError: A logger is not known, or none is named.
    """

    name = "multilogger"

    def __init__(
        self,
        loggers: list[str] | None = None,
        experiment_name: str | None = None,
        project_name: str | None = None,
        C: LoggerConfig | None = None,  # noqa: N803  (LightEx's name)
    ) -> None:
        given = loggers if loggers is not None else [*filter(None, os.environ.get("LX_LOGGERS", "").split(","))]
        if not given:
            raise SpecError(Fault("", "no logger is named", advice=['MultiLogger(["mlflow"])', "or set LX_LOGGERS"]))
        self.loggers = given
        self.project_name = get_project_name(project_name)
        self.experiment_name = get_experiment_name(experiment_name)
        self.name2logger: dict[str, AbstractLogger] = {}
        for name in given:
            known = _known(name)
            settings = None if C is None else getattr(C, known)
            self.add_logger(name, _CLASSES[known](self.project_name, self.experiment_name, settings))
        self._here: Tracker | None = None

    def add_logger(self, name: str, logger: AbstractLogger) -> None:
        """Add a logger under a name."""
        self.name2logger[name] = logger

    def start_run(self, expt_id: Any = None) -> None:
        """Start all."""
        for logger in self.name2logger.values():
            logger.start_run(expt_id)

    def end_run(self) -> None:
        """Close all."""
        for logger in self.name2logger.values():
            logger.end_run()
        if self._here is not None:
            self._here.end()
            self._here = None

    def get_loggers(self, logger_name: str) -> list[AbstractLogger]:
        """The logger of a name, or all for "*".

        Raises:
            SpecError: There is none of that name.
        """
        if logger_name == "*":
            return list(self.name2logger.values())
        if logger_name not in self.name2logger:
            close = nearest(logger_name, self.name2logger)
            advice = [f"did you mean  {close[0]}?"] if close else []
            advice.append(f"there are  {', '.join(self.name2logger)}, and * for all")
            raise SpecError(Fault("", f"there is no logger {logger_name!r}", advice=advice))
        return [self.name2logger[logger_name]]

    def get_logger(self, logger_name: str) -> AbstractLogger:
        """The logger of a name."""
        return self.get_loggers(logger_name)[0]

    def log(self, logger_name: str, ltype: str, **args: Any) -> None:
        """Tell a logger something.

        Args:
            logger_name: The logger's name, or "*" for all.
            ltype: `scalar`, `hp`, `img`, `1d`, `2d`, `3d`, `text` with `name=` and `value=` (`img=` of an image), or
                `scalardict`, `hpdict` with `value=`.
            **args: Those, and `step=`; `histogram=` of `1d`, `scatter=` of `2d` and `3d`.

        Raises:
            SpecError: There is no such logger, or no such type.
        """
        if ltype not in _TOLD:
            raise SpecError(Fault("", f"there is no ltype {ltype!r}", advice=[f"known are  {', '.join(_TOLD)}"]))
        step = args.pop("step", None)
        for logger in self.get_loggers(logger_name):
            _tell(logger, ltype, args, step)
        if ltype in ("scalar", "scalardict"):
            self._note({args["name"]: args["value"]} if ltype == "scalar" else args["value"], step)

    def _note(self, scalars: dict[str, Any], step: int | None) -> None:
        directory = os.environ.get("CALLSHEET_RUN_DIR")
        if directory:
            self._here = self._here or JSONL(directory)
            self._here.scalars(scalars, step)


_TOLD = ("scalar", "scalardict", "hp", "hpdict", "img", "text", "1d", "2d", "3d")


def _tell(logger: AbstractLogger, ltype: str, args: dict[str, Any], step: int | None) -> None:
    if ltype == "scalardict":
        logger.log_scalar_dict(args["value"], step)
    elif ltype == "hpdict":
        logger.log_hparam_dict(args["value"])
    elif ltype == "hp":
        logger.log_hparam(args["name"], args["value"])
    elif ltype == "scalar":
        logger.log_scalar(args["name"], args["value"], step)
    elif ltype == "img":
        logger.log_image(args["name"], args["img"] if "img" in args else args["value"], step)
    elif ltype == "text":
        logger.log_text(args["value"], args.get("name", "log"), step)
    elif ltype == "1d":
        logger.log_1d(args["name"], args["value"], step, histogram=args.get("histogram", False))
    else:
        function = logger.log_2d if ltype == "2d" else logger.log_3d
        function(args["name"], args["value"], step, scatter=args.get("scatter", False))
