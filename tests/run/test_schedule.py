"""Trials are drawn as there is room for them, whoever runs them; replicates and redone ones are counted (20, 21, 23)."""

import gc
import os

import pytest

from callsheet import Process, lazy, submit, sweep
from callsheet.errors import RunError, SpecError
from callsheet.run import _attend, _planning
from callsheet.run._attend import Attendance, Submission
from callsheet.run._draw import draw
from callsheet.run._ended import Retries
from callsheet.run._job import Exit
from callsheet.run._place import Place
from callsheet.run._schedule import Scheduled
from callsheet.run._store import Store
from saying import told


class Nowhere:
    """An executor whose jobs end well at once, a few at a time; it notes what it was sent."""

    def __init__(self, slots=4, stop_after=None):
        self.slots = slots
        self.sent = []
        self.running = []
        self.refuse_after = stop_after
        self.waiting = ()

    outlives = False
    trouble = waits_for = ""

    def requests(self, tasks):
        return tasks

    def sender(self, plan):
        return self

    def resumed(self):
        return ()

    def output(self, index):
        return b""

    def queued(self):
        return self.waiting

    def room(self):
        return self.slots - len(self.running)

    def send(self, tasks):
        if self.refuse_after is not None and len(self.sent) >= self.refuse_after:
            raise OSError("the queue is full")
        self.sent += [task.index for task in tasks]
        self.running += tasks
        return len(tasks)

    def poll(self, timeout_s):
        ended, self.running = self.running, []
        return [Exit(task.index, 0) for task in ended]

    def cancel(self): ...

    def kill(self): ...

    def close(self): ...


def fit(lr: float, width: int = 1) -> float:
    return lr


SPEC = {"main": lazy(fit)(0.1)}
FEW, MANY = 100, 240


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A smaller bound, so that a long sweep is one that does not take long."""
    monkeypatch.setattr(_planning, "CHECKED", FEW)


def place(tmp_path):
    return Place(tmp_path, tmp_path / "runs", "conf")


def drawn(jobs):
    return sum(1 for _ in jobs._drawing.plan.records())


def test_up_to_a_bound_all_are_drawn_before_the_first_runs_and_beyond_it_a_little_ahead(tmp_path):
    few = draw(sweep(SPEC, f"main.0=range({FEW})"), place(tmp_path))
    assert sum(1 for _ in few.plan.records()) == FEW
    many = draw(sweep(SPEC, f"main.0=range({MANY})"), place(tmp_path))
    assert not many.plan.folder.exists()
    many.decide("refuse")
    ahead = []
    for n in range(200):
        assert many.next().index == n
        ahead.append(sum(1 for _ in many.plan.records()) - n)
    assert max(ahead) <= 64
    assert len(many.indices) == MANY


def test_all_are_sent_once_and_in_order(tmp_path):
    on = Nowhere()
    jobs = Scheduled(draw(sweep(SPEC, f"main.0=range({MANY})"), place(tmp_path)), on, Retries())
    assert len(jobs) == MANY
    assert [job.index for job in jobs.ended()] == list(range(MANY)) == on.sent
    assert jobs.wait(0) is True
    assert jobs.done == MANY
    assert jobs[-1].overrides == (f"main.0={MANY - 1}",)
    assert drawn(jobs) == MANY


def test_of_a_long_sweep_each_choice_is_checked_first(tmp_path):
    trials = sweep(SPEC, [f"main.0=range({MANY})", "main.width=1,2,x"])
    text = told(lambda: draw(trials, place(tmp_path)), SpecError)
    assert text.startswith("main.width  must be int, found 'x'")
    assert os.listdir(tmp_path) == []


def test_what_is_found_faulty_when_it_is_drawn_is_told_and_does_not_stop_the_others(tmp_path, project):
    project("train.py", "def fit(n: int): return n\n")
    conf = project(
        "conf.py",
        """
        from callsheet import lazy
        from train import fit
        n = m = 0
        main = lazy(fit)("x" if (n, m) == (7, 3) else n)
        """,
    )
    on = Nowhere()
    jobs = Scheduled(draw(sweep(conf, ["n=range(24)", "m=range(10)"]), Place.of(conf)), on, Retries())
    states = {job.index: job.state for job in jobs.ended()}
    assert len(states) == MANY
    assert [n for n, state in states.items() if state != "done"] == [73]
    bad = jobs[73]
    assert (bad.state, bad.run, bad.overrides) == ("failed", None, ())
    assert "must be int, found 'x'" in bad.log.read_text()
    with pytest.raises(RunError, match="trial 73 is failed"):
        bad.result()


def test_a_config_that_changes_while_its_trials_are_drawn_stops_the_drawing(project):
    project("train.py", "def fit(n: int): return n\n")
    text = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n"
    conf = project("conf.py", text)
    drawing = draw(sweep(conf, f"main.0=range({MANY})"), Place.of(conf))
    assert drawing.next().index == 0
    os.utime(conf, ns=(1, 1))  # touched, but the same
    for n in range(1, 100):
        assert drawing.next().index == n
    project("conf.py", text + "\n\nother = 1\n")
    with pytest.raises(RunError) as caught:
        list(iter(drawing.next, None))
    (fault,) = caught.value.faults
    assert fault.problem == "conf.py was changed while the sweep ran: what was not drawn is left"
    assert fault.advice == ("the same command goes on, with what the files say then",)


def test_with_a_filter_nobody_knows_how_many_and_trials_keep_their_numbers(tmp_path):
    on = Nowhere()
    trials = sweep(SPEC, "main.0=range(500)", where=lambda spec: spec.main[0] % 2 == 1)
    jobs = submit(trials, on=on, runs=tmp_path / "runs")
    jobs.wait()
    assert on.sent == list(range(1, 500, 2))
    assert len(jobs) == 250
    assert [jobs[0].index, jobs[-1].index, jobs[-1].overrides] == [1, 499, ("main.0=499",)]
    other = Nowhere()
    submit(
        sweep(SPEC, "main.0=range(500)", where=lambda spec: spec.main[0] < 3), on=other, runs=tmp_path / "runs"
    ).wait()
    assert other.sent == [0, 1, 2]


def test_of_a_trial_no_object_is_kept(tmp_path):
    alive = []
    for n, width in enumerate((10, 11, 30)):
        on = Nowhere(slots=8)
        trials = sweep(SPEC, ["main.0=range(24)", f"main.width=range({width})"])
        jobs = Scheduled(draw(trials, place(tmp_path / str(n))), on, Retries())
        jobs.wait()
        on.sent.clear()
        gc.collect()
        alive.append(len(gc.get_objects()))
        assert jobs.done == 24 * width
    assert alive[2] < alive[1] + 24 * 19 // 4


def test_what_cannot_be_sent_stops_the_sweep_and_what_ran_counts(tmp_path):
    jobs = Scheduled(draw(sweep(SPEC, "main.0=range(20)"), place(tmp_path)), Nowhere(2, stop_after=6), Retries())
    with pytest.raises(RunError, match="no more trials can be started: the queue is full"):
        jobs.wait()
    assert [job.state for job in jobs] == ["done"] * 6 + ["cancelled"] * 14


# --- replicates, redone ones ------------------------------------------------------------------------------------------

CONF = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1, index='${run.index}')\n"
TRAIN = """
    import os

    def fit(n: int, index: int):
        if os.path.exists(f"bad{index}"):
            raise ValueError("bad")
        return {"n": n, "index": index}
"""


def results(cmd):
    return sorted((run.result["n"], run.result["index"]) for run in Store(cmd.runs).runs() if run.state == "done")


def test_replicates_are_told_apart_by_their_index_and_finished_ones_count(cmd):
    cmd.config(CONF, train=TRAIN)
    cmd.write("bad3", "")
    said = cmd("sweep", "conf.py", "main.0=7,8", "--repeat", "2", "--slots", "1", code=1)
    assert said.out.startswith("4 trials, 4 to run, 1 at a time\n")
    assert results(cmd) == [(7, 0), (7, 1), (8, 2)]
    assert len({run.identity for run in Store(cmd.runs).runs()}) == 2
    (cmd.root / "bad3").unlink()
    assert cmd("sweep", "conf.py", "main.0=7,8", "--repeat", "2").out.startswith("4 trials, 3 done before, 1 to run")
    assert results(cmd) == [(7, 0), (7, 1), (8, 2), (8, 3)]
    assert cmd("sweep", "conf.py", "main.0=7,8", "--repeat", "3").out.startswith("6 trials, 4 done before, 2 to run")
    assert cmd("sweep", "conf.py", "main.0=7,8").out == "2 trials, 2 done before\n"
    assert len(results(cmd)) == 6


def test_replicates_of_a_spec_that_is_submitted_alone(project, tmp_path):
    project("pyproject.toml", "")
    project("train.py", TRAIN)
    spec = lazy("train.fit")(1, index="${run.index}")
    assert [result["index"] for result in submit(spec, on=Process(slots=2), repeat=3).results()] == [0, 1, 2]
    with pytest.raises(ValueError, match="repeat must be at least 1"):
        submit(spec, repeat=0)


def test_redo_runs_finished_ones_again_and_goes_on_where_it_stopped(cmd):
    cmd.config(CONF, train=TRAIN)
    words = ("sweep", "conf.py", "main.0=7,8,9", "--slots", "1")
    cmd(*words)
    cmd.write("bad1", "")
    again = cmd(*words, "--redo", code=1)
    assert again.out.startswith("3 trials, 3 to run, 1 at a time\n")
    assert [n for n, _ in results(cmd)] == [7, 7, 8, 9, 9]
    (cmd.root / "bad1").unlink()
    assert cmd(*words, "--redo").out.startswith("3 trials, 2 done before, 1 to run, 1 at a time\n")
    assert [n for n, _ in results(cmd)] == [7, 7, 8, 8, 9, 9]
    assert cmd(*words, "--redo").out.startswith("3 trials, 3 to run, 1 at a time\n")  # that one was over
    assert cmd(*words).out == "3 trials, 3 done before\n"


def test_what_other_code_did_of_a_long_sweep_is_held_back_until_somebody_says(project, tmp_path):
    project("pyproject.toml", "")
    project("train.py", "def fit(n: int): return n\n")
    conf = project("conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n")
    submit(sweep(conf, "main.0=5,130")).wait()
    project("train.py", "def fit(n: int): return n + 1\n")
    jobs = submit(sweep(conf, f"main.0=range({MANY})"), on=Nowhere())
    jobs.wait()
    assert [job.index for job in jobs if job.state == "held"] == [5, 130]
    with pytest.raises(RunError) as caught:  # now it is known before anything starts
        submit(sweep(conf, f"main.0=range({MANY})"), on=Nowhere())
    assert caught.value.faults[0].problem == "2 trials were finished by other code"
    on = Nowhere()
    submit(sweep(conf, f"main.0=range({MANY})"), on=on, finished="keep").wait()
    assert {5, 130}.isdisjoint(on.sent)


def test_which_files_changed_is_told_also_of_those_that_are_new_or_gone(cmd):
    cmd.config(CONF, train=TRAIN, other="x = 1\n")
    cmd("sweep", "conf.py", "main.0=7,8")
    (cmd.root / "other.py").unlink()
    cmd.write("more.py", "")
    assert "  changed since: more.py, other.py\n" in cmd("sweep", "conf.py", "main.0=7,8", code=1).err
    (version,) = {run.record["code"]["version"] for run in Store(cmd.runs).runs()}
    (cmd.runs / ".code" / f"{version}.json").unlink()
    assert "which files changed since was not recorded" in cmd("sweep", "conf.py", "main.0=7,8", code=1).err


def test_a_failed_trial_that_was_drawn_is_not_drawn_again(cmd):
    cmd.config("import random\n" + CONF.replace("(1,", "(random.random(),"), train=TRAIN.replace("n: int", "n: float"))
    cmd.write("bad0", "")
    words = ("sweep", "conf.py", "+x=1,2")
    cmd(*words, code=1)
    specs = {run.record["identity"] for run in Store(cmd.runs).runs()}
    (cmd.root / "bad0").unlink()
    cmd(*words)
    assert {run.record["identity"] for run in Store(cmd.runs).runs()} == specs


def test_an_error_at_the_very_end_is_raised_to_who_waits_and_nobody_waits_for_ever(tmp_path, monkeypatch):
    def fail(self):
        raise OSError("no space left on device")

    monkeypatch.setattr(Nowhere, "close", fail)
    jobs = Scheduled(draw(sweep(SPEC, "main.0=1,2"), place(tmp_path)), Nowhere(), Retries())
    with pytest.raises(OSError, match="no space left"):
        jobs.wait(60)
    assert [job.state for job in jobs] == ["done", "done"]


def test_who_could_not_begin_to_attend_leaves_it_to_others(tmp_path, monkeypatch):
    drawing = draw(sweep(SPEC, "main.0=1,2"), place(tmp_path))
    attendance = Attendance(Submission(drawing.plan), alone=True)

    def fail(path, data):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(_attend, "write_json_file", fail)
        with pytest.raises(RunError, match="submission .* cannot be written: disk full"):
            attendance.begin()
    other = Attendance(Submission(drawing.plan), alone=True)
    other.begin()
    with pytest.raises(RunError, match="another process attends to it"):
        attendance.begin()
    other.end()


def test_what_could_not_be_sent_is_counted_as_waiting_and_why_is_noted(tmp_path):
    on = Nowhere(slots=2, stop_after=2)
    on.waiting = (0, 1, 2, 3)  # what an engine is handed and does not take is with its sender still
    drawing = draw(sweep(SPEC, "main.0=1,2,3,4"), place(tmp_path))
    attendance = Attendance(Submission(drawing.plan, size=4), alone=False)
    attendance.begin()
    jobs = Scheduled(drawing, on, Retries(), attendance)
    with pytest.raises(RunError, match="the queue is full"):
        jobs.wait()
    noted = Submission.read(drawing.plan)
    assert (noted.counts, noted.is_over) == ({"done": 2, "waiting": 2}, False)
    assert "the queue is full" in noted.trouble
