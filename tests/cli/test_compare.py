"""`callsheet compare` puts runs side by side: what differs between them, and what came out (promise 25)."""

import pytest

from command import masked


@pytest.fixture
def swept(cmd):
    """Four runs."""
    cmd.listing()("sweep", "conf.py", "optim.lr=1e-3,3e-3", "model.width=32,128", "--slots", "1")
    return cmd


def test_only_what_differs_is_shown(swept):
    said = swept("compare")
    assert (
        masked(said.out)
        == """\
run     no.  state  model.width  optim.lr      loss  accuracy
ID0001    1  done   32           0.001      0.00625    0.9928
ID0002    2  done   128          0.001     0.001563    0.9974
ID0003    3  done   32           0.003      0.00625    0.9908
ID0004    4  done   128          0.003     0.001563    0.9954
"""
    )
    first, *_, last = swept.ids()
    assert [line.split()[0] for line in swept("compare", last, first[:5]).out.splitlines()] == ["run", last, first]
    rows = swept("compare", "--maximize", "accuracy").out.splitlines()[1:]
    assert [row.split()[-1] for row in rows] == ["0.9974", "0.9954", "0.9928", "0.9908"]
    rows = swept("compare", "--minimize", "accuracy", "--json").data
    assert [row["number"] for row in rows] == [3, 1, 4, 2]
    assert rows[0]["values"] == {"model.width": "32", "optim.lr": "0.003"}
    said = swept("compare", "--minimize", "time", code=1)
    assert said.err == "callsheet: no run has a number named 'time'\n  results have accuracy, loss\n"


def test_experiments_stand_apart(cmd):
    cmd.listing()("run", "conf.py")
    cmd.write("other.py", (cmd.root / "conf.py").read_text())
    cmd("run", "other.py", "epochs=7")
    assert (
        masked(cmd("compare").out)
        == """\
run     experiment  no.  state  epochs      loss  accuracy
ID0001  conf          1  done   5       0.003125    0.9959
ID0002  other         1  done   7       0.002232    0.9968
"""
    )
    (row,) = cmd("compare", "--experiment", "other", "--json").data
    assert cmd.read("run.json", row["run"])["overrides"] == ["epochs=7"]
    assert cmd("compare", "--experiment", "none", code=1).err == (
        "callsheet: no run is of the experiment 'none'\n  there are runs of conf, other\n"
    )


def test_columns_stand_below_each_other_whatever_letters_they_hold(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(name='a')\n",
        train="def fit(name: str): return {'損失': len(name)}\n",
    )
    for name in ("損失関数", "ab", "e\u0301", "関" * 50):
        cmd("run", "conf.py", f"main.name={name}")
    assert masked(cmd("compare", *cmd.ids()[:3]).out) == (
        "run     no.  state  main.name   損失\n"
        "ID0001    1  done   '損失関数'     4\n"
        "ID0002    2  done   'ab'           2\n"
        "ID0003    3  done   'e\u0301'            2\n"
    )
    assert f"  '{'関' * 12}…{'関' * 6}'  " in cmd("compare").out
    listed = cmd("runs", "--columns", "id,main.name,result.損失", "--sort", "number").out.splitlines()
    assert masked("\n".join(listed[:2])) == f"run     main.name{' ' * 93}result.損失\nID0001  損失関数{' ' * 104}4"
    overrides = cmd("runs").out.splitlines()[1]
    assert overrides.endswith(f"  main.name={'関' * 50}    50")


def test_without_runs_it_says_how_to_make_one_and_makes_no_directory(cmd):
    said = cmd("compare", code=1)
    assert said.err == (
        f"callsheet: there are no runs in {cmd.root}/runs\n  callsheet run FILE  makes one; --runs DIR  looks elsewhere\n"
    )
    assert not cmd.runs.exists()


def test_runs_in_another_folder_and_failed_ones_are_shown(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): return 1 / n\n",
    )
    cmd("run", "conf.py", "--runs", "elsewhere")
    cmd("run", "conf.py", "main.n=0", "--runs", "elsewhere", code=1)
    assert not cmd.runs.exists()
    assert (
        masked(cmd("compare", "--runs", "elsewhere").out)
        == """\
run     no.  state   main.n  result
ID0001    1  done    1            1
ID0002    2  failed  0            -
"""
    )


def test_a_call_is_compared_by_what_it_calls_and_numbers_are_short(cmd):
    cmd.config(
        """
        from callsheet import lazy
        from train import sgd, fit
        optim = lazy(sgd)(lr=0.1234567)
        main = lazy(fit)(optim, n=1)
        """,
        train="""
        def sgd(lr=0.1): return lr
        def adam(lr=0.1): return lr * 2
        def fit(optim: float, n: int): return optim * n
        """,
    )
    cmd("run", "conf.py")
    cmd("run", "conf.py", "optim=train.adam", f"+note={'a' * 30}{'b' * 30}")
    assert (
        masked(cmd("compare").out)
        == """\
run     no.  state  optim  note                                      result
ID0001    1  done   sgd    -                                         0.1235
ID0002    2  done   adam   'aaaaaaaaaaaaaaaaaaaaaaaaa…bbbbbbbbbbbb'  0.2469
"""
    )
    assert cmd("runs", "optim=adam", "--columns", "optim,result.result").out == (
        "optim  result.result\nadam          0.2469\n"
    )


EXPERIMENTS = """
    from dataclasses import dataclass, field, replace
    from callsheet.run import Experiment, Launch
    from callsheet import lazy
    from train import fit

    @dataclass
    class HP:
        lr: float = 0.1
        width: int = 32

    C1 = Experiment(Launch("echo {{hp.lr}} {{hp.width}}", experiment="nets"), hp=HP())
    C2 = replace(C1, hp=HP(lr=0.2))
    n = 1
    sizes = {"a": 1}
    main = lazy(fit)(n=n, size="${sizes.a}")
"""


@pytest.fixture
def experiments(cmd):
    cmd.config(EXPERIMENTS, train="def fit(n: int, size: int): return n / size\n")
    return cmd


def test_what_a_run_does_not_reach_is_not_compared(experiments):
    cmd = experiments
    cmd("run", "conf.py:C1")
    cmd.config(EXPERIMENTS.replace("lr=0.2", "lr=0.3"))
    cmd("run", "conf.py:C1", "hp.width=64")
    (first, second) = cmd("compare", "--json").data
    assert first["values"] == {"C1.hp.width": "32"}
    assert second["values"] == {"C1.hp.width": "64"}


def test_experiments_of_a_file_are_compared_under_the_same_names(experiments):
    cmd = experiments
    cmd("run", "conf.py:C1")
    cmd("run", "conf.py:C2", "hp.width=64")
    (first, second) = cmd("compare", "--json").data
    assert first["values"] == {"hp.lr": "0.1", "hp.width": "32"}
    assert second["values"] == {"hp.lr": "0.2", "hp.width": "64"}
    assert cmd("runs", "hp.lr>0.1", "--columns", "hp.lr,C2.hp.lr,C1.hp.lr").out == (
        "hp.lr  C2.hp.lr  C1.hp.lr\n  0.2       0.2       0.1\n"
    )


def test_what_an_override_has_set_is_compared_although_only_its_value_is_reached(experiments):
    cmd = experiments
    cmd("run", "conf.py")
    cmd("run", "conf.py", "sizes.a=2", "n=3")
    values = [row["values"] for row in cmd("compare", "--json").data]
    assert values == [{"n": "1", "sizes.a": "1"}, {"n": "3", "sizes.a": "2"}]


def test_a_report_takes_the_place_of_a_report_and_of_nothing_else(swept):
    swept("report", "-o", "page.html")
    swept("report", "-o", "page.html", "--title", "again")
    assert "<title>again" in (swept.root / "page.html").read_text()
    before = (swept.root / "conf.py").read_text()
    said = swept("report", "-o", "conf.py", code=1)
    assert said.err == "callsheet: conf.py is there already, and is no report\n  -o FILE  names another\n"
    assert (swept.root / "conf.py").read_text() == before


def test_a_report_that_cannot_be_written_says_so(swept):
    said = swept("report", "-o", "nowhere/page.html", code=1)
    assert said.err == "callsheet: nowhere/page.html cannot be written: No such file or directory\n"


def test_an_error_of_several_lines_takes_one_line_of_a_sweep(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): raise ValueError('one\\n  two')\n",
    )
    said = cmd("sweep", "conf.py", "main.n=1,2", code=1)
    assert said.out.count("failed: ValueError: one two\n") == 2
