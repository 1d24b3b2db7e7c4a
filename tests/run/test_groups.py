"""Groups of hyperparameters."""

from dataclasses import dataclass, field

import pytest

from callsheet import check, from_data, lazy, origin, to_data
from callsheet.run import Experiment, HPGroup, Launch, axis, experiments, unroll
from saying import told


@dataclass
class Optim:
    lr: float = 1e-3


@dataclass
class HP:
    lr: float = 1e-3
    layers: int = 2
    sizes: list[int] = field(default_factory=list)
    betas: tuple[float, float] | None = None
    optim: Optim | None = None


def test_a_group_is_each_combination_the_last_varying_fastest():
    assert unroll(HP, lr=[1e-3, 1e-2], layers=[1, 2]) == [HP(1e-3, 1), HP(1e-3, 2), HP(1e-2, 1), HP(1e-2, 2)]


def test_a_field_that_is_a_sequence_unrolls_only_as_an_axis():
    assert unroll(HP, sizes=[1, 2], betas=[0.9, 0.99]) == [HP(sizes=[1, 2], betas=[0.9, 0.99])]
    assert unroll(HP, sizes=axis([[1], [1, 2]])) == [HP(sizes=[1]), HP(sizes=[1, 2])]
    assert unroll(lr=axis([1]), b=(1, 2)) == [{"lr": 1, "b": (1, 2)}]


def test_groups_stand_in_groups():
    made = unroll(HP, layers=[1, 2], optim=HPGroup(Optim, lr=[3.0, 4.0]))
    assert [(hp.layers, hp.optim.lr) for hp in made] == [(1, 3.0), (1, 4.0), (2, 3.0), (2, 4.0)]


def test_an_experiment_with_groups_is_an_experiment_for_each():
    launch = Launch("ls {{hp.lr}}")
    found = list(experiments(Experiment(launch, hp=HPGroup(HP, lr=[1.0, 2.0]))))
    assert [each.hp for each in found] == [HP(1.0), HP(2.0)]
    assert found[0].launch == launch
    assert len(list(experiments([found[0], found[1]]))) == 2
    assert list(experiments(found[0])) == [found[0]]


def test_a_group_is_data():
    group = HPGroup(HP, lr=[1.0, 2.0], sizes=axis([[1]]))
    data = to_data(group)
    assert data["_target_"] == "callsheet.run:unroll"
    read = from_data(data)
    assert read == group
    assert [
        each.hp for each in experiments(Experiment(Launch("ls"), hp=from_data(data, allow=["callsheet.run", __name__])))
    ] == unroll(HP, lr=[1.0, 2.0], sizes=axis([[1]]))
    check(group)


def test_a_group_without_values_is_refused():
    assert told(lambda: unroll(HP, lr=[], layers=3)) == "lr  of a group has no values"
    inner = Experiment(Launch("ls"), hp=HPGroup(HP, optim=HPGroup(Optim, lr=[])))
    assert words(lambda: experiments(inner)) == "hp.optim.lr of a group has no values here"


def test_a_name_that_the_class_does_not_take_is_refused_where_it_is_written():
    problem = f"lrr no such argument of {__name__}.Optim"
    assert words(lambda: HPGroup(Optim, lrr=[1.0])) == f"{problem} here did you mean lr = 0.001?"
    assert words(lambda: unroll(Optim, lrr=[1.0])) == f"{problem} did you mean lr = 0.001?"


def words(action):
    return " ".join(told(action).split())


def test_values_of_a_group_know_who_set_them():
    group = HPGroup(
        Optim,
        lr=[1.0, 2.0],
    )
    lines = [origin(group, "lr").where.rpartition(":")[2], origin(HPGroup(lr=[1]), "lr").where.rpartition(":")[2]]
    assert int(lines[1]) - int(lines[0]) == 2
    (made,) = experiments(lazy(Experiment)(Launch("ls"), hp=HPGroup(lr=[1], inner=HPGroup(a=2))))
    assert {
        origin(made, path).where.rpartition("/")[2].partition(":")[0] for path in ("hp", "hp.lr", "hp.inner.a")
    } == {"test_groups.py"}


@dataclass
class Config:
    run: Launch
    lrs: list[float]

    def get_experiments(self):
        return [Experiment(self.run, hp=HPGroup(HP, lr=lr, layers=[1, 2])) for lr in self.lrs]


def test_get_experiments_and_groups_go_together():
    found = experiments(Config(Launch("ls"), [1.0, 2.0]))
    assert [(each.hp.lr, each.hp.layers) for each in found] == [(1.0, 1), (1.0, 2), (2.0, 1), (2.0, 2)]


def test_a_config_that_gives_no_experiments_is_told_of():
    assert told(lambda: experiments(Config(Launch("ls"), []))) == "get_experiments of Config gives none"


def test_a_call_is_no_group():
    assert list(experiments(lazy(dict)(a=[1, 2]))) == [lazy(dict)(a=[1, 2])]
    with pytest.raises(TypeError):
        unroll(HP, nope=[1, 2])
