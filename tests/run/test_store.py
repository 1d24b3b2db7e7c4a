"""Runs have ids and numbers that never collide, and are found again (promises 21, 27)."""

import fcntl
import multiprocessing
import os
import threading

import pytest

from callsheet._project import root_of
from callsheet.errors import RunError
from callsheet.run._store import Run, Store, is_locked, take_lock, write_json_file
from saying import told


def make_runs(folder, barrier, made):
    store = Store(folder)
    barrier.wait()
    for _ in range(25):
        directory = store.new_run()
        made.put((directory.name, store.number("conf", directory.name)))


def test_eight_processes_at_once_get_ids_and_numbers_of_their_own(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, made = context.Barrier(8), context.Queue()
    processes = [context.Process(target=make_runs, args=(tmp_path / "runs", barrier, made)) for _ in range(8)]
    for process in processes:
        process.start()
    found = [made.get(timeout=30) for _ in range(200)]
    for process in processes:
        process.join()
    assert len({name for name, _ in found}) == 200
    assert sorted(number for _, number in found) == list(range(1, 201))
    assert Store(tmp_path / "runs").ids() == sorted(name for name, _ in found)


def test_an_id_that_is_there_already_is_not_given_again_even_when_the_dice_insist(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "urandom", lambda n: b"\xab" * n)
    store = Store(tmp_path)
    assert [store.new_run().name for _ in range(3)] == ["ababab", "abababab", "ababababab"]


def test_numbers_count_within_an_experiment(tmp_path):
    store = Store(tmp_path)
    assert [store.number("a", "x"), store.number("b/c", "x"), store.number("a", "y"), store.number("", "x")] == [
        1,
        1,
        2,
        1,
    ]


def test_making_or_asking_a_store_makes_no_directory(tmp_path):
    store = Store(tmp_path / "runs")
    assert (store.ids(), store.runs()) == ([], [])
    assert told(lambda: store.find("abc"), RunError).splitlines() == [
        f"there is no run 'abc' in {tmp_path}/runs",
        "  callsheet run FILE  makes one",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path):
    for name in ("aa0001", "aa0002", "bb0001", "bb000100"):
        (tmp_path / name).mkdir()
    store = Store(tmp_path)
    assert store.find("aa0001").id == "aa0001"
    assert store.find("aa0002").id == store.find("aa0002"[:6]).id
    assert store.find("bb0001").id == "bb0001"
    assert told(lambda: store.find("aa"), RunError) == "'aa' is the beginning of several runs\n  aa0001, aa0002"
    assert told(lambda: store.find(""), RunError).startswith(
        f"there is no run '' in {tmp_path}\n  there are 4 runs: callsheet runs  lists them"
    )
    assert told(lambda: store.find("cc"), RunError).startswith("there is no run 'cc'")


def test_a_damaged_record_reads_as_none(tmp_path):
    store = Store(tmp_path)
    for text in ("", "{", "[1]", '{"state": "do'):
        directory = store.new_run()
        (directory / "status.json").write_text(text)
        assert store.read(directory.name).status == {}
        assert store.read(directory.name).state == "lost"
    assert store.runs() == []


def test_a_run_says_it_runs_as_long_as_its_process_lives(tmp_path):
    write_json_file(tmp_path / "status.json", {"state": "running"})
    run = Run(tmp_path, status={"state": "running"})
    assert run.state == "lost"
    lock = take_lock(tmp_path / "lock")
    assert run.state == "running"
    assert take_lock(tmp_path / "lock") is None
    os.close(lock)
    assert run.state == "lost"
    assert not is_locked(tmp_path / "no such file")
    assert not (tmp_path / "no such file").exists()


@pytest.mark.parametrize("mark", ["pyproject.toml", ".git"])
def test_the_project_root_is_the_nearest_folder_upward_with_a_mark(tmp_path, mark):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / mark).mkdir()
    assert root_of(inner / "conf.py") == root_of(inner) == str(tmp_path)
    (tmp_path / "a" / mark).write_text("")  # .git is a file in a worktree
    assert root_of(inner / "conf.py") == str(tmp_path / "a")


def test_without_a_mark_the_root_is_the_configs_own_folder(tmp_path):
    (tmp_path / "a").mkdir()
    assert root_of(tmp_path / "a" / "conf.py") == str(tmp_path / "a")


def test_who_only_looks_whether_a_lock_is_held_is_not_seen_as_holding_it(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not is_locked(path)
    ended = threading.Timer(0.002, os.close, [looking])
    ended.start()
    lock = take_lock(path, wait=True)
    assert is_locked(path)
    assert take_lock(path) is None
    os.close(lock)
    ended.join()
    assert not is_locked(path)
    assert not is_locked(tmp_path / "nothing")
