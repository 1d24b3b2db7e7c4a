"""`pop`, `update` and `swap`: arguments of a call taken away, set together, kept for another target (promises 2, 15)."""

from __future__ import annotations

import sys

import pytest

from callsheet import (
    Config,
    arguments,
    build,
    check,
    from_data,
    lazy,
    load,
    origin,
    override,
    partial,
    pop,
    ref,
    swap,
    target,
    update,
)
from callsheet._arguments import swap_target
from callsheet._origin import Origin
from callsheet._spec import attach
from callsheet._target import TargetError
from callsheet.errors import ArgumentError, PathError, SpecError, TrustError
from saying import told


def adam(params=None, lr=0.001, betas=(0.9, 0.999)):
    return "adam", params, lr, betas


def sgd(params=None, lr=0.1, *, momentum=0.0):
    return "sgd", params, lr, momentum


def row(first, *rest, **more):
    return first, rest, more


def rows(*all_of_them):
    return all_of_them


def anything(*args, **kwargs): ...


# --- pop --------------------------------------------------------------------------------------------------------------


def test_pop_takes_an_argument_away_and_gives_it():
    call = lazy(adam)(1, lr=2)
    assert pop(call, "lr") == 2
    assert pop(call, "params") == 1
    assert call == lazy(adam)()


def test_pop_takes_a_position_or_a_key():
    call, mapping = lazy(rows)(1, 2, 3), attach({"a": 1, 2: 3, "items": 5})
    assert pop(call, 1) == 2
    assert call == lazy(rows)(1, 3)
    assert [pop(mapping, key) for key in ("a", 2, "items")] == [1, 3, 5]
    assert len(mapping) == 0


def test_pop_reads_what_it_gives():
    spec = attach({"a": 5, "c": lazy(row)(b=ref("a"))})
    assert pop(load_bound(spec).c, "b") == 5


def load_bound(spec):
    """The spec with its references bound, as `load` gives it."""
    from callsheet._ref import moved

    moved(object.__getattribute__(spec.c, "__dict__")["b"], lambda root: spec)
    return spec


def test_what_is_not_there_is_the_default_or_a_key_error_that_names_what_is():
    call = lazy(adam)(lr=2)
    assert pop(call, "betas", None) is None
    assert (
        told(lambda: pop(call, "lrr"), PathError)
        == "lrr  is not there\n     did you mean  lr?\n     the spec holds  lr"
    )
    with pytest.raises(KeyError):
        pop(call, 0)
    assert call == lazy(adam)(lr=2)


@pytest.mark.parametrize("other", [[1], {"a": 1}, 3])
def test_pop_and_update_are_for_calls_and_mappings(other):
    name = type(other).__name__
    assert told(lambda: pop(other, "a"), TypeError) == f"pop is for calls and mappings, not for {name}"
    assert told(lambda: update(other, a=1), TypeError) == f"update is for calls and mappings, not for {name}"


# --- update -----------------------------------------------------------------------------------------------------------


def test_update_sets_several_as_dict_update_does():
    call = lazy(adam)(1)
    update(call, {"lr": 2, 0: 5}, betas=(1, {"x": [1]}))
    assert call == lazy(adam)(5, lr=2, betas=(1, {"x": [1]}))
    update(call, [("params", 7)])
    assert call == lazy(adam)(7, lr=2, betas=(1, {"x": [1]}))
    mapping = attach({"a": 1})
    update(mapping, {2: 3}, spec=4, arguments=5)
    assert mapping == {"a": 1, 2: 3, "spec": 4, "arguments": 5}


def test_where_one_does_not_fit_none_is_set_and_all_are_named():
    call = lazy(adam)(1)
    text = told(lambda: update(call, lr=2, beta=3, moment=4), ArgumentError)
    assert [line.split()[0] for line in text.splitlines() if "no such argument" in line] == ["beta", "moment"]
    with pytest.raises(IndexError, match="has 1 positional arguments"):
        update(call, {1: 2}, lr=3)
    assert call == lazy(adam)(1)


def test_what_update_sets_has_the_origin_of_its_line():
    call = lazy(adam)()
    update(call, lr=2)
    here = sys._getframe().f_lineno - 1
    assert origin(call, "lr").where.endswith(f"test_arguments.py:{here}")


# --- swap -------------------------------------------------------------------------------------------------------------


def test_swap_keeps_the_arguments_that_fit_and_gives_the_others():
    call = lazy(adam)(lr=0.5, betas=(1, 2))
    assert swap(call, sgd, momentum=0.9) == {"betas": (1, 2)}
    assert call == lazy(sgd)(lr=0.5, momentum=0.9)


def test_positional_arguments_are_kept_by_their_names():
    call = lazy(adam)(1, 0.5, (1, 2))
    assert swap(call, sgd) == {"betas": (1, 2)}
    assert call == lazy(sgd)(params=1, lr=0.5)
    assert build(call) == ("sgd", 1, 0.5, 0.0)


def test_a_reference_is_read_by_the_name_that_it_gets():
    spec = override({"a": 5, "c": lazy("os.path.split")("x")}, "c.0=${a}")
    swap(spec.c, "os.path.splitext")
    assert spec.c.p == 5


def test_what_is_given_wins_over_what_is_kept():
    call = lazy(adam)(lr=0.5)
    assert swap(call, sgd, lr=3) == {}
    assert call == lazy(sgd)(lr=3)


def test_every_place_and_reference_follows():
    optim = lazy(adam)(lr=1)
    spec = attach({"optim": optim, "also": [optim], "name": ref(optim)[0]})
    swap(spec.optim, sgd)
    assert spec.also[0] is spec.optim
    assert build(spec)["name"] == "sgd"


@pytest.mark.parametrize(
    ("call", "target", "swapped", "dropped"),
    [
        (lazy(row)(1, 2, 3, x=4), rows, lazy(rows)(), {"first": 1, 1: 2, 2: 3, "x": 4}),
        (lazy(rows)(1, 2), row, lazy(row)(1, 2), {}),
        (lazy(rows)(1, 2, 3), sgd, lazy(sgd)(), {0: 1, 1: 2, 2: 3}),
        (lazy(rows)(1, 2), adam, lazy(adam)(1, 2), {}),
        (lazy(anything)(1, lr=2, params=3), adam, lazy(adam)(1, lr=2), {"params": 3}),
        (lazy(row)(1, x=2), dict, lazy(dict)(first=1, x=2), {}),
        (lazy(adam)(1, lr=2), "callsheet_no_signature", None, None),
        (partial(adam)(lr=2), sgd, partial(sgd)(lr=2), {}),
        (lazy(adam)(lr=2), lazy(partial)(sgd), lazy(lazy(partial)(sgd))(lr=2), {}),
        (lazy(lazy(partial)(sgd))(1, lr=2), adam, lazy(adam)(1, lr=2), {}),
        (lazy("os.path.join")("a", "b"), "posixpath.split", lazy("posixpath.split")(), {"a": "a", 1: "b"}),
    ],
    ids=lambda x: getattr(x, "__name__", repr(x)[:40]) if callable(x) else repr(x)[:40],
)
def test_what_fits_is_told_by_both_signatures(call, target, swapped, dropped):
    if swapped is None:
        assert told(lambda: swap(call, "callsheet_no.thing"), TargetError).startswith(
            "cannot import callsheet_no.thing"
        )
        assert call == lazy(adam)(1, lr=2)
        return
    assert swap(call, target) == dropped
    assert call == swapped
    check(call) if not dropped else None


def test_an_argument_that_the_new_target_does_not_take_is_refused_and_nothing_is_changed():
    call = lazy(adam)(lr=1)
    text = told(lambda: swap(call, sgd, momentun=1, lrr=2), ArgumentError)
    assert text == (
        f"{'momentun  no such argument of test_arguments.sgd':<72}here\n"
        "          did you mean  momentum = 0.0?\n"
        f"{'lrr       no such argument of test_arguments.sgd':<72}here\n"
        "          did you mean  lr = 0.1?"
    )
    assert call == lazy(adam)(lr=1)


def test_origins_are_kept_and_the_target_has_its_own(project):
    project(
        "conf.py", "from callsheet import lazy\nfrom os.path import join\nrow = lazy(join)(\n    'a',\n    'b',\n)\n"
    )
    project("other.py", "def path(a, *, b=1): ...\n")
    spec = load("conf.py")
    assert swap(spec.row, "other.path") == {1: "b"}
    here = sys._getframe().f_lineno - 1
    assert origin(spec, "row.a").where == "conf.py:4"
    assert origin(spec, 'row["(target)"]').where.endswith(f"test_arguments.py:{here}")


def test_an_override_can_say_who_swapped():
    call = lazy(adam)(lr=1)
    assert swap_target(call, sgd, {}, None, origin=Origin("override", "command line", "optim=sgd")) == {}
    assert origin({"optim": call}, 'optim["(target)"]').text == "optim=sgd"


def test_what_data_named_is_imported_under_its_policy():
    call = from_data({"_target_": "posixpath.join", "_args_": ["a"]})
    with pytest.raises(TrustError):
        swap(call, adam)
    named = from_data({"_target_": "posixpath.join", "a": "x"})
    swap(named, "os.path.split")
    assert named == lazy("os.path.split")()


@pytest.mark.parametrize("other", [3, {"a": 1}, [1], ref("a"), lazy(adam)])
def test_so_are_target_and_arguments(other):
    for verb in (target, arguments):
        text = f"{verb.__name__} is for calls, not for {type(other).__name__}: describe it with lazy(...)"
        assert told(lambda verb=verb: verb(other), TypeError) == text


def test_of_a_config_the_target_is_what_it_calls_and_its_arguments_are_attributes():
    class AdamConfig(Config[adam]):
        lr: float = 0.1

    class ByHand(Config):
        def build(self):
            return 3

    class Unsaid(Config):
        lr: float = 0.1

    assert target(AdamConfig()) is adam
    assert told(lambda: target(Unsaid()), SpecError).startswith("test_of_a_config")
    for verb, config in [(target, ByHand()), (arguments, AdamConfig())]:
        with pytest.raises(TypeError, match=f"^{verb.__name__} is for calls, .*: what it holds are its attributes$"):
            verb(config)


@pytest.mark.parametrize("other", [3, {"a": 1}, [1]])
def test_swap_is_for_calls(other):
    text = f"swap is for calls, not for {type(other).__name__}: describe it with lazy(...)"
    assert told(lambda: swap(other, sgd), TypeError) == text
    with pytest.raises(TypeError, match="cannot be called"):
        swap(lazy(adam)(), 3)
