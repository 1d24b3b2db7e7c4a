"""`callsheet runs` finds, sorts and lists runs (promise 25)."""

import pytest

from callsheet import runs
from callsheet.cli.completion import answers
from callsheet.errors import QueryError
from command import masked
from made import made_run
from saying import told


@pytest.fixture
def three(cmd):
    """A project with three runs."""
    for n, (lr, acc, state) in enumerate([(0.1, 0.5, "done"), (0.01, 0.95, "done"), (0.01, None, "failed")], 1):
        made_run(
            cmd.runs,
            f"aaaaa{n}",
            {"optim.lr": lr, "model.name": "Net", "number": 7},
            number=n,
            state=state,
            result={} if acc is None else {"acc": acc},
            metrics=[{"loss": 1.0}, {"loss": acc or 9.0, "top/5": n}],
            record={"overrides": [f"optim.lr={lr}"], "experiment": "other" if n == 3 else "conf"},
            status={"error": "ValueError: no"} if state == "failed" else {},
        )
    return cmd


def test_all_runs_are_listed_those_that_started_last_first(three):
    said = three("runs", env={"TZ": "UTC"})
    assert (
        said.out
        == """\
run     experiment  no.  state   started           duration  overrides       acc
aaaaa3  other         3  failed  2026-11-22 08:03       30s  optim.lr=0.01     -
aaaaa2  conf          2  done    2026-11-22 08:02       30s  optim.lr=0.01  0.95
aaaaa1  conf          1  done    2026-11-22 08:01       30s  optim.lr=0.1    0.5
"""
    )
    assert said.err == ""


def test_filter_sort_and_columns(three):
    said = three(
        "runs", "status=done and metrics.loss<2", "--sort", "-result.acc", "--columns", "id,optim.lr,result.acc"
    )
    assert (
        said.out
        == """\
run     optim.lr  result.acc
aaaaa2      0.01        0.95
aaaaa1       0.1         0.5
"""
    )
    for text, expected in [
        ("optim.lr=0.01", ["aaaaa2", "aaaaa3"]),
        ("model.name=Net and number<3", ["aaaaa1", "aaaaa2"]),
        ("spec.number=7 and number=3", ["aaaaa3"]),
        ("metrics.top/5>=2", ["aaaaa2", "aaaaa3"]),
        ("error~valueerror or result.acc=0.5", ["aaaaa1", "aaaaa3"]),
        ("started>2026-11-22T08:02:30Z", ["aaaaa3"]),
        ("duration=30s and overrides~lr=0.1", ["aaaaa1"]),
    ]:
        rows = three("runs", text, "--sort", "id", "--columns", "id", "--json").data
        assert [row["id"] for row in rows] == expected, text


def test_several_filters_and_ids_narrow_down(three):
    assert [row["id"] for row in three("runs", "optim.lr=0.01", "state=done", "--json").data] == ["aaaaa2"]
    assert [row["id"] for row in three("runs", "aaaaa1", "aaaaa3", "state=done", "--json").data] == ["aaaaa1"]


def test_what_a_program_reads_has_results_and_metrics(three):
    (row,) = three("runs", "id=aaaaa2", "--json").data
    assert row | {"started": 0, "ended": 0} == {
        "id": "aaaaa2", "experiment": "conf", "number": 2, "state": "done", "started": 0, "ended": 0, "duration": 30.0,
        "overrides": "optim.lr=0.01", "result": {"acc": 0.95}, "metrics": {"loss": 0.95, "top/5": 2},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["optim.l=1"], "no run has 'optim.l'\n  optim.l=1\n  ^\n  did you mean  optim.lr?"),
        (["id=1 or acc>1"], "no run has 'acc'\n  id=1 or acc>1\n          ^\n  did you mean  result.acc?"),
        (["result.accuracy>1"], "no run has 'result.accuracy'\n  result.accuracy>1\n  ^\n  did you mean  result.acc?"),
        (["--sort", "-stat"], "no run has 'stat'\n  did you mean  state?"),
        (["state=done and"], "expected a name at the end\n  state=done and\n                ^"),
    ],
)
def test_a_typo_is_an_error_that_says_what_was_meant(three, words, said):
    assert three("runs", *words, code=2).err == f"callsheet: {said}\n"


def test_where_nothing_fits_or_is_there_it_says_so(three):
    assert three("runs", "number>9", code=1).err == "callsheet: no run of 3 fits\n  number>9\n"
    assert three("runs", "--runs", "none", code=1).err == (
        f"callsheet: there are no runs in {three.root}/none\n  callsheet run FILE  makes one; --runs DIR  looks elsewhere\n"
    )
    assert three("runs", "bbbbbb", code=1).err.startswith("callsheet: there is no run 'bbbbbb'")


def test_many_runs_are_cut_and_said_so(three):
    said = three("runs", "--limit", "1", "--sort", "id")
    assert said.out.splitlines()[1:] == [line for line in said.out.splitlines() if line.startswith("aaaaa1")]
    assert said.err == "1 of 3 runs; --limit 0 shows all\n"


def test_overrides_are_whole_where_a_program_reads_and_cut_to_the_room_of_a_terminal(cmd):
    for n, last in enumerate("ab", 1):
        overrides = ["optim.lr=0.1", "model.name=Net", f"tail={last}"]
        made_run(cmd.runs, f"aaaaa{n}", {}, number=n, result={"acc": 0.5}, record={"overrides": overrides})
    assert [line.split("  ")[-2].strip() for line in cmd("runs").out.splitlines()[1:]] == [
        "optim.lr=0.1 model.name=Net tail=b",
        "optim.lr=0.1 model.name=Net tail=a",
    ]
    table = cmd.screen("runs", columns=85).splitlines()
    assert [len(line) <= 85 for line in table] == [True] * 3
    assert "  optim.lr=0.1 model.name=Net tai…  " in table[1]
    block = cmd.screen("runs", columns=40).splitlines()
    assert block[5] == "  overrides  optim.lr=0.1 model.name=Ne…"
    assert max(map(len, block)) == 40


def test_of_many_results_the_first_are_shown_and_a_long_text_is_cut(cmd):
    made_run(cmd.runs, "aaaaa1", {}, result={"report": "lång " * 100_000, **{f"ap{n}": n for n in range(2_000)}})
    said = cmd("runs")
    assert said.err == "50 of 2001 results; --columns NAMES shows others, --json all\n"
    head, row = said.out.splitlines()
    assert (head[-10:], row[-8:]) == ("ap47  ap48", "47    48")
    assert "lång…  " in row.replace(" …", "…")
    assert "ap1999" in cmd("runs", "--columns", "id,result.ap1999").out
    assert len(max(cmd("compare").out.split("  "), key=len).strip()) == 200


def test_reindex_reads_what_was_read_before(three):
    three("runs")
    (three.runs / "aaaaa1" / "result.json").write_text('{"acc": 0.75}')
    assert three("runs", "id=aaaaa1", "--json").data[0]["result"] == {"acc": 0.5}
    said = three("runs", "id=aaaaa1", "--reindex", "--columns", "result.acc")
    assert (said.err, said.out.split()) == ("read 3 runs again\n", ["result.acc", "0.75"])


def test_a_damaged_index_is_said_in_one_line_and_changes_nothing(three):
    before = three("runs").out
    (three.runs / ".index.sqlite").write_bytes(b"x" * 9999)
    said = three("runs")
    assert said.out == before
    assert said.err == "callsheet: runs/.index.sqlite was damaged (file is not a database), and was made anew\n"


@pytest.mark.parametrize("text", ["{bad", "[]", None])
def test_a_run_whose_record_is_damaged_is_named_and_left_out(three, text):
    record = three.runs / "aaaaa2" / "run.json"
    record.unlink() if text is None else record.write_text(text)
    for words in (["runs"], ["compare"], ["report"], ["runs", "--reindex"]):
        said = three(*words, code=None)
        assert "runs/aaaaa2/run.json is missing or damaged: its run is left out\n" in said.err, words
        assert "aaaaa2" not in said.out
    refused = f"run aaaaa2 cannot be told: {record} is missing or damaged\n"
    for words in (["runs", "aaaaa2"], ["compare", "aaaaa1", "aaaaa2"], ["rerun", "aaaaa2"]):
        assert refused in three(*words, code=1).err
    assert len(list(three.runs.glob("[!.]*"))) == 3


def test_in_python_runs_are_a_sequence(three):
    found = runs(three.runs)
    assert [run.id for run in found] == ["aaaaa1", "aaaaa2", "aaaaa3"]
    assert [run.id for run in found.sort("-result.acc")] == ["aaaaa2", "aaaaa1", "aaaaa3"]
    assert [run.id for run in found.sort("optim.lr", "-number")[:2]] == ["aaaaa3", "aaaaa2"]
    (best,) = found.filter("result.acc>0.9")
    assert (best.state, best.result, best.metrics) == ("done", {"acc": 0.95}, {"loss": 0.95, "top/5": 2})
    assert best.path == three.runs / "aaaaa2"
    assert best.curves == {"loss": ([0, 1], [1.0, 0.95]), "top/5": ([1], [2])}
    assert (best.values["optim.lr"], best.get("optim.lr"), best.get("host")) == ("0.01", 0.01, "box")
    assert repr(found[1:]) == f"<2 runs of {three.runs}>"
    assert repr(best) == "<run aaaaa2 done>"
    assert "result.acc" in found.names()
    assert "did you mean  result.acc?" in told(lambda: found.filter("result.ac>0"), QueryError)
    assert len(runs(three.root / "none").filter("no.name=1").sort("neither")) == 0


def test_the_spec_of_a_run_can_be_built(cmd):
    cmd.listing()("run", "conf.py", "optim.lr=0.5")
    (run,) = runs(cmd.runs)
    assert run.spec.optim.lr == 0.5
    assert run.result == cmd.read("result.json")


def test_a_frame_has_a_row_for_each_run(three):
    import pandas as pd

    frame = runs(three.runs).to_frame()
    assert [*frame.index] == ["aaaaa1", "aaaaa2", "aaaaa3"]
    assert [*frame["optim.lr"]] == [0.1, 0.01, 0.01]
    assert frame["result.acc"].isna().tolist() == [False, False, True]
    assert frame["started"].iloc[0] == pd.Timestamp("2026-11-22T08:01:00Z")
    assert [*frame["spec.number"]] == [7, 7, 7]
    assert [*runs(three.runs).to_frame(["result.acc"]).columns] == ["result.acc"]


def test_ids_of_runs_are_completed(three, monkeypatch):
    monkeypatch.chdir(three.root)
    for verb in ("runs", "compare", "rerun", "report"):
        assert answers([verb, "aaaa"]) == [("aaaaa1", "run"), ("aaaaa2", "run"), ("aaaaa3", "run")]
    assert answers(["rerun", "b"]) == []
    assert ("--sort", "Sort by NAMES, comma between; -NAME the largest first.") in answers(["runs", "--s"])


def test_compare_takes_filters(three):
    said = three("compare", "optim.lr=0.01 or result.acc<1", "state=done")
    assert (
        masked(said.out)
        == """\
run     no.  state  optim.lr   acc
ID0001    1  done   0.1        0.5
ID0002    2  done   0.01      0.95
"""
    )
