"""`callsheet run` builds `main` and records the run (promises 8, 21, 22, 27)."""

import os
import signal

import pytest

from command import Project, masked, until


def test_the_listing(cmd):
    said = cmd.listing()("run", "conf.py", "epochs=2", "optim.lr=3e-3")
    assert (
        masked(said.out)
        == """\
epoch 1/2   loss 0.016
epoch 2/2   loss 0.008
recorded    runs/ID0001
"""
    )
    assert said.err == ""
    assert cmd.read("result.json") == {"loss": 1 / 128, "accuracy": 1 - 1 / 128 - 3e-3}


def test_run_always_runs(cmd):
    cmd.listing()
    for _ in range(2):
        cmd("run", "conf.py")
    assert len(cmd.ids()) == 2


def test_another_entry_than_main(cmd):
    cmd.listing()("run", "conf.py:model")
    assert cmd.read("run.json")["entry"] == "model"
    said = cmd("run", "conf.py:epoch", code=1)
    assert "epoch" in said.err
    assert len(cmd.ids()) == 1


def test_without_main_it_says_what_to_write(cmd):
    cmd.write("conf.py", "from callsheet import lazy\nnet = lazy(dict)()\n")
    assert (
        cmd("run", "conf.py", code=1).err
        == """\
callsheet: 1 fault, nothing was built
  main  is not there, and it is what a run builds
        name what to build:  conf.py:net
"""
    )
    assert not cmd.runs.exists()


def test_only_what_the_entry_reaches_must_be_right(cmd):
    cmd.config(
        "from callsheet import MISSING, lazy\nfrom train import fit\nmain = lazy(fit)(1)\nother = lazy(fit)(MISSING)\n",
        train="def fit(n: int): return n\n",
    )
    cmd("run", "conf.py")
    assert "n" in cmd("run", "conf.py:other", code=1).err


def test_from_another_folder_runs_are_in_the_project_and_the_working_directory_stays(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n",
        train="import os\ndef fit(): print(os.path.basename(os.getcwd()))\n",
    )
    (cmd.root / "sub").mkdir()
    said = cmd("run", "../conf.py", cwd=cmd.root / "sub")
    assert said.out == f"sub\nrecorded    ../runs/{cmd.ids()[0]}\n"
    assert cmd("compare", "--json", cwd=cmd.root / "sub").data[0]["run"] == cmd.ids()[0]
    assert os.listdir(cmd.root / "sub") == []


def test_where_it_was_recorded_is_told_from_where_it_was_started(cmd):
    train = "import os\ndef fit():\n    os.chdir('/')\n    return 1\n"
    cmd.config("from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n", train=train)
    said = cmd("run", "conf.py")
    (name,) = cmd.ids()
    assert said.out == f"recorded    runs/{name}\n"


def test_imports_start_in_the_projects_root_and_path_adds_folders(cmd):
    cmd.write("confs/a.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n")
    cmd.write("lib/train.py", "def fit(n: int): return n\n")
    said = cmd("run", "confs/a.py", code=1)
    assert "no module named 'train'" in said.err
    assert "the command looks in the project's root and in --path DIR" in said.err
    assert not cmd.runs.exists()
    cmd("run", "confs/a.py", "--path", "lib")
    cmd("sweep", "confs/a.py", "main.0=2,3", "--path", "lib")
    assert sorted(cmd.read("result.json", name)["result"] for name in cmd.ids()) == [1, 2, 3]


def test_a_data_file_may_import_what_is_allowed(cmd):
    cmd.write("train.py", "def fit(n: int): return n\n")
    cmd.write("conf.json", '{"main": {"_target_": "train:fit", "n": 3}}')
    said = cmd("run", "conf.json", code=1)
    assert "--allow" in said.err
    assert not cmd.runs.exists()
    cmd("run", "conf.json", "--allow", "train")
    assert cmd.read("result.json") == {"result": 3}


def test_without_a_project_the_configs_own_folder_is_the_root(tmp_path):
    cmd = Project(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    cmd.write("a/conf.py", "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n")
    cmd.write("a/train.py", "def fit(n: int): return n\n")
    said = cmd("run", "a/conf.py")
    assert masked(said.out) == "recorded    a/runs/ID0001\n"
    directory = said.out.split()[1]
    assert cmd("why", directory, "main[0]").out == "1  a/conf.py:3\n"


@pytest.mark.parametrize("text", ["=3", "width"])
def test_what_is_no_override_is_misuse(cmd, text):
    said = cmd.listing()("run", "conf.py", text, code=2)
    assert said.err.startswith(("callsheet: ", "Usage: "))
    assert "Traceback" not in said.err
    assert not cmd.runs.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_a_run_leaves_behind_when_it_is_recorded_may_be_ended(cmd, number):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)()\n",
        train="""
            import threading

            def fit():
                threading.Thread(target=threading.Event().wait).start()
                return 1
        """,
    )
    with cmd.start("run", "conf.py") as process:
        assert process.stdout.readline().startswith("recorded")
        until(lambda: process.poll() is not None or process.send_signal(number))
    assert process.returncode == -number
    assert cmd.read("status.json")["state"] == "done"
