"""Limits of a process hold for all its processes; GPUs are given to one trial at a time (promises 21, 23)."""

import subprocess
import sys

import pytest

from callsheet import Process, load, submit, sweep
from callsheet.errors import RunError
from callsheet.run._job import Task
from callsheet.run._plan import Plan
from callsheet.run._store import Store
from command import is_alive
from saying import told

CONF = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1, dir='${run.dir}', attempt='${run.attempt}')\n"


def begun(cmd):
    path = cmd.root / "log"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def only(cmd):
    (run,) = Store(cmd.runs).runs()
    return run


SLOW = """
    import os, signal, subprocess, sys, time

    def fit(n: int, dir: str, attempt: int):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open("log", "a") as file:
            file.write(f"{attempt} {dir} {os.getpid()} {child.pid}\\n")
        time.sleep(600 if n else 0)
        return n
"""


def test_a_trial_that_takes_too_long_is_ended_with_its_children_and_says_so(cmd):
    cmd.config(CONF, train=SLOW)
    said = cmd("sweep", "conf.py", "main.0=1,2", "--timeout", "0.02", "--retry", "3", "--retry-errors", "3", code=1)
    assert said.out.count("cancelled: the time limit of 0.02 min is over\n") == 2
    assert [attempt for attempt, *_ in begun(cmd)] == ["1", "1"]  # to try it again would take as long
    assert [pid for *_, worker, child in begun(cmd) for pid in (worker, child) if is_alive(int(pid))] == []
    assert [run.status["error"] for run in Store(cmd.runs).runs()] == ["the time limit of 0.02 min is over"] * 2


GREEDY = """
    import os, subprocess, sys, time

    def fit(n: int, dir: str, attempt: int):
        with open("log", "a") as file:
            file.write(f"{attempt} {dir}\\n")
        if attempt < 3:
            hold = "x = bytearray(300_000_000); import time; time.sleep(600)"
            subprocess.Popen([sys.executable, "-c", hold], start_new_session=False, process_group=0).wait()
        return n
"""


def test_a_trial_whose_processes_hold_too_much_memory_is_ended_and_tried_again_if_asked(cmd):
    cmd.config(CONF, train=GREEDY)
    words = ("sweep", "conf.py", "main.0=1,2", "--slots", "1", "--memory", "0.25")
    said = cmd(*words, code=1)
    assert said.out.count("GB of memory, where the limit is 0.25 GB\n") == 2
    first = [run_dir for _, run_dir in begun(cmd)]
    said = cmd(*words, "--retry", "1")
    assert [(attempt, run_dir) for attempt, run_dir in begun(cmd)] == [
        ("1", first[0]), ("1", first[1]), ("2", first[0]), ("3", first[0]), ("2", first[1]), ("3", first[1]),
    ]  # fmt: skip
    assert said.out.count("result") == 2


SHARING = """
import os, sys, time
from callsheet.run._processes import memory_of

block = bytearray(os.urandom(1000)) * 100_000
children = []
read, write = os.pipe()
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        if not children:
            os.setsid()
        os.write(write, b"x")
        time.sleep(60)
        os._exit(0)
    children.append(pid)
try:
    for _ in children:
        os.read(read, 1)
    print(memory_of(children[0], above=0), memory_of(children[0], above=10**12))
finally:
    for pid in children:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
"""


def test_memory_that_processes_share_counts_once():
    said = subprocess.run([sys.executable, "-c", SHARING], capture_output=True, text=True, check=True)
    shared, whole = map(int, said.stdout.split())
    assert shared < 100_000_000 < whole  # it holds the block with two others, and with who started them


FLAKY = """
    import os, signal

    def fit(n: int, dir: str, attempt: int):
        with open("log", "a") as file:
            file.write(f"{n} {attempt} {dir}\\n")
        tries = sum(line.startswith(f"{n} ") for line in open("log"))
        if tries <= 2:
            if n == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            if n == 2:
                raise ValueError("not yet")
        return n
"""


@pytest.mark.parametrize(
    ("flags", "states"),
    [
        ((), {"1": "lost", "2": "failed"}),
        (("--retry", "1"), {"1": "lost", "2": "failed"}),
        (("--retry", "2"), {"1": "done", "2": "failed"}),
        (("--retry-errors", "2"), {"1": "lost", "2": "done"}),
    ],
    ids=" ".join,
)
def test_what_the_machine_did_is_tried_again_apart_from_what_the_program_did(cmd, flags, states):
    cmd.config(CONF, train=FLAKY)
    data = cmd("sweep", "conf.py", "main.0=1,2", "--slots", "1", "--json", *flags, code=None).data
    assert {trial["overrides"][0][-1]: trial["state"] for trial in data["trials"]} == states
    directories = {run_dir for n, _, run_dir in begun(cmd) if n == "1"}
    assert len(directories) == 1  # it goes on in its own
    again = int(flags[1]) if flags[:1] == ("--retry",) else 0
    assert [attempt for n, attempt, _ in begun(cmd) if n == "1"] == ["1", "2", "3"][: 1 + again]


GPUS = """
    import os, time

    def fit(n: int, dir: str, attempt: int):
        seen = os.environ.get("CUDA_VISIBLE_DEVICES")
        for device in (seen or "").split(","):
            os.close(os.open(f"gpu-{device}", os.O_CREAT | os.O_EXCL))  # nobody else has it
        time.sleep(0.3)
        for device in (seen or "").split(","):
            os.unlink(f"gpu-{device}")
        return {"seen": seen}
"""


def test_each_trial_has_its_gpus_for_itself(project, tmp_path):
    project("pyproject.toml", "")
    project("train.py", GPUS)
    conf = project("conf.py", CONF)
    on = Process(slots=8, gpus=2, devices=[3, 5, "GPU-a", 7, 9])
    seen = [result["seen"] for result in submit(sweep(conf, ["main.0=1,2,3,4,5"]), on=on).results()]
    assert {name for text in seen for name in text.split(",")} <= {"3", "5", "GPU-a", "7", "9"}
    assert [text.count(",") for text in seen] == [1] * 5


def test_none_is_seen_where_none_is_wanted_and_a_request_says_what_is(tmp_path, monkeypatch):
    task = Task(Plan(tmp_path), 0, "digest")
    assert str(Process().request(task, gpus=("3", "5"))).startswith("CUDA_VISIBLE_DEVICES=3,5 ")
    assert Process().request(task).gpus is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")
    assert told(lambda: Process(gpus=2).sender(tmp_path), RunError) == (
        "a trial needs 2 GPUs, and there are 1: 4\n  name those that there are:  devices=[0, 1]"
    )
    assert Process(gpus=1).sender(tmp_path).room() == 1


NEEDY = """
    import os, sys, time

    def fit(n: int, hold: int = 0, slow: bool = False):
        with open("log", "a") as file:
            file.write(f"begin {n}\\n")
        held = bytearray(hold)
        time.sleep(600 if slow else 0.5)
        with open("log", "a") as file:
            file.write(f"end {n}\\n")
        return {"seen": os.environ.get("CUDA_VISIBLE_DEVICES", "-")}
"""
NEEDS = """
    from callsheet import lazy
    from callsheet.run import Resources
    from train import fit

    cpus = 512
    big = lazy(fit)(2, hold=400_000_000, slow=True)
    resources = Resources({})
    main = lazy(fit)(1)
"""


def needy(project, needs):
    project("pyproject.toml", "")
    project("train.py", NEEDY)
    return project("conf.py", NEEDS.format(needs))


def test_what_stands_beside_main_counts_before_what_the_executor_says(project):
    conf = needy(project, "gpus=1, timeout_min=1, memory_gb=4")
    on = Process(slots=4, gpus=2, devices=["a", "b"], timeout_min=0.001, memory_gb=0.001)
    (result,) = submit(load(conf), on=on).results()
    assert result["seen"] in ("a", "b")
    on = Process(devices=["a"], timeout_min=5, memory_gb=4)
    for limit in ("resources.memory_gb=200M", "resources.timeout_min=4s"):
        jobs = submit(load(conf, ["main.hold=400000000", "main.slow=true", limit]), on=on)
        jobs.wait()
        assert jobs[0].state == "cancelled"
        assert "limit" in jobs[0].run.status["error"]


def test_trials_that_name_cores_share_those_that_there_are(project, tmp_path):
    conf = needy(project, "cpus=4096")
    submit(sweep(conf, ["main.0=1,2,3"]), on=Process(slots=3)).results()
    assert begun_and_ended(tmp_path) == [f"{word} {n}" for n in (1, 2, 3) for word in ("begin", "end")]
    submit(sweep(conf, ["main.0=4,5", "resources.cpus=1m"]), on=Process(slots=2)).results()
    assert [line.split()[0] for line in begun_and_ended(tmp_path)[6:]] == ["begin", "begin", "end", "end"]


def begun_and_ended(folder):
    return (folder / "log").read_text().splitlines()


def test_a_trial_that_needs_more_gpus_than_there_are_is_told_before_anything_runs(project, tmp_path):
    conf = needy(project, "gpus=3")
    jobs = submit(sweep(conf, ["main.0=1,2"]), on=Process(slots=2, devices=[0]))
    assert told(jobs.wait, RunError).startswith("a trial needs 3 GPUs, and there are 1: 0")
    assert not (tmp_path / "log").exists()
    jobs = submit(sweep(conf, ["main.0=1", "resources.gpus=1,3"]), on=Process(slots=2, devices=[0, 1]))
    assert told(jobs.wait, RunError).startswith("a trial needs 3 GPUs, and there are 2: 0, 1")
    assert jobs[0].result() == {"seen": "0"}  # what ran already came to its end


@pytest.mark.parametrize("warm", [False, True])
def test_a_trial_of_several_processes_is_told_before_anything_runs(project, tmp_path, warm):
    conf = needy(project, "nodes=2, tasks_per_node=2")
    problem = (
        "trial 0 needs 2 nodes with 2 tasks on each, and is one process\n  Slurm(…) runs trials of several processes"
    )
    jobs = submit(sweep(conf, ["main.0=1,2"]), on=Process(slots=2, warm=warm))
    assert told(jobs.wait, RunError) == problem
    assert not (tmp_path / "log").exists()


def test_a_dry_run_refuses_a_trial_of_several_processes(cmd):
    cmd.config(NEEDS.format("tasks_per_node=2"), train=NEEDY)
    said = cmd("sweep", "conf.py", "main.0=1,2", "--dry-run", code=1).err
    assert "trial 0 needs 1 node with 2 tasks on each, and is one process" in said


def test_an_amount_that_cannot_be_read_is_a_fault_of_the_trial(cmd):
    cmd.config(NEEDS.format("memory_gb='much'"), train=NEEDY)
    for words in (("check", "conf.py"), ("sweep", "conf.py", "main.0=1,2")):
        said = cmd(*words, code=1).err
        assert "resources.memory_gb  'much' is no amount" in said


@pytest.mark.parametrize("limits", [{"memory_gb": 0}, {"timeout_min": -1}, {"gpus": -1}, {"timeout_min": float("nan")}])
def test_limits_that_nothing_could_keep_are_refused(limits):
    (name,) = limits
    with pytest.raises(ValueError, match=name):
        Process(**limits)
