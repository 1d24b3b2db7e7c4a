"""A sampler that prunes follows what runs, and ends what lags behind; a restart knows what was ended (promise 20)."""

import json
import os
import signal
import warnings

import pytest

from callsheet import CallsheetWarning, Optuna, interval, lazy, submit, sweep
from callsheet.run._metrics import Tail
from callsheet.run._store import Store
from command import until

pytest.importorskip("optuna")

CONF = """
    from callsheet import lazy
    from train import fit

    main = lazy(fit)(lr=1.0, dir="${run.dir}", attempt="${run.attempt}")
"""

TRAIN = """
    import json, os, random, time

    def gradient(w, rng):
        x = rng.gauss(0, 1)
        return 2 * x * x * (w - 3), x * x * (w - 3) ** 2

    def ended():
        return sum(1 for _ in open("ended")) if os.path.exists("ended") else 0

    def fit(lr: float, dir: str, attempt: int):
        rng, w, loss = random.Random(0), 0.0, 9.0
        start = time.monotonic()
        for step in range(40):
            for _ in range(5):
                slope, _ = gradient(w, rng)
                w -= 0.01 * lr * slope
            loss = (w - 3) ** 2
            with open(f"{dir}/metrics.jsonl", "a") as file:
                file.write(json.dumps({"step": step, "loss": loss, "w": w}) + "\\n")
            while lr < 1 and ended() > 5 and not os.path.exists("go") and time.monotonic() < start + 30:
                time.sleep(0.02)  # a slow learner comes to its end where nobody ends it
        with open("ended", "a") as file:
            file.write(f"{lr} {attempt}\\n")
        return {"loss": loss}
"""

WORDS = ("sweep", "conf.py", "main.lr=interval(0.1,4)", "--trials", "14", "--sampler", "optuna")
WORDS = (*WORDS, "--minimize", "loss", "--slots", "2")


def states(cmd):
    return sorted((run.state, run.status.get("pruned", False)) for run in Store(cmd.runs).runs())


def test_trials_that_lag_behind_are_ended_and_a_restart_knows_them(cmd):
    cmd.config(CONF, train=TRAIN)
    said = cmd(*WORDS, "--prune")
    pruned = [run for run in Store(cmd.runs).runs() if run.status.get("pruned")]
    assert pruned
    assert len(states(cmd)) == 14
    assert {run.state for run in pruned} == {"cancelled"}
    for run in pruned:
        assert run.status["error"].startswith("pruned at step ")
        assert f"{run.id}    main.lr=" in said.out
        assert not run.result
    assert said.out.count("  pruned at step ") == len(pruned)
    again = cmd(*WORDS, "--prune")
    assert again.out.splitlines()[0] == "14 trials, 14 done before"
    assert "pruned" not in again.out
    ids = set(cmd.ids())
    cmd.write("go", "")
    cmd(*WORDS)  # nobody prunes: they go on, each in its own directory
    assert set(cmd.ids()) == ids
    assert states(cmd) == [("done", False)] * 14
    more = cmd(*[word if word != "14" else "16" for word in WORDS], "--prune")
    assert more.out.startswith("16 trials, 14 done before, 2 to run")


def test_a_sweep_that_prunes_says_where_nothing_is_measured_by_which_it_could(cmd):
    cmd.config(CONF, train=TRAIN.replace('"loss": loss, "w"', '"losss": loss, "w"'))
    few = [word if word != "14" else "2" for word in WORDS]
    assert cmd(*few, "--prune").err == (
        "callsheet: --prune had nothing to go by: no trial has measured 'loss'\n  did you mean  losss?\n"
    )
    cmd.config(CONF, train="def fit(lr: float, dir: str, attempt: int): return {'loss': lr}\n")
    assert cmd(*few, "--prune", "--redo").err.splitlines()[1:] == [
        "  metrics are what is appended to  ${run.dir}/metrics.jsonl"
    ]


def test_after_a_crash_what_ran_is_reported_again(cmd):
    cmd.config(CONF, train=TRAIN)
    parent = cmd.start(*WORDS, "--prune")
    until(lambda: any(state == "done" for state, _ in states(cmd)))
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    cmd(*WORDS, "--prune")
    found = states(cmd)
    assert len(found) == 14
    assert {*found} == {("done", False), ("cancelled", True)}


def test_a_tail_gives_each_whole_line_once(tmp_path):
    tail, path = Tail(tmp_path), tmp_path / "metrics.jsonl"
    assert list(tail.read()) == []
    path.write_text('{"step": 3, "a": 1}\nno line\n{"a": 2}\n{"a"')
    assert [(line.x, line.values) for line in tail.read()] == [(3, {"a": 1}), (2, {"a": 2})]
    with open(path, "a") as file:
        file.write(': 3}\n{"a": "nan"}\n')
    assert [line.x for line in tail.read()] == [3, 4]
    assert list(tail.read()) == []
    path.write_text(json.dumps({"a": 9}) + "\n")
    assert [(line.x, line.values) for line in tail.read()] == [(0, {"a": 9})]


def test_replicates_are_not_pruned(cmd):
    cmd.config(CONF, train=TRAIN)
    said = cmd(*WORDS, "--prune", "--repeat", "2", code=1)
    assert "replicates cannot be compared by how far they are" in said.err
    assert "name it:  --sampler optuna" in cmd("sweep", "conf.py", "main.lr=1,2", "--prune", code=2).err


def test_a_result_without_what_is_learned_from_is_warned_of_once(project):
    project("pyproject.toml", "")
    project("train.py", "def fit(n: int): return {'loss': n, 'lost': n, 'accuracy': -n, 'note': 'a'}\n")
    spec = {"main": lazy("train.fit")(1)}
    space = sweep(spec, {"main.0": interval(0, 9, whole=True)}, sampler=Optuna(trials=3, minimize="losss"))
    with pytest.warns(CallsheetWarning) as caught:
        submit(space).wait()
    (warning,) = caught
    (first, *_) = Store("runs").runs()
    assert str(warning.message) == (
        f"the result of run {first.id} has no number named 'losss' to learn from\n  it has  loss, lost, accuracy"
    )
    with warnings.catch_warnings(action="error"):
        submit(sweep(spec, {"main.0": interval(0, 9, whole=True)}, sampler=Optuna(trials=3, minimize="loss"))).wait()
