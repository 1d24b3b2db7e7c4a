"""What every executor can do, as tests against the real engine."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

from callsheet import sweep
from callsheet.errors import RunError
from callsheet.run._draw import draw
from callsheet.run._job import Executor, Jobs, Task
from callsheet.run._place import Place
from callsheet.run._plan import Plan
from callsheet.run._store import Run, Store
from callsheet.run.submit import submit

_TRAINING = """
import hashlib, os, sys, time
from pathlib import Path

def fit(task, dir, attempt):
    print("this is", task, flush=True)
    runs = Path(dir).parent
    with open(runs / "starts", "a") as starts:
        print(task, file=starts)
    if task == "raises":
        raise ValueError("no data")
    if task == "exits":
        sys.exit(3)
    if task.startswith("waits"):
        Path(dir, "waits").touch()
        latest = time.monotonic() + 600
        while not (runs / "go").exists() and time.monotonic() < latest:
            time.sleep(0.05)
    told = {name: os.environ.get(name, "") for name in ("SUITE_TOKEN", "SUITE_OTHER")}
    return {"task": task, "attempt": attempt, **{k: hashlib.sha256(v.encode()).hexdigest() for k, v in told.items()}}
"""

_CONFIG = """
from callsheet import lazy
from suite_training import fit

task = "plain"
main = lazy(fit)(task, dir="${run.dir}", attempt="${run.attempt}")
"""

_SUBMITS = """
import pickle, sys
from pathlib import Path
from callsheet import sweep
from callsheet.run.submit import submit

submit(sweep("conf.py", sys.argv[2:]), on=pickle.loads(Path(sys.argv[1]).read_bytes())).wait()
"""


class ExecutorSuite:
    """What every executor can do: subclass it, say how one is made, and let pytest run it against the real engine.

    Each test has a project of its own, with a training of which every run adds a line to `runs/starts`, and some wait
    until there is a file `runs/go`.

    Example:
        ``class TestMine(ExecutorSuite): ...``

    Attributes:
        patience_s: Seconds for which anything is waited for.
        limit_min: A time limit that the engine keeps, in minutes.
    """

    patience_s = 180.0
    limit_min = 0.05

    def make(self, **fields: Any) -> Executor:
        """A new executor, with some of the fields that all have: `slots`, `timeout_min`."""
        raise NotImplementedError

    def kill(self, run: Run) -> None:
        """End the worker of a run with SIGKILL; by default the process of this machine that its status names."""
        os.kill(run.status["pid"], signal.SIGKILL)

    def test_trials_come_back_with_their_results(self, tmp_path: Path, monkeypatch: Any) -> None:
        """In order; they belong to whoever submitted them, and are not run again."""
        self.project(tmp_path, monkeypatch)
        jobs = submit(sweep("conf.py", ["task=one,two,three"]), on=self.make(slots=2))
        assert [result["task"] for result in jobs.results()] == ["one", "two", "three"]
        for job in jobs:
            directory = job.run.directory if job.run is not None else tmp_path
            assert (directory / "out.log").read_text() == f"this is {job.result()['task']}\n"
            assert {path.stat().st_uid for path in (directory, *directory.iterdir())} == {os.getuid()}
        again = submit(sweep("conf.py", ["task=one,two,three"]), on=self.make(slots=2))
        assert again.wait(self.patience_s)
        assert [job.was_done for job in again] == [True, True, True]
        assert sorted(self.starts()) == ["one", "three", "two"]

    def test_a_request_is_a_value(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Made by a pure function: nothing happens."""
        self.project(tmp_path, monkeypatch)
        task = self.task("task=one")
        before = sorted(tmp_path.rglob("*"))
        (first,), (second,) = self.make().requests([task]), self.make().requests([task])
        assert first == second
        assert "callsheet.run.worker" in str(first)
        assert sorted(tmp_path.rglob("*")) == before

    def test_what_a_program_did_wrong_is_told(self, tmp_path: Path, monkeypatch: Any) -> None:
        """It has failed, its output is at hand, and it is not run again for the machine's sake."""
        self.project(tmp_path, monkeypatch)
        jobs = submit(sweep("conf.py", ["task=raises,exits"]), on=self.make(slots=2), retry=2)
        assert jobs.wait(self.patience_s)
        assert [(job.state, job.problem) for job in jobs] == [
            ("failed", "ValueError: no data"),
            ("failed", "SystemExit: 3"),
        ]
        assert "ValueError: no data" in jobs[0].log.read_text()
        assert sorted(self.starts()) == ["exits", "raises"]

    def test_a_killed_worker_is_lost_and_goes_on_where_that_is_asked_for(
        self, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """In the same directory, as a further attempt."""
        self.project(tmp_path, monkeypatch)
        jobs = submit(sweep("conf.py", ["task=waits,plain"]), on=self.make(slots=1))
        first = self.waiting(jobs)
        self.kill(first)
        assert jobs.wait(self.patience_s)
        assert [job.state for job in jobs] == ["lost", "done"]
        jobs = submit(sweep("conf.py", ["task=waits,plain"]), on=self.make(slots=1), retry=1)
        second = self.waiting(jobs, attempt=2)
        self.kill(second)
        third = self.waiting(jobs, attempt=3)
        self.go()
        assert jobs.results()[0]["attempt"] == 3
        assert first.directory == second.directory == third.directory

    def test_a_time_limit_ends_a_trial_and_its_own_counts_before_the_executors(
        self, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """What was ended for its time is cancelled, and not sent again."""
        self.project(tmp_path, monkeypatch)
        ended = submit(sweep("conf.py", ["task=waits1"]), on=self.make(timeout_min=self.limit_min), retry=2)
        texts = ["task=waits2,waits3", f"+resources={{timeout_min: {self.limit_min:g}}}"]
        own = submit(sweep("conf.py", texts), on=self.make(timeout_min=600, slots=2))
        assert ended.wait(self.patience_s)
        assert own.wait(self.patience_s)
        for job in (*ended, *own):
            assert job.state == "cancelled"
            assert "time limit" in job.problem
        assert sorted(self.starts()) == ["waits1", "waits2", "waits3"]

    def test_what_is_cancelled_ends_and_nothing_else_starts(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Also where it is cancelled twice."""
        self.project(tmp_path, monkeypatch)
        jobs = submit(sweep("conf.py", ["task=waits1,waits2"]), on=self.make(slots=1))
        run = self.waiting(jobs)
        jobs.cancel()
        jobs.cancel()
        assert [job.state for job in jobs] == ["cancelled", "cancelled"]
        self.until(lambda: self.read(run).state == "cancelled")
        assert self.starts() == ["waits1"]

    def test_no_trial_runs_twice_where_it_is_submitted_twice(self, tmp_path: Path, monkeypatch: Any) -> None:
        """The second waits for the first, or is refused with words that say who attends to it."""
        self.project(tmp_path, monkeypatch)
        trials, on = sweep("conf.py", ["task=waits,plain"]), self.make(slots=1)
        jobs = submit(trials, on=on)
        self.waiting(jobs)
        said = ""
        try:
            second = submit(trials, on=on)
        except RunError as error:
            said = str(error)
        else:
            self.until(lambda: second[0].state == "elsewhere")
        assert (f"this is submitted already: process {os.getpid()} " in said) is on.outlives
        self.go()
        assert [result["attempt"] for result in jobs.results()] == [1, 1]
        assert self.starts() == ["waits", "plain"]

    def test_whoever_comes_after_a_submitter_that_was_killed_goes_on_with_what_runs(
        self, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """Nothing is sent twice, and what was not sent yet is."""
        self.project(tmp_path, monkeypatch)
        (tmp_path / "on.pickle").write_bytes(pickle.dumps(self.make(slots=1)))
        submitter = subprocess.Popen([sys.executable, "-c", _SUBMITS, "on.pickle", "task=waits1,waits2"])
        try:
            self.until(lambda: [*tmp_path.glob("runs/*/waits")])
        finally:
            submitter.kill()
            submitter.wait()
        jobs = submit(sweep("conf.py", ["task=waits1,waits2"]), on=self.make(slots=1))
        self.until(lambda: jobs[0].state in ("running", "elsewhere"))
        self.go()
        assert [result["attempt"] for result in jobs.results()] == [1, 1]
        assert self.starts() == ["waits1", "waits2"]

    # ------------------------------------------------------------------------------------------------------------------

    def project(self, folder: Path, monkeypatch: Any) -> None:
        """Write the project, which is the working directory from then on."""
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "suite_training", raising=False)
        for name, text in {"pyproject.toml": "", "suite_training.py": _TRAINING, "conf.py": _CONFIG}.items():
            (folder / name).write_text(text)

    def task(self, *overrides: str) -> Task:
        """The first task of a sweep of the project, of which nothing is sent."""
        drawing = draw(sweep("conf.py", overrides), Place.of("conf.py"))
        drawing.decide("refuse")
        item = drawing.next()
        assert item is not None
        assert item.task is not None
        return item.task

    def until(self, true: Callable[[], Any]) -> Any:
        """Wait until a function returns something true, and return that."""
        latest = time.monotonic() + self.patience_s
        while not (found := true()):
            assert time.monotonic() < latest, f"not so after {self.patience_s:g} s"
            time.sleep(0.05)
        return found

    def waiting(self, jobs: Jobs, *, attempt: int = 1) -> Run:
        """The run of the first job, once that waits in an attempt."""

        def waits() -> Run | None:
            state = jobs[0].state
            assert state in ("waiting", "queued", "running", "elsewhere", "lost"), f"{state}: {jobs[0].problem}"
            run = jobs[0].run
            has_come = run is not None and len(self.starts()) >= attempt and run.status.get("attempt") == attempt
            return run if has_come and run is not None and (run.directory / "waits").exists() else None

        found: Run = self.until(waits)
        return found

    def read(self, run: Run) -> Run:
        """The same run, as it is now."""
        return Store(run.directory.parent).read(run.id)

    def starts(self) -> list[str]:
        """The tasks of the project that were started, in that order."""
        path = Path("runs/starts")
        return path.read_text().splitlines() if path.exists() else []

    def go(self) -> None:
        """Let what waits come to its end."""
        Path("runs/go").touch()


class EngineSuite(ExecutorSuite):
    """What every executor can do that hands trials to an engine, which goes on when whoever submitted is gone."""

    def away(self) -> AbstractContextManager[Any]:
        """The time in which the engine does not answer."""
        raise NotImplementedError

    def test_what_was_left_goes_on(self, tmp_path: Path, monkeypatch: Any) -> None:
        """And is there for whoever comes back."""
        self.project(tmp_path, monkeypatch)
        trials = sweep("conf.py", ["task=waits,plain"])
        jobs = submit(trials, on=self.make(slots=1))
        run = self.waiting(jobs)
        jobs.leave()
        self.go()
        self.until(lambda: self.read(run).state == "done")
        again = submit(trials, on=self.make(slots=1))
        assert [result["attempt"] for result in again.results()] == [1, 1]
        assert self.starts() == ["waits", "plain"]

    def test_one_of_several_is_ended_by_whoever_comes_later_and_the_others_go_on(
        self, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """Also where they are one request."""
        self.project(tmp_path, monkeypatch)
        jobs = submit(sweep("conf.py", ["task=waits1,waits2"]), on=self.make(slots=2))
        run = self.waiting(jobs)
        self.until(lambda: len(self.starts()) == 2)
        other: Run = self.until(lambda: jobs[1].run)
        jobs.leave()
        sender = self.make(slots=2).sender(Plan(run.directory.parent / ".sweeps" / run.record["plan"]))
        try:
            assert sorted(sender.resumed()) == [0, 1]
            sender.stop(0)
            exits = self.until(lambda: sender.poll(0.2))
        finally:
            sender.close()
        assert [(exit.index, exit.code != 0) for exit in exits] == [(0, True)]
        self.go()
        self.until(lambda: self.read(other).state == "done")

    def test_variables_are_taken_by_name_and_their_values_stand_nowhere(self, tmp_path: Path, monkeypatch: Any) -> None:
        """And no others are."""
        self.project(tmp_path, monkeypatch)
        token = os.urandom(8).hex()
        monkeypatch.setenv("SUITE_TOKEN", token)
        monkeypatch.setenv("SUITE_OTHER", "other")
        on = self.make(env=["SUITE_TOKEN"])
        result = submit(sweep("conf.py", ["task=one"]), on=on).results()[0]
        assert result["SUITE_TOKEN"] == sha256(token.encode()).hexdigest()
        assert result["SUITE_OTHER"] == sha256(b"").hexdigest()
        text = str(on.requests([self.task("task=two")])[0])
        assert "SUITE_TOKEN" in text
        assert token not in text
        assert [path for path in tmp_path.rglob("*") if path.is_file() and token.encode() in path.read_bytes()] == []

    def test_a_variable_that_is_not_set_here_is_told_and_nothing_runs(self, tmp_path: Path, monkeypatch: Any) -> None:
        """Once, before anything is sent; and what is sent later, from another shell, fails with it."""
        self.project(tmp_path, monkeypatch)
        monkeypatch.delenv("SUITE_TOKEN", raising=False)
        problem = "the environment variable SUITE_TOKEN is to go along, and is not set here"
        on = self.make(env=["SUITE_TOKEN"])
        said = ""
        try:
            submit(sweep("conf.py", ["task=one,two"]), on=on)
        except RunError as error:
            said = error.faults[0].problem
        assert said == problem
        task = self.task("task=one")
        sender: Any = on.sender(task.plan)
        try:
            sender.send([task])
            (exit,) = self.until(lambda: sender.poll(0.2))
        finally:
            sender.close()
        assert (exit.limit, exit.refused) == (problem, True)
        assert self.starts() == []

    def test_an_engine_that_is_away_for_a_while_is_waited_for(self, tmp_path: Path, monkeypatch: Any) -> None:
        """What it has lost meanwhile is sent again, where that is asked for."""
        self.project(tmp_path, monkeypatch)
        jobs = submit(sweep("conf.py", ["task=waits1,waits2"]), on=self.make(slots=1), retry=1)
        self.waiting(jobs)
        with self.away():
            self.until(lambda: jobs.trouble)
        self.go()
        assert [result["task"] for result in jobs.results()] == ["waits1", "waits2"]
        assert jobs.trouble == ""

    def test_what_is_submitted_while_the_engine_is_away_runs_when_it_is_back(
        self, tmp_path: Path, monkeypatch: Any
    ) -> None:
        """Once."""
        self.project(tmp_path, monkeypatch)
        with self.away():
            jobs = submit(sweep("conf.py", ["task=one"]), on=self.make())
            self.until(lambda: jobs.trouble)
        assert jobs.results()[0]["task"] == "one"
        assert self.starts() == ["one"]
