"""Several processes run one trial: the first records it, all of them count (promise 23); warnings end none of them."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from callsheet import sweep
from callsheet.errors import RunError
from callsheet.run._draw import draw
from callsheet.run._engine import worker_argv
from callsheet.run._job import Task
from callsheet.run._place import Place
from callsheet.run._ranks import Ranks
from callsheet.run._store import Store
from command import until
from saying import told

TRAIN = """
    import os, time

    def fit(what: str, dir: str, attempt: int):
        rank = int(os.environ["RANK"])
        print("I am", rank, flush=True)
        open(f"begun{rank}", "w").close()
        if what == f"fails{rank}":
            raise ValueError("no luck")
        if what == "waits" and attempt == 1:
            while not os.path.exists("go"):
                time.sleep(0.02)
        return {"rank": rank, "attempt": attempt, "is_here": int(os.path.exists(dir))}
"""

CONF = """
    from callsheet import lazy
    from train import fit

    main = lazy(fit)("well", dir="${run.dir}", attempt="${run.attempt}")
"""


@pytest.fixture
def start(project):
    """A function that starts the workers of a trial, and returns their processes."""
    project("pyproject.toml", "")
    conf = project("conf.py", CONF)
    project("train.py", TRAIN)
    started = []

    def start(what, folder="ranks", count=3):
        plan = draw(sweep(conf, [f"main.what={what}"]), Place.of(conf)).plan
        argv = (*worker_argv([Task(plan, 0, plan.record(0).digest.hex())]), "--ranks", str(Path(folder).absolute()))
        new = [
            subprocess.Popen(argv, env={**os.environ, "RANK": str(n), "WORLD_SIZE": str(count)}) for n in range(count)
        ]
        started.extend(new)
        return new

    yield start
    for process in started:
        process.kill()
        process.wait()


def only():
    [run] = Store(Path("runs")).runs()
    return run


def texts():
    """What the processes have printed, each in a file of its own."""
    names = ("out.log", "out.1.log", "out.2.log")
    return [(only().directory / name).read_text() for name in names]


def test_all_run_in_the_directory_of_the_first_whose_result_counts(start):
    assert [process.wait(60) for process in start("well")] == [0, 0, 0]
    assert only().state == "done"
    assert only().result == {"rank": 0, "attempt": 1, "is_here": 1}
    assert texts() == ["I am 0\n", "I am 1\n", "I am 2\n"]


def test_the_failure_of_any_is_that_of_the_run(start):
    assert [process.wait(60) for process in start("fails2")] == [1, 0, 1]
    assert only().state == "failed"
    assert only().status["error"] == "rank 2: ValueError: no luck"
    assert "ValueError: no luck" in (only().directory / "err.2.log").read_text()
    assert only().result == {}


def test_the_failure_of_the_first_waits_for_nobody(start):
    workers = start("fails0")
    assert workers[0].wait(60) == 1
    assert only().status["error"].endswith("ValueError: no luck")


def test_one_that_is_told_to_stop_says_so_and_the_next_start_goes_on(start):
    workers = start("waits")
    until(lambda: all(Path(f"begun{n}").exists() for n in range(3)))
    for worker in workers:
        worker.terminate()
    assert [worker.wait(60) for worker in workers] == [143, 143, 143]
    assert only().state == "cancelled"
    assert [process.wait(60) for process in start("waits", folder="again")] == [0, 0, 0]
    assert only().result["attempt"] == 2


def test_where_the_trial_is_done_nobody_runs_it(start):
    assert [process.wait(60) for process in start("well")] == [0, 0, 0]
    assert [process.wait(60) for process in start("well", folder="again")] == [0, 0, 0]
    assert texts() == ["I am 0\n", "I am 1\n", "I am 2\n"]


def test_processes_that_are_not_numbered_are_refused(monkeypatch):
    monkeypatch.setenv("RANK", "4")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert told(lambda: Ranks.told("/folder"), RunError) == (
        "RANK and WORLD_SIZE are to number the processes of the run, and are '4' and '4'"
    )


def test_a_warning_that_nobody_handles_ends_no_worker(start):
    [worker] = start("waits", count=1)
    until(lambda: Path("begun0").exists())
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        worker.send_signal(number)
    Path("go").touch()
    assert worker.wait(60) == 0
    assert only().state == "done"
