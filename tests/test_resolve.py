"""A trial's identity is the hash of its resolved spec, over what its entry reaches (promise 21)."""

import pytest

from callsheet import build, copy, equal, from_data, hash_of, lazy, ref
from callsheet._resolve import reached, resolve
from callsheet._spec import attach
from callsheet.errors import CycleError, PathError


class Net:
    def __init__(self, width: int = 1):
        self.width = width

    def parameters(self):
        return [self.width]


def collect(**values):
    return values


def spec_of(**values):
    return attach(copy(values))


def test_references_to_values_become_values_of_the_same_type():
    spec = from_data({"lr": 0.1, "a": "${lr}", "text": "lr-${lr}", "deep": [{"b": "${a}"}]})
    resolved = resolve(spec)
    assert equal(resolved, from_data({"lr": 0.1, "a": 0.1, "text": "lr-0.1", "deep": [{"b": 0.1}]}))
    assert equal(spec.lr, 0.1)


def test_the_spec_itself_stays_as_it_was():
    spec = from_data({"a": 1, "b": "${a}"})
    resolve(spec)
    spec.a = 2
    assert spec.b == 2


def test_a_reference_to_a_node_becomes_that_very_node():
    model = lazy(Net)(3)
    resolved = resolve(spec_of(model=model, same="${model}"))
    assert resolved.same is resolved.model
    assert resolved.model is not model


def test_what_is_done_to_a_built_object_waits_for_the_build():
    model = lazy(Net)(3)
    resolved = resolve(spec_of(model=model, main=lazy(collect)(p=ref(model).parameters(), m=model)))
    built = build(resolved)
    assert built["main"]["p"] == [3]
    assert built["main"]["m"] is built["model"]


@pytest.mark.parametrize("text", ["${run.dir}", "${run.id}/x", "n${run.index}-${run.attempt}"])
def test_what_only_a_run_knows_stays_as_it_is_written(text):
    resolved = resolve(from_data({"main": {"where": text}}))
    assert hash_of(resolved) == hash_of(from_data({"main": {"where": text}}))


def test_resolving_twice_changes_nothing():
    model = lazy(Net)(3)
    data = {"lr": 1, "x": "${lr}", "model": model, "p": ref(model).parameters(), "d": "${run.dir}", "s": [ref(model)]}
    once = resolve(spec_of(**data))
    assert hash_of(resolve(once)) == hash_of(once)


def test_written_out_or_referred_to_is_the_same_trial():
    a = spec_of(seed=3, main=lazy(collect)(seed="${seed}"))
    b = spec_of(seed=3, main=lazy(collect)(seed=3))
    c = spec_of(seed=4, main=lazy(collect)(seed="${seed}"))
    hashes = [hash_of(resolve(spec).main) for spec in (a, b, c)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_reference_that_leads_nowhere_or_to_itself_is_named():
    with pytest.raises(PathError, match="gone"):
        resolve(from_data({"a": "${gone}"}))
    with pytest.raises(CycleError, match="a"):
        resolve(from_data({"a": "${b}", "b": "${a}"}))


def test_reached_follows_references_and_leaves_out_the_rest():
    model, other = lazy(Net)(3), lazy(Net)(4)
    spec = spec_of(model=model, other=other, main=lazy(collect)(net="${model}"))
    found = reached(spec, spec.main)
    assert id(spec.model) in found
    assert id(spec.other) not in found


def test_a_long_chain_of_references_resolves():
    data = {f"a{n}": f"${{a{n + 1}}}" for n in range(300)} | {"a300": 7}
    assert resolve(from_data(data)).a0 == 7
