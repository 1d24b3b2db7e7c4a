"""What is submitted goes on without the terminal, and is followed, ended and taken up again from any other (23)."""

import json
import os
import pty
import shutil
import signal
import time

import pytest

from callsheet import lazy, sweep
from callsheet.errors import RunError
from callsheet.run._draw import draw
from callsheet.run._place import Place
from callsheet.run._sendings import Sendings
from callsheet.run.ray import Ray
from callsheet.run.submit import check_start
from command import is_alive, masked, until
from saying import told

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


@pytest.mark.parametrize(
    "words", [("submit", "main.lr=1,2"), ("sweep", "main.lr=1,2"), ("sweep", "main.lr=1,2", "--dry-run"), ("run",)]
)
def test_variables_that_are_not_set_here_are_told_once_before_anything_is_sent(project, words):
    verb, *more = words
    on = ("--on", "ray.address=http://127.0.0.1:1", "--on", "ray.env=[NOT_SET_A,NOT_SET_B]")
    said = project(verb, "conf.py", *more, *on, code=1).err
    assert said.count("is to go along, and is not set here") == 2
    assert "callsheet: 2 faults, nothing was " in said
    assert "the environment variable NOT_SET_B is to go along, and is not set here\n  export NOT_SET_B=…" in said
    assert not list(project.runs.glob(".sweeps/*/sent.jsonl"))


def test_who_comes_back_to_what_runs_needs_no_variables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drawing = draw(sweep({"main": lazy(str)(1)}, "main.0=1,2"), Place(tmp_path, tmp_path / "runs", "conf"))
    drawing.decide("refuse")
    drawing.next()
    on = Ray("http://127.0.0.1:1", env=["NOT_SET"])
    assert told(lambda: check_start(drawing, on), RunError).startswith("the environment variable NOT_SET is to go")
    Sendings(drawing.plan).intend("callsheet-a-0-1", "Ray http://127.0.0.1:1", [0])
    check_start(drawing, on)
    Sendings(drawing.plan).ended([("callsheet-a-0-1", 0)])
    assert told(lambda: check_start(drawing, on), RunError).startswith("the environment variable NOT_SET is to go")


def test_what_is_under_way_is_not_submitted_twice(project):
    id, gate = held(project, 0.1, 0.2)
    again = project("submit", "conf.py", "main.lr=0.1,0.2", f"main.until={gate}")
    assert again.out.startswith(f"submitted before, and under way  {id}  2 trials on process\n")
    gate.touch()
    project("wait", id)
    assert len(project.ids()) == 2


def test_in_a_narrow_terminal_what_was_submitted_is_cut_and_in_a_very_narrow_one_below_the_others(project):
    id = submitted(project, "main.lr=0.1,0.2", "main.until=a-path-that-takes-some-room")
    project("cancel", id)
    wide, cut, narrow = (project.screen("status", "--once", columns=columns).splitlines() for columns in (130, 90, 70))
    assert wide[1].endswith("main.until=a-path-that-takes-some-room")
    assert (len(cut), len(cut[1]), cut[1][-1]) == (2, 90, "…")
    assert cut[1][cut[1].index("conf.py") : -1] in wide[1]
    assert narrow[:2] == [id, "  on         process"]


def test_what_failed_is_told_and_submitted_again(project):
    id = submitted(project, "main.lr=0.1,2")
    assert project("wait", id, code=1).out.endswith("1 of 2 done, 1 failed\n")
    project.write("train.py", TRAIN)
    assert project("retry", id).out == f"submitted  {id}\n"
    project("wait", id, code=1)
    assert [project.read("status.json", run)["state"] for run in project.ids()].count("done") == 1
    assert len(project.ids()) == 3  # the failed one was tried again, the other was not


def test_what_was_submitted_is_retried_where_its_runs_are_now(project):
    id = submitted(project, "main.lr=0.1,2", "--runs", "a")
    project("wait", id, "--runs", "a", code=1)
    (project.root / "a").rename(project.root / "b")
    project("retry", id, "--runs", "b")
    project("wait", id, "--runs", "b", code=1)
    project.runs = project.root / "b"
    assert len(project.ids()) == 3
    assert not (project.root / "a").exists()


def test_what_failed_is_submitted_again_once_its_code_is_mended_and_what_is_done_is_kept(project):
    id = submitted(project, "main.lr=0.1,2")
    project("wait", id, code=1)
    project.write("train.py", TRAIN.replace("lr > 1", "lr > 3"))
    refused = project("retry", id, code=1)
    assert "1 trial was finished by other code" in refused.err
    assert "--keep  counts it as done" in refused.err
    assert project("retry", id, "--json", code=1).out == ""
    assert project("retry", id, "--keep").out == f"submitted  {id}\n"
    assert project("wait", id).out.endswith("2 of 2 done\n")
    assert len(project.ids()) == 3
    assert project("retry", id, "--keep", "--redo", code=2).err.startswith("callsheet: --keep and --redo exclude")


def test_what_is_said_at_the_terminal_of_trials_by_other_code_holds_for_who_attends(project):
    id = submitted(project, "main.lr=0.1,0.2")
    project("wait", id)
    project.write("train.py", TRAIN.replace("lr > 1", "lr > 3"))
    ours, theirs = pty.openpty()
    asked = project.start("submit", "conf.py", "main.lr=0.1,0.2", stdin=theirs, stdout=theirs, stderr=theirs)
    os.write(ours, b"redo\n")
    assert asked.wait(60) == 0
    os.close(theirs)
    os.close(ours)
    assert project("wait", id).out.endswith("2 of 2 done\n")
    assert len(project.ids()) == 4


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
    assert project("cancel", other).out == f"{other}  cancelled\n"
    until(lambda: all(project.read("status.json", run)["state"] != "running" for run in project.ids()))
    assert status(project, other)["counts"] == {"cancelled": 2}
    assert project("wait", other, code=1).out == "0 of 2 done, 2 cancelled\n"
    assert project("cancel", other).out == f"{other}  has ended\n"
    gate.touch()
    project("retry", other)
    assert project("wait", other).out.endswith("2 of 2 done\n")


def test_what_has_changed_since_it_was_submitted_does_not_go_on_as_that(project):
    id, gate = held(project, 0.1, 0.2, 0.3)
    kill_attendant(project, id)
    gate.touch()
    train = (project.root / "train.py").read_text()
    project.write("train.py", train + "\nMORE = 1\n")
    assert project("wait", id, code=1).err == (
        f"callsheet: the project's code has changed since {id} was submitted\n"
        "  where the change is undone, it goes on\n"
        f"  callsheet retry {id}  goes on with the code as it is now\n"
    )
    project.write("conf.py", CONF.replace("lr=0.1", "lr=0.1, width=2"))
    for verb in ("wait", "retry"):
        assert project(verb, id, code=1).err.startswith(f"callsheet: conf.py has changed since {id} was submitted\n")
    project.write("conf.py", CONF)
    assert [one["id"] for one in project("status", "--json").data] == [id]
    project("retry", id, "--keep")
    assert project("wait", id).out.endswith("3 of 3 done\n")


def test_of_what_nothing_can_be_sent_nothing_is_known(project):
    assert "a trial needs 99 GPUs" in project("sweep", "conf.py", "main.lr=1,2", "--gpus", "99", code=1).err
    assert project("status").out == f"nothing was submitted in {project.runs}\n"


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


def test_a_trial_that_is_not_there_has_no_logs(project):
    id = submitted(project, "main.lr=0.1,0.2")
    project("wait", id)
    said = project("logs", f"{id}:2", code=1).err
    assert said == f"callsheet: {id} has no trial 2\n  its 2 trials are  {id}:0  to  {id}:1\n"


def test_of_many_that_have_ended_the_latest_are_listed_and_the_others_counted(project):
    id = submitted(project, "main.lr=0.1")
    project("wait", id)
    for n in range(11):
        shutil.copytree(project.root / "runs/.sweeps" / id, project.root / f"runs/.sweeps/{n:012}")
    shown = project("status").out.splitlines()
    assert (len(shown), shown[-1]) == (12, "2 that ended before:  callsheet status --all")
    assert len(project("status", "--all").out.splitlines()) == 13
    assert len(project("status", "--all", "--json").data) == 12
    assert [one["id"] for one in project("status", f"{0:012}", "--json").data] == [f"{0:012}"]


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
    before, after = (project.read("run.json", run) for run in project.ids())
    for key in ("overrides", "identity", "experiment", "entry", "config"):
        assert after[key] == before[key], key
    origins, again = (project.read("origins.json", run) for run in project.ids())
    assert again == origins
    assert again["main.lr"][0]["text"] == "main.lr=0.3"
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
