"""Trackers with a client pass the suite that is shipped to whoever writes one; what they wrote is read by other means."""

import json
import sqlite3
import struct
import urllib.request
import zipfile

import pytest

from callsheet.testing import Noted, TrackerSuite
from callsheet.track import ClearML, MLflow, TensorBoard, WandB

pytestmark = pytest.mark.filterwarnings("ignore")  # of the clients, each with its own


class TestTensorBoard(TrackerSuite):
    def make(self, directory):
        return TensorBoard(directory / "tb")

    def read(self, tracker, directory):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(directory / "tb"), size_guidance={"scalars": 0, "tensors": 0})
        events.Reload()
        tables = [e.tensor_proto.string_val[0].decode() for e in events.Tensors("params/text_summary")]
        rows = [row for table in tables for row in table.split("\n")[2:]]
        params = dict([cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows)
        scalars = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
        return Noted(params, scalars)


class TestMLflowFile(TrackerSuite):
    def make(self, directory):
        return MLflow(f"sqlite:///{directory.parent}/mlflow/m.db", "suite")

    def read(self, tracker, directory):
        database = sqlite3.connect(directory.parent / "mlflow" / "m.db")
        try:
            (run,) = database.execute("select run_uuid, status, name from runs").fetchall()
            assert run[1:] == ("FAILED", "run")
            params = dict(database.execute("select key, value from params"))
            scalars = {}
            for name, step, value in database.execute("select key, step, value from metrics order by step"):
                scalars.setdefault(name, []).append((step, value))
        finally:
            database.close()
        return Noted(params, scalars)


class TestMLflowServer(TrackerSuite):
    @pytest.fixture(autouse=True)
    def _server(self, mlflow_server, request):
        self.server, self.experiment = mlflow_server, request.node.name

    def make(self, directory):
        return MLflow(self.server.uri, self.experiment)

    def ask(self, path):
        with urllib.request.urlopen(f"{self.server.uri}/api/2.0/mlflow/{path}") as answer:
            return json.load(answer)

    def read(self, tracker, directory):
        run = json.loads((directory / "trackers.json").read_text())["mlflow"]["id"]
        told = self.ask(f"runs/get?run_id={run}")["run"]
        assert (told["info"]["run_name"], told["info"]["status"]) == ("run", "FAILED")
        tags = {tag["key"]: tag["value"] for tag in told["data"]["tags"]}
        assert (tags["callsheet.run"], tags["callsheet.attempt"]) == ("run", "2")
        scalars = {}
        for metric in told["data"]["metrics"]:
            history = self.ask(f"metrics/get-history?run_id={run}&metric_key={metric['key']}")["metrics"]
            scalars[metric["key"]] = sorted((m["step"], float(m["value"])) for m in history)
        return Noted({p["key"]: p["value"] for p in told["data"]["params"]}, scalars)


def wandb_records(path):
    """The records of a .wandb file: a LevelDB log, whose blocks of 32 KiB hold pieces with a head of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    raw, at, parts = path.read_bytes(), 7, b""
    while at + 7 <= len(raw):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack("<IHB", raw[at : at + 7])
        parts += raw[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            record = Record()
            record.ParseFromString(parts)
            yield record
            parts = b""


class TestWandB(TrackerSuite):
    def make(self, directory):
        return WandB("suite", directory=directory)

    def read(self, tracker, directory):
        params, scalars, ends = {}, {}, []
        for path in sorted(directory.glob("wandb/offline-run-*/*.wandb")):
            assert path.name == "run-run.wandb"
            for record in wandb_records(path):
                for config in (record.config, record.run.config):
                    params |= {u.key or ".".join(u.nested_key): json.loads(u.value_json) for u in config.update}
                if record.HasField("exit"):
                    ends.append(record.exit.exit_code)
                if record.HasField("history"):
                    items = {i.key or ".".join(i.nested_key): json.loads(i.value_json) for i in record.history.item}
                    for name in items.keys() - {"step"}:
                        scalars.setdefault(name, []).append((items["step"], items[name]))
        assert ends == [0, 1]
        return Noted({name: str(value) for name, value in params.items()}, scalars)


class TestClearML(TrackerSuite):
    def make(self, directory):
        return ClearML("suite", directory=directory)

    def read(self, tracker, directory):
        params, scalars = {}, {}
        for path in (directory / "clearml.zip", directory / "clearml-2.zip"):
            with zipfile.ZipFile(path) as file:
                task = json.loads(file.read("task.json"))
                rows = [json.loads(line) for line in file.read("metrics.jsonl").splitlines()]
            assert task["name"] == "run"
            params |= {p["name"]: p["value"] for p in task["hyperparams"]["General"].values()}
            for event in (event for row in rows for event in row):
                if event["type"] == "training_stats_scalar":
                    scalars.setdefault(event["metric"], []).append((event["iter"], event["value"]))
        return Noted(params, scalars)

    def everything_below(self, directory):
        found = []
        for path in directory.rglob("*.zip"):
            with zipfile.ZipFile(path) as file:
                found += [file.read(name) for name in file.namelist()]
        return super().everything_below(directory) + b"".join(found)
