"""Experiments found by name: `get_experiments`, groups, lists, and overrides that start in them (promise 20)."""

from dataclasses import dataclass

import pytest

from callsheet import Process, submit, sweep
from callsheet.run import Experiment, HPGroup, Launch
from command import masked

OWN = """
    from dataclasses import dataclass, replace
    from typing import List

    @dataclass(frozen=True)
    class HP:
        lr: float
        width: int = 8

    @dataclass(frozen=True)
    class Run:
        cmd: str
        experiment_name: str

    @dataclass(frozen=True)
    class Experiment:
        hp: HP
        run: Run

    @dataclass(frozen=True)
    class Config:
        lrs: List[float]
        run: Run

        def get_experiments(self):
            return [Experiment(HP(lr), self.run) for lr in self.lrs]

    R1 = Run("python train.py {{hp.lr}} {{hp.width}}", "own")
    C1 = Config([0.1, 0.2, 0.3], R1)
    C2 = replace(C1, lrs=[0.5])
"""
TRAIN = """
    import os, sys
    with open(os.environ["CALLSHEET_RUN_DIR"] + "/metrics.jsonl", "w") as file:
        print('{"lr": %s, "width": %s}' % tuple(sys.argv[1:]), file=file)
"""


def test_the_experiments_of_a_users_own_class_are_the_trials(cmd):
    cmd.config(OWN, train=TRAIN)
    assert masked(cmd("sweep", "conf.py:C1", "--slots", "1", "--maximize", "lr").out) == (
        "3 trials, 3 to run, 1 at a time\n"
        "ID0001    hp.lr=0.1  lr 0.1  width 8\n"
        "ID0002    hp.lr=0.2  lr 0.2  width 8\n"
        "ID0003    hp.lr=0.3  lr 0.3  width 8\n"
        "best      ID0003  lr 0.3   hp.lr=0.3\n"
    )
    assert cmd("sweep", "conf.py:C1").out == "3 trials, 3 done before\n"
    first = cmd.ids()[0]
    assert cmd.read("run.json", first)["experiment"] == "own"
    assert cmd.read("spec.json", first)["C1"]["hp"]["lr"] == 0.1


def test_overrides_start_in_the_file_in_the_config_or_in_each_experiment(cmd):
    cmd.config(OWN, train=TRAIN)
    said = cmd("sweep", "conf.py:C1", "lrs=[7,8]", "hp.width=1,2", "R1.experiment_name=mine", "--slots", "1")
    assert [line.split("  ", 1)[1].split(maxsplit=1)[1] for line in masked(said.out).splitlines()[1:]] == [
        "hp.width=1 R1.experiment_name=mine hp.lr=7.0  lr 7  width 1",
        "hp.width=1 R1.experiment_name=mine hp.lr=8.0  lr 8  width 1",
        "hp.width=2 R1.experiment_name=mine hp.lr=7.0  lr 7  width 2",
        "hp.width=2 R1.experiment_name=mine hp.lr=8.0  lr 8  width 2",
    ]
    assert cmd.read("run.json", cmd.ids()[0])["experiment"] == "mine"


def test_an_override_that_starts_in_the_entry_reads_as_it_was_typed(cmd):
    cmd.config(OWN.replace("[0.5]", "[0.5, 0.6]"), train=TRAIN)
    said = cmd("sweep", "conf.py:C2", "run.experiment_name=a,b", "--slots", "1").out
    names = ["run.experiment_name=a hp.lr=0.5", "run.experiment_name=a hp.lr=0.6"]
    assert [line.split("  ")[1].strip() for line in masked(said).replace("    ", "  ").splitlines()[1:3]] == names
    assert cmd("plan", "conf.py:C2", "R1.experiment_name=a").out.splitlines()[0].startswith("0  hp.lr=0.5  done")
    assert cmd.read("run.json", cmd.ids()[0])["overrides"] == names[0].split()


def test_a_sweep_over_what_a_config_makes_counts_what_each_makes(cmd):
    cmd.config(OWN, train=TRAIN)
    said = cmd("sweep", "conf.py:C1", "C1.lrs=choice([1],[2,3])", "--slots", "1")
    assert said.out.startswith("3 trials, 3 to run")
    assert sorted(cmd.read("result.json", run)["lr"] for run in cmd.ids()) == [1, 2, 3]


def test_one_experiment_is_run_and_several_are_not(cmd):
    cmd.config(OWN, train=TRAIN)
    cmd("run", "conf.py:C2", "hp.width=3")
    assert cmd.read("result.json") == {"lr": 0.5, "width": 3}
    assert cmd("sweep", "conf.py:C2", "hp.width=3").out == "1 trial, 1 done before\n"
    assert cmd("run", "conf.py:C1", code=1).err == (
        "callsheet: 1 fault, nothing was built\n"
        "  C1  makes 3 experiments, and one can run here\n"
        "      callsheet sweep  runs each\n"
        "        hp.lr=0.1\n"
        "        hp.lr=0.2\n"
        "        hp.lr=0.3\n"
    )


def test_the_commands_of_all_experiments_are_checked(cmd):
    cmd.config(OWN.replace("{{hp.width}}", "{{hp.wdth}}"), train=TRAIN)
    for words in (("check", "conf.py:C1"), ("sweep", "conf.py:C1")):
        assert "C1.run.cmd  {{hp.wdth}} at column 27: hp.wdth is not there\n" in cmd(*words, code=1).err
    assert "hp.with  is not there" in cmd("check", "conf.py:C2", "hp.with=3", code=1).err


def test_a_group_on_the_command_line(cmd):
    cmd.config(
        """
        from callsheet.run import Experiment, HPGroup, Launch
        main = Experiment(Launch("python train.py {{hp.lr}} {{hp.width}}"), hp=HPGroup(lr=[0.1, 0.2], width=[1, 2]))
        """,
        train=TRAIN,
    )
    assert "main.hp" not in cmd("check", "conf.py").out
    said = cmd("sweep", "conf.py", "main.hp.lr=[5,6,7]", "--slots", "1")
    assert said.out.startswith("6 trials, 6 to run")
    assert "hp.lr=7 hp.width=2  lr 7  width 2" in said.out
    cmd("run", "conf.py", "main.hp.lr=5", "main.hp.width=2")
    assert len(cmd.ids()) == 7


GROUP = """
    from dataclasses import dataclass
    from callsheet.run import Experiment, HPGroup, Launch

    @dataclass
    class HP:
        lr: float = 0.1

        def __post_init__(self):
            if self.lr == 7:
                raise ValueError("not seven")

    launch = Launch("true {{hp.lr}}", experiment="n")
    wrong = Experiment(launch, hp=HPGroup(HP, lr=[1.0, "x"]))
    seven = Experiment(
        launch,
        hp=HPGroup(HP, lr=[1.0, 7.0]),
    )
"""


@pytest.mark.parametrize("verb", ["check", "plan", "sweep"])
def test_what_is_wrong_with_a_group_is_told_with_path_and_line_by_every_verb(cmd, verb):
    cmd.config(GROUP)
    said = cmd(verb, "conf.py:wrong", code=1)
    assert "  wrong.hp.lr  must be float, found 'x'                           conf.py:13\n" in said.out + said.err
    assert cmd(verb, "conf.py:seven", code=1).err.split("\n", 1)[1] == (
        "  seven.hp  ValueError: not seven                                 conf.py:16\n"
        "            in the combination  hp.lr=7.0\n"
        '            conf.py:10  raise ValueError("not seven")\n'
    )
    assert cmd(verb, "conf.py:wrong", "+wrong.hp.lrr=3", code=1).err.split("\n", 1)[1] == (
        "  wrong.hp.lrr  no such argument of conf.HP                     command line\n"
        "                did you mean  lr = [1.0, 'x']  (conf.py:13)?\n"
    )


def test_a_function_is_swept_over_a_group_too(cmd):
    cmd.config(
        """
        from callsheet import lazy
        from callsheet.run import HPGroup
        from train import fit
        main = lazy(fit)(HPGroup(a=[1, 2]), b=3)
        """,
        train="def fit(hp, b): return hp['a'] * b\n",
    )
    said = cmd("sweep", "conf.py", "--slots", "1")
    assert masked(said.out).splitlines()[1:] == ["ID0001    [0].a=1  result 3", "ID0002    [0].a=2  result 6"]


def test_a_list_of_experiments_is_swept_by_its_name(cmd):
    cmd.config(OWN + "\n    both = [*C1.get_experiments()[:2]]\n", train=TRAIN)
    assert cmd("sweep", "conf.py:both").out.startswith("2 trials, 2 to run")


@dataclass
class HP:
    lr: float = 1.0
    width: int = 2


def test_experiments_are_submitted_from_python(project):
    project("train.py", TRAIN)
    experiment = Experiment(
        Launch("python train.py {{hp.lr}} {{hp.width}}", experiment="py"), hp=HPGroup(HP, lr=[1.0, 2.0])
    )
    jobs = submit(experiment, on=Process(slots=2))
    assert jobs.results() == [{"lr": 1, "width": 2}, {"lr": 2, "width": 2}]
    assert [job.run.record["experiment"] for job in jobs] == ["py", "py"]
    one = Experiment(experiment.launch, hp=HP(3.0))
    assert submit([one]).results() == submit(one).results() == [{"lr": 3, "width": 2}]
    assert submit(sweep(one, "hp.lr=4,5")).results()[1]["lr"] == 5
