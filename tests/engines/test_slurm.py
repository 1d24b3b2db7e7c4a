"""Trials on a real Slurm cluster, without and with accounting, and what becomes of them when things go wrong."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from callsheet import sweep
from callsheet.run.slurm import Slurm
from callsheet.run.submit import submit
from callsheet.testing import EngineSuite

from .conftest import until

TRAIN = """
    import os, signal, sys, time

    def fit(lr: float, do: str = "", dir: str = "", attempt: int = 0):
        print("lr is", lr, flush=True)
        warned = []
        if do == "listen":
            signal.signal(signal.SIGUSR1, lambda *_: warned.append(1))
        if do and attempt == 1:
            open("began", "w").close()
            latest = time.monotonic() + 300
            while not os.path.exists("go") and not warned and time.monotonic() < latest:
                time.sleep(0.05)
        return {"loss": 2 * lr, "attempt": attempt, "warned": len(warned), "job": int(os.environ["SLURM_JOB_ID"])}
"""

CONF = """
    from callsheet import lazy
    from train import fit

    lr, do = 1.0, ""
    main = lazy(fit)("${lr}", "${do}", dir="${run.dir}", attempt="${run.attempt}")
"""


FILLS = """
    import os

    def fit(*_, dir: str, **__):
        if os.path.exists("room"):
            return 7
        with open(f"{dir}/weights", "wb") as file:
            while True:
                file.write(bytes(100_000))
"""


def on(**more):
    """This library is found there as it is here."""
    env = [*more.pop("env", ()), *(name for name in ("PYTHONPATH",) if name in os.environ)]
    return Slurm(**{"env": env, "poll_s": 0.5, **more})


@pytest.fixture(params=["slurm", "slurmdbd"])
def cluster(request, monkeypatch):
    """Each cluster, as the programs of this process find it."""
    yield from found_by(request.getfixturevalue(request.param), monkeypatch)


@pytest.fixture
def plain(slurm, monkeypatch):
    """The cluster without accounting."""
    yield from found_by(slurm, monkeypatch)


def found_by(cluster, monkeypatch):
    for name, value in cluster.env.items():
        monkeypatch.setenv(name, value)
    yield cluster
    cluster.run("scancel", "--me")  # what a test that failed has left keeps no other waiting


@pytest.fixture
def here(project, tmp_path, monkeypatch):
    """A project whose trials may wait for a file in it."""
    project("pyproject.toml", "")
    project("train.py", TRAIN)
    project("conf.py", CONF)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestSlurm(EngineSuite):
    @pytest.fixture(autouse=True)
    def _cluster(self, plain):
        self.cluster = plain

    def make(self, **fields):
        return on(**fields)

    def away(self):
        return self.cluster.down("slurmctld")


def sent(*texts, by=None, **more):
    return submit(sweep("conf.py", texts), on=by or on(), **more)


def ended(jobs):
    assert jobs.wait(300), (jobs.trouble, [job.state for job in jobs])
    return jobs


def began(jobs, here):
    """Wait until the first trial has begun and that is known, and give the number of its job."""
    waits = ["waiting", "queued"]
    until(lambda: jobs[0].state not in (waits if (here / "began").exists() else [*waits, "running"]), 120)
    assert jobs[0].state == "running", jobs[0].problem
    return ids(here)[-1]


def ids(here):
    """The numbers of the jobs that were handed over, in that order."""
    said = [line for file in here.glob("runs/.sweeps/*/sent.jsonl") for line in file.read_text().splitlines()]
    return [line.split('"')[-2] for line in said if '"id"' in line]


def start_at_once(cluster, number):
    """Slurm starts what it has requeued two minutes later; within a second it refuses the job's old credential."""
    until(lambda: cluster.run("squeue", "--noheader", f"--job={number}", "--format=%r").strip() == "BeginTime")
    cluster.run("scontrol", "update", f"jobid={number}", "starttime=now+3")


def logs(here):
    return [file.name for file in here.glob("runs/.sweeps/*/logs/*")]


def test_trials_are_one_array_that_holds_its_slots(cluster, here):
    jobs = sent("lr=1,2,3", "do=wait", by=on(slots=2))
    number = began(jobs, here)
    assert "ArrayTaskThrottle=2" in cluster.run("scontrol", "show", "job", number)
    (here / "go").touch()
    assert [result["loss"] for result in ended(jobs).results()] == [2, 4, 6]
    assert len(ids(here)) == 1
    assert logs(here) == []


def test_an_array_is_split_and_the_parts_follow_each_other(plain, here):
    jobs = ended(sent("lr=1,2,3,4,5", by=on(array_size=2, slots=2)))
    assert [result["loss"] for result in jobs.results()] == [2, 4, 6, 8, 10]
    assert len(ids(here)) == 3


def test_a_node_that_fails_loses_its_trials(cluster, here):
    jobs = sent("do=wait", by=on(requeue=False, sbatch=["--nodelist=n2"]))
    began(jobs, here)
    with cluster.node_down("n2"):
        [job] = ended(jobs)
    assert (job.state, job.problem) == ("lost", "its node failed (n2)")


def test_a_trial_goes_on_in_its_directory_when_slurm_requeues_it(plain, here):
    jobs = sent("do=wait", by=on(sbatch=["--nodelist=n1"]))
    number = began(jobs, here)
    directory = jobs[0].run.directory
    plain.run("scontrol", "requeue", number)
    start_at_once(plain, number)
    [job] = ended(jobs)
    assert job.result()["attempt"] == 2
    assert job.run.directory == directory
    assert ids(here) == [number]


def test_a_trial_goes_on_when_the_urgent_have_preempted_it(plain, here, tmp_path):
    jobs = sent("do=wait", by=on(sbatch=["--nodelist=n1", "--exclusive"]))
    number = began(jobs, here)
    plain.run("sbatch", "--partition=urgent", "--nodelist=n1", "--exclusive", "--output=/dev/null", "--wrap=true")
    start_at_once(plain, number)
    assert ended(jobs)[0].result()["attempt"] == 2


def test_a_warning_reaches_the_training(plain, here):
    jobs = sent("do=listen", by=on(timeout_min=2, warn_s=60))
    result = ended(jobs)[0].result()
    assert (result["warned"], result["attempt"]) == (1, 1)


def test_a_warning_that_nobody_handles_ends_nothing(plain, here):
    jobs = sent("do=wait")
    number = began(jobs, here)
    for _ in range(3):
        plain.run("scancel", "--signal=USR1", "--batch", number)
    (here / "go").touch()
    assert ended(jobs)[0].result()["warned"] == 0


def test_a_warning_reaches_a_command(plain, here, project):
    project("shout.sh", f"trap 'echo warned; exit 0' USR1\ntouch {here}/began\nwhile :; do sleep 0.1; done\n")
    project("conf.py", f'from callsheet.run import Command\nmain = Command("bash {here}/shout.sh")\n')
    jobs = sent()
    number = began(jobs, here)
    plain.run("scancel", "--signal=USR1", "--batch", number)
    [job] = ended(jobs)
    assert job.state == "done", job.problem
    assert (job.run.directory / "out.log").read_text() == "warned\n"


def test_a_trial_that_somebody_cancels_at_slurm_is_cancelled(cluster, here):
    jobs = sent("do=wait")
    cluster.run("scancel", began(jobs, here))
    [job] = ended(jobs)
    assert (job.state, job.problem) == ("cancelled", "it was cancelled at Slurm")


def test_what_the_setup_says_is_at_hand_where_it_fails(plain, here):
    [job] = ended(sent(by=on(setup=["echo no such module >&2", "exit 4"])))
    assert job.state == "failed"
    assert job.log.read_text() == "no such module\n"
    assert job.problem == "no such module"


def test_an_interpreter_that_is_not_there_is_told(plain, here):
    [job] = ended(sent(by=on(python="/no/python")))
    assert job.state == "failed"
    assert "/no/python: No such file or directory" in job.log.read_text()
    assert job.problem.endswith("/no/python: No such file or directory")


def test_a_partition_that_is_not_there_is_refused_with_those_that_are(cluster, here):
    [job] = ended(sent(by=on(partition="gpus")))
    assert job.state == "failed"
    assert job.problem == "Slurm does not take it: Invalid partition name specified"


def test_what_no_node_has_is_refused(plain, here):
    [job] = ended(sent(by=on(memory_gb=900)))
    assert job.problem == "Slurm does not take it: Requested node configuration is not available"


def test_of_a_job_that_slurm_has_forgotten_the_record_of_the_run_tells(cluster, here):
    number = left(here)
    (here / "go").touch()
    until(lambda: len([*here.glob("runs/*/result.json")]) == 2)
    [file] = here.glob("runs/.sweeps/*/sent.jsonl")
    file.write_text(file.read_text().replace(f'"{number}"', '"67000000"'))
    jobs = ended(sent("lr=1,2", "do=wait"))
    assert [result["attempt"] for result in jobs.results()] == [1, 1]
    assert ids(here) == ["67000000"]


def test_a_request_whose_number_was_never_noted_is_found_by_its_name(cluster, here):
    number = left(here)
    [file] = here.glob("runs/.sweeps/*/sent.jsonl")
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if '"id"' not in line))
    jobs = sent("lr=1,2", "do=wait")
    until(lambda: ids(here) == [number])
    (here / "go").touch()
    assert [result["attempt"] for result in ended(jobs).results()] == [1, 1]
    assert ids(here) == [number]


def left(here):
    """Submit an array and leave it when it runs; gives its number."""
    jobs = sent("lr=1,2", "do=wait")
    number = began(jobs, here)
    jobs.leave()
    return number


def test_why_a_trial_waits_is_told(plain, here):
    jobs = sent(by=on(sbatch=["--hold"]))
    told = "JobHeldUser: it is held: scontrol release JOB"
    until(lambda: told in standing(here), 30)
    assert jobs[0].state == "queued"
    plain.run("scontrol", "release", ids(here)[0])
    assert ended(jobs)[0].state == "done"


def test_a_single_run_that_was_left_is_waited_for_and_has_ended_then(plain, here):
    on = ("--on", "slurm", "--on", "slurm.poll_s=0.5", "--on", "slurm.env=[PYTHONPATH]")
    env = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}

    def command(*words):
        return subprocess.Popen(
            [sys.executable, "-m", "callsheet", *words],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    running = command("run", "conf.py", "do=wait", *on)
    until(lambda: (here / "began").exists(), 120)
    running.send_signal(signal.SIGINT)
    left = running.communicate()[1]
    id = re.search("callsheet wait ([0-9a-f]+)", left)[1]
    waiting = command("wait", id)
    time.sleep(1)
    assert waiting.poll() is None
    (here / "go").touch()
    assert (waiting.communicate()[0], waiting.returncode) == ("1 of 1 done\n", 0)
    assert f"{id}  has ended" in command("cancel", id).communicate()[0]


def standing(here):
    """What whoever attends to the sweep has noted of it."""
    return "".join(file.read_text() for file in here.glob("runs/.sweeps/*/*.json"))


def test_trials_go_on_when_a_full_disk_has_room_again(plain, here, project):
    project("train.py", FILLS)
    (here / "runs").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", here / "runs"], check=True)
    try:
        jobs = ended(sent("lr=1,2"))
        assert {job.state for job in jobs} <= {"lost", "failed"}  # as far as there was room to say so
        (here / "room").touch()
        subprocess.run(["mount", "-o", "remount,size=100m", here / "runs"], check=True)
        assert [result["result"] for result in ended(sent("lr=1,2")).results()] == [7, 7]
    finally:
        subprocess.run(["umount", "--lazy", here / "runs"], check=True)


def test_devices_are_given_as_the_cluster_gives_them(plain, here, project):
    project(
        "train.py", "import os\ndef fit(*_, **__):\n    return len(os.environ['CUDA_VISIBLE_DEVICES'].split(','))\n"
    )
    assert ended(sent(by=on(gpus=2))).results() == [{"result": 2}]


TOGETHER = """
    import os

    def fit(fail: int = -1):
        import torch
        import torch.distributed as together

        rank = int(os.environ["RANK"])
        print(*(os.environ[name] for name in ("SLURMD_NODENAME", "LOCAL_RANK", "LOCAL_WORLD_SIZE")), flush=True)
        if rank == fail:
            raise ValueError("no luck")
        together.init_process_group("gloo")
        numbers = torch.tensor([10.0**rank])
        together.all_reduce(numbers)
        together.destroy_process_group()
        return {"sum": numbers.item(), "rank": rank}
"""

TOGETHER_CONF = """
    from callsheet import lazy
    from callsheet.run import Resources
    from train import fit

    main = lazy(fit)(fail=-1)
    resources = Resources(nodes=2, tasks_per_node=2)
"""


@pytest.fixture
def together(here, project):
    """A project whose trials run on two nodes, in two processes each, which add numbers up over gloo."""
    project("train.py", TOGETHER)
    project("conf.py", TOGETHER_CONF)
    return here


def test_processes_on_two_nodes_work_together(plain, together):
    [job] = ended(sent())
    assert job.result() == {"sum": 1111.0, "rank": 0}
    names = ("out.log", "out.1.log", "out.2.log", "out.3.log")
    said = [(job.run.directory / name).read_text() for name in names]
    assert said == ["n1 0 2\n", "n1 1 2\n", "n2 0 2\n", "n2 1 2\n"]


def test_the_failure_of_one_of_several_processes_is_that_of_the_run(plain, together):
    [job] = ended(sent("main.fail=3"))
    assert (job.state, job.problem) == ("failed", "rank 3: ValueError: no luck")
    assert job.run.state == "failed"
    assert "ValueError: no luck" in (job.run.directory / "err.3.log").read_text()
