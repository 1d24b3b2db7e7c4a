"""LightEx's loggers note what a script tells them, in the real clients."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from command import Project

EXAMPLE = Path(__file__).parent.parent / "compat" / "lightex" / "sklearn"
LOGGED = """
    from callsheet.compat.lightex.mulogger import MultiLogger

    if __name__ == "__main__":
        logger = MultiLogger()
        logger.start_run()
        logger.log("*", ltype="hpdict", value={"alpha": 0.5})
        for step in (1, 2):
            logger.log("mlflow", ltype="scalardict", value={"mae": 1 / step, "r2": 0.5}, step=step)
        logger.log("tb_pt", ltype="scalar", name="loss", value=0.25, step=3)
        logger.log("tb_pt", ltype="1d", name="weights", value=[1.0, 2.0, 2.0], histogram=True)
        logger.log("mlflow", ltype="2d", name="points", value=[[1, 2]])
        logger.end_run()
"""


def test_a_script_logs_with_a_multi_logger_and_its_numbers_are_the_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    cmd = Project(tmp_path)
    cmd.write("logged.py", LOGGED)
    uri = f"sqlite:///{cmd.root / 'mlflow.db'}"
    config = cmd.root / "lxconfig.py"
    text = config.read_text().replace('LoggerConfig(loggers=["mlflow"])', 'LoggerConfig(loggers=["mlflow", "tb_pt"])')
    config.write_text(text.replace('"loggers.mlflow.port": 30005', f'"loggers.mlflow.cluster_uri": "{uri}"'))
    cmd("run", "lxconfig.py:C2", "Ru1.cmd=python logged.py", "hpg.l1_ratio=[0.5]")
    (run,) = cmd.ids()
    assert cmd.read("result.json") == {"loss": 0.25}
    lines = [json.loads(line) for line in cmd.text("metrics.jsonl").splitlines()]
    assert [(line["step"], line.get("mae"), line.get("loss")) for line in lines] == [
        (1, 1, None),
        (2, 0.5, None),
        (3, None, 0.25),
    ]
    with contextlib.closing(sqlite3.connect(cmd.root / "mlflow.db")) as noted:
        assert noted.execute("select name from experiments where name = 'm2test'").fetchall() == [("m2test",)]
        assert noted.execute("select value from params where key = 'alpha'").fetchall() == [("0.5",)]
        assert noted.execute("select step, value from metrics where key = 'mae'").fetchall() == [(1, 1.0), (2, 0.5)]
    read = EventAccumulator(str(cmd.root / "ltex" / "m2test" / run / "tblogs"))
    read.Reload()
    assert [(event.step, event.value) for event in read.Scalars("loss")] == [(3, 0.25)]
    assert "weights" in read.Tags()["histograms"]
