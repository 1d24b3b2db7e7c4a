"""In Python, `submit` gives jobs with `wait`, `results` and `cancel` (promise 23)."""

import re
import subprocess
import sys
import textwrap

import pytest

from callsheet import Process, lazy, load, submit, sweep
from callsheet.errors import PathError, RunError, SaveError, SpecError
from callsheet.run import process
from callsheet.run._store import Store
from callsheet.run._trial import entry_of
from command import until

TRAIN = """
    import os, time

    def fit(n: int, flag: str = ""):
        print("fit", n)
        while flag and not os.path.exists(flag):
            time.sleep(0.005)
        if n < 0:
            raise ValueError("below nothing")
        return {"twice": 2 * n}
"""


@pytest.fixture
def here(project, tmp_path):
    """A project that is the working directory; gives a function that writes there."""
    project("pyproject.toml", "")
    project("train.py", textwrap.dedent(TRAIN))
    return project


def ids(tmp_path):
    return Store(tmp_path / "runs").ids()


def test_the_results_of_a_sweep_come_in_the_order_of_its_trials(here):
    conf = here("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n")
    jobs = submit(sweep(conf, ["main.0=3,1,2"]), on=Process(slots=2))
    assert len(jobs) == 3
    assert jobs.results() == [{"twice": 6}, {"twice": 2}, {"twice": 4}]
    assert [job.state for job in jobs] == ["done"] * 3
    assert [jobs[1].index, jobs[1].run.result, jobs[1].run.record["experiment"]] == [1, {"twice": 2}, "conf"]


def test_trials_that_are_done_are_jobs_that_are_done(here, tmp_path):
    conf = here("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n")
    submit(sweep(conf, ["main.0=1,2"])).wait()
    again = submit(sweep(conf, ["main.0=2,3"]))
    assert again[0].state == "done"
    assert again.results() == [{"twice": 4}, {"twice": 6}]
    assert len(ids(tmp_path)) == 3


def test_a_spec_alone_is_run_each_time_it_is_submitted(here, tmp_path):
    spec = lazy("train.fit")(4)
    both = [submit(spec), submit(spec)]
    assert [jobs.results() for jobs in both] == [[{"twice": 8}]] * 2
    assert submit(spec).results() == [{"twice": 8}]
    assert len(ids(tmp_path)) == 3


def test_submit_returns_at_once_and_wait_says_whether_all_have_ended(here, tmp_path):
    jobs = submit(sweep({"main": lazy("train.fit")(1, flag="go")}, ["main.0=1,2"]), on=Process(slots=1))
    assert jobs.wait(0) is False
    until(lambda: jobs[0].run and jobs[0].run.state == "running")
    assert [job.state for job in jobs] == ["running", "waiting"]
    with pytest.raises(RunError, match="trial 1 is waiting"):
        jobs[1].result()
    here("go", "")
    assert jobs.wait() is True
    assert [job.state for job in jobs] == ["done", "done"]


def test_jobs_read_as_how_many_are_in_which_state(here, tmp_path):
    (tmp_path / "mod.py").write_text("def main(n):\n    return {'ratio': 1 / n}\n")
    here("conf.py", "import mod\nfrom callsheet import lazy\nmain = lazy(mod.main)(1)\n")
    jobs = submit(sweep("conf.py", ["main[0]=1,2,0"]), on=Process(slots=1))
    assert re.fullmatch(r"<3 jobs(: \d \w+(, \d \w+)*)?>", repr(jobs))
    jobs.wait()
    assert repr(jobs) == "<3 jobs: 2 done, 1 failed>"
    assert repr(submit(sweep("conf.py", ["main[0]=1,2"]), on=Process(slots=1))) == "<2 jobs: 2 done>"


DEAF = """
    import time

    def fit(n: int, dir: str):
        while True:
            try:
                open(f"{dir}/began", "w").close()
                time.sleep(60)
            except BaseException:
                continue
"""


@pytest.mark.parametrize("warm", [False, True])
def test_a_run_that_does_not_listen_is_cancelled_like_one_that_does(here, monkeypatch, warm):
    monkeypatch.setattr(process, "_GRACE_S", 0.3)
    here("train.py", textwrap.dedent(DEAF))
    jobs = submit({"main": lazy("train.fit")(1, dir="${run.dir}")}, on=Process(warm=warm))
    until(lambda: jobs[0].run and (jobs[0].run.directory / "began").exists())
    jobs.cancel()
    assert jobs[0].state == "cancelled"
    assert jobs[0].run.state == "cancelled"
    assert jobs[0].run.status["error"] == "told to stop, and ended since it went on"


def test_cancelled_jobs_end_and_the_waiting_ones_never_start(here, tmp_path):
    jobs = submit(sweep({"main": lazy("train.fit")(1, flag="go")}, ["main.0=1,2,3"]), on=Process(slots=1))
    until(lambda: jobs[0].run and jobs[0].run.state == "running")
    jobs.cancel()
    assert jobs.wait(0) is True
    assert [job.state for job in jobs] == ["cancelled"] * 3
    assert len(ids(tmp_path)) == 1
    assert Store(tmp_path / "runs").runs()[0].state == "cancelled"
    jobs.cancel()


def test_a_failed_job_says_what_failed_and_where_its_output_is(here, tmp_path):
    jobs = submit(sweep({"main": lazy("train.fit")(1)}, ["main.0=1,-1"]))
    with pytest.raises(RunError) as caught:
        jobs.results()
    (fault,) = caught.value.faults
    assert fault.problem == "trial 1 is failed: ValueError: below nothing"
    assert fault.advice == (f"its output is in {jobs[1].run.directory}",)
    assert "below nothing" in (jobs[1].run.directory / "err.log").read_text()
    assert jobs[0].result() == {"twice": 2}


def test_a_faulty_or_live_spec_is_refused_before_anything_starts(here, tmp_path):
    with pytest.raises(SpecError, match="must be int"):
        submit(lazy("train.fit")("one"))
    with pytest.raises(SaveError, match="flag"):
        submit({"main": lazy("train.fit")(1), "flag": object()})
    assert not (tmp_path / "runs").exists()


def test_runs_go_where_one_says(here, tmp_path):
    submit(lazy("train.fit")(1), runs=tmp_path / "elsewhere").wait()
    assert len(Store(tmp_path / "elsewhere").ids()) == 1
    assert not (tmp_path / "runs").exists()


def test_what_is_built_is_the_entry_asked_for_else_main_else_the_call_itself():
    call = lazy(dict)(a=1)
    from callsheet import from_data
    from callsheet._spec import attach

    spec = attach({"main": call, "other": lazy(dict)(b=1)})
    assert (entry_of(spec, ""), entry_of(spec, "other"), entry_of(call, "")) == ("main", "other", "")
    with pytest.raises(PathError, match="gone"):
        entry_of(spec, "gone")
    with pytest.raises(PathError, match="FILE:net"):
        entry_of(attach({"net": lazy(dict)()}), "")
    with pytest.raises(PathError, match=r"main = lazy\(fit\)"):
        entry_of(from_data({"a": 1}), "")


def test_who_is_refused_for_what_other_code_has_finished_is_told_how_python_decides_it(here, tmp_path):
    module = tmp_path / "mod.py"
    module.write_text("def main(n):\n    return {'n': n}\n")
    here("conf.py", "import mod\nfrom callsheet import lazy\nmain = lazy(mod.main)(1)\n")
    submit(sweep("conf.py", ["main[0]=1,2"])).wait()
    module.write_text("def main(n):\n    return {'n': -n}\n")
    with pytest.raises(RunError) as refused:
        submit(sweep("conf.py", ["main[0]=1,2"]))
    assert refused.value.faults[0].advice[1:] == (
        'finished="keep"  counts them as done',
        'finished="redo"  runs finished trials again',
    )
    assert submit(sweep("conf.py", ["main[0]=1,2"]), finished="keep").results() == [{"n": 1}, {"n": 2}]


def test_where_it_goes_may_be_a_name_as_on_the_command_line(here):
    here("pyproject.toml", '[tool.callsheet.executors.small]\non = "process"\nslots = 3\n')
    conf = here("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n")
    assert submit(load(conf), on="process").results() == [{"twice": 2}]
    assert submit(load(conf), on="small").results() == [{"twice": 2}]
    with pytest.raises(RunError, match="^on  there is no executor 'proces'\\n *did you mean  process\\?"):
        submit(load(conf), on="proces")
    with pytest.raises(TypeError, match="on must be an executor or the name of one, found 3"):
        submit(load(conf), on=3)


def test_a_whole_number_that_no_float_takes_is_a_fault_of_its_path(here):
    here("train.py", "def fit(lr: float = 0.1): return lr\n")
    conf = here("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(lr=1)\n")
    with pytest.raises(SpecError) as caught:
        submit(sweep(conf, {"main.lr": [10**400]}))
    (fault,) = caught.value.faults
    assert (fault.path, fault.problem) == ("main.lr", "must be float, found a whole number that is too large for one")
    assert fault.origin


def test_a_script_that_submits_what_it_defines_itself_does_not_submit_for_ever(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import os\nfrom callsheet import lazy, submit\ndef fit(): return 1\n"
        "os.makedirs('pids', exist_ok=True)\nopen(f'pids/{os.getpid()}', 'w').close()\n"
        "if len(os.listdir('pids')) < 5: submit(lazy(fit)()).results()\n"  # so that a fault of ours ends, too
    )
    said = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 1
    (run,) = Store(tmp_path / "runs").runs()
    assert (
        run.state,
        run.directory.joinpath("err.log").read_text().count("submit was called while a worker runs"),
    ) == (
        "failed",
        1,
    )
