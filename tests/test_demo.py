"""`make demo` is killed in the middle of its sweep, is started again, and ends with every trial run once (20-22)."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from command import is_alive, until

ROOT = Path(__file__).parent.parent
TRIALS = {
    f"epochs=20 optim.lr={lr} model.width={width}" for lr in ("1e-3", "3e-3", "1e-2", "3e-2") for width in (16, 32, 64)
}


@pytest.fixture
def demo(tmp_path):
    """A function that starts the demo in a process group of its own; whatever it leaves is ended with the test."""
    folder = tmp_path / "demo"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def start():
        return subprocess.Popen(
            [sys.executable, str(ROOT / "tools" / "demo.py"), str(folder)],
            env={**os.environ, "PATH": path, "COLUMNS": "80"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    yield folder, start
    for status in statuses(folder).values():
        kill_group(status.get("pid", 0))


def statuses(folder):
    """What each run says of itself, by its id; of one that says nothing yet, nothing."""
    found = {}
    for directory in folder.glob("runs/[0-9a-f]*"):
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            found[directory.name] = json.loads((directory / "status.json").read_text())
    return found


def done(folder):
    return {run: status for run, status in statuses(folder).items() if status["state"] == "done"}


def said_of(folder, run):
    """The overrides of a run."""
    return " ".join(json.loads((folder / "runs" / run / "run.json").read_text())["overrides"])


def kill_group(pid):
    if pid and is_alive(pid):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def killed_in_its_sweep(folder, start, draw):
    """Start the demo, kill it and its workers at a moment of the sweep, and give what was done then."""
    process = start()
    enough = draw.randint(2, 8)  # the first that is done is no trial
    until(lambda: len(done(folder)) > enough or process.poll() is not None, limit_s=300)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(draw.uniform(0, 1))
    assert process.poll() is None, process.stdout.read()
    os.killpg(process.pid, signal.SIGKILL)
    workers = [status["pid"] for status in statuses(folder).values() if status["state"] == "running"]
    for pid in workers:
        kill_group(pid)
    until(lambda: not any(is_alive(pid) for pid in workers))
    process.communicate()
    return done(folder)


def test_the_demo_is_killed_goes_on_and_ends_in_a_table_and_a_page(demo):
    folder, start = demo
    before = killed_in_its_sweep(folder, start, random.Random(6))
    assert 3 <= len(before) < 13
    again = start()
    said, _ = again.communicate(timeout=300)
    assert again.returncode == 0, said

    after = done(folder)
    assert {run: after.get(run) for run in before} == before  # not touched, and so not run again
    # A worker that had not yet said who it is was not killed, and may have come to its end by itself.
    assert int(re.search(r"12 trials, (\d+) done before", said)[1]) >= len(before) - 1
    assert sorted(said_of(folder, run) for run in after) == sorted([*TRIALS, "epochs=8 optim.lr=3e-3"])
    assert len(statuses(folder)) == 13  # what was cut off went on in its own directory

    table = said.split("$ callsheet compare")[1].split("$ callsheet runs")[0].strip().split("\n")[1:]
    assert table[0].split() == ["run", "no.", "state", "epochs", "model.width", "optim.lr", "loss", "accuracy"]
    rows = [line.split() for line in table[1:] if line and not line.startswith("#")]
    assert {row[0] for row in rows} == set(after)
    accuracies = [float(row[-1]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert accuracies[0] > 0.95

    page = (folder / "report.html").read_text()
    shown = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])
    assert {run["id"] for run in shown["details"]} == set(after)
    epochs = [len(shown["curves"]["accuracy"][str(row)][0]) for row in range(13)]
    assert sorted(epochs) == [8] + [20] * 12  # one curve each, also of what was cut off and began again


def test_make_demo_does_this():
    said = subprocess.run(
        ["make", "--no-print-directory", "-n", "-o", ".venv/.ready", "demo"], cwd=ROOT, capture_output=True, text=True
    )
    assert said.stdout.strip().endswith(".venv/bin/python tools/demo.py demo")
