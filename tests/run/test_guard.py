"""A worker sees to limits itself where nobody else does, whatever its trial does at that moment (promise 23)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from callsheet import sweep
from callsheet.run._draw import draw
from callsheet.run._engine import worker_argv
from callsheet.run._guard import Passed, passed_limit
from callsheet.run._job import Task
from callsheet.run._place import Place
from callsheet.run._store import Store, is_locked
from command import is_alive

TRAIN = """
    import os, signal, subprocess, sys, time

    def note(*pids):
        with open("pids", "w") as file:
            file.write(" ".join(map(str, pids)))

    def fit(what: str):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        note(os.getpid(), child.pid)
        if what == "deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        if what == "greedy":
            block = bytearray(os.urandom(1000)) * 300_000
        if what != "quick" and not os.path.exists("enough"):
            time.sleep(600)
        child.kill()
        child.wait()
        return 1
"""


@pytest.fixture
def start(project):
    """A function that starts the worker of a trial, with some limits, and returns its process."""
    project("pyproject.toml", "")
    conf = project("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)('quick')\n")
    project("train.py", TRAIN)
    started = []

    def start(what, **limits):
        plan = draw(sweep(conf, [f"main.0={what}"]), Place.of(conf)).plan
        argv = worker_argv([Task(plan, 0, plan.record(0).digest.hex())], **limits)
        started.append(subprocess.Popen(argv))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def only():
    (run,) = Store(Path("runs")).runs()
    return run


def pids():
    """The worker and its child, once it has told."""
    latest = time.monotonic() + 30
    while time.monotonic() < latest:
        if Path("pids").exists() and len(found := Path("pids").read_text().split()) == 2:
            return [int(pid) for pid in found]
        time.sleep(0.02)
    raise AssertionError("it did not start")


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_worker_whose_time_is_over_ends_as_one_that_is_cancelled_and_says_why(start):
    assert start("slow", minutes=0.01).wait(30) == 143
    assert only().state == "cancelled"
    assert passed_limit(only().directory) == Passed("limit", "the time limit of 0.01 min is over")
    assert [pid for pid in pids() if is_alive(pid)] == []


def test_one_that_does_not_listen_is_ended(start):
    assert start("deaf", minutes=0.01).wait(30) == -9
    assert only().state == "lost"
    assert passed_limit(only().directory) == Passed("limit", "the time limit of 0.01 min is over")


def test_one_that_holds_too_much_memory_is_ended_with_all_its_processes(start):
    assert start("greedy", memory_gb=0.2).wait(30) == -9
    passed = passed_limit(only().directory)
    assert passed.blame == "memory"
    assert passed.reason.endswith("GB of memory, where the limit is 0.2 GB")
    assert [pid for pid in pids() if is_alive(pid)] == []


def test_nothing_is_left_of_one_that_ends_within_its_limits(start):
    assert start("quick", minutes=1, memory_gb=4).wait(30) == 0
    assert only().state == "done"
    assert passed_limit(only().directory) is None


def test_what_watches_a_killed_worker_ends_and_does_not_hold_its_run(start):
    process = start("slow", minutes=10)
    _, child = pids()
    (guard,) = set(children(process.pid)) - {str(child)}
    process.kill()
    process.wait()
    os.kill(child, 9)
    assert not is_locked(only().directory / "lock")
    latest = time.monotonic() + 10
    while is_alive(int(guard)):
        assert time.monotonic() < latest
        time.sleep(0.05)


def test_a_limit_that_was_passed_says_nothing_of_the_next_attempt(start):
    assert start("slow", minutes=0.01).wait(30) == 143
    Path("enough").touch()
    assert start("slow", minutes=1).wait(30) == 0
    assert (only().status["attempt"], passed_limit(only().directory)) == (2, None)


def test_a_worker_with_limits_leads_its_session():
    code = "import os, callsheet.run._guard as guard; assert guard.lead_session(); print(os.getsid(0) == os.getpid())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "True\n"
