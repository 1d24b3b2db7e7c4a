"""What is submitted goes on without the terminal, and is followed, ended and taken up again from any other (23)."""

import json
import os
import signal
import time

import pytest

from command import is_alive, masked, until

CONF = """
    from callsheet import lazy
    from train import fit
    main = lazy(fit)(lr=0.1, until="")
"""
TRAIN = """
    import os, time

    def fit(lr: float, until: str):
        print("learning at", lr, flush=True)
        while until and not os.path.exists(until):
            time.sleep(0.02)
        if lr > 1:
            raise ValueError("diverged")
        return lr
"""


@pytest.fixture
def project(cmd):
    return cmd.config(CONF, train=TRAIN)


def submitted(cmd, *words):
    return cmd("submit", "conf.py", *words, "--json").data["id"]


def status(cmd, id):
    (one,) = cmd("status", id, "--json").data
    return one


def held(cmd, *lrs):
    """A submission whose trials run until a file is there; gives its id and that file."""
    gate = cmd.root / "gate"
    id = submitted(cmd, f"main.lr={','.join(map(str, lrs))}", f"main.until={gate}")
    until(lambda: status(cmd, id)["counts"].get("running"))
    return id, gate


def test_it_returns_at_once_and_another_command_waits_for_the_end(project):
    id, gate = held(project, 0.1, 0.2, 0.3)
    one = status(project, id)
    assert one["counts"] == {"running": 2, "waiting": 1}
    assert (one["size"], one["attended"], one["over"], one["on_name"]) == (3, True, False, "process")
    waiting = project.start("wait", id)
    gate.touch()
    assert waiting.communicate()[0].splitlines()[-1] == "3 of 3 done"
    assert waiting.returncode == 0
    assert sorted(project.read("result.json", run)["result"] for run in project.ids()) == [0.1, 0.2, 0.3]
    one = status(project, id)
    assert (one["counts"], one["attended"], one["over"]) == ({"done": 3}, False, True)


def test_one_spec_without_choices_is_submitted_too(project):
    id = submitted(project, "main.lr=0.5")
    assert project("wait", id).out.endswith("1 of 1 done\n")
    assert project.read("result.json") == {"result": 0.5}


def test_faults_are_told_before_anything_is_submitted(project):
    said = project("submit", "conf.py", "main.lr=0.1,x", code=1)
    assert "must be float, found 'x'" in said.err
    assert "nothing was submitted" in said.err
    assert project("status").out == f"nothing was submitted in {project.runs}\n"


def test_what_is_under_way_is_not_submitted_twice(project):
    id, gate = held(project, 0.1, 0.2)
    again = project("submit", "conf.py", "main.lr=0.1,0.2", f"main.until={gate}")
    assert again.out.startswith(f"submitted before, and under way  {id}  2 trials on process\n")
    gate.touch()
    project("wait", id)
    assert len(project.ids()) == 2


def test_what_failed_is_told_and_submitted_again(project):
    id = submitted(project, "main.lr=0.1,2")
    assert project("wait", id, code=1).out.endswith("1 of 2 done, 1 failed\n")
    project.write("train.py", TRAIN)
    assert project("retry", id).out == f"submitted  {id}\n"
    project("wait", id, code=1)
    assert [project.read("status.json", run)["state"] for run in project.ids()].count("done") == 1
    assert len(project.ids()) == 3  # the failed one was tried again, the other was not


def test_cancelled_ones_end_and_what_is_done_stays(project):
    id, gate = held(project, 0.1, 0.2, 0.3)
    assert project("cancel", id).out == f"{id}  cancelled\n"
    states = [project.read("status.json", run)["state"] for run in project.ids()]
    assert states == ["cancelled", "cancelled"]
    assert status(project, id)["counts"] == {"cancelled": 3}
    assert project("cancel", id).out == f"{id}  has ended\n"
    gate.touch()
    project("retry", id)
    assert project("wait", id).out.endswith("3 of 3 done\n")
    assert [project.read("status.json", run)["attempt"] for run in project.ids()] == [2, 2, 1]


def test_a_single_run_is_cancelled_and_the_others_go_on(project):
    id, gate = held(project, 0.1, 0.2)
    until(lambda: len(project.ids()) == 2)
    (first, _) = project.ids()
    assert project("cancel", first).out == f"{first}  cancelled\n"
    gate.touch()
    assert project("wait", id, code=1).out.endswith("1 of 2 done, 1 cancelled\n")


def test_where_nobody_attends_any_more_wait_goes_on_and_cancel_ends(project):
    id, gate = held(project, 0.1, 0.2, 0.3)
    kill_attendant(project, id)
    assert "nobody attends" in project("status", "--once").out
    gate.touch()
    assert project("wait", id).out.startswith("3 trials")
    assert len(project.ids()) == 3
    gate.unlink()
    other, _ = held(project, 0.4, 0.5)
    kill_attendant(project, other)
    project("cancel", other)
    until(lambda: all(project.read("status.json", run)["state"] != "running" for run in project.ids()))


def kill_attendant(project, id):
    said = json.loads((project.runs / ".sweeps" / id / "attending.json").read_text())
    os.kill(said["attendant"][1], signal.SIGKILL)
    until(lambda: not status(project, id)["attended"])


def test_logs_are_printed_and_followed(project):
    id, gate = held(project, 0.1, 0.2)
    until(lambda: len(project.ids()) == 2)
    (first, _) = project.ids()
    following = project.start("logs", "-f", first)
    time.sleep(0.5)
    assert following.poll() is None
    gate.touch()
    lr = project.read("spec.json", first)["main"]["lr"]
    assert following.communicate()[0] == f"learning at {lr}\n"
    assert project("logs", f"{id}:1").out == "learning at 0.2\n"
    project("wait", id)
    assert "2 trials, 2 to run, 2 at a time" in project("logs", id).out


def test_an_id_of_nothing_is_told_with_what_there_is(project):
    id = submitted(project, "main.lr=0.5")
    project("wait", id)
    said = project("wait", "ffffff", code=1)
    assert f"submitted were  {id}" in said.err
    project("run", "conf.py")
    run = project.ids()[-1]
    assert "was not submitted" in project("wait", run, code=2).err


PROFILE = """
    [tool.callsheet.executors.mine]
    on = "process"
    slots = 1
"""


def test_an_executor_is_named_by_a_profile_and_changed(project):
    project.write("pyproject.toml", PROFILE)
    assert project("sweep", "conf.py", "main.lr=0.1,0.2", "--on", "mine").out.startswith(
        "2 trials, 2 to run, 1 at a time"
    )
    said = project("sweep", "conf.py", "main.lr=0.3,0.4", "--on", "mine", "--on", "mine.slots=3")
    assert said.out.startswith("2 trials, 2 to run, 3 at a time")
    assert (
        project("sweep", "conf.py", "main.lr=0.5,0.6", "--on", "process", "--slots", "4")
        .out.splitlines()[0]
        .endswith("4 at a time")
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--on", "mime"], "did you mean  mine?"),
        (["--on", "mine.slot=3"], "did you mean  mine.slots = 1  ([tool.callsheet.executors.mine])?"),
        (["--on", "mine.slots=x"], "must be int, found 'x'"),
        (["--on", "mine.slots=0"], "Process needs at least 1 slot, found 0"),
        (["--on", "mine", "--on", "process"], "names 2 executors: mine, process"),
    ],
)
def test_a_wrong_executor_is_told_and_nothing_starts(project, words, told):
    project.write("pyproject.toml", PROFILE)
    said = project("sweep", "conf.py", "main.lr=0.1,0.2", *words, code=None)
    assert said.code in (1, 2)
    assert told in said.err
    assert not project.runs.exists()


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ('[tool.callsheet.executors.mine]\non = "slurmm"', "there is no executor 'slurmm'"),
        ("[tool.callsheet.executors.mine]\nslots = 1", "says not which executor it is"),
        ('[tool.callsheet.executors.mine]\non = "process"\nslot = 1', "did you mean"),
        ("[tool.callsheet]\nexecutors.mine = 3", "is no table"),
    ],
)
def test_a_wrong_profile_is_told_with_where_it_stands(project, profile, told):
    project.write("pyproject.toml", profile)
    said = project("sweep", "conf.py", "main.lr=0.1,0.2", "--on", "mine", code=1)
    assert told in said.err
    assert "executors" in said.err


def test_a_dry_run_prints_what_would_be_submitted_and_writes_nothing(project):
    said = project("sweep", "conf.py", "main.lr=0.1,0.2", "--dry-run")
    first, second = said.out.splitlines()
    assert first.split()[1:3] == ["-m", "callsheet.run.worker"]
    assert [line.split()[-2] for line in (first, second)] == ["0", "1"]
    assert not project.runs.exists()
    project("sweep", "conf.py", "main.lr=0.1,0.2")
    again = project("submit", "conf.py", "main.lr=0.1,0.2", "--dry-run")
    assert (again.out, again.err) == ("", "all of it is done: nothing would be submitted\n")
    project("sweep", "conf.py", "main.lr=0.1,0.2,2", code=1)
    (only,) = project("sweep", "conf.py", "main.lr=0.1,0.2,2", "--dry-run").out.splitlines()
    (plan,) = (path for path in (project.runs / ".sweeps").iterdir() if str(path) in only)
    *_, index, digest = only.split()
    assert project(str(plan / "plan.jsonl"), index, digest, module="callsheet.run.worker", code=1).err == ""
    assert len(project.ids()) == 4  # the worker of the printed command ran the trial that failed, once more


def test_a_run_is_run_again_by_an_executor(project):
    project("run", "conf.py", "main.lr=0.3")
    (first,) = project.ids()
    assert masked(project("rerun", first, "--on", "process").out) == "learning at 0.3\nrecorded    runs/ID0001\n"
    assert [project.read("result.json", run) for run in project.ids()] == [{"result": 0.3}] * 2
    assert project("rerun", first, "--on", "process", "--dry-run").out.count("callsheet.run.worker") == 1
    assert len(project.ids()) == 2


def test_one_run_goes_to_an_executor_and_what_it_writes_is_seen(project):
    said = project("run", "conf.py", "main.lr=0.3", "--on", "process")
    assert masked(said.out) == "learning at 0.3\nrecorded    runs/ID0001\n"
    project("run", "conf.py", "main.lr=0.3", "--on", "process")
    assert [project.read("run.json", run)["overrides"] for run in project.ids()] == [["main.lr=0.3"]] * 2
    request = project("run", "conf.py", "main.lr=0.3", "--on", "process", "--dry-run").out
    assert request.count("callsheet.run.worker") == 1
    assert len(project.ids()) == 2


def test_one_that_fails_elsewhere_says_why_by_its_exit_code_and_as_data(project):
    said = project("run", "conf.py", "main.lr=2", "--on", "process", "--json", code=1)
    assert (said.data["state"], said.data["run"]) == ("failed", project.ids()[0])
    assert said.err.startswith("learning at 2.0\n")
    assert "ValueError: diverged" in said.err
    assert "must be float, found 'x'" in project("run", "conf.py", "main.lr=x", "--on", "process", code=1).err
    assert "one value" in project("run", "conf.py", "main.lr=1,2", "--on", "process", code=1).err
    assert len(project.ids()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_ended_here_leaves_no_process(project, number):
    running = project.start("run", "conf.py", f"main.until={project.root / 'gate'}", "--on", "process")
    until(lambda: project.ids() and project.file("status.json").exists())
    pid = project.read("status.json")["pid"]
    running.send_signal(number)
    running.communicate()
    assert running.returncode == 130
    until(lambda: not is_alive(pid))
