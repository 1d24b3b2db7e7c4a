"""What each client makes of texts, images, histograms and artifacts; servers that are away; commands in a run."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

import pytest

from callsheet.testing import tracked_run
from callsheet.track import MLflow, TensorBoard, environment
from callsheet.track.mlflow import LONGEST_PARAM
from command import Project
from forked import note_loss, processes

pytestmark = pytest.mark.filterwarnings("ignore")  # of the clients, each with its own


class Rest:
    """An MLflow server asked by nothing but HTTP."""

    def __init__(self, uri):
        self.uri = uri

    def ask(self, endpoint, **query):
        with urllib.request.urlopen(f"{self.uri}/{endpoint}?{urllib.parse.urlencode(query)}") as answer:
            return answer.read()

    def run(self, run_id):
        return json.loads(self.ask("api/2.0/mlflow/runs/get", run_id=run_id))["run"]

    def metrics(self, run_id, name):
        found = json.loads(self.ask("api/2.0/mlflow/metrics/get-history", run_id=run_id, metric_key=name))
        return sorted((metric["step"], metric["value"]) for metric in found["metrics"])

    def files(self, run_id, folder=""):
        found = json.loads(self.ask("api/2.0/mlflow/artifacts/list", run_id=run_id, path=folder)).get("files", [])
        inner = (self.files(run_id, f["path"]) if f["is_dir"] else [f["path"]] for f in found)
        return [path for paths in inner for path in paths]

    def file(self, run_id, path):
        return self.ask("get-artifact", run_id=run_id, path=path)


def run_of(directory, name="mlflow"):
    return json.loads((directory / "trackers.json").read_text())[name]["id"]


def test_mlflow_keeps_texts_images_histograms_artifacts_and_long_params(mlflow_server, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("a")
    long = "layer, " * 2000
    with tracked_run(tmp_path / "run", {"names": long, "betas": [0.9, 0.99]}):
        log = MLflow(mlflow_server.uri, "files")
        log.text("notes/first", "hello", step=2)
        log.image("digits", [[0, 255], [128, 3]], step=4)
        log.histogram("weights", [1.0, 2.0], step=5)
        log.artifact(tmp_path / "folder", "kept")
        log.artifact(tmp_path / "folder" / "a.txt", "best/b.txt")
        log.params({"odd name: [é]": 1})
    assert log.failures == {}
    rest, run = Rest(mlflow_server.uri), run_of(tmp_path / "run")
    files = rest.files(run)
    assert {"texts/notes_first-2.txt", "histograms/weights-5.json", "kept/a.txt", "best/b.txt"} < {*files}
    assert rest.file(run, "texts/notes_first-2.txt") == b"hello"
    assert rest.file(run, "best/b.txt") == b"a"
    assert sum(json.loads(rest.file(run, "histograms/weights-5.json"))["counts"]) == 2
    (image,) = [file for file in files if file.startswith("images/digits+step+4") and file.endswith(".png")]
    assert rest.file(run, image).startswith(b"\x89PNG")
    params = {param["key"]: param["value"] for param in rest.run(run)["data"]["params"]}
    assert len(params["names"]) == LONGEST_PARAM
    assert params["names"].endswith(f"… ({len(long):,} letters, whole in params/names.txt)")
    assert rest.file(run, "params/names.txt").decode() == long
    assert (params["betas"], params["odd name_ .é"]) == ("[0.9, 0.99]", "1")


def test_a_command_goes_on_with_the_run_that_its_environment_names(mlflow_server, tmp_path):
    script = "import mlflow\nwith mlflow.start_run():\n    mlflow.log_metric('loss', 0.5, step=3)\n"
    with tracked_run(tmp_path / "run", {"lr": 0.1}, state="failed"):
        log = MLflow(mlflow_server.uri, "commands")
        log.start()
        told = {**os.environ, **environment(log)}
        subprocess.run([sys.executable, "-c", script], env=told, check=True, capture_output=True)
    rest, run = Rest(mlflow_server.uri), run_of(tmp_path / "run")
    assert told["MLFLOW_RUN_ID"] == run
    assert rest.metrics(run, "loss") == [(3, 0.5)]
    assert [p["key"] for p in rest.run(run)["data"]["params"]] == ["lr"]
    assert rest.run(run)["info"]["status"] == "FAILED"


def test_a_server_that_comes_back_gets_what_was_noted_meanwhile(mlflow_server, tmp_path, capsys):
    with tracked_run(tmp_path / "run", {"lr": 0.1}):
        log = MLflow(mlflow_server.uri, "away")
        log.start()
        mlflow_server.stop()
        try:
            for step in range(50):
                log.scalars({"loss": 1.0}, step=step)
            log.artifact(__file__)  # waits until it is known that there is nobody to wait for
            assert log.failures.keys() == {"away"}
        finally:
            mlflow_server.start()
    assert log.failures.keys() == {"away"}
    assert "away: ConnectionError: no connection to 127.0.0.1:" in capsys.readouterr().err
    rest, run = Rest(mlflow_server.uri), run_of(tmp_path / "run")
    assert rest.metrics(run, "loss") == [(step, 1.0) for step in range(50)]
    assert rest.files(run) == ["test_clients.py"]
    assert rest.run(run)["info"]["status"] == "FINISHED"
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


def test_a_server_that_takes_connections_and_never_answers_keeps_nobody_for_long():
    with socket.create_server(("127.0.0.1", 0)) as mute, ProcessPoolExecutor(1, mp_context=processes) as pool:
        uri = f"http://127.0.0.1:{mute.getsockname()[1]}"
        # The client's own patience is 120 s, eight times.
        failures = pool.submit(note_loss, uri, "mute", wait_s=2).result(110)
    assert failures["scalars"] == (1, "not passed on within 2 s")


def test_several_processes_at_once_make_one_database(tmp_path):
    uri = f"sqlite:///{tmp_path}/m.db"
    with ProcessPoolExecutor(3, mp_context=processes) as pool:
        failures = [pool.submit(note_loss, uri, "together", wait_s=300) for _ in range(3)]
    assert [failed.result() for failed in failures] == [{}] * 3
    with closing(sqlite3.connect(tmp_path / "m.db")) as database:
        assert database.execute("select count(*) from metrics").fetchone() == (3,)
        assert database.execute("select count(*) from experiments where name = 'together'").fetchone() == (1,)
    assert [path.name for path in tmp_path.iterdir()] == ["m.db"]


def test_artifacts_of_a_database_lie_beside_it_whatever_the_working_directory(tmp_path, monkeypatch):
    elsewhere, kept = tmp_path / "elsewhere", tmp_path / "a b#c"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    for experiment in ("digits/small", None):  # MLflow makes the second, its own, by itself
        with MLflow(f"sqlite:///{kept}/m.db", experiment, wait_s=300) as log:
            log.text("note", "hello")
        assert log.failures == {}
    with MLflow(f"sqlite:///{kept}/m.db", "told", artifacts="there") as log:
        log.text("note", "hello")
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("note-0.txt"))
    place = r"a b#c/mlruns/0/\w+/artifacts/texts/note-0.txt a b#c/mlruns/digits_small/\w+/artifacts/texts/note-0.txt"
    assert re.fullmatch(rf"{place} elsewhere/there/\w+/artifacts/texts/note-0.txt", " ".join(found))
    assert {path.name for path in kept.iterdir()} == {"m.db", "mlruns"}


def test_two_trackers_of_the_same_second_write_files_of_their_own(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for step in range(2):
        with TensorBoard(tmp_path) as log:
            log.scalars({"loss": 0.5}, step=step)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == [0, 1]


def test_tensorboard_reads_images_texts_histograms_and_hparams(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    with tracked_run(tmp_path / "run", {"lr": 0.25, "net": {"width": 8}}):
        log = TensorBoard(tmp_path / "tb")
        log.scalars({"loss": 0.5}, step=7)
        log.image("digits", [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], step=3)
        log.text("note", "hello", step=2)
        log.histogram("weights", [0.0, 1.0, 1.0], step=4)
        log.artifact(__file__, "script.py")
    assert log.failures == {}
    events = EventAccumulator(str(tmp_path / "tb"), size_guidance={"images": 0, "histograms": 0, "tensors": 0})
    events.Reload()
    (image,) = events.Images("digits")
    assert (image.step, image.height, image.width) == (3, 1, 3)
    assert image.encoded_image_string.startswith(b"\x89PNG")
    (text,) = events.Tensors("note/text_summary")
    assert (text.step, text.tensor_proto.string_val[0]) == (2, b"hello")
    assert events.Tensors("artifacts/script.py/text_summary")
    (drawn,) = events.Histograms("weights")
    counts = drawn.histogram_value
    assert (drawn.step, counts.num, counts.min, counts.max, sum(counts.bucket)) == (4, 3, 0, 1, 3)
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    hparams = HParamsPluginData.FromString(content).session_start_info.hparams
    assert (hparams["lr"].number_value, hparams["net.width"].number_value) == (0.25, 8)


COMMANDED = """
    from callsheet import lazy
    from callsheet.run import Experiment, Launch
    from callsheet.track import MLflow

    C1 = Experiment(
        Launch("python train.py {{hp.lr}}", experiment="nets"), hp={"lr": 0.25}, trackers={"m": lazy(MLflow)(wait_s=300)}
    )
"""
NATIVE = """
    import mlflow, sys
    with mlflow.start_run():
        mlflow.log_metric("loss", float(sys.argv[1]), step=3)
"""
OURS = """
    import sys
    from callsheet.track import MLflow
    with MLflow(wait_s=300) as log:
        log.scalars({"loss": float(sys.argv[1])}, step=3)
    sys.exit(3)
"""


@pytest.mark.parametrize(("script", "code", "status"), [(NATIVE, 0, "FINISHED"), (OURS, 3, "FAILED")])
def test_a_command_notes_in_the_mlflow_run_that_its_run_has_begun(tmp_path, script, code, status):
    cmd = Project(tmp_path).config(COMMANDED, train=script)
    database = tmp_path / "mlflow.db"
    cmd("run", "conf.py:C1", code=code, env={"MLFLOW_TRACKING_URI": f"sqlite:///{database}"})
    (run,) = cmd.ids()
    (noted,) = cmd.read("trackers.json").values()
    assert noted["failures"] == []
    with closing(sqlite3.connect(database)) as read:
        found = "select run_uuid, runs.name, status, e.name from runs join experiments e using (experiment_id)"
        assert read.execute(found).fetchall() == [(noted["id"], run, status, "nets")]
        assert read.execute("select key, step, value from metrics").fetchall() == [("loss", 3, 0.25)]
        assert read.execute("select value from params where key = 'C1.hp.lr'").fetchall() == [("0.25",)]
