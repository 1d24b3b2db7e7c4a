"""The worker runs one trial of a plan, and says by its exit code what became of it (promises 12, 23)."""

import os
import sys

import pytest

from callsheet import sweep
from callsheet.run._draw import draw
from callsheet.run._place import Place
from callsheet.run._store import take_lock

WORKER = "callsheet.run.worker"
USAGE = (
    "python -m callsheet.run.worker PLAN INDEX DIGEST [--code DIGEST] [--beat] [--minutes M] [--memory GB] "
    "[--ranks FOLDER]"
)


@pytest.fixture
def planned(cmd, monkeypatch):
    """A plan of three trials of which nothing was run: they give 1, fail, and kill themselves."""
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n",
        train="""
        import os

        def fit(n: int):
            if n == 2:
                raise ValueError("two")
            if n == 3:
                os.kill(os.getpid(), 9)
            return n
        """,
    )
    conf = str(cmd.root / "conf.py")
    monkeypatch.syspath_prepend(str(cmd.root))
    try:
        return draw(sweep(conf, ["main.0=1,2,3"]), Place.of(conf))
    finally:
        sys.modules.pop("train", None)


def words(planned, index):
    plan = planned.plan
    return str(plan.file), str(index), plan.record(index).digest.hex()


def test_a_trial_that_ends_well(cmd, planned):
    said = cmd(*words(planned, 0), module=WORKER)
    assert (said.out, said.err) == ("", "")
    assert cmd.read("result.json") == {"result": 1}
    record = cmd.read("run.json")
    assert (record["plan"], record["index"], record["overrides"]) == (planned.plan.id, 0, ["main.0=1"])


def test_a_trial_that_fails(cmd, planned):
    cmd(*words(planned, 1), module=WORKER, code=1)
    assert cmd.read("status.json")["error"] == "ValueError: two"
    assert "ValueError: two" in cmd.text("err.log")


def test_a_trial_whose_process_dies_is_lost(cmd, planned):
    cmd(*words(planned, 2), module=WORKER, code=-9)
    assert cmd.read("status.json")["state"] == "running"
    assert cmd("compare", "--json").data[0]["state"] == "lost"


def test_a_trial_that_another_process_runs_is_left_to_it(cmd, planned):
    lock = take_lock(planned.plan.lock_path(0))
    cmd(*words(planned, 0), module=WORKER, code=75)
    assert not cmd.ids()
    os.close(lock)
    cmd(*words(planned, 0), module=WORKER)
    assert cmd.ids()


def test_a_trial_that_was_finished_meanwhile_is_not_run_again(cmd, planned):
    cmd(*words(planned, 0), module=WORKER)
    cmd(*words(planned, 0), module=WORKER)
    assert len(cmd.ids()) == 1
    assert cmd.read("status.json")["attempt"] == 1


def test_a_trial_that_failed_is_tried_in_a_new_directory(cmd, planned):
    cmd(*words(planned, 1), module=WORKER, code=1)
    cmd(*words(planned, 1), module=WORKER, code=1)
    assert [cmd.read("run.json", name)["number"] for name in cmd.ids()] == [1, 2]


def test_a_trial_goes_on_in_its_own_directory_wherever_its_runs_were_moved(cmd, planned):
    cmd(*words(planned, 2), module=WORKER, code=-9)
    (run,) = cmd.ids()
    file, index, digest = words(planned, 2)
    old, cmd.runs = cmd.runs, cmd.root / "moved"
    old.rename(cmd.runs)
    cmd(file.replace(str(old), str(cmd.runs)), index, digest, module=WORKER, code=-9)
    assert cmd.ids() == [run]
    assert cmd.read("status.json")["attempt"] == 2
    assert not old.exists()


def test_a_trial_whose_record_is_damaged_is_run_anew_in_a_new_directory(cmd, planned):
    cmd(*words(planned, 0), module=WORKER)
    (run,) = cmd.ids()
    cmd.file("run.json", run).write_text("{bad")
    cmd.file("status.json", run).write_text("[]")
    cmd(*words(planned, 0), module=WORKER)
    (other,) = {path.name for path in cmd.runs.glob("[!.]*")} - {run}
    assert cmd.read("result.json", run) == cmd.read("result.json", other) == {"result": 1}
    assert cmd.text("run.json", run) == "{bad"


def test_misuse_is_told_and_runs_nothing(cmd, planned):
    file, index, digest = words(planned, 0)
    for given in (
        (),
        (file,),
        (file, "one", digest),
        (file, index, digest, "more"),
        (file, index, digest, "--minutes", "0"),
    ):
        said = cmd(*given, module=WORKER, code=2)
        assert USAGE in said.err
    said = cmd(file, index, "0" * 32, module=WORKER, code=2)
    assert (
        said.err == f"callsheet: trial 0 of {file} is not what was submitted\n  submit it again: the plan was changed\n"
    )
    said = cmd(file.replace(planned.plan.id, "none"), index, digest, module=WORKER, code=2)
    assert "has no trial 0" in said.err
    assert not cmd.ids()
