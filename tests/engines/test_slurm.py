"""Trials on a real Slurm cluster, without and with accounting, and what becomes of them when things go wrong."""

import os

import pytest

from callsheet import sweep
from callsheet.run.slurm import Slurm
from callsheet.run.submit import submit

TRAIN = """
    import os, signal, sys, time

    def fit(lr: float, do: str = "", dir: str = "", attempt: int = 0):
        print("lr is", lr)
        if do == "exit":
            sys.exit(3)
        if do == "raise":
            raise ValueError("no such luck")
        if do == "die" and attempt == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "die-always":
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "wait":
            while not os.path.exists("go"):
                time.sleep(0.02)
        return {"loss": 2 * lr, "attempt": attempt, "job": int(os.environ["SLURM_JOB_ID"])}
"""

CONF = """
    from callsheet import lazy
    from train import fit

    lr, do = 1.0, ""
    main = lazy(fit)("${lr}", "${do}", dir="${run.dir}", attempt="${run.attempt}")
"""


@pytest.fixture(params=["slurm", "slurmdbd"])
def cluster(request, monkeypatch):
    """Each cluster, as the programs of this process find it."""
    found = request.getfixturevalue(request.param)
    for name, value in found.env.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def here(project, tmp_path, monkeypatch):
    """A project whose trials wait for files in it."""
    project("pyproject.toml", "")
    project("train.py", TRAIN)
    project("conf.py", CONF)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def on(**more):
    """This library is found there as it is here."""
    env = [name for name in ("PYTHONPATH",) if name in os.environ]
    return Slurm(**{"env": env, "poll_s": 1, **more})


def ended(texts, *, by=None, **more):
    jobs = submit(sweep("conf.py", texts), on=by or on(), **more)
    assert jobs.wait(90), (jobs.trouble, list(jobs))
    return jobs


def empty_logs(here):
    return [file.name for file in here.glob("runs/.sweeps/*/logs/*")]


def test_a_trial_comes_back_with_its_result(cluster, here):
    [job] = ended(["lr=3"])
    assert job.state == "done"
    assert job.result()["loss"] == 6
    assert (job.run.directory / "out.log").read_text() == "lr is 3\n"
    assert empty_logs(here) == []


def test_trials_are_one_array(cluster, here):
    jobs = ended(["lr=1,2,3"])
    assert [job.result()["loss"] for job in jobs] == [2, 4, 6]
    sent = [
        line
        for file in here.glob("runs/.sweeps/*/sent.jsonl")
        for line in file.read_text().splitlines()
        if '"id"' in line
    ]
    assert len(sent) == 1
    assert empty_logs(here) == []


def test_a_program_that_fails_has_failed(cluster, here):
    jobs = ended(["do=exit,raise"])
    assert [job.state for job in jobs] == ["failed", "failed"]
    assert [job.problem for job in jobs] == ["SystemExit: 3", "ValueError: no such luck"]
    assert "no such luck" in jobs[1].log.read_text()
