"""`check` names references that lead to a node which `cfg.a = x` has put something else in the place of (promise 15)."""

from __future__ import annotations

import pytest

from callsheet import check, copy, edit, lazy, override, ref, update
from callsheet._check import find_faults
from callsheet._resolve import reached
from callsheet._spec import attach
from callsheet.errors import SpecError
from saying import told


def net(width=32):
    return width


def adam(params=None, lr=0.1): ...


def wrap(inner, **more): ...


def spec():
    model = lazy(net)(width=1)
    return attach({"model": model, "rows": [model], "held": lazy(wrap)(model), "optim": lazy(adam)(ref(model).x)})


ADVICE = "let it lead to what stands there now, or edit the call instead of putting another in its place"


def displaced_by(cfg):
    """A spec in which nothing but a reference leads to the model any more, by the way that `cfg` puts another there."""
    made = spec()
    for path in ("rows", "held"):
        del made[path]
    cfg(made)
    return made


def set_attribute(x):
    x.model = lazy(net)(width=2)


def set_item(x):
    x["model"] = 5


def update_it(x):
    x.update(model=lazy(net)(width=2))


def update_with_the_verb(x):
    update(x, model=None)


@pytest.mark.parametrize("way", [set_attribute, set_item, update_it, update_with_the_verb])
def test_a_reference_to_a_call_that_was_replaced_is_named(way):
    assert told(lambda: check(displaced_by(way)), SpecError) == (
        f"{'optim[0]  refers to lazy(net)(width=1), which was replaced':<72}here\n          {ADVICE}"
    )


def test_elements_and_arguments_are_slots_as_well():
    for holder, key in (
        (attach([lazy(net)()]), 0),
        (lazy(wrap)(lazy(net)()), 0),
        (lazy(wrap)(inner=lazy(net)()), "inner"),
    ):
        whole = attach({"holder": holder, "optim": lazy(adam)(ref(holder[key]))})
        check(whole)
        holder[key] = lazy(net)()
        assert told(lambda: check(whole), SpecError).startswith("optim[0]  refers to lazy(net)()")


def test_a_call_that_still_stands_somewhere_is_fine():
    made = spec()
    made.model = lazy(net)(width=2)
    check(made)
    check(made.optim, root=made)
    made.rows = []
    check(made)
    made.held = None
    with pytest.raises(SpecError):
        check(made)


def test_a_call_that_was_moved_or_wrapped_is_fine():
    made = displaced_by(lambda x: None)
    made.model, made.other = lazy(net)(), made.model
    check(made)
    made.other = lazy(wrap)(made.other)
    check(made)


def test_a_call_that_never_stood_in_the_spec_is_fine():
    check({"optim": lazy(adam)(ref(lazy(net)()).x)})


def test_what_an_override_replaces_takes_its_references_along():
    made = spec()
    edit(made, "model={x: 5}")
    check(made)
    check(override(spec(), "model.width=7"))


def test_a_copy_tells_the_same():
    made = displaced_by(set_attribute)
    assert told(lambda: check(copy(made)), SpecError) == told(lambda: check(made), SpecError)


def test_a_reference_that_is_set_anew_is_fine():
    made = displaced_by(set_attribute)
    made.optim.params = ref(made.model).x
    check(made)


def test_what_does_not_count_is_not_named():
    made = displaced_by(set_attribute)
    assert find_faults(made, only=reached(made, made.model)) == []
    assert len(find_faults(made, only=reached(made, made.optim))) == 1
