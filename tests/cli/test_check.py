"""`callsheet check` tells every fault of a spec at once, and builds nothing (promises 7, 19)."""

import pytest


def test_the_two_faults_of_the_listing_are_told_exactly_so(cmd):
    cmd.listing()
    said = cmd("check", "conf.py", "optim.lrr=3e-3", "model.width=64x", code=1)
    assert said.out == ""
    assert (
        said.err
        == """\
callsheet: 2 faults, nothing was built
  optim.lrr    no such argument of train.Adam                   command line
               did you mean  optim.lr = 0.001  (conf.py:8)?
  model.width  must be int, found '64x'                         command line
               Net(width: int = 32, classes: int = 10)
"""
    )


def test_faults_come_in_the_order_in_which_they_were_typed(cmd):
    cmd.listing()
    said = cmd("check", "conf.py", "model.width=64x", "optim.lrr=3e-3", code=1)
    assert [line.split()[0] for line in said.err.splitlines()[1::2]] == ["model.width", "optim.lrr"]


def test_a_spec_without_faults_says_so(cmd):
    cmd.listing()
    assert cmd("check", "conf.py").out == "conf.py: 4 calls, no faults\n"
    assert cmd("check", "conf.py:model", "epochs=8").out == "conf.py:model: 1 call, no faults\n"


def test_nothing_is_built_and_no_directory_is_made(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import touch\nmain = lazy(touch)('built')\n",
        train="def touch(name: str): open(name, 'w')\n",
    )
    before = sorted(path.name for path in cmd.root.iterdir())
    cmd("check", "conf.py")
    cmd("check", "conf.py", "main.0=[5]", code=1)
    assert sorted(path.name for path in cmd.root.iterdir()) == before


def test_all_faults_come_together_whoever_made_them(cmd):
    cmd.config(
        """
        from callsheet import MISSING, lazy, ref
        from train import fit

        main = lazy(fit)(lr=MISSING, width="wide")
        other = lazy("train.gone")()
        dangling = lazy(fit)(0.1, width=ref("nothing.here"))
        """,
        train="def fit(lr: float, width: int = 3, depth: int = 2): ...\n",
    )
    said = cmd("check", "conf.py", "other2=1", "main.depth=deep", code=1)
    told = [line.split()[0] for line in said.err.splitlines() if line[2:3].strip()]
    assert sorted(told[1:]) == ["dangling.width", "main.depth", "main.lr", "main.width", "other", "other2"]
    assert told[1:3] == ["other2", "main.depth"]
    assert said.err.startswith("callsheet: 6 faults, nothing was built\n")


def test_json_gives_the_faults_as_data(cmd):
    cmd.listing()
    said = cmd("check", "conf.py", "optim.lrr=3e-3", "--json", code=1)
    assert said.err == ""
    assert said.data == {
        "faults": [
            {
                "path": "optim.lrr",
                "problem": "no such argument of train.Adam",
                "origin": "command line",
                "advice": ["did you mean  optim.lr = 0.001  (conf.py:8)?"],
            }
        ]
    }
    assert cmd("check", "conf.py", "--json").data == {"faults": [], "notes": [], "also_changed": [], "calls": 4}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (1,\n", "callsheet: 1 fault, nothing was built\n"),
        (
            "x = 1\nimport nothing_like_it\ny = nothing_like_it.z\n",
            "cannot import nothing_like_it: no module named 'nothing_like_it'",
        ),
        ("def half(x):\n    return x / 0\ny = half(3)\n", "ZeroDivisionError: division by zero"),
        ("from .conf import x\ny = 1\n", "conf.py takes from itself"),
    ],
    ids=["syntax", "import", "exception", "cyclic import"],
)
def test_a_bad_config_is_one_clear_message_with_file_and_line(cmd, text, said):
    cmd.write("conf.py", text)
    told = cmd("check", "conf.py", code=1)
    assert said in told.err
    assert "conf.py:" in told.err or "itself" in said
    assert "Traceback" not in told.err
    assert max(map(len, told.err.splitlines())) <= 80


def test_the_line_that_failed_is_shown_with_the_line_that_called_it(cmd):
    cmd.write("conf.py", "def half(x):\n    return x / 0\ny = half(3)\n")
    assert (
        cmd("check", "conf.py", code=1).err
        == """\
callsheet: 1 fault, nothing was built
  conf.py:2  ZeroDivisionError: division by zero
             conf.py:2  return x / 0
             conf.py:3  y = half(3)
"""
    )


@pytest.mark.parametrize(
    "name", ["nope.py", "nope.json", "nope.txt", "folder", "rubbish.py", "rubbish.json", "nope.py:model"]
)
def test_what_is_no_config_is_one_clear_message(cmd, name):
    (cmd.root / "folder").mkdir()
    for kind in ("py", "json"):
        (cmd.root / f"rubbish.{kind}").write_bytes(bytes(range(256)))
    said = cmd("check", name, code=1)
    assert name.partition(":")[0] in said.err
    assert said.err.startswith("callsheet: ")
    assert said.err.count("\n") <= 4


@pytest.mark.parametrize("words", [["check"], ["run"], ["sweep", "n=1,2"], ["plan", "n=1,2"]])
def test_a_reference_that_leads_back_to_itself_is_told_with_its_place_by_all_verbs(cmd, words):
    cmd.write("conf.py", 'from callsheet import lazy\nn = 1\na = 2\nmain = lazy(dict)(a="${a}")\n')
    said = cmd(words[0], "conf.py", *words[1:], "a=${a}", code=1)
    assert "\n  a       is a reference that leads back to itself: a → a       command line\n" in said.err
    assert "\n  main.a  is a reference that leads back to itself: a → a       conf.py:4\n" in said.err


@pytest.mark.parametrize("line", ["y = x['z']", "y = x.z", "del x['z']", "y = [1, x][4]", "y = call[2]", "y = call.z"])
def test_what_a_config_asks_of_what_does_not_have_it_is_told_at_its_line(cmd, line):
    cmd.write("conf.py", f"from callsheet import lazy\nx = {{'a': 1}}\ncall = lazy(dict)(a=1)\n{line}\n")
    said = cmd("check", "conf.py", code=1)
    assert "\n  conf.py:4  " in said.err
    assert said.err.endswith(f"conf.py:4  {line}\n")
    (fault,) = cmd("check", "conf.py", "--json", code=1).data["faults"]
    assert fault["origin"] == "conf.py:4"


@pytest.mark.parametrize(
    "words",
    [
        ["check", "conf.py"],
        ["run", "conf.py"],
        ["plan", "conf.py", "main.n=1,2"],
        ["sweep", "conf.py", "main.n=1,2"],
        ["rerun", "RUN"],
        ["compare", "RUN", "RUN"],
        ["runs"],
    ],
)
def test_settings_of_the_project_that_mean_nothing_are_told_by_all_verbs_that_check(cmd, words):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): return n\n",
    )
    if words[0] in ("rerun", "compare", "runs"):
        cmd("run", "conf.py")
    known = cmd.ids()
    cmd.write("pyproject.toml", '[tool.callsheet]\nalow = ["train"]\n')
    said = cmd(*(known[0] if word == "RUN" else word for word in words), code=None)
    assert said.code != 0
    assert "tool.callsheet.alow  is no setting of Callsheet" in said.err
    assert "did you mean  allow?" in said.err
    assert cmd.ids() == known
