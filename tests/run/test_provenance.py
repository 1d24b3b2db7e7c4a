"""A run records the code it ran, and a sweep runs again what other code did (promises 21, 25)."""

import os
import pty
import subprocess

import pytest

from callsheet.run._provenance import code_of

CONF = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n"
TRAIN = "def fit(n: int): return n\n"
SWEEP = ("sweep", "conf.py", "main.0=1,2")


@pytest.fixture
def versioned(cmd):
    """A git repository with a committed config and module."""
    cmd.config(CONF, train=TRAIN).commit()
    return cmd


def version(cmd):
    return code_of(cmd.root, [str(cmd.root / "conf.py")], cmd.runs).version


def test_the_commit_the_uncommitted_diff_and_untracked_files_are_recorded(versioned):
    cmd = versioned
    cmd.write("train.py", "def fit(n: int): return n + 1\n")
    cmd.write("notes/new.txt", "new")
    cmd.write("ignored.log", "x")
    cmd.write(".gitignore", "runs/\n*.log\n__pycache__/\n")
    cmd("run", "conf.py")
    code = cmd.read("run.json")["code"]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=cmd.root, capture_output=True, text=True, check=True).stdout
    assert code["commit"] == head.strip()
    assert code["untracked"] == ["notes/new.txt"]
    diff = cmd.text("code.diff")
    assert "-def fit(n: int): return n\n+def fit(n: int): return n + 1\n" in diff
    cmd.git("stash")
    cmd.git("apply", str(cmd.file("code.diff")))
    assert (cmd.root / "train.py").read_text() == "def fit(n: int): return n + 1\n"


def test_staged_changes_are_in_the_diff_too(versioned):
    versioned.write("train.py", "def fit(n: int): return n + 1\n")
    versioned.git("add", "train.py")
    assert "+def fit(n: int): return n + 1" in code_of(versioned.root).diff


def test_new_code_that_is_not_added_yet_is_in_the_diff(versioned):
    files = {
        "lay ers/__init__.py": "",
        "lay ers/norm.py": "class Norm:\n    pass\n\n\n",
        "end.py": "x = 'ä'\n\ny = 2",
        'qu"ote.py': "x = 1\n",
        "one.py": "\n",
    }
    for name, text in files.items():
        path = versioned.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    versioned.write("train.py", "def fit(n: int): return n + 1\n")
    versioned.write("token.txt", "secret")
    versioned.write("other.py", "lr = 1\n")
    diff = code_of(versioned.root, [str(versioned.root / "other.py")]).diff
    assert "secret" not in diff
    assert "other.py" not in diff
    (versioned.root.parent / "code.diff").write_text(diff)
    versioned.git("stash", "-u")
    versioned.git("apply", str(versioned.root.parent / "code.diff"))
    assert {name: (versioned.root / name).read_text() for name in files} == files
    assert (versioned.root / "train.py").read_text() == "def fit(n: int): return n + 1\n"


def test_new_code_beyond_a_megabyte_is_named_in_the_diff(versioned):
    versioned.write("large.py", "x = 1\n" * 200_000)
    versioned.write("small.py", "x = 1\n")
    diff = code_of(versioned.root).diff
    assert diff.startswith("new files that are too large to be kept here: large.py\ndiff --git a/small.py b/small.py\n")
    (versioned.root / "small.py").unlink()
    (versioned.root.parent / "code.diff").write_text(diff)
    versioned.git("apply", str(versioned.root.parent / "code.diff"))
    assert (versioned.root / "small.py").read_text() == "x = 1\n"


def test_how_the_user_likes_to_read_diffs_does_not_change_the_record(versioned):
    versioned.write("train.py", "def fit(n: int): return n + 1\n")
    plain = code_of(versioned.root).diff
    for setting in (
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.external", "true"),
        ("diff.mnemonicPrefix", "true"),
    ):
        versioned.git("config", *setting)
    assert code_of(versioned.root).diff == plain
    assert plain.startswith("diff --git a/train.py b/train.py\n")


def test_nothing_is_recorded_of_the_runs_themselves(cmd):
    cmd.config(CONF, train=TRAIN)
    cmd.git("init", "-q")
    cmd("run", "conf.py")
    cmd("run", "conf.py")
    for name in cmd.ids():
        code = cmd.read("run.json", name)["code"]
        assert not [path for path in code["untracked"] if path.startswith("runs")]


def test_without_git_the_version_is_a_digest_of_the_python_files(cmd):
    cmd.config(CONF, train=TRAIN)
    first = version(cmd)
    cmd.write("train.py", TRAIN + "# a comment\n")
    second = version(cmd)
    cmd.write("train.py", TRAIN)
    assert version(cmd) == first != second
    cmd.write("deep/er/more.py", "")
    assert version(cmd) != first


@pytest.mark.parametrize(
    "name", [".hidden/x.py", "__pycache__/x.py", "notes.txt", "env/lib/x.py", "runs/abcdef/x.py", "conf.py"]
)
def test_what_is_no_code_does_not_count(cmd, name):
    cmd.config(CONF, train=TRAIN)
    before = version(cmd)
    cmd.write("env/pyvenv.cfg", "")
    cmd.write(name, "other = 1\n")
    assert version(cmd) == before


def test_in_git_files_that_are_not_added_yet_count_and_ignored_ones_do_not(versioned):
    before = version(versioned)
    versioned.write("scratch.py", "x = 1\n")
    added = version(versioned)
    assert added != before
    versioned.git("add", "scratch.py")
    assert version(versioned) == added
    versioned.write(".gitignore", "build/\n")
    versioned.write("build/made.py", "x = 1\n")
    assert version(versioned) == added


def test_a_project_that_an_outer_repository_ignores_has_a_version_all_the_same(versioned):
    versioned.write(".gitignore", "inner/\n")
    versioned.write("inner/train.py", "x = 1\n")
    inner = versioned.root / "inner"
    before = code_of(inner).version
    versioned.write("inner/train.py", "x = 2\n")
    assert code_of(inner).version != before


def test_a_commit_alone_changes_no_version(versioned):
    versioned.write("train.py", TRAIN + "\n")
    before = version(versioned)
    versioned.git("commit", "-qam", "more")
    assert version(versioned) == before


def test_a_tracked_file_that_was_deleted_changes_it(versioned):
    before = version(versioned)
    (versioned.root / "train.py").unlink()
    assert version(versioned) != before


SUBMIT = """
    from callsheet import load, submit, sweep

    if __name__ == "__main__":
        submit(sweep(load("conf.py"), "main.0=1,2")).results()
        submit(load("conf.py")).results()
"""


def test_what_ran_of_a_spec_in_memory_is_not_of_other_code_since_a_file_is_a_config_now(cmd):
    cmd.config(CONF, train=TRAIN).write("ask.py", SUBMIT)
    cmd(module="ask")
    assert len(cmd.ids()) == 3
    assert cmd(*SWEEP).out == "2 trials, 2 done before\n"
    cmd.write("train.py", TRAIN + "# a comment\n")
    assert "  changed since: train.py\n" in cmd(*SWEEP, code=1).err


def test_what_ran_of_a_file_is_not_of_other_code_where_its_spec_is_in_memory(cmd):
    cmd.config(CONF, train=TRAIN).write("ask.py", SUBMIT)
    cmd(*SWEEP)
    cmd(module="ask")
    assert len(cmd.ids()) == 3  # the two of the sweep, and the spec that is run whenever it is submitted


@pytest.mark.parametrize("with_git", [True, False], ids=["git", "no git"])
def test_a_sweep_skips_what_this_code_did_and_asks_what_becomes_of_what_other_code_did(cmd, with_git):
    cmd.config(CONF, train=TRAIN)
    if with_git:
        cmd.commit()
    cmd(*SWEEP)
    assert cmd(*SWEEP).out == "2 trials, 2 done before\n"
    cmd.write("train.py", TRAIN.replace("return n", "return n * 10"))
    said = cmd(*SWEEP, code=1)
    assert (
        said.err
        == """\
callsheet: 2 trials were finished by other code
  changed since: train.py
  --keep  counts them as done
  --redo  runs finished trials again
"""
    )
    assert (said.out, len(cmd.ids())) == ("", 2)
    assert cmd(*SWEEP, "--keep").out == "2 trials, 2 done before\n"
    assert cmd(*SWEEP, "--redo").out.startswith("2 trials, 2 to run, 2 at a time\n")
    assert sorted(cmd.read("result.json", name)["result"] for name in cmd.ids()) == [1, 2, 10, 20]
    assert cmd(*SWEEP).out == "2 trials, 2 done before\n"
    cmd.write("train.py", TRAIN)
    assert cmd(*SWEEP).out == "2 trials, 2 done before\n"


def test_at_a_terminal_one_is_asked(cmd):
    cmd.config(CONF, train=TRAIN)
    cmd(*SWEEP)
    cmd.write("train.py", TRAIN.replace("return n", "return n * 10"))
    for answer, told in (("keep", "2 trials, 2 done before\n"), ("redo", "2 trials, 2 to run, 2 at a time\n")):
        ours, theirs = pty.openpty()
        process = cmd.start(*SWEEP, stdin=theirs, stderr=theirs)
        os.close(theirs)
        os.write(ours, f"{answer}\n".encode())
        out, _ = process.communicate()
        asked = os.read(ours, 10_000).decode()
        os.close(ours)
        assert "2 trials were finished by other code" in asked
        assert out.startswith(told)


def test_a_run_that_was_cut_off_does_not_go_on_with_other_code(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1, dir='${run.dir}')\n",
        train="import os\ndef fit(n, dir): os.kill(os.getpid(), 9)\n",
    )
    cmd("sweep", "conf.py", "main.0=1,2", code=1)
    lost = cmd.ids()
    cmd.write("train.py", "def fit(n, dir): return n\n")
    cmd("sweep", "conf.py", "main.0=1,2")
    new = [name for name in cmd.ids() if name not in lost]
    assert sorted(cmd.read("result.json", name)["result"] for name in new) == [1, 2]
