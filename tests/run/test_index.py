"""The index of runs is a cache: whatever becomes of it, the run directories are what counts (promise 21)."""

import contextlib
import json
import multiprocessing
import os
import shutil
import sqlite3

import pytest

from callsheet.errors import CallsheetWarning
from callsheet.run import _index
from callsheet.run._index import Index
from callsheet.run._store import Store, take_lock


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


def make(folder, run_id, *, state="done", number=1, acc=0.5, identity="i", code="c", metrics=()):
    """A run directory as a worker leaves it."""
    directory = folder / run_id
    directory.mkdir(parents=True, exist_ok=True)
    started = f"2026-11-22T08:00:{number:02}.000+00:00"
    write(directory, "run", {"experiment": "conf", "number": number, "identity": identity, "code": {"version": code}})
    write(directory, "status", {"state": state, "started": started, "ended": "2026-11-22T08:01:00.000+00:00"})
    write(directory, "result", {"acc": acc})
    write(directory, "origins", {"lr": [{"value": "0.1", "kind": "file", "where": "conf.py:1", "text": ""}]})
    (directory / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics))
    return directory


def write(directory, name, data):
    (directory / f"{name}.json").write_text(json.dumps(data))


def states(folder, **more):
    index = Index(folder, **more)
    with contextlib.closing(index):
        return {run: (row[3], index.column("result", "acc").get(run)) for run, row in index.rows().items()}


def test_runs_that_have_ended_are_read_once_and_others_each_time(folder):
    make(folder, "aaaaaa")
    make(folder, "bbbbbb", state="failed")
    make(folder, "cccccc", state="interrupted")
    assert states(folder) == {"aaaaaa": ("done", 0.5), "bbbbbb": ("failed", 0.5), "cccccc": ("interrupted", 0.5)}
    for run in ("aaaaaa", "bbbbbb", "cccccc"):
        write(folder / run, "result", {"acc": 0.75})
    assert states(folder) == {"aaaaaa": ("done", 0.5), "bbbbbb": ("failed", 0.5), "cccccc": ("interrupted", 0.75)}
    assert states(folder, anew=True) == {
        "aaaaaa": ("done", 0.75),
        "bbbbbb": ("failed", 0.75),
        "cccccc": ("interrupted", 0.75),
    }


def test_new_directories_are_found_and_removed_ones_forgotten(folder):
    make(folder, "aaaaaa")
    assert [*states(folder)] == ["aaaaaa"]
    make(folder, "bbbbbb")
    shutil.rmtree(folder / "aaaaaa")
    (folder / "cccccc").mkdir()  # a worker has made it and written nothing yet
    (folder / ".sweeps").mkdir()
    assert [*states(folder)] == ["bbbbbb"]
    shutil.rmtree(folder / "bbbbbb")
    assert states(folder) == {}


def test_a_run_that_nobody_runs_is_lost_and_read_again(folder):
    directory = make(folder, "aaaaaa", state="running")
    assert states(folder) == {"aaaaaa": ("lost", 0.5)}
    lock = take_lock(directory / "lock")
    assert states(folder) == {"aaaaaa": ("running", 0.5)}
    make(folder, "aaaaaa", state="done", acc=1.0)
    os.close(lock)
    assert states(folder) == {"aaaaaa": ("done", 1.0)}


def test_without_runs_nothing_is_made(folder):
    assert states(folder) == {}
    assert not folder.exists()


def sizes(folder):
    """How many runs each group of the index has."""
    with contextlib.closing(Index(folder)) as index:
        return [len(index.group(group)) for group in ("facts", "result", "metrics", "spec")]


@pytest.mark.parametrize("damage", ["text", "half", "hole"])
def test_a_damaged_file_is_made_anew_and_said_so(folder, damage):
    for n in range(40):
        make(folder, f"aaaa{n:02}", number=n, metrics=[{f"m{k}": k for k in range(400)}])
    whole = states(folder)
    path = folder / ".index.sqlite"
    raw = path.read_bytes()
    damaged = {
        "text": b"no database at all" * 99,
        "half": raw[: len(raw) // 2],
        "hole": raw[:40_000] + bytes(len(raw) - 40_000),
    }
    path.write_bytes(damaged[damage])
    with pytest.warns(CallsheetWarning, match=r"\.index\.sqlite was damaged .*, and was made anew"):
        assert sizes(folder) == [40] * 4
    assert states(folder) == whole


def test_another_version_is_made_anew_and_said_so(folder, monkeypatch):
    make(folder, "aaaaaa")
    states(folder)
    monkeypatch.setattr(_index, "_VERSION", 99)
    with pytest.warns(CallsheetWarning, match="was of another version, and was made anew") as warned:
        assert states(folder) == {"aaaaaa": ("done", 0.5)}
    assert warned[0].filename == __file__
    assert states(folder) == {"aaaaaa": ("done", 0.5)}


def test_a_file_of_other_tables_is_made_anew(folder):
    make(folder, "aaaaaa")
    with contextlib.closing(sqlite3.connect(folder / ".index.sqlite")) as db:
        db.execute("CREATE TABLE notes (text TEXT)")
        db.commit()
    with pytest.warns(CallsheetWarning, match="was of another version, and was made anew"):
        assert states(folder) == {"aaaaaa": ("done", 0.5)}


def test_where_it_cannot_be_written_the_runs_are_read(folder):
    make(folder, "aaaaaa")
    (folder / ".index.lock").mkdir()  # no process can lock it
    assert states(folder) == {"aaaaaa": ("done", 0.5)}
    assert not (folder / ".index.sqlite").exists()


def test_what_cannot_be_opened_is_left_and_the_runs_are_read(folder):
    make(folder, "aaaaaa")
    (folder / ".index.sqlite").mkdir()
    with pytest.warns(CallsheetWarning, match="cannot be used .*: the runs were read instead"):
        assert states(folder) == {"aaaaaa": ("done", 0.5)}


def test_while_another_process_writes_what_is_there_is_used_and_the_rest_read(folder):
    make(folder, "aaaaaa")
    states(folder)
    write(folder / "aaaaaa", "result", {"acc": 0.75})
    make(folder, "bbbbbb")
    lock = take_lock(folder / ".index.lock")
    assert states(folder) == {"aaaaaa": ("done", 0.5), "bbbbbb": ("done", 0.5)}
    os.close(lock)
    write(folder / "bbbbbb", "result", {"acc": 0.25})
    assert states(folder) == {"aaaaaa": ("done", 0.5), "bbbbbb": ("done", 0.25)}


def index_often(folder, barrier, told):
    barrier.wait()
    counts = []
    for _ in range(15):
        counts.append(len(states(folder)))
    told.put(counts)


def test_processes_that_index_at_once_while_runs_come_all_see_what_is_there(folder):
    for n in range(50):
        make(folder, f"aaaa{n:02}", number=n)
    context = multiprocessing.get_context("fork")
    barrier, told = context.Barrier(5), context.Queue()
    processes = [context.Process(target=index_often, args=(folder, barrier, told)) for _ in range(4)]
    for process in processes:
        process.start()
    barrier.wait()
    for n in range(50):
        make(folder, f"bbbb{n:02}", number=50 + n)
    counts = [told.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert all(sorted(seen) == seen and seen[0] >= 50 for seen in counts)
    assert len(states(folder)) == 100
    assert len({*os.listdir(folder)} - {".index.lock", ".index.sqlite"}) == 100


def test_what_is_finished_is_told_with_its_code_replicates_and_all(folder):
    make(folder, "aaaaaa", identity="one", code="old", number=1)
    make(folder, "bbbbbb", identity="one", code="new", number=3)
    make(folder, "cccccc", identity="one", code="new", number=2)
    make(folder, "dddddd", identity="two", state="failed")
    make(folder, "eeeeee", identity=None)
    index = Index(folder)
    told = [("aaaaaa", "one", "old"), ("cccccc", "one", "new"), ("bbbbbb", "one", "new")]
    assert index.finished() == told
    assert [(run.id, *run.finished) for run in map(index.store.read, ("aaaaaa", "cccccc", "bbbbbb"))] == told
    assert [index.store.read(run).finished for run in ("dddddd", "eeeeee")] == [None, None]
    index.close()


def test_what_is_finished_is_told_whatever_the_index_is_like(folder):
    make(folder, "aaaaaa")
    locked = take_lock(folder / ".index.lock")
    assert finished(folder) == ["aaaaaa"]
    os.close(locked)
    assert finished(folder) == ["aaaaaa"]
    (folder / ".index.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    with pytest.warns(CallsheetWarning, match="damaged"):
        assert finished(folder) == ["aaaaaa"]
    shutil.rmtree(folder / "aaaaaa")
    assert finished(folder) == []


def finished(folder):
    with contextlib.closing(Index(folder)) as index:
        return [run for run, *_ in index.finished()]


def test_half_written_and_odd_files_are_borne(folder):
    directory = make(folder, "aaaaaa", acc=float("nan"))
    (directory / "origins.json").write_text('{"lr": [{"val')
    write(directory, "spec", {"_format_": 1, 'odd "name"': 1, "a": {"b": [True, "x"]}})
    (directory / "metrics.jsonl").write_text('{"loss": Infinity}\n{"lo')
    make(folder, "bbbbbb")
    write(
        folder / "bbbbbb",
        "run",
        {"experiment": None, "number": "x", "code": None, "host": 5, "overrides": None, "identity": 3},
    )
    write(folder / "bbbbbb", "status", {"state": "done", "started": 7, "ended": "never"})
    index = Index(folder)
    assert index.column("result", "acc")["aaaaaa"] == "nan"
    assert index.column("metrics", "loss")["aaaaaa"] == "inf"
    assert index.column("spec", '["odd \\"name\\""]') == {"aaaaaa": "1"}
    assert index.names()["spec"] == ['["odd \\"name\\""]', "a.b[0]", "a.b[1]", "lr"]
    assert index.rows()["bbbbbb"] == ("bbbbbb", "None", 0, "done", None, None, None)
    index.close()


def test_the_store_is_not_asked_for_what_the_index_has(folder, monkeypatch):
    for n in range(5):
        make(folder, f"aaaa{n:02}", number=n)
    states(folder)
    make(folder, "bbbbbb")
    read = []
    monkeypatch.setattr(Store, "read", lambda self, run, own=Store.read: read.append(run) or own(self, run))
    assert len(states(folder)) == 6
    assert read == ["bbbbbb"]
