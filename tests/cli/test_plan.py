"""`callsheet plan` lists the trials of a sweep, checked, with what is done; nothing is started or written."""

from command import masked

WORDS = ("conf.py", "optim.lr=1e-3,3e-3", "model.width=32,128")


def test_it_lists_the_trials_and_writes_nothing(cmd):
    said = cmd.listing()("plan", *WORDS)
    assert (
        said.out
        == """\
0  optim.lr=1e-3 model.width=32
1  optim.lr=1e-3 model.width=128
2  optim.lr=3e-3 model.width=32
3  optim.lr=3e-3 model.width=128
4 trials, 4 to run
"""
    )
    assert not cmd.runs.exists()


def test_what_is_done_is_told_with_its_run_also_of_another_sweep(cmd):
    cmd.listing()("sweep", "conf.py", "optim.lr=1e-3", "model.width=32,128")
    before = sorted(str(path) for path in cmd.root.rglob("*"))
    assert (
        masked(cmd("plan", *WORDS).out)
        == """\
0  optim.lr=1e-3 model.width=32   done  ID0001
1  optim.lr=1e-3 model.width=128  done  ID0002
2  optim.lr=3e-3 model.width=32
3  optim.lr=3e-3 model.width=128
4 trials, 2 done, 2 to run
"""
    )
    assert sorted(str(path) for path in cmd.root.rglob("*")) == before
    assert "done 1 of 2" in cmd("plan", *WORDS, "--repeat", "2").out
    (cmd.root / "train.py").write_text((cmd.root / "train.py").read_text() + "\n# another\n")
    assert cmd("plan", *WORDS).out.endswith("4 trials, 2 done by other code, 2 to run\n")


def test_each_trial_is_checked(cmd):
    said = cmd.listing()("plan", "conf.py", "model.width=32,x", "optim.lr=1,2", code=1)
    assert said.out.endswith("3  model.width=x optim.lr=2   faulty\n4 trials, 2 faulty, 2 to run\n")
    assert (
        said.err
        == """\

trial 2:
  model.width  must be int, found 'x'                           command line
               Net(width: int = 32, classes: int = 10)

trial 3:
  model.width  must be int, found 'x'                           command line
               Net(width: int = 32, classes: int = 10)
"""
    )


def test_of_many_the_first_are_listed_unless_all_are_asked_for(cmd):
    cmd.listing()
    few = cmd("plan", "conf.py", "epochs=range(30)").out.splitlines()
    assert few[19:] == ["19  epochs=19", "…  --all  lists the others", "30 trials, 30 to run"]
    assert len(cmd("plan", "conf.py", "epochs=range(30)", "--all").out.splitlines()) == 31
    many = cmd("plan", "conf.py", "epochs=range(1000000)").out.splitlines()
    assert many[20:] == ["…  --all  lists the others", "1000000 trials"]


def test_for_a_program(cmd):
    data = cmd.listing()("plan", *WORDS, "--json").data
    assert (data["size"], [trial["state"] for trial in data["trials"]]) == (4, ["open"] * 4)
    assert data["trials"][1] == {
        "index": 1, "choices": ["optim.lr=1e-3", "model.width=128"], "state": "open", "runs": [], "faults": [],
    }  # fmt: skip
