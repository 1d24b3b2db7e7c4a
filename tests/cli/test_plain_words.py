"""`show` and `diff` answer without click where their words are plain, and say the same as they do through click."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

import callsheet
from callsheet._terminal import columns
from callsheet.cli import diff, show
from callsheet.cli._config import command_of
from command import Project

THROUGH_CLICK = """
import sys

from callsheet.cli._group import command

command(prog_name="callsheet")
"""

FILES = {
    "data.json": '{"main": {"_target_": "train:Net", "depth": 3}}',
    "migrated.json": '{"main": {"_target_": "train:OldNet", "n_layers": 3}}',
    "pyproject.toml": """
        [tool.callsheet]
        allow = ["train"]

        [tool.callsheet.migrations]
        "train:OldNet" = "train:Net"
        "train:Net.n_layers" = "width"
        """,
    "broken.py": "a = = 1\n",
    "failing.py": "import loud\n\nx = loud.fail()\n",
    "loud.py": "def fail():\n    raise ValueError('too loud')\n",
    "warning.py": """
        import warnings

        import loud
        from callsheet import CallsheetWarning

        loud.__name__
        warnings.warn("not so good", CallsheetWarning)
        warnings.warn("not so good", CallsheetWarning)
        warnings.warn("ordinary", UserWarning)
        x = 1
        """,
    "printing.py": "print('read')\nx = 1\n",
    "typed.py": """
        from dataclasses import dataclass

        from callsheet import lazy
        from train import Net

        @dataclass
        class Optim:
            lr: float = 0.1

        optim = Optim()
        name = "\\u00e4 \\u2192"
        """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = Project(tmp_path_factory.mktemp("plain")).listing()
    for name, text in {**FILES, "clicked.py": THROUGH_CLICK}.items():
        found.write(name, text)
    found.write("runs/abcdef/run.json", '{"id": "abcdef", "overrides": []}')
    found.write("runs/abcdef/spec.json", '{"lr": 0.1, "_format_": 1}')
    origin = '{"lr": [{"value": "0.1", "kind": "file", "where": "old.py:3", "text": ""}]}'
    found.write("runs/abcdef/origins.json", origin)
    found.write("runs/bcdef0/run.json", '{"id": "bcdef0", "not_data": ["x"]}')
    found.write("runs/bcdef0/spec.txt", "x = <object>\n")
    return found


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("show conf.py epochs=8 optim.lr=3e-3 +more=1", 0),
        ("show conf.py:model width=3 model.width=5", 0),
        ("show conf.py --origins epochs=8", 0),
        ("show --json conf.py", 0),
        ("show --path=sub --path other data.json --allow train", 0),
        ("show migrated.json", 0),
        ("show typed.py", 0),
        ("show warning.py", 0),
        ("show abcdef:lr", 0),
        ("show bcdef0", 0),
        ("show runs/bcdef0 --origins", 1),
        ("show abcdef --runs runs", 0),
        ("show conf.py:modle", 1),
        ("show cnof.py", 1),
        ("show nope", 1),
        ("show broken.py", 1),
        ("show failing.py", 1),
        ("show failing.py --json", 1),
        ("show typed.py optim.lrr=1 optim.lr=x", 1),
        ("show typed.py optim.lr=x --json", 1),
        ("show conf.py epochs=[1", 2),
        ("show conf.py epochs=1,2", 1),
        ("show", 2),
        ("show conf.py --orgins", 2),
        ("show conf.py --path", 2),
        ("show conf.py --json=yes", 2),
        ("show abcdef lr=2", 2),
        ("show -- conf.py epochs=3", 0),
        ("show --help", 0),
        ("diff conf.py epochs=8", 1),
        ("diff conf.py epochs=5", 0),
        ("diff conf.py data.json --json", 1),
        ("diff abcdef conf.py", 1),
        ("diff typed.py name=b", 1),
        ("diff failing.py x=1", 2),
        ("diff typed.py optim.lr=x", 2),
        ("diff conf.py", 2),
        ("diff printing.py abcdef lr=1", 2),
        ("diff -h", 0),
    ],
)
def test_both_ways_say_the_same(folder, words, code):
    plain = folder(*words.split(), code=code)
    assert folder(*words.split(), module="clicked", code=code) == plain
    assert plain.out or plain.err


@pytest.mark.parametrize(("encoding", "arrow"), [("ascii", "→"), ("utf-8", "→"), ("latin-1:strict", r"\u2192")])
def test_what_a_terminal_has_no_letter_for_is_written_all_the_same(folder, encoding, arrow):
    env = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for verb in (("diff", "conf.py", "epochs=8"), ("check", "conf.py", "epochs=8")):
        assert f"epochs  5 {arrow} 8" in folder(*verb, code=None, env=env).out
    words = ("diff", "conf.py", "epochs=8")
    assert folder(*words, code=1, env=env) == folder(*words, module="clicked", code=1, env=env)


@pytest.mark.parametrize("words", [("show", "nope.py"), ("show", "--nope"), ("help", "nope.py"), ("run", "nope.py")])
def test_where_standard_error_is_closed_faults_are_not_told_in_its_place(folder, words):
    shell = ["bash", "-c", f"{sys.executable} -m callsheet {' '.join(words)} 2>&-"]
    said = subprocess.run(shell, stdout=subprocess.PIPE, text=True, cwd=folder.root)
    assert (said.stdout, said.returncode) == ("", 2 if "--nope" in words else 1)


@pytest.mark.parametrize("verb", ["show", "diff", "help"])
def test_whoever_stops_listening_is_told_nothing(folder, verb):
    words = (verb, "conf.py", "epochs=8")
    for ends in ("| true", ">&-"):
        shell = ["bash", "-c", f"{sys.executable} -m callsheet {' '.join(words)} {ends}"]
        assert subprocess.run(shell, capture_output=True, text=True, cwd=folder.root).stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a disk that is always full")
@pytest.mark.parametrize(("verb", "code"), [("show", 1), ("diff", 2)])
def test_a_full_disk_is_one_line(folder, verb, code):
    with open("/dev/full", "w") as full:
        said = folder(verb, "conf.py", "epochs=8", stdout=full, code=None)
    assert said.err == "callsheet: [Errno 28] No space left on device\n"
    assert said.code == code


def test_a_terminal_that_does_not_tell_its_width_has_80_columns(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", terminal)
        assert os.get_terminal_size(theirs).columns == 0
        assert columns() == 80
    os.close(ours)


def test_a_warning_of_a_config_is_told_once_and_by_name(folder):
    assert folder("show", "warning.py").err.startswith("callsheet: not so good\n")
    assert folder("show", "warning.py").err.count("not so good") == 1
    assert "UserWarning: ordinary" in folder("show", "warning.py").err


def test_misuse_is_told_before_anything_is_read(folder):
    assert folder("diff", "printing.py", "abcdef", "lr=1", code=2).out == ""


@pytest.mark.parametrize("verb", [show.VERB, diff.VERB], ids=lambda verb: verb.name)
@given(
    st.lists(
        st.sampled_from(
            [
                "a.py",
                "b=1",
                "--json",
                "--origins",
                "--path",
                "--path=p",
                "--path=",
                "--allow",
                "--allow=m",
                "--runs",
                "--runs=r",
                "--runs=a=b",
                "--json=1",
                "--js",
                "--help",
                "-h",
                "--",
                "-",
                "-x",
                "--nope",
                "~c",
                "@d",
                "+e=2",
                "''",
                "x",
            ]
        ),
        max_size=6,
    )
)
def test_plain_words_mean_to_click_what_they_mean_to_us(verb, words):
    ours = verb.given([word.strip("'") for word in words])
    if ours is not None:
        theirs = command_of(verb).make_context(verb.name, words.copy())
        assert theirs.params == ours


@pytest.mark.parametrize("verb", [show.VERB, diff.VERB], ids=lambda verb: verb.name)
def test_every_option_can_be_given_in_plain_words(verb):
    for option in verb.options:
        words = ["a.py", option.flag, *(["value"] if option.metavar else [])]
        assert verb.given(words)[option.name] in (True, "value", ("value",))
    assert isinstance(command_of(verb), click.Command)


SLOW = ["ast", "click", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "hashlib", "inspect"]
SLOW += ["json", "pathlib", "re", "subprocess", "threading", "tokenize", "traceback", "typing"]
SLOW += ["callsheet._about", "callsheet._build", "callsheet._check", "callsheet._guide", "callsheet._signature_cache"]
SLOW += ["callsheet.run", "callsheet.cli._config", "callsheet.cli._faults", "callsheet.cli._recorded", "train"]


@pytest.mark.parametrize("words", ["show conf.py epochs=8 +more=1", "show conf.py --origins", "help conf.py epochs=8"])
def test_what_is_slow_to_import_is_not_imported_to_show_a_plain_config(folder, words):
    os.utime(folder.root / "train.py", (1, 1))  # of what was written just now nothing is remembered
    _loaded_by(folder.root, "check conf.py")
    loaded = _loaded_by(folder.root, words)
    assert "callsheet._session" in loaded
    wanted = {"callsheet._about", "callsheet._guide", "callsheet._signature_cache"} if "help" in words else set()
    assert sorted(loaded.intersection(SLOW) - wanted) == []


def test_the_list_of_what_is_slow_names_modules_as_they_are_loaded(folder):
    known = set().union(
        *(_loaded_by(folder.root, words) for words in ("run conf.py", "check conf.py", "why abcdef lr", "help conf.py"))
    )
    assert sorted(set(SLOW) - known) == []


def _loaded_by(root, words):
    """What a command loads; what `site` has loaded before is no doing of ours."""
    source = Path(callsheet.__file__).parent.parent
    program = (
        f"import sys; before = {{*sys.modules}}; sys.path.insert(0, {str(source)!r}); sys.argv = ['callsheet', *{words.split()!r}]\n"
        "from callsheet.cli import main\ntry:\n    main()\nfinally:\n    print(*(sys.modules.keys() - before), file=sys.stderr)"
    )
    child = [sys.executable, "-I", "-c", program]
    environment = {**os.environ, "CALLSHEET_CACHE": str(root / "cache")}
    said = subprocess.run(child, check=True, capture_output=True, text=True, cwd=root, env=environment)
    return set(said.stderr.split())
