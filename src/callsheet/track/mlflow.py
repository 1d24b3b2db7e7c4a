"""A tracker that notes in MLflow: into a local SQLite file, or on a server."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from callsheet.track._backend import Backend
from callsheet.track._entries import Histogram, Image, Moment, Row
from callsheet.track._extras import missing
from callsheet.track._tracker import TrackedRun

LONGEST_NAME, LONGEST_PARAM = 250, 6000
"""Letters that MLflow takes."""

PARAMS_AT_ONCE, METRICS_AT_ONCE = 100, 1000
"""Entries that MLflow takes in one call."""

LOCAL = "sqlite:///mlflow.db"
"""Where is noted when nobody says where: the file that MLflow itself takes then."""

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
"""The variable by which its client is told how often to try; by itself it takes four minutes."""

REACH_S = 5.0
"""Seconds for a server to take a connection."""

_STATUS = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "cancelled": "KILLED"}


class MLflow(Backend):
    """Notes in MLflow, by a thread of its own: a training waits neither for a server nor for the import of MLflow.

    A server that is away is asked again and again while the run goes on, and
    gets what was noted meanwhile; what it has not got when `wait_s` have passed at the end is counted as failed.
    A command of a run goes on with the run that was begun here, by `MLFLOW_RUN_ID`; so does this tracker in it.

    In names, what MLflow does not take becomes `_`, and `[0]` becomes `.0`. A
    param longer than 6,000 letters is cut, ends in how long it was, and is kept
    whole as the artifact `params/NAME.txt`. Texts are artifacts in `texts/`,
    histograms in `histograms/`; images are MLflow's own.

    Args:
        uri: A server's `http://host:5000`, or `sqlite:///mlflow.db`, which is made where it is missing; by default
            what `MLFLOW_TRACKING_URI` says, else that file.
        experiment: Its name there, made where it is missing; the run's own experiment by default.
        artifacts: Folder or URI in which an experiment that is made keeps its artifacts; by default the server's own,
            or for a SQLite file the folder `mlruns` beside it. One that is there already keeps them where it did.
        wait_s: Seconds that the end of a run waits for what is not written yet.
    """

    is_queued: ClassVar[bool] = True
    is_handed_over: ClassVar[bool] = True

    def __init__(
        self,
        uri: str | None = None,
        experiment: str | None = None,
        *,
        artifacts: str | os.PathLike[str] | None = None,
        wait_s: float = 60.0,
    ) -> None:
        super().__init__()
        self.uri = uri
        self.experiment = experiment
        self.artifacts = None if artifacts is None else _absolute(os.fspath(artifacts))
        self.wait_s = wait_s
        self._client: Any = None
        self._id = ""

    def reach(self) -> None:
        address = urlsplit(self._uri)
        if address.scheme in ("http", "https") and address.hostname:
            port = address.port or (443 if address.scheme == "https" else 80)
            try:
                socket.create_connection((address.hostname, port), REACH_S).close()
            except OSError as error:
                why = error.strerror or str(error) or type(error).__name__
                raise ConnectionError(f"no connection to {address.hostname}:{port}: {why}") from None

    @property
    def _uri(self) -> str:
        return self.uri or os.environ.get("MLFLOW_TRACKING_URI") or LOCAL

    def on_start(self, run: TrackedRun) -> tuple[str, str]:
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise missing("mlflow", "mlflow", error) from None
        _make_database(_database(self._uri), lambda path: self._fill(path, MlflowClient))
        self._client = _Hasty(MlflowClient(self._uri))
        self._id = run.before or ("" if run.id else os.environ.get("MLFLOW_RUN_ID", ""))
        if self._id:
            experiment = self._client.get_run(self._id).info.experiment_id
            self._client.update_run(self._id, status="RUNNING")
            if run.before:
                self._client.set_tag(self._id, "callsheet.attempt", str(run.attempt))
        else:
            named = self.experiment or run.experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME")
            experiment = self._experiment_id(named)
            tags = {"callsheet.run": run.id, "callsheet.index": str(run.index), "callsheet.attempt": str(run.attempt)}
            made = self._client.create_run(experiment, run_name=run.id or None, tags=tags if run.id else None)
            self._id = made.info.run_id
        is_server = urlsplit(self._uri).scheme in ("http", "https")
        address = f"{self._uri.rstrip('/')}/#/experiments/{experiment}/runs/{self._id}"
        return self._id, address if is_server else ""

    def _experiment_id(self, name: str | None) -> str:
        if not name:
            return "0"
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        try:
            return str(self._client.create_experiment(name, artifact_location=self._location(name)))
        except Exception:
            found = self._client.get_experiment_by_name(name)  # another trial has made it meanwhile
            if found is None:
                raise
            return str(found.experiment_id)

    def _location(self, experiment: str) -> str | None:
        """Where an experiment that is made keeps its artifacts; None for where the server says.

        MLflow itself would say `mlruns` in the working directory, whatever that is.
        """
        path = _database(self._uri)
        if self.artifacts is not None or not path:
            return self.artifacts
        return (Path(path).parent / "mlruns" / _file_name(experiment)).as_uri()

    def _fill(self, path: str, client: Callable[[str], Any]) -> None:
        """Let MLflow make a database, and keep artifacts of its experiment 0 as those of others."""
        import sqlite3

        client(f"sqlite:///{path}").get_experiment("0")
        with closing(sqlite3.connect(path)) as database, database:
            said = "update experiments set artifact_location = ? where experiment_id = 0"
            database.execute(said, (self._location("0"),))

    def on_params(self, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        params = []
        for name, value in values.items():
            text, kept = str(value), name_of(name)
            if len(text) > LONGEST_PARAM:
                self._client.log_text(self._id, text, f"params/{_file_name(name)}.txt")
                note = f"… ({len(text):,} letters, whole in params/{_file_name(name)}.txt)"
                text = text[: LONGEST_PARAM - len(note)] + note
            params.append(Param(kept, text))
        for some in _pieces(params, PARAMS_AT_ONCE):
            self._client.log_batch(self._id, params=some)

    def on_scalars(self, rows: Sequence[Row]) -> None:
        from mlflow.entities import Metric

        metrics = [
            Metric(name_of(name), float(value), int(row.at.time * 1000), row.at.x)
            for row in rows
            for name, value in row.values.items()
        ]
        for some in _pieces(metrics, METRICS_AT_ONCE):
            self._client.log_batch(self._id, metrics=some)

    def on_text(self, name: str, text: str, at: Moment) -> None:
        self._client.log_text(self._id, text, f"texts/{_file_name(name)}-{at.x}.txt")

    def on_image(self, name: str, image: Image, at: Moment) -> None:
        import numpy

        shape = (image.height, image.width) + ((image.channels,) if image.channels > 1 else ())
        array = numpy.frombuffer(image.pixels, "uint8").reshape(shape)
        key = re.sub(r"[^a-zA-Z0-9_\-./ ]", "_", name)
        self._client.log_image(self._id, array, key=key, step=at.x, timestamp=int(at.time * 1000), synchronous=True)

    def on_histogram(self, name: str, histogram: Histogram, at: Moment) -> None:
        data = {"name": name, "step": at.x, "edges": list(histogram.edges), "counts": list(histogram.counts)}
        self._client.log_dict(self._id, data, f"histograms/{_file_name(name)}-{at.x}.json")

    def on_artifact(self, path: str, name: str) -> None:
        folder, _, last = name.rpartition("/")
        if os.path.isdir(path):
            self._client.log_artifacts(self._id, path, name)
        elif os.path.basename(path) == last:
            self._client.log_artifact(self._id, path, folder or None)
        else:
            with tempfile.TemporaryDirectory() as temporary:  # MLflow names an artifact as its file is named
                linked = os.path.join(temporary, last)
                os.symlink(path, linked)
                self._client.log_artifact(self._id, linked, folder or None)

    def on_end(self, state: str) -> None:
        self._client.set_terminated(self._id, _STATUS.get(state, "FAILED"))

    def environment(self) -> dict[str, str]:
        """`MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME`; `MLFLOW_RUN_ID` once started: a command goes on with it."""
        found = {
            "MLFLOW_TRACKING_URI": self._uri,
            "MLFLOW_EXPERIMENT_NAME": self.experiment or self.run.experiment,
            "MLFLOW_RUN_ID": self._id,
        }
        return {name: value for name, value in found.items() if value}


class _Hasty:
    """MLflow's client, without the minutes for which it tries again by itself: waiting for a server is our own work.

    Args:
        client: Whose methods are called; it asks the environment how often to try.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def hasty(*args: Any, **more: Any) -> Any:
            if RETRIES in os.environ:
                return call(*args, **more)
            os.environ[RETRIES] = "3"
            try:
                return call(*args, **more)
            finally:
                os.environ.pop(RETRIES, None)

        return hasty


def _database(uri: str) -> str:
    """The SQLite file of a URI, absolute; "" where it is none."""
    kind, _, path = uri.partition(":///")
    return os.path.abspath(path.partition("?")[0]) if kind == "sqlite" else ""


def _absolute(place: str) -> str:
    return place if urlsplit(place).scheme else Path(place).absolute().as_uri()


def _make_database(path: str, fill: Callable[[str], object]) -> None:
    """Make a missing SQLite file in one step, so that neither a second trial nor a kill finds it half made."""
    if not path or os.path.exists(path):
        return
    import fcntl

    os.makedirs(os.path.dirname(path), exist_ok=True)
    lock = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            with tempfile.TemporaryDirectory(prefix=".mlflow-", dir=os.path.dirname(path)) as temporary:
                made = os.path.join(temporary, "new.db")
                fill(made)
                os.rename(made, path)
    finally:
        os.close(lock)


def name_of(name: str) -> str:
    """A name as MLflow takes it.

    >>> name_of("optim.betas[0]"), name_of('data["a#"]')
    ('optim.betas.0', 'data.a_')
    """
    kept = re.sub(r"[^\w.\-/ ]", "_", re.sub(r'\["?(.*?)"?\]', r".\1", name))
    kept = "/".join(part for part in kept.split("/") if part.strip(".")) or "_"  # as a path, it must not lead elsewhere
    return kept if len(kept) <= LONGEST_NAME else kept[: LONGEST_NAME - 1] + "_"


def _file_name(name: str) -> str:
    return name_of(name).replace("/", "_")


def _pieces(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
