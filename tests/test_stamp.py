"""A stamped copy is the copy that `copy` makes, and what it sets is what overrides would."""

import pytest
from hypothesis import given

from callsheet import copy, equal, from_data, hash_of, lazy, origin, override, plain, ref, resolve, sweep, walk
from callsheet._spec import attach
from callsheet._stamp import Stamp, Unfit
from specs import specs, tried


def net(width: int = 1, depth: int = 2, sub=None): ...


def nodes(spec):
    return {
        path: id(value) for path, value in walk(spec) if not isinstance(value, int | float | str | tuple | type(None))
    }


@given(specs())
@tried(150)
def test_law_it_is_the_copy_that_copy_makes(spec):
    spec = attach(spec)
    try:
        stamp = Stamp(spec)
    except Unfit:
        return
    first, second = stamp.copy([]), stamp.copy([])
    assert equal(first, spec)
    assert equal(first, copy(spec))
    assert hash_of(first) == hash_of(spec) if _has_identity(spec) else True
    assert [type(x) for _, x in walk(first)] == [type(x) for _, x in walk(copy(spec))]
    own = {id(x) for _, x in walk(first) if id(x) in stamp.numbers}
    assert own == set()
    assert not {id(x) for x in _containers(first)} & {id(x) for x in _containers(second)}


def _has_identity(spec):
    try:
        hash_of(spec)
    except Exception:
        return False
    return True


def _containers(spec):
    found = Stamp(spec)
    return [x for _, x in walk(spec) if id(x) in found.numbers]


def test_most_specs_of_calls_dicts_and_lists_are_stamped():
    shared = lazy(net)(width=3)
    spec = attach({"a": shared, "b": [shared, {"c": 1}], "d": lazy(net)(1, 2, sub=lazy(net)()), "t": (1, 2)})
    made = Stamp(spec).copy([])
    assert equal(made, spec)
    assert made.a is made.b[0] is not shared
    made.a.width = 9
    made.b[1].c = 9
    made.d[0] = 9
    assert (spec["a"].width, spec["b"][1].c, spec["d"][0]) == (3, 1, 1)


def test_references_lead_into_the_copy_and_nowhere_else():
    model, seed = lazy(net)(width=3), ref("seeds[0]") + 1
    spec = override({"seeds": [4, 5], "m": model, "n": [lazy(net)(ref(model).width, depth=seed)], "o": ref(model)}, [])
    made = Stamp(spec).copy([])
    assert equal(made, spec)
    assert made.o is made.m is not spec.m
    made.seeds[0] = 10
    assert (resolve(made).n[0].depth, resolve(spec).n[0].depth) == (11, 5)
    made.n[0].depth = 0
    assert resolve(spec).n[0].depth == 5


def test_references_that_are_bound_read_their_own_copy():
    spec = from_data({"seed": 1, "part": {"seed": "${seed}", "sizes": ["${..seed}", 2], "up": "${.sizes[1]}"}})
    made = Stamp(spec).copy([])
    assert equal(made, spec)
    made.seed, made.part.sizes[1] = 5, 7
    assert plain(made) == {"seed": 5, "part": {"seed": 5, "sizes": [5, 7], "up": 7}}
    assert plain(spec) == {"seed": 1, "part": {"seed": 1, "sizes": [1, 2], "up": 2}}


@pytest.mark.parametrize(
    "held", [ref(lazy(net)()), (lazy(net)(),), [[ref("run-${a}")]], ref("a") + ref("a"), [ref("a")] * 0 + [("a", {})]]
)
def test_what_only_copy_copies_is_left_to_it(held):
    with pytest.raises(Unfit):
        Stamp(attach({"a": 1, "b": held}))


def test_a_reference_that_stands_twice_is_left_to_copy():
    spec = attach({"a": 1, "b": {"c": ref("a")}})
    vars(spec)["d"] = vars(spec["b"])["c"]
    with pytest.raises(Unfit):
        Stamp(spec)


def test_a_trial_is_what_overrides_make_origins_included():
    spec = attach({"m": lazy(net)(width=4, sub=lazy(net)()), "n": {"k": 1}})
    texts = ["m.depth=7,8", "m.sub.width=2,3", "n.k=x,y"]
    for trial in sweep(spec, texts):
        expected = override(spec, list(trial.overrides))
        assert equal(trial.spec, expected)
        for path in ("m.depth", "m.sub.width", "n.k", "m.width"):
            mine, theirs = origin(trial.spec, path), origin(expected, path)
            assert (mine.text, [found[0] for found in mine.chain()]) == (theirs.text, [x[0] for x in theirs.chain()])
        assert origin(trial.spec, "m.depth").kind == "sweep"


def test_what_a_trial_is_given_later_stays_its_own():
    first, second = sweep({"m": {"a": 1, "b": 2}}, "m.a=1,2")
    first.spec.m.b = 5
    assert (origin(second.spec, "m.b").text, plain(second.spec)) == ("", {"m": {"a": 2, "b": 2}})


def test_a_spec_with_references_varies_as_well():
    model = lazy(net)(width=4)
    spec = {"m": model, "n": lazy(net)(ref(model).size, depth=ref(model).width), "t": (lazy(net)(width=1),)}
    texts = ["m.width=7,8", "n.sub=x,y", "t[0].width=2,3"]
    for trial in sweep(spec, texts):
        expected = override(spec, list(trial.overrides))
        assert equal(trial.spec, expected)
        assert origin(trial.spec, "m.width").text == trial.overrides[0]
