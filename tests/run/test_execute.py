"""A run leaves a record of what it was and what came out (promises 22, 25), in a directory made when it starts (27)."""

import json
import os
import re
import threading
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import pytest

from callsheet import lazy, submit, sweep
from callsheet.errors import SaveError
from callsheet.run._execute import result_of

FIT = "from callsheet import lazy\nfrom train import fit\n"


@dataclass
class Scores:
    """What a training may return."""

    loss: float
    best: object


class Pair(NamedTuple):
    """The same."""

    loss: float
    n: object


def run(cmd, train, main="lazy(fit)()", *words, code=0):
    """Run a config of one call."""
    return cmd.config(f"{FIT}main = {main}\n", train=train)("run", "conf.py", *words, code=code)


@pytest.mark.parametrize(
    ("returned", "result"),
    [
        (3, {"result": 3}),
        (0.5, {"result": 0.5}),
        (True, {"result": True}),
        ({"loss": 0.1, "best": "a", "n": None}, {"loss": 0.1, "best": "a", "n": None}),
        ({1: 2}, {"1": 2}),
        (None, {}),
        (object(), {}),
        ({}, {}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Scores(0.5, "a"), {"loss": 0.5, "best": "a"}),
        (Pair(0.5, 2), {"loss": 0.5, "n": 2}),
    ],
)
def test_a_number_or_flat_mapping_is_the_result(returned, result):
    assert result_of(returned) == (result, [])


@pytest.mark.parametrize("returned", ["text", [1, 2], (1, 2), 1j, iter(()), b"a", {1}])
def test_what_is_neither_is_named(returned):
    assert result_of(returned) == ({}, ["result"])


def test_of_what_has_fields_those_are_named_that_a_result_cannot_hold():
    assert result_of(Scores(0.5, Pair(1, 2))) == ({"loss": 0.5}, ["best"])
    assert result_of(Pair(0.5, [1])) == ({"loss": 0.5}, ["n"])


def test_an_attrs_instance_is_the_mapping_that_it_is():
    attrs = pytest.importorskip("attrs")
    returned = attrs.make_class("Ended", ["loss", "net"])(0.5, object())
    assert result_of(returned) == ({"loss": 0.5}, ["net"])


@pytest.mark.parametrize("words", [["run"], ["sweep", "--single"], ["sweep", "--single", "--warm"]])
def test_a_result_that_is_not_kept_is_told(cmd, words):
    verb, *options = words
    cmd.config(f"{FIT}main = lazy(fit)()\n", train="def fit(): return 0.5, 3\n")
    cmd(verb, "conf.py", *options)
    told = "callsheet: not kept in the result, since it is no number that can be written, and names none: result\n"
    assert cmd.text("err.log") == told
    assert not cmd.file("result.json").exists()


@pytest.mark.parametrize(("returned", "result"), [("0.5", {"result": 0.5}), ("{'a': 1}", {"a": 1}), ("None", None)])
def test_a_result_is_kept_where_there_is_one(cmd, returned, result):
    run(cmd, f"def fit(): return {returned}\n")
    assert cmd.read("status.json")["state"] == "done"
    assert (cmd.read("result.json") if cmd.file("result.json").exists() else None) == result


def test_what_a_result_cannot_hold_is_named_and_the_rest_is_kept(cmd):
    said = run(cmd, "def fit(): return {'loss': 1, 'net': object(), 'deep': {'a': 1}}\n")
    assert (
        said.err
        == "callsheet: not kept in the result, since they are no numbers or texts that can be written: net, deep\n"
    )
    assert cmd.read("result.json") == {"loss": 1}


@pytest.mark.parametrize("odd", ["'n': 10**5000", r"'n': 'a\ud800'", r"'n\ud800': 1"])
def test_what_cannot_be_written_is_named_and_the_rest_of_the_result_is_kept(cmd, odd):
    said = run(cmd, f"def fit(): return {{'loss': 0.5, {odd}}}\n")
    assert said.err.startswith("callsheet: not kept in the result, since they are no numbers or texts that can be")
    assert cmd.read("status.json")["state"] == "done"
    assert cmd.read("result.json") == {"loss": 0.5}


def test_a_number_that_cannot_be_written_is_no_result():
    assert result_of(10**5000) == ({}, ["result"])


def test_a_number_of_numpy_is_a_number():
    numpy = pytest.importorskip("numpy")
    returned = {"a": numpy.float32(0.5), "b": numpy.int64(3), "c": numpy.array(2.0), "d": numpy.zeros(3)}
    result, dropped = result_of(returned)
    assert (result, dropped) == ({"a": 0.5, "b": 3, "c": 2.0}, ["d"])
    assert [type(value) for value in result.values()] == [float, int, float]


def test_a_loss_that_is_no_number_is_kept_and_told_as_null(cmd):
    said = run(cmd, "def fit(): return {'loss': float('nan')}\n", "lazy(fit)()", "--json")
    assert said.data["result"] == {"loss": None}
    assert "NaN" in cmd.text("result.json")


def test_the_record_says_what_ran(cmd):
    cmd.listing()("run", "conf.py", "epochs=2", "optim.lr=3e-3")
    record = cmd.read("run.json")
    (name,) = cmd.ids()
    told = {key: record[key] for key in ("id", "experiment", "number", "index", "plan", "entry", "config", "overrides")}
    assert told == {
        "id": name,
        "experiment": "conf",
        "number": 1,
        "index": 0,
        "plan": "",
        "entry": "main",
        "config": str(cmd.root / "conf.py"),
        "overrides": ["epochs=2", "optim.lr=3e-3"],
    }
    assert record["command"][1:] == ["run", "conf.py", "epochs=2", "optim.lr=3e-3"]
    assert len(record["identity"]) == 64
    assert record["packages"]["callsheet"]
    assert record["host"]["python"].startswith("3.")
    assert record["defaults"]["optim: train.Adam"] == {"betas": "(0.9, 0.999)"}
    status = cmd.read("status.json")
    assert (status["state"], status["attempt"], status["exit"]) == ("done", 1, 0)
    assert status["started"] <= status["ended"]


def test_the_spec_is_recorded_resolved_and_with_who_set_what(cmd):
    cmd.listing()("run", "conf.py", "epochs=2")
    assert json.loads(cmd("show", cmd.ids()[0], "--json").out)["main"]["epochs"] == 2
    assert cmd("show", cmd.ids()[0]).out == cmd("show", "conf.py", "epochs=2").out
    assert cmd.read("origins.json")["epochs"] == [
        {"value": "2", "kind": "override", "where": "command line", "text": "epochs=2"},
        {"value": "5", "kind": "file", "where": "conf.py:5", "text": ""},
    ]


def test_a_function_learns_its_run_through_its_arguments(cmd):
    said = run(
        cmd,
        """
        import json, os
        def fit(**run):
            print(json.dumps(run))
            with open(os.path.join(run["dir"], "metrics.jsonl"), "a") as file:
                file.write('{"step": 1}\\n')
        """,
        "lazy(fit)(dir='${run.dir}', id='${run.id}', text='n-${run.index}', attempt='${run.attempt}')",
    )
    (name,) = cmd.ids()
    told = json.loads(said.out.splitlines()[0])
    assert told == {"dir": str(cmd.runs / name), "id": name, "text": "n-0", "attempt": 1}
    assert cmd.text("metrics.jsonl") == '{"step": 1}\n'


def test_what_a_run_knows_only_when_it_runs_does_not_count_for_identity(cmd):
    for _ in range(2):
        run(cmd, "def fit(where): ...\n", "lazy(fit)('${run.dir}/x')")
    first, second = (cmd.read("run.json", name) for name in cmd.ids())
    assert first["identity"] == second["identity"]
    assert [first["number"], second["number"]] == [1, 2]


def test_an_exception_is_shown_with_its_traceback_and_where_in_the_spec_it_was(cmd):
    cmd.config(
        """
        from callsheet import lazy
        from train import Net, fit

        model = lazy(Net)(width=0)
        main = lazy(fit)(model)
        """,
        train="""
        class Net:
            def __init__(self, width: int):
                self.scale = 1 / width

        def fit(model): ...
        """,
    )
    said = cmd("run", "conf.py", code=1)
    (name,) = cmd.ids()
    lines = said.err.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1] == f'  File "{cmd.root}/train.py", line 3, in __init__'
    assert "ZeroDivisionError: division by zero" in lines
    assert lines[lines.index("ZeroDivisionError: division by zero") + 1 : -1] == [
        "while building model, written at conf.py:4",
        "    lazy(Net)(width=0)",
    ]
    assert lines[-1] == f"failed      runs/{name}"
    assert "callsheet/_build.py" not in said.err
    assert said.err.startswith(cmd.text("err.log"))
    assert cmd.read("status.json")["error"] == "ZeroDivisionError: division by zero"
    assert (cmd.read("status.json")["state"], cmd.read("status.json")["exit"]) == ("failed", 1)
    assert not cmd.file("result.json").exists()


def test_an_exception_with_a_cause_shows_both(cmd):
    said = run(
        cmd,
        """
        def fit():
            try:
                {}["key"]
            except KeyError as error:
                raise ValueError("no key") from error
        """,
        code=1,
    )
    assert "KeyError: 'key'" in said.err
    assert "The above exception was the direct cause" in said.err
    assert "ValueError: no key" in said.err


RAISING = {
    "its text fails": ("class Bad(Exception):\n    def __str__(self): return self.cod\n", "raise Bad"),
    "its text is no text": ("", r"raise ValueError('a\ud800')"),
    "it is no Exception": ("import asyncio\n", "raise asyncio.CancelledError"),
    "errors cannot be printed": ("import sys\n", "sys.stderr.close(); raise ValueError('late')"),
}


@pytest.mark.parametrize("how", RAISING)
@pytest.mark.parametrize(
    "words", [("run", "conf.py"), ("sweep", "conf.py", "main.n=1,2"), ("run", "conf.py", "--json")]
)
def test_whatever_is_raised_the_run_has_failed_and_says_so(cmd, how, words):
    before, does = RAISING[how]
    cmd.config(f"{FIT}main = lazy(fit)(n=1)\n", train=f"{before}def fit(n):\n    {does}\n")
    cmd(*words, code=1)
    for name in cmd.ids():
        status = cmd.read("status.json", name)
        assert (status["state"], status["exit"]) == ("failed", 1)
        assert re.match(
            r"Bad: <exception str\(\) failed>|ValueError: a\\ud800|CancelledError: |ValueError: late", status["error"]
        )
        assert f"in fit\n    {does}\n" in cmd.text("err.log", name)


@pytest.mark.parametrize("does", ["sys.stdout.close()", "sys.stdout = None", "sys.stderr.close()", "os.close(1)"])
def test_whatever_a_run_does_to_its_streams_its_end_is_recorded(cmd, does):
    train = f"import os, sys\ndef fit(n=1):\n    print(n, flush=True)\n    {does}\n    return n\n"
    said = run(cmd, train)
    assert cmd.read("status.json")["state"] == "done"
    assert cmd.read("result.json") == {"result": 1}
    assert cmd.text("out.log") == "1\n"
    assert said.err == ""
    (name,) = cmd.ids()
    assert said.out == ("1\n" if does == "sys.stdout = None" else f"1\nrecorded    runs/{name}\n")
    swept = cmd("sweep", "conf.py", "+main.n=2,3", "--slots", "1")
    assert [line.rpartition("  ")[2] for line in swept.out.splitlines()[1:]] == ["result 2", "result 3"]


@pytest.mark.parametrize(("how", "code", "state"), [("", 0, "done"), ("3", 1, "failed"), ("'why'", 1, "failed")])
def test_leaving_by_sys_exit_counts_as_it_says(cmd, how, code, state):
    said = run(cmd, f"import sys\ndef fit(): sys.exit({how})\n", code=code)
    assert cmd.read("status.json")["state"] == state
    assert ("why\n" in said.err) == ("why" in how)


def test_nothing_changes_the_working_directory_or_the_logging(cmd):
    said = run(cmd, "import logging, os\ndef fit(): print(os.getcwd(), logging.root.handlers)\n")
    assert said.out.splitlines()[0] == f"{os.path.realpath(cmd.root)} []"


def test_a_faulty_spec_runs_nothing_and_makes_no_directory(cmd):
    said = cmd.listing()("run", "conf.py", "model.width=64x", code=1)
    assert said.out == ""
    assert said.err.startswith("callsheet: 1 fault, nothing was built\n  model.width  must be int, found '64x'")
    assert not cmd.runs.exists()


def test_a_live_object_runs_here_and_the_record_names_what_is_not_data(cmd):
    cmd.config(
        """
        import threading
        from callsheet import lazy
        from train import fit

        main = lazy(fit)(threading.Lock(), lr=0.1)
        """,
        train="def fit(lock, lr: float):\n    with lock: return lr\n",
    )
    cmd("run", "conf.py")
    record = cmd.read("run.json")
    assert (record["identity"], record["not_data"]) == (None, ["main[0]"])
    assert cmd.read("result.json") == {"result": 0.1}
    assert "lr=0.1" in cmd.text("spec.txt")
    assert not cmd.file("spec.json").exists()
    (run,) = cmd.ids()
    assert cmd("show", run).out == cmd.text("spec.txt")
    assert cmd("show", run, "--json", code=1).out == (
        '{\n "faults": [\n  {\n   "path": "",\n'
        f'   "problem": "run {run} held what is no data: main[0]",\n   "origin": "",\n'
        f'   "advice": [\n    "callsheet show {run}  prints it"\n   ]\n  }}\n ]\n}}\n'
    )


def test_sweeping_a_live_object_is_refused_before_anything_starts(cmd):
    cmd.config(
        """
        import threading
        from callsheet import lazy
        from train import fit

        main = lazy(fit)(print, lr=0.1)
        more = lazy(fit)(lambda: 1, lr=lambda: 2)
        """,
        train="def fit(lock, lr): open('ran', 'w')\n",
    )
    said = cmd("sweep", "conf.py", "main.lr=0.1,0.2", code=1)
    assert re.sub("<.*>", "<it>", said.err) == (
        "callsheet: 2 faults, nothing was started\n"
        "  more[0]  cannot be sent to a worker: <it>         conf.py:6\n"
        "  more.lr  cannot be sent to a worker: <it>         conf.py:6\n"
        "           define it at the top level of a module, or describe it with lazy(...)\n"
        "           callsheet run  builds it here, in one process\n"
    )
    assert not cmd.runs.exists()
    assert not (cmd.root / "ran").exists()


def test_submitting_a_live_object_names_each_before_anything_starts(tmp_path):
    spec = {"a": lazy(dict)(lock=threading.Lock()), "main": lazy(dict)(key=lambda: 1, n=0)}
    for work in (spec, sweep(spec, ["main.n=1,2"])):
        with pytest.raises(SaveError) as caught:
            submit(work, runs=tmp_path / "runs")
        assert [fault.path for fault in caught.value.faults] == ["a.lock", "main.key"]
    assert not (tmp_path / "runs").exists()
