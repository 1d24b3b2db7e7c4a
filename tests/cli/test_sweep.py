"""`callsheet sweep` runs every combination, skips what is done, and says which was best (promises 20, 21)."""

import re

from callsheet.cli._sweeping import Naming
from callsheet.run._trials import sweep_at
from command import masked

SWEEP = ("sweep", "conf.py", "optim.lr=1e-3,3e-3", "model.width=32,128")


def test_every_combination_is_run_and_the_best_is_named(cmd):
    said = cmd.listing()(*SWEEP, "--slots", "1", "--maximize", "accuracy")
    assert (
        masked(said.out)
        == """\
4 trials, 4 to run, 1 at a time
ID0001    optim.lr=1e-3 model.width=32   loss 0.00625  accuracy 0.9928
ID0002    optim.lr=1e-3 model.width=128  loss 0.001563  accuracy 0.9974
ID0003    optim.lr=3e-3 model.width=32   loss 0.00625  accuracy 0.9908
ID0004    optim.lr=3e-3 model.width=128  loss 0.001563  accuracy 0.9954
best      ID0002  accuracy 0.9974   optim.lr=1e-3 model.width=128
"""
    )
    assert said.err == ""
    assert cmd(*SWEEP).out == "4 trials, 4 done before\n"
    again = cmd(*SWEEP, "--minimize", "accuracy")
    assert re.fullmatch(r"4 trials, 4 done before\nbest      \w+  accuracy 0\.9908   .*width=32\n", again.out)
    assert len(cmd.ids()) == 4


def test_a_run_of_the_same_spec_counts_as_done_and_other_values_do_not(cmd):
    cmd.listing()("run", "conf.py", "model.width=32")
    assert cmd("sweep", "conf.py", "model.width=32,48").out.startswith("2 trials, 1 done before, 1 to run")
    assert cmd("sweep", "conf.py", "model.width=48,32", "optim.lr=0.1").out.startswith("2 trials, 2 to run")


def test_a_sweep_goes_on_where_its_runs_were_moved(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="""
        import os

        def fit(n: int):
            if n == 2 and not os.path.exists("go"):
                os.kill(os.getpid(), 9)
            return n
        """,
    )
    words = "sweep", "conf.py", "main.n=1,2,3", "--slots", "1", "--runs"
    cmd(*words, "a", code=1)
    cmd.write("go", "")
    (cmd.root / "a").rename(cmd.root / "b")
    assert cmd(*words, "b").out.startswith("3 trials, 2 done before, 1 to run")
    assert cmd(*words, "b").out == "3 trials, 3 done before\n"
    cmd.runs = cmd.root / "b"
    assert sorted(cmd.read("status.json", run)["attempt"] for run in cmd.ids()) == [1, 1, 2]
    assert not (cmd.root / "a").exists()


def test_what_the_file_computes_follows_in_each_trial(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nepochs = 5\nmain = lazy(fit)(steps=epochs * 100)\n",
        train="def fit(steps: int): return steps\n",
    )
    cmd("sweep", "conf.py", "epochs=1,2")
    assert sorted(cmd.read("result.json", name)["result"] for name in cmd.ids()) == [100, 200]


def test_a_failed_trial_is_told_with_where_its_output_is_and_the_others_go_on(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int):\n    if n == 2: raise ValueError('two')\n    return n\n",
    )
    said = cmd("sweep", "conf.py", "main.n=1,2,3", "--slots", "1", code=1)
    assert (
        masked(said.out)
        == """\
3 trials, 3 to run, 1 at a time
ID0001    main.n=1  result 1
ID0002    main.n=2  failed: ValueError: two
          its output: runs/ID0002/err.log
ID0003    main.n=3  result 3
"""
    )
    assert cmd("sweep", "conf.py", "main.n=1,2,3", code=1).out.startswith("3 trials, 2 done before, 1 to run")


def test_what_an_exception_says_is_cut_to_a_line_and_moves_no_cursor_and_the_record_keeps_it(cmd):
    cmd.write("noisy.py", "def fit(n):\n    raise ValueError('\\x1b[2J\\r\\x07' + 'word\\n' * n)\n")
    cmd.write("conf.py", "from callsheet import lazy\nfrom noisy import fit\nmain = lazy(fit)(1)\n")
    said = cmd("sweep", "conf.py", "main[0]=2000,3000", code=1)
    found = [line for line in said.out.splitlines() if "failed: " in line]
    assert len(found) == 2
    for line in found:
        assert line.isprintable()
        assert "failed: ValueError: \\x1b[2J \\x07word word" in line
        assert line.endswith("…")
        assert len(line) < 260
    listed = cmd("runs", "--columns", "id,error").out
    assert listed.count("…") == 2
    assert all(line.isprintable() and len(line) < 260 for line in listed.splitlines())
    whole = cmd("runs", "--columns", "error", "--json").data
    assert sorted(len(row["error"]) // 5 for row in whole) == [2003, 3003]


def test_an_option_of_processes_is_refused_where_trials_go_elsewhere(cmd):
    cmd.listing().write("pyproject.toml", '[tool.callsheet.executors.cluster]\non = "slurm"\n')
    assert cmd("sweep", "conf.py", "model.width=32,48", "--on", "cluster", "--warm", code=1).err == (
        "callsheet: 1 fault, nothing was started\n"
        "  --warm  is for processes of this machine, and cluster has no warm: it is Slurm\n"
        "          --on process\n"
    )


def test_a_faulty_trial_is_refused_before_anything_starts(cmd):
    said = cmd.listing()("sweep", "conf.py", "model.width=32,x", code=1)
    assert (
        said.err
        == """\
callsheet: 1 fault, nothing was started
  model.width  must be int, found 'x'                           command line
               Net(width: int = 32, classes: int = 10)
               in trial 1:  model.width=x
"""
    )
    assert said.out == ""
    assert not cmd.runs.exists()


def test_what_sweeps_nothing_is_misuse(cmd):
    said = cmd.listing()("sweep", "conf.py", "model.width=32", code=2)
    assert said.err.startswith("callsheet: nothing sweeps\n  give a path several values, as in  optim.lr=1e-3,3e-3\n")
    assert not cmd.runs.exists()


def test_one_spec_several_times_is_a_sweep(cmd):
    words = ("sweep", "conf.py", "--repeat", "2", "--maximize", "accuracy")
    said = cmd.listing()(*words, "--slots", "1")
    assert [" ".join(line.split()) for line in masked(said.out).splitlines()] == [
        "2 trials, 2 to run, 1 at a time",
        "ID0001 loss 0.003125 accuracy 0.9959",
        "ID0002 loss 0.003125 accuracy 0.9959",
        "best ID0001 accuracy 0.9959",
    ]
    assert cmd("plan", "conf.py", "--repeat", "3").out.endswith("3 trials, 2 done, 1 to run\n")
    assert cmd("sweep", "conf.py", "--repeat", "3").out.startswith("3 trials, 2 done before, 1 to run")
    cmd("sweep", "conf.py", "model.width=32", "--repeat", "2")
    assert len(cmd.ids()) == 5


def test_json_tells_of_all_trials(cmd):
    data = cmd.listing()(*SWEEP, "--json", "--maximize", "accuracy").data
    assert [trial["overrides"] for trial in data["trials"]] == [
        ["optim.lr=1e-3", "model.width=32"],
        ["optim.lr=1e-3", "model.width=128"],
        ["optim.lr=3e-3", "model.width=32"],
        ["optim.lr=3e-3", "model.width=128"],
    ]
    assert {trial["state"] for trial in data["trials"]} == {"done"}
    assert sorted(trial["run"] for trial in data["trials"]) == sorted(cmd.ids())
    assert data["best"] == data["trials"][1]["run"]


def test_a_result_that_is_no_number_is_never_the_best(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): return {'loss': [float('nan'), 0.5, float('nan')][n]}\n",
    )
    data = cmd("sweep", "conf.py", "main.n=0,1,2", "--minimize", "loss", "--json").data
    assert data["best"] == data["trials"][1]["run"]
    assert [trial["result"]["loss"] for trial in data["trials"]] == [None, 0.5, None]


def test_a_goal_that_no_result_has_is_told_at_the_first_trial_and_at_the_end(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): return {'accuracy': n / 4, 'acc_text': 'low'}\n",
    )
    said = cmd("sweep", "conf.py", "main.n=0,1,2", "--maximize", "accc", "--slots", "1", code=1)
    assert masked(said.err) == (
        "callsheet: the result of ID0001 has no number named 'accc'\n"
        "  did you mean  accuracy?\n"
        "callsheet: no trial has a number named 'accc'\n"
    )
    assert masked(cmd("sweep", "conf.py", "main.n=0,1", "--minimize", "zz", "--json", code=1).err).splitlines()[1] == (
        "  there are  accuracy"
    )
    shown = masked(cmd.screen("sweep", "conf.py", "main.n=3,4", "--maximize", "accc"))
    assert shown.count("callsheet: the result of ") == 1
    assert cmd("sweep", "conf.py", "main.n=0,1,2", "--maximize", "accuracy").err == ""


def test_numbers_that_are_drawn_are_short_where_they_are_read_and_exact_where_they_are_recorded(cmd):
    cmd.listing()
    words = ("conf.py", "epochs=3", "optim.lr=interval(1e-4,1e-1)", "model.width=32,128", "--trials", "2")
    said = masked(cmd("sweep", *words, "--slots", "1").out)
    first, second = cmd.ids()
    exact = cmd.read("spec.json", first)["optim"]["lr"]
    assert len(repr(exact)) > 15
    name = f"optim.lr={exact:.6g} model.width=128"
    assert said.splitlines()[1].startswith(f"ID0001    epochs=3 {name}")
    assert said.splitlines()[1].index("  loss") == said.splitlines()[2].index("  loss")
    assert cmd.read("run.json", first)["overrides"] == ["epochs=3", f"optim.lr={exact}", "model.width=128"]
    assert cmd("plan", *words).out.splitlines()[0].startswith(f"0  {name}  done")
    assert f"epochs=3 {name}" in cmd("runs", env={"COLUMNS": "120"}).out
    assert cmd("runs", "--json").data[1]["overrides"].endswith(f"optim.lr={exact} model.width=128")


def test_a_trial_is_called_by_what_was_typed_wherever_that_starts():
    spec = {"model": {"width": 1, "depth": 2}, "lr": 0.1}
    texts = ["width=8,128", "model.depth=3", "lr=0.1,0.2"]
    trials = sweep_at(spec, "model", texts, where="", policy=None)
    naming, overrides = Naming(trials), trials[2].overrides
    assert naming.whole(overrides) == "width=128 model.depth=3 lr=0.1"
    assert naming.apart(overrides) == "width=128 lr=0.1"
    assert naming.width == len(naming.whole(overrides))
    assert trials[2].spec.model.width == 128


def test_trials_that_are_the_same_are_run_and_told_once(cmd):
    cmd.config(
        "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(n=1)\n",
        train="def fit(n: int): return n\n",
    )
    said = masked(cmd("sweep", "conf.py", "main.n=5,5,6,5", "--slots", "1").out)
    assert said == (
        "4 trials, 2 the same as others, 2 to run, 1 at a time\n"
        "ID0001    main.n=5  result 5\n"
        "ID0002    main.n=6  result 6\n"
    )
    assert cmd("sweep", "conf.py", "main.n=5,5,6,5").out == "4 trials, 4 done before\n"
    again = cmd("sweep", "conf.py", "main.n=5,5", "--redo").out.splitlines()
    assert again[0] == "2 trials, 2 to run, 2 at a time"
    assert len(again) == 3
