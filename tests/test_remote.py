"""Data files lie anywhere that fsspec reaches; what is code, or needs a package, is refused by name."""

import functools
import http.server
import os
import subprocess
import sys
import threading

import pytest

from callsheet import equal, hash_of, lazy, load, origin, save, sweep
from callsheet.errors import LoadError, SaveError
from saying import told
from shapes import Net

fsspec = pytest.importorskip("fsspec")

NET = lazy(Net)(width=1)
SPEC = {"a": NET, "b": [NET, 1e-3, "é"]}


@pytest.fixture
def memory():
    """The store in memory, empty before and after."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


@pytest.mark.parametrize("name", ["x.json", "deep/folder/x.yaml", "x.yml"])
def test_a_spec_comes_back_from_a_store(memory, name):
    save(SPEC, f"memory://{name}")
    again = load(f"memory://{name}")
    assert equal(again, SPEC)
    assert hash_of(again) == hash_of(SPEC)
    assert again.a is again.b[0]


def test_toml_is_read_from_a_store(memory):
    memory.pipe_file("/x.toml", b"a = 1\n")
    assert load("memory://x.toml").a == 1


def test_a_local_path_with_its_protocol(tmp_path):
    save(SPEC, f"file://{tmp_path}/x.yaml")
    assert equal(load(f"file://{tmp_path}/x.yaml"), load(tmp_path / "x.yaml"))
    assert [p.name for p in tmp_path.iterdir()] == ["x.yaml"]


def test_a_local_file_is_written_whole_or_not_at_all_by_its_protocol_too(tmp_path):
    (tmp_path / "x.json" / "taken").mkdir(parents=True)
    with pytest.raises(OSError):
        save({}, f"file://{tmp_path}/x.json")
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_what_is_refused_leaves_what_was_there(memory):
    save({"a": 1}, "memory://x.json")
    with pytest.raises(SaveError):
        save({"a": object()}, "memory://x.json")
    assert load("memory://x.json").a == 1


@pytest.fixture
def server(tmp_path):
    """A local web server for the files of a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def in_a_process(program, *words):
    """Runs a program by itself: the client of a web server leaves an event loop behind."""
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.strip()


def test_a_file_is_read_from_a_web_server(server, tmp_path):
    pytest.importorskip("aiohttp")
    (tmp_path / "x.yaml").write_text("a:\n  lr: 1e-3\n")
    program = "import sys; from callsheet import load; print(load(sys.argv[1]).a.lr)"
    assert in_a_process(program, f"{server}/x.yaml") == "0.001"
    assert in_a_process(program, f"{server}/x.yaml?version=3") == "0.001"


def test_a_file_that_a_web_server_has_not_got(server):
    pytest.importorskip("aiohttp")
    program = """
import sys
from callsheet import load
from callsheet.errors import LoadError
try:
    load(sys.argv[1])
except LoadError as error:
    print(error)
"""
    assert in_a_process(program, f"{server}/x.yaml") == f"there is no file {server}/x.yaml"


def test_a_file_that_is_not_there(memory):
    assert told(lambda: load("memory://no.yaml"), LoadError) == "there is no file memory://no.yaml"


def test_a_store_that_is_not_known():
    assert told(lambda: load("nowhere://x.json"), LoadError).startswith(
        "nowhere://x.json names no store that is known: "
    )
    assert told(lambda: save({}, "nowhere://x.json"), SaveError).startswith(
        "nowhere://x.json names no store that is known: "
    )


def test_a_store_that_only_reads_says_so(server):
    pytest.importorskip("aiohttp")
    program = """
import sys
from callsheet import save
from callsheet.errors import SaveError
try:
    save({}, sys.argv[1])
except SaveError as error:
    print(error)
"""
    found = in_a_process(program, f"{server}/x.json")
    assert found.startswith(f"{server}/x.json cannot be written: ")


def test_without_fsspec_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    expected = "s3://b/x.json is a remote path, which needs fsspec\n  pip install 'callsheet[remote]'"
    assert told(lambda: load("s3://b/x.json"), LoadError) == expected
    assert told(lambda: save({}, "s3://b/x.json"), SaveError) == expected


def test_fsspec_is_imported_for_remote_paths_only(project):
    project(
        "main.py",
        """
        import sys
        from callsheet import load, save
        save({"a": 1}, "x.json")
        load("x.json")
        assert "fsspec" not in sys.modules
        """,
    )
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_code_is_run_from_local_files_only(memory):
    memory.pipe_file("/conf.py", b"a = 1\n")
    assert told(lambda: load("memory://conf.py"), LoadError) == (
        "memory://conf.py is code, which is run from a local file alone: copy it to one"
    )


def test_values_know_their_line(memory):
    memory.pipe_file("/x.yaml", b"a:\n  b: 1\n")
    cfg = load("memory://x.yaml")
    assert origin(cfg, "a.b").where == "memory://x.yaml:2"
    cfg = load("memory://x.yaml")
    memory.pipe_file("/x.yaml", b"a:\n  b: 2\n")
    assert origin(cfg, "a.b").where == "memory://x.yaml"


def test_a_sweep_over_a_remote_file(memory):
    memory.pipe_file("/x.yaml", b"a: 1\nb: ${a}\n")
    assert [trial.spec.b for trial in sweep("memory://x.yaml", ["a=1,2"])] == [1, 2]


def test_a_path_object_and_a_relative_path_are_local(project, tmp_path):
    save({"a": 1}, tmp_path / "x.json")
    assert load("x.json").a == load(tmp_path / "x.json").a == 1
    assert os.listdir(tmp_path) == ["x.json"]
