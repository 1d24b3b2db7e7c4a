"""Trials in subprocesses: a few at a time, ended with all children, gone on with after a crash (promises 21, 23)."""

import os
import random
import signal
import sys
import time

import pytest

from callsheet import Process
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from command import is_alive, until

CONF = """
    from callsheet import lazy
    from train import fit

    main = lazy(fit)(1, log="log", dir="${run.dir}", attempt="${run.attempt}")
"""
"""A trial that says in `log` that it begins and ends, and waits in between for a file of the name `go`."""

TRAIN = """
    import os, time

    def say(log, *words):
        with open(log, "a") as file:
            file.write(" ".join(map(str, words)) + "\\n")

    def fit(n: int, log: str, dir: str, attempt: int):
        say(log, "begin", n, attempt, dir, os.getpid())
        while not (os.path.exists("go") or os.path.exists(f"go{n}")):
            time.sleep(0.005)
        say(log, "end", n, attempt, dir)
        return n
"""


def lines(cmd, word):
    """The lines of the log that begin with a word, each as its further words."""
    path = cmd.root / "log"
    found = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    return [rest for first, *rest in found if first == word]


def ended(cmd):
    return sorted(int(n) for n, *_ in lines(cmd, "end"))


def test_a_request_is_a_value_and_making_it_starts_nothing(tmp_path):
    plan = Plan(tmp_path / "runs" / ".sweeps" / "abc")
    request = Process(slots=2).request(Task(plan, 3, "digest"))
    assert request.argv == (sys.executable, "-m", "callsheet.run.worker", f"{plan.folder}/plan.jsonl", "3", "digest")
    assert str(request).endswith("plan.jsonl 3 digest")
    assert list(tmp_path.iterdir()) == []


def test_no_slot_is_refused():
    with pytest.raises(ValueError, match="at least 1 slot, found 0"):
        Process(slots=0)


def test_no_more_trials_run_at_a_time_than_there_are_slots(cmd):
    cmd.config(CONF, train=TRAIN)
    process = cmd.start("sweep", "conf.py", "main.0=1,2,3,4", "--slots", "2")
    until(lambda: len(lines(cmd, "begin")) == 2)
    logs = cmd.runs / ".sweeps"
    assert len(list(logs.glob("*/logs/*.log"))) == 2  # the others were not even started
    cmd.write("go", "")
    process.communicate()
    assert ended(cmd) == [1, 2, 3, 4]
    running = 0
    for line in (cmd.root / "log").read_text().splitlines():
        running += 1 if line.startswith("begin") else -1
        assert running <= 2


def test_killing_the_sweep_loses_nothing_and_the_same_command_waits_for_what_still_runs(cmd):
    cmd.config(CONF, train=TRAIN)
    words = ("sweep", "conf.py", "main.0=1,2,3", "--slots", "2")
    process = cmd.start(*words)
    until(lambda: len(lines(cmd, "begin")) == 2)
    process.kill()
    process.communicate()
    again = cmd.start(*words)
    until(
        lambda: len(lines(cmd, "begin")) == 3
    )  # the third, while the first two are run by whom the first sweep started
    cmd.write("go", "")
    out, _ = again.communicate()
    assert again.returncode == 0
    assert ended(cmd) == [1, 2, 3]
    assert len(cmd.ids()) == 3
    assert out.count("  result ") == 3
    assert [cmd.read("run.json", name)["number"] for name in cmd.ids()] == [1, 2, 3]


def test_a_worker_that_is_killed_goes_on_in_its_own_directory_and_counts_the_attempt(cmd):
    cmd.config(CONF, train=TRAIN)
    words = ("sweep", "conf.py", "main.0=1,2", "--slots", "2")
    process = cmd.start(*words)
    begun = until(lambda: len(found := lines(cmd, "begin")) == 2 and found)
    first = {n: run_dir for n, _, run_dir, _ in begun}
    cmd.write("go2", "")
    os.kill(next(int(pid) for n, _, _, pid in begun if n == "1"), signal.SIGKILL)
    out, _ = process.communicate()
    assert process.returncode == 1
    assert f"{os.path.basename(first['1'])}    main.0=1  lost\n" in out
    cmd.write("go", "")
    said = cmd(*words)
    assert said.out.startswith("2 trials, 1 done before, 1 to run, 2 at a time\n")
    assert {(n, attempt, run_dir) for n, attempt, run_dir in lines(cmd, "end")} == {
        ("1", "2", first["1"]),
        ("2", "1", first["2"]),
    }
    assert cmd.read("status.json", os.path.basename(first["1"]))["attempt"] == 2


@pytest.mark.parametrize("words", [(), ("--warm",), ("--retry", "1")])
def test_a_trial_that_ends_its_process_before_its_end_is_lost_whatever_its_exit_code(cmd, words):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(0)\n",
        train="import os\ndef fit(n: int):\n    if n == 1:\n        os._exit(0)\n    return n\n",
    )
    said = cmd("sweep", "conf.py", "main.0=1,2", *words, code=1)
    assert "main.0=1  lost: its process ended with 0 before what it called returned\n" in said.out
    assert "main.0=2  result 2\n" in said.out
    assert sorted(cmd.read("status.json", name)["state"] for name in cmd.ids()) == ["done", "running"]
    assert "1 of 2 done, 1 lost" in cmd("status").out
    assert "  lost  " in cmd("runs").out


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_the_same_command_finishes_each_trial_once(cmd, seed):
    draw = random.Random(seed)
    cmd.config(CONF, train=TRAIN)
    cmd.write("go", "")
    words = ("sweep", "conf.py", "main.0=1,2,3,4,5,6", "--slots", "3")
    for _ in range(2):
        process = cmd.start(*words)
        time.sleep(draw.uniform(0.2, 1.2))
        for *_, pid in draw.sample(found := lines(cmd, "begin"), min(1, len(found))):
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.kill()
        process.communicate()
    said = cmd(*words)
    finished = [name for name in cmd.ids() if cmd.read("status.json", name).get("state") == "done"]
    assert sorted(cmd.read("result.json", name)["result"] for name in finished) == [1, 2, 3, 4, 5, 6]
    numbers = [cmd.read("run.json", name).get("number") for name in cmd.ids()]
    assert len(set(numbers)) == len(numbers)
    assert cmd(*words).out == "6 trials, 6 done before\n"
    assert said.code == 0


CHILDREN = """
    import os, signal, subprocess, sys, time

    def fit(n: int, stubborn: bool):
        ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " if stubborn else ""
        wait = ignore + "print('up', flush=True); import time; time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", wait], stdout=subprocess.PIPE)
        child.stdout.readline()
        with open("pids", "a") as file:
            file.write(f"{os.getpid()}\\n{child.pid}\\n")
        time.sleep(600)
"""


@pytest.mark.parametrize("stubborn", [False, True], ids=["children that obey", "children that do not listen"])
def test_interrupting_a_sweep_ends_all_its_processes_and_says_how_to_go_on(cmd, stubborn):
    cmd.config(
        f"from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1, stubborn={stubborn})\n", train=CHILDREN
    )
    process = cmd.start("sweep", "conf.py", "main.0=1,2,3", "--slots", "2")
    path = cmd.root / "pids"
    pids = until(lambda: path.exists() and len(found := path.read_text().split()) == 4 and [*map(int, found)])
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "\ncancelled  0 of 3 trials are done; the same command goes on\n")
    until(lambda: not any(map(is_alive, pids)))
    states = [cmd.read("status.json", name)["state"] for name in cmd.ids()]
    assert states == ["cancelled", "cancelled"]


def test_interrupted_and_started_again_what_is_done_is_not_run_again(cmd):
    cmd.config(CONF, train=TRAIN)
    words = ("sweep", "conf.py", "main.0=1,2,3", "--slots", "1")
    process = cmd.start(*words)
    cmd.write("go1", "")
    until(lambda: len(lines(cmd, "begin")) == 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert err == "\ncancelled  1 of 3 trials are done; the same command goes on\n"
    cmd.write("go", "")
    said = cmd(*words)
    assert said.out.startswith("3 trials, 1 done before, 2 to run, 1 at a time\n")
    assert ended(cmd) == [1, 2, 3]
    attempts = {n: attempt for n, attempt, _ in lines(cmd, "end")}
    assert attempts == {"1": "1", "2": "2", "3": "1"}
    assert len(cmd.ids()) == 3


def test_interrupting_a_run_records_it_as_interrupted(cmd):
    cmd.config(CONF, train=TRAIN)
    process = cmd.start("run", "conf.py")
    until(lambda: lines(cmd, "begin"))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    (name,) = cmd.ids()
    assert (process.returncode, err) == (130, f"interrupted  runs/{name}\n")
    assert cmd.read("status.json")["state"] == "interrupted"


def test_two_sweeps_at_once_share_the_trials(cmd):
    cmd.config(CONF, train=TRAIN)
    words = ("sweep", "conf.py", "main.0=1,2,3,4", "--slots", "2")
    both = [cmd.start(*words), cmd.start(*words)]
    until(lambda: len(lines(cmd, "begin")) == 4)
    cmd.write("go", "")
    said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [out.count("  result ") for out, _ in said] == [4, 4]
    assert ended(cmd) == [1, 2, 3, 4]
