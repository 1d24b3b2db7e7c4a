"""The JSON Schema of a spec: what is saved is valid, what `check` would refuse of names and types is not."""

import json

import jsonschema
import pytest
from hypothesis import given, settings

import specs
from callsheet import MISSING, check, lazy, partial, ref, save, schema, to_data
from callsheet.errors import CallsheetError
from shapes import Optim


class Net:
    def __init__(self, width: int = 1): ...


def fit(
    net: Net,
    *,
    lr: float = 0.1,
    steps: int,
    names: list[str] | None = None,
    mode: str = "min",
    size: tuple[int, int] = (1, 2),
    shape: tuple[int, *tuple[int, ...]] = (1,),
): ...


def keep(x=1, **more: int): ...


def faults(shape, data):
    found = schema(shape)
    jsonschema.Draft202012Validator.check_schema(found)
    return [error.json_path for error in jsonschema.Draft202012Validator(found).iter_errors(data)]


def test_what_is_saved_of_a_spec_without_faults_is_valid():
    sound = []

    @settings(max_examples=80, deadline=None)
    @given(specs.specs())
    def law(spec):
        try:
            data = to_data(spec)
            check(spec)
        except CallsheetError:
            return
        sound.append(spec)
        assert faults(spec, json.loads(json.dumps(data))) == []

    law()
    assert len(sound) > 20


@pytest.mark.parametrize(
    "spec",
    [
        {"net": lazy(Net)(width=3), "main": lazy(fit)(lazy(Net)(), lr=1e-3, steps=MISSING)},
        lazy(fit)(lazy(Net)(), lr=1e-3, steps=3),
        Optim(),
        [lazy(Net)()],
        {},
    ],
    ids=repr,
)
def test_a_saved_file_is_valid(tmp_path, spec):
    path = tmp_path / "conf.json"
    save(spec, path)
    assert faults(spec, json.loads(path.read_text())) == []


@pytest.fixture
def main():
    return lazy(fit)(lazy(Net)(width=3), steps=3)


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        ({"lr": "fast"}, "$"),
        ({"lrr": 0.1}, "$"),
        ({"steps": 1.5}, "$"),
        ({"names": "a"}, "$"),
        ({"names": [1]}, "$"),
        ({"size": [1, 2, 3]}, "$"),
        ({"shape": []}, "$"),
        ({"_args_": [5]}, "$"),
        ({"_args_": [{"_target_": "test_schema:Net", "widht": 1}]}, "$"),
    ],
    ids=lambda x: str(x),
)
def test_what_does_not_fit_is_not_valid(main, edit, path):
    data = to_data(main)
    assert faults(main, {**data, **edit}) != []


@pytest.mark.parametrize(
    "edit",
    [
        {"lr": 1},
        {"lr": "${steps}"},
        {"lr": "???"},
        {"names": None},
        {"names": ["a", "${b}"]},
        {"_args_": [{"_target_": "other:Net", "anything": 1}]},
        {"_args_": [{"_ref_": "net"}]},
        {"shape": [1, 2, 3]},
        {"size": {"_value_": "tuple", "of": [1, 2]}},
        {"_target_": "other:fit", "anything": 1},
    ],
    ids=str,
)
def test_what_fits_is_valid(main, edit):
    assert faults(main, {**to_data(main), **edit}) == []


def test_required_arguments_are_required_and_of_partials_are_not(main):
    data = to_data(main)
    del data["steps"]
    assert faults(main, data) == ["$"]
    waiting = partial(fit)(lr=0.1)
    assert faults(waiting, to_data(waiting)) == []


def test_behind_two_stars_the_declared_type_counts():
    spec = lazy(keep)(x=1, a=2)
    assert faults(spec, {**to_data(spec), "b": 3}) == []
    assert faults(spec, {**to_data(spec), "b": "x"}) == ["$.b"]


def test_defaults_are_told(main):
    then = schema({"optim": Optim(lr=0.5), "main": main})["properties"]
    assert then["optim"]["then"]["properties"]["lr"]["default"] == 0.5
    assert then["main"]["then"]["properties"]["mode"] == {
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/link"}],
        "default": "min",
    }


def test_references_and_names_that_only_data_knows_are_no_obstacle():
    net = lazy("nowhere:Net")(width=3)
    spec = {"net": net, "optim": lazy(keep)(ref(net).parameters()), "odd": {1: 2, "_x": 3}}
    assert faults(spec, json.loads(json.dumps(to_data(spec)))) == []
