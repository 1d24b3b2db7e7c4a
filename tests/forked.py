"""What tests of MLflow let other processes do, in which it is imported already: that takes them seconds."""

import multiprocessing
import os

from callsheet.track import MLflow

processes = multiprocessing.get_context("forkserver")
"""Processes that begin as copies of one that has imported MLflow and its server, and has used neither."""

processes.set_forkserver_preload(["forked", "mlflow.server"])


def serve(folder, port):
    """Be an MLflow server on loopback that keeps everything in a folder, until somebody ends it."""
    os.chdir(folder)
    os.environ.update(
        _MLFLOW_SERVER_FILE_STORE=f"sqlite:///{folder}/m.db",
        _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/",
        _MLFLOW_SERVER_ARTIFACT_DESTINATION=f"{folder}/artifacts",
        _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
    )
    from mlflow.server import app
    from werkzeug.serving import make_server

    with open("server.log", "ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


def note_loss(uri, experiment, wait_s):
    """Note one number as a run of its own; gives what failed."""
    log = MLflow(uri, experiment, wait_s=wait_s)
    log.scalars({"loss": 1.0})
    log.end()
    return log.failures
