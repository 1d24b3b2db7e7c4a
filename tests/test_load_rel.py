"""`load_rel` loads from the folder of the file that calls it, and what a config loads so counts to its files."""

import os

import pytest

from callsheet import Process, equal, lazy, load, origin, plain, resolve, save, submit, sweep
from callsheet.errors import LoadError, OverrideError
from saying import told


def test_data_is_read_from_the_folder_of_the_config(project, monkeypatch, tmp_path):
    project("conf/optim/adam.yaml", "_target_: m:Adam\nlr: 1e-3\n")
    project("conf/hp.json", '{"epochs": 3, "b": "${epochs}"}')
    project(
        "conf/main.py",
        """
        from callsheet import load_rel
        optim = load_rel("optim/adam.yaml", ["lr=0.1"])
        epochs = load_rel("hp.json", keys="epochs")
        hp = load_rel("hp.json")
        total = epochs * 2
        """,
    )
    cfg = load("conf/main.py", ["epochs=5", "optim.lr=0.2"])
    assert equal(cfg.optim, lazy("m:Adam")(lr=0.2))
    assert (cfg.epochs, cfg.total, cfg.hp.b) == (5, 10, 3)
    monkeypatch.chdir(tmp_path / "conf")
    assert load("main.py").total == 6


def test_a_config_of_python_is_loaded_as_well(project):
    project("conf/parts/net.py", "from callsheet import lazy\nwidth = 4\nnet = lazy('m:Net')(width=width)\n")
    project("conf/main.py", "from callsheet import load_rel\nnet = load_rel('parts/net.py', ['width=8'], keys='net')\n")
    assert load("conf/main.py").net.width == 8


def test_from_any_python_file(project):
    project(
        "lib/tool.py",
        """
        from callsheet import load_rel
        def config():
            return load_rel("x.yaml")
        """,
    )
    project("lib/x.yaml", "a: 1\n")
    project("lib/__init__.py", "")
    from lib.tool import config

    assert plain(config()) == {"a": 1}


def test_its_values_know_their_own_file(project):
    project("conf/x.yaml", "a:\n  b: 1\n")
    project("conf/main.py", "from callsheet import load_rel\nx = load_rel('x.yaml')\n")
    assert origin(load("conf/main.py"), "x.a.b").where == "conf/x.yaml:2"


def test_what_is_wrong_is_told_as_load_tells_it(project):
    project("conf/x.yaml", "a: 1\n")
    project("conf/main.py", "from callsheet import load_rel\nx = load_rel('y.yaml')\n")
    assert told(lambda: load("conf/main.py"), LoadError) == (
        "there is no file conf/y.yaml\n  did you mean  conf/x.yaml?"
    )
    project("conf/main.py", "from callsheet import load_rel\nx = load_rel('x.yaml', ['b=1'])\n")
    with pytest.raises(OverrideError) as caught:
        load("conf/main.py")
    assert caught.value.faults[0].origin == "conf/main.py:2"


def test_outside_of_a_file_is_an_error():
    code = compile("from callsheet import load_rel\nload_rel('x.yaml')\n", "<stdin>", "exec")
    assert told(lambda: exec(code, {}), LoadError) == (
        "load_rel was called outside of a file, which has no folder to start from\n"
        "  to read from the working directory:  load('x.yaml')"
    )


# --- the files of a trial ---------------------------------------------------------------------------------------------


def test_a_trial_knows_all_files_that_were_read_for_it(project, tmp_path):
    project("base.py", "a = 1\n")
    project("x.yaml", "v: 1\n")
    project("y.json", '{"v": 2}')
    project("part.py", "from callsheet import load\nfrom .base import a\ny = load('y.json')\n")
    project(
        "conf.py",
        """
        from callsheet import load_rel
        from .base import a
        name = "x"
        x = load_rel(f"{name}.yaml")
        part = load_rel("part.py")
        """,
    )
    (trial,) = [sweep("conf.py").trial(0)]
    assert {os.path.relpath(path, tmp_path) for path in trial.files} == {
        "conf.py", "base.py", "x.yaml", "part.py", "y.json",
    }  # fmt: skip


def test_a_sweep_draws_again_when_a_file_that_a_config_loads_has_changed(project, tmp_path):
    project("train.py", "def fit(v):\n    return float(v)\n")
    project("data/one.yaml", "v: 0\n")
    project("data/two.yaml", "v: 1\n")
    project(
        "conf.py",
        """
        from callsheet import lazy, load_rel
        from train import fit
        name = "one"
        main = lazy(fit)(load_rel(f"data/{name}.yaml").v)
        """,
    )

    def results():
        jobs = submit(sweep("conf.py", ["name=one,two"]), on=Process(slots=2))
        return [result["result"] for result in jobs.results()], len(list((tmp_path / "runs").glob("*/run.json")))

    assert results() == ([0.0, 1.0], 2)
    assert results() == ([0.0, 1.0], 2)
    (tmp_path / "data/two.yaml").write_text("v: 2\n")
    assert results() == ([0.0, 2.0], 3)
    (tmp_path / "data/two.yaml").write_text("v: 1\n")
    assert results() == ([0.0, 1.0], 3)


@pytest.mark.parametrize("name", ["saved.yaml", "saved.json", "saved.py"])
def test_what_a_loaded_file_refers_to_in_itself_is_that_wherever_the_whole_is_saved(project, name):
    project("x.yaml", 'w: 3\na: "${w}"\nb: "w is ${w}"\nc: "${.w}"\n')
    project("conf.py", 'from callsheet import load_rel\nw = 5\nx = load_rel("x.yaml")\nboth = ["${x.a}", "${w}"]\n')
    cfg = load("conf.py")
    save(cfg, name)
    again = load(name)
    assert plain(resolve(again)) == plain(resolve(cfg))
    assert plain(resolve(cfg)) == {"w": 5, "x": {"w": 3, "a": 3, "b": "w is 3", "c": 3}, "both": [3, 5]}
    assert again == cfg
    assert load("conf.py", ["x.w=7"]).x["b"] == "w is 7"
    assert load("conf.py", ["w=7"]).both[0] == 3
