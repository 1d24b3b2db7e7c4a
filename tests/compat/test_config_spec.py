"""Code written for config_spec goes on with only its import changed, and its specs become Callsheet's and back."""

from __future__ import annotations

import collections
import copy
import functools
import json
import pickle
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import Any

import config_spec as peer
import ml_collections
import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

import callsheet
from callsheet import Config, build, check, diff, lazy, load, override, partial, ref, resolve, save, to_data
from callsheet.compat.config_spec import Spec, asdict, from_spec, to_spec
from callsheet.errors import CycleError, SpecError, TrustError
from saying import told

HERE = __name__


def create_model(num_layers: int = 1, activations: Any = None, **more: Any) -> Any:
    return ("model", num_layers, activations, *more.items())


def relu(x: float) -> float:
    return max(x, 0.0)


def gelu(x: float) -> float:
    return x / 2


class Adam:
    made = 0

    def __init__(self, params: Any = (), lr: float = 0.1, **more: Any) -> None:
        Adam.made += 1
        self.params, self.lr, self.more = params, lr, more


class AdamW(Adam):
    @classmethod
    def tuned(cls, **more: Any) -> AdamW:
        return cls(lr=0.5, **more)


def same(a: Any, b: Any) -> bool:
    """Whether two results are alike; partials, which are never equal, by what they hold."""
    if isinstance(a, functools.partial) and isinstance(b, functools.partial):
        return a.func == b.func and same(a.args, b.args) and same(a.keywords, b.keywords)
    if {type(a), type(b)} == {Spec, peer.Spec}:
        return same({**vars(a), "args": tuple(a.args)}, {**vars(b), "args": tuple(b.args)})
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a is b or a == b


def through_json(data: Any) -> Any:
    return json.loads(json.dumps(data))


# --- what the document of origin does


def test_a_spec_is_a_partial_that_can_be_written():
    spec = Spec(Adam, lr=1e-3)
    assert repr(spec) == f"<Spec: functools.partial({HERE}:Adam, lr=0.001)>"
    data = dict(spec)
    assert data == {"target": f"{HERE}:Adam", "lr": 1e-3, "__dense_spec__": True}
    for made in (spec.instantiate(), Spec.instantiate(spec), Spec.instantiate_from_dict(data)):
        assert (made.func, made.args, made.keywords) == (Adam, (), {"lr": 1e-3})


def test_a_config_becomes_data_that_is_edited_and_instantiated():
    config = asdict(
        {"tx": Spec(Adam, lr=1e-3), "model": Spec(create_model, num_layers=3, activations=Spec(relu))},
    )
    assert through_json(config) == config
    assert Spec.instantiate_from_dict(config["tx"])("parameters").params == "parameters"
    assert Spec.instantiate_from_dict(config["model"])() == ("model", 3, relu)

    config["tx"]["lr"] = 1e-4
    config["tx"]["target"] = f"{HERE}:AdamW"
    config["tx"]["beta1"] = 0.9
    config["model"]["activations"]["target"] = f"{HERE}:gelu"
    tx, model = Spec.instantiate_from_dict(config["tx"]), Spec.instantiate_from_dict(config["model"])
    assert (tx.func, tx.keywords) == (AdamW, {"lr": 1e-4, "beta1": 0.9})
    assert model() == ("model", 3, gelu)


def test_partials_among_numbers_become_data_and_come_back(tmp_path):
    config = {
        "model": functools.partial(create_model, num_layers=3),
        "optimizer": functools.partial(Adam, lr=1e-3),
        "num_steps": 1000,
        "batch_size": 32,
    }
    with open(tmp_path / "config.json", "w") as file:
        json.dump(asdict(config), file)
    with open(tmp_path / "config.json") as file:
        read = Spec.instantiate_from_dict(json.load(file))
    assert same(read, config)


# --- as the real package does it


CASES = {
    "a class with arguments": lambda S: S(Adam, 1, lr=1e-3),
    "a function alone": lambda S: S(relu),
    "a call": lambda S: S(create_model, 2)(activations=relu),
    "a call without arguments": lambda S: S(create_model)(),
    "more arguments": lambda S: S(create_model, 2).partial(activations=gelu).partial(extra=1),
    "arguments given again": lambda S: S(create_model, num_layers=2).partial(num_layers=3)(num_layers=4),
    "specs in lists, tuples and dicts": lambda S: {
        "a": [S(relu), (S(Adam, lr=1), 2)],
        "b": {1: {"c": S(create_model)()}},
    },
    "functions and partials as arguments": lambda S: S(
        create_model, 1, [relu, {"n": Adam}], p=functools.partial(gelu, 3)
    ),
    "a partial of a partial": lambda S: S(functools.partial(functools.partial(create_model, 1), x=1), relu, x=2),
    "a name": lambda S: S(f"{HERE}:Adam", lr=1),
    "a name and fields": lambda S: S(f"{HERE}:create_model", (2, relu), {"x": 1}, "called"),
    "the fields by name": lambda S: S(f"{HERE}:create_model", args=(2,), kwargs={"x": 1}, _return_type_="called"),
    "the items of a dict": lambda S: S(_target_=f"{HERE}:create_model", num_layers=2),
    "a dict": lambda S: {"_target_": f"{HERE}:Adam", "lr": 1, "params": {"_target_": f"{HERE}:relu"}},
    "a dict that is called": lambda S: [{"_target_": f"{HERE}:create_model", "args": [2], "_return_type_": "called"}],
    "a spec that is not recursive": lambda S: S(
        f"{HERE}:create_model", kwargs={"num_layers": {"_target_": "x:y"}, "f": [1]}, _recursive_=False
    )(),
    "a dict that is not recursive": lambda S: {
        "_target_": f"{HERE}:create_model",
        "_return_type_": "called",
        "_recursive_": False,
        "num_layers": {"_target_": f"{HERE}:relu"},
    },
    "arguments with the names of fields": lambda S: S(create_model, args=3, kwargs=[4], _return_type_="x"),
    "a method of a class": lambda S: S(AdamW.tuned, x=1),
    "nothing to do": lambda S: {"a": 3, "f": relu, "p": functools.partial(relu, 1), "none": None, "t": (1, 2)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_what_the_real_package_gives(case):
    theirs = peer.Spec.instantiate(case(peer.Spec))
    assert same(Spec.instantiate(case(Spec)), theirs)
    assert same(
        Spec.instantiate_from_dict(asdict(case(Spec))), peer.Spec.instantiate(peer.Spec.asdict(case(peer.Spec)))
    )
    assert same(Spec.asdict(case(Spec)), peer.Spec.asdict(case(peer.Spec)))
    assert same(Spec.from_dict(case(Spec)), peer.Spec.from_dict(case(peer.Spec)))
    assert repr(case(Spec)) == repr(case(peer.Spec))
    assert same(build(to_spec(case(Spec), allow=[HERE])), theirs)


def record(*args: Any, **kwargs: Any) -> Any:
    return "record", args, kwargs


def note(*args: Any, **kwargs: Any) -> Any:
    return "note", args, kwargs


NAMES = st.sampled_from(["lr", "args", "kwargs", "target", "called", "_recursive_", "_return_type_", "a_b"])
TREES = st.recursive(
    st.one_of(st.integers(), st.text("a${}.", max_size=4), st.none(), st.booleans(), st.sampled_from([record, note])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(NAMES, inner, max_size=3),
        st.builds(
            lambda *parts: ("SPEC", *parts),
            st.sampled_from([record, note]),
            st.lists(inner, max_size=2),
            st.dictionaries(NAMES, inner, max_size=3),
            st.sampled_from(["spec", "called", "partial"]),
        ),
    ),
    max_leaves=12,
)


def planted(tree: Any, cls: Any) -> Any:
    """A tree with the specs of one of the two packages in the places for them."""
    if isinstance(tree, dict):
        return {key: planted(value, cls) for key, value in tree.items()}
    if isinstance(tree, tuple) and tree[:1] == ("SPEC",):
        _, function, args, kwargs, form = tree
        args, kwargs = planted(args, cls), planted(kwargs, cls)
        if form == "partial":
            return cls(functools.partial(function, *args, **kwargs))
        made = cls(function, *args).partial(**kwargs)
        return made() if form == "called" else made
    return type(tree)(planted(value, cls) for value in tree) if isinstance(tree, list | tuple) else tree


@given(TREES)
def test_whatever_is_described_is_what_the_real_package_gives(tree):
    theirs = peer.Spec.instantiate(planted(tree, peer.Spec))
    assert same(Spec.instantiate(planted(tree, Spec)), theirs)
    assert same(Spec.asdict(planted(tree, Spec)), peer.Spec.asdict(planted(tree, peer.Spec)))
    assert same(build(to_spec(planted(tree, Spec))), theirs)


@given(TREES)
def test_both_styles_of_keys_come_back_from_json(tree):
    wanted = peer.Spec.instantiate(through_json(peer.Spec.asdict(planted(tree, peer.Spec))))
    assert same(Spec.instantiate(through_json(Spec.asdict(planted(tree, Spec)))), wanted)
    assert same(Spec.instantiate_from_dict(through_json(asdict(planted(tree, Spec)))), wanted)


@given(TREES)
def test_to_native_and_back_describes_the_same(tree):
    native = to_spec(planted(tree, Spec))
    assert same(Spec.instantiate(from_spec(native)), Spec.instantiate(planted(tree, Spec)))
    assert callsheet.equal(callsheet.from_data(to_data(native)), native)


# --- where it does better


def test_what_is_instantiated_stays_as_it_was():
    spec = Spec(create_model, [Spec(relu)], activations=Spec(Adam)())
    config = asdict({"a": spec, "kwargs": [1]})
    before, data = copy.deepcopy(spec), copy.deepcopy(config)
    Spec.instantiate({"a": spec})
    made = Spec.instantiate(config)
    made["kwargs"].append(2)
    to_spec(config)
    asdict(spec)
    assert spec == before
    assert config == data


def test_a_spec_that_stands_at_two_places_is_made_once():
    Adam.made = 0
    shared = Spec(Adam)()
    made = Spec.instantiate({"a": shared, "b": [Spec(create_model, shared)()], "c": Spec(create_model, x=shared)})
    assert made["a"] is made["b"][0][1] is made["c"].keywords["x"]
    native = build(to_spec({"a": shared, "b": [shared]}))
    assert native["a"] is native["b"][0]
    assert Adam.made == 2


def test_dicts_are_made_for_each_place():
    data = Spec.asdict(Spec(Adam)())
    first, second = Spec.instantiate([data, data])
    assert first is not second


def test_a_function_that_its_module_knows_by_another_name_is_found():
    data = Spec.asdict([Spec(dict.fromkeys, "ab"), str.upper])
    assert data == [{"_target_": "builtins:dict.fromkeys", "args": ("ab",)}, {"_target_": "builtins:str.upper"}]
    assert same(Spec.instantiate(data), [functools.partial(dict.fromkeys, "ab"), str.upper])


def test_a_dotted_name_is_read_as_well():
    assert Spec("collections.OrderedDict").instantiate() is collections.OrderedDict
    assert repr(Spec.from_dict({"_target_": "os.path.join"})) == "<Spec: os.path:join>"


def test_dataclasses_and_other_values_stay_what_they_are():
    @dataclass
    class Point:
        x: int

    point, raw = Point(1), b"1"
    made = Spec.instantiate(asdict([Spec(create_model, point, raw)()]))
    assert made[0][1] is point
    assert made[0][2] is raw


def test_either_style_edits_what_the_documented_one_has_written():
    data = dict(Spec(Adam, lr=1))
    data["_target_"] = f"{HERE}:AdamW"
    data["_return_type_"] = "called"
    assert type(Spec.instantiate(data)) is AdamW
    assert Spec(**data) == Spec(AdamW, lr=1)()
    assert dict(Spec(Adam)(called=1)) == {
        "target": f"{HERE}:Adam",
        "kwargs": {"called": 1},
        "called": True,
        "__dense_spec__": True,
    }


def test_a_function_that_is_set_as_a_target_counts():
    config = asdict({"tx": Spec(Adam, lr=1)})
    config["tx"]["target"] = AdamW
    assert same(Spec.instantiate(config), {"tx": functools.partial(AdamW, lr=1)})
    assert asdict(config) == asdict({"tx": Spec(AdamW, lr=1)})


def test_specs_are_dataclasses_that_can_be_edited():
    spec = Spec(Adam, lr=1)
    other = replace(spec, kwargs={"lr": 2})
    spec.kwargs["lr"] = 3
    spec._target_ = f"{HERE}:AdamW"
    assert same(
        [spec.instantiate(), other.instantiate()], [functools.partial(AdamW, lr=3), functools.partial(Adam, lr=2)]
    )
    assert pickle.loads(pickle.dumps(spec)) == copy.deepcopy(spec) == spec != other


def test_configs_of_other_libraries_are_read():
    written = asdict({"tx": Spec(Adam, lr=1), "list": [Spec(relu)], "steps": 3})
    for config in (ml_collections.ConfigDict(written), OmegaConf.create({**written, "again": "${steps}"})):
        made = Spec.instantiate(config)
        assert same(made["tx"], functools.partial(Adam, lr=1))
        assert (list(made["list"]), made["steps"]) == ([relu], 3)
        assert build(to_spec(config, allow=[HERE]))["list"] == [relu]


def test_dicts_of_other_classes_stay_of_their_class():
    by_default = collections.defaultdict(list, a=Spec(relu))
    made = Spec.instantiate([collections.OrderedDict(a=Spec(relu)), by_default])
    assert made == [collections.OrderedDict(a=relu), {"a": relu}]
    assert [type(each) for each in made] == [collections.OrderedDict, collections.defaultdict]
    assert made[1]["new"] == []
    assert "new" not in by_default


def test_functions_of_a_script_are_found_by_the_script_after_it_was_edited(project):
    script = """
        import json, sys
        from callsheet.compat.config_spec import Spec, asdict

        def f(x):
            return {result}

        if sys.argv[1:]:
            print(Spec.instantiate_from_dict(json.load(open("config.json")))["f"])
        else:
            json.dump(asdict({{"f": Spec(f, 3)()}}), open("config.json", "w"))
    """
    path = project("script.py", script.format(result="x"))
    subprocess.run([sys.executable, path], check=True)
    project("script.py", script.format(result="x + 1"))
    read = subprocess.run([sys.executable, path, "read"], check=True, capture_output=True, text=True)
    assert read.stdout == "4\n"


# --- what is refused


class Small(Config[dict]):
    width: int = 1


class Trainer:
    def step(self) -> None: ...

    def __call__(self) -> None: ...

    def __repr__(self) -> str:
        return "Trainer()"


def local() -> Any:
    def inside() -> None: ...

    return inside


NAMELESS = [
    (
        lambda x: x,
        "is a lambda, which no name leads to",
        "define it with  def  at the top level of a module, or write  functools.partial(...)  of such a function",
    ),
    (local(), "is local.<locals>.inside, which no name leads to", "define it at the top level of a module"),
    (
        Trainer().step,
        "is Trainer.step of one object, which no name leads to",
        "give the function of the class, or a module's",
    ),
    (Trainer(), "is Trainer(), an object that no name leads to", "say how it is made:  Spec(Trainer, ...)()"),
]


@pytest.mark.parametrize(("function", "problem", "advice"), NAMELESS, ids=["lambda", "local", "method", "object"])
def test_what_has_no_name_is_refused_where_it_stands(function, problem, advice):
    assert told(lambda: Spec(function), ValueError) == f"the spec {problem}\n  {advice}"
    for action in (
        lambda: Spec(create_model, activations=[function]),
        lambda: asdict({"activations": [function]}),
        lambda: Spec.asdict(
            {"activations": [functools.partial(function) if function is not NAMELESS[3][0] else function]}
        ),
    ):
        assert told(action, ValueError) == f"activations[0]  {problem}\n                {advice}"


def test_all_that_have_no_name_are_told_together():
    with pytest.raises(ValueError) as caught:
        asdict({"a": lambda: 1, "b": {"c": Spec(relu), "d": [Trainer()]}})
    assert [fault.path for fault in caught.value.faults] == ["a", "b.d[0]"]


def test_what_cannot_be_imported_is_told_before_anything_is_called():
    Adam.made = 0
    config = {
        "a": Spec(Adam)(),
        "tx": {"_target_": f"{HERE}:Adamm"},
        "data": [{"target": "no_such_module:load", "__dense_spec__": True}],
        "pi": {"_target_": "math:pi"},
    }
    for kind in (ValueError, ImportError):
        assert told(lambda: Spec.instantiate(config), kind) == "\n".join(
            [
                f"tx       cannot import {HERE}.Adamm: {HERE} has no 'Adamm'",
                "         did you mean  Adam?",
                "data[0]  cannot import no_such_module.load: no module named 'no_such_module'",
                "         the command looks in the project's root and in --path DIR",
                "         in Python, sys.path is yours to set",
                "pi       math.pi is 3.141592653589793, which cannot be called",
            ]
        )
    assert Adam.made == 0


def test_what_a_function_raises_says_where():
    with pytest.raises(TypeError) as caught:
        Spec.instantiate({"heads": [Spec(relu)(y=1)]})
    assert caught.value.__notes__ == [f"while instantiating heads[0]\n    <Spec: {HERE}:relu(y=1)>"]


def test_a_module_that_fails_says_who_named_it(project):
    project("broken.py", "1 / 0")
    with pytest.raises(ZeroDivisionError) as caught:
        Spec.instantiate({"a": {"_target_": "broken:f"}})
    assert caught.value.__notes__ == ["while importing broken:f"]


MALFORMED = [
    ({"_target_": "Adam"}, "has the target 'Adam', which names no object\n  write  \"package.module:function\""),
    ({"_target_": 3}, 'has a target that is no name: 3\n  write  "package.module:function"'),
    (
        {"__dense_spec__": True, "taget": "a:b"},
        'is marked __dense_spec__ and has no target\n  write  "package.module:function" under  target',
    ),
    ({"_target_": "a:b", "_return_type_": "call"}, "has the _return_type_ 'call'\n  it is  'partial' or 'called'"),
    ({"_target_": "a:b", "_recursive_": "no"}, "has a _recursive_ that is neither true nor false: 'no'"),
    ({"_target_": "a:b", "args": 3}, "has args that are no list: 3\n  write  args=(3,)"),
    ({"_target_": "a:b", "kwargs": [3]}, "has kwargs that are no dict: [3]"),
    ({"_target_": "a:b", 3: 4}, "has the argument 3, which is no name"),
]


@pytest.mark.parametrize(("data", "problem"), MALFORMED)
@pytest.mark.parametrize("verb", [Spec.instantiate, Spec.from_dict, to_spec])
def test_a_malformed_dict_is_named(verb, data, problem):
    assert told(lambda: verb(data), ValueError) == f"the spec {problem}"
    assert told(lambda: verb({"tx": [data]}), ValueError) == "tx[0]  " + problem.replace("\n  ", "\n       ")


def test_a_spec_that_holds_itself_is_named():
    spec = Spec(create_model)
    spec.kwargs["again"] = {"x": [spec]}
    config: dict = {"a": 1}
    config["b"] = {"c": config}
    for verb in (Spec.instantiate, asdict, to_spec):
        assert told(lambda: verb({"s": spec}), CycleError).startswith("s.again.x[0]  leads back to s, which holds it")
        assert told(lambda: verb(config), CycleError).startswith("b.c  leads back to the whole spec, which holds it")


def test_two_hundred_levels_are_no_trouble():
    deep: Any = 1
    for _ in range(200):
        deep = functools.partial(create_model, deep)
    data = through_json(asdict(deep))
    for _ in range(200):
        assert data["target"] == f"{HERE}:create_model"
        data = data["args"][0]
    spec: Any = Spec(relu)
    for _ in range(200):
        spec = Spec(create_model, spec)()
    for made in (Spec.instantiate(spec), build(to_spec(spec)), Spec.instantiate(asdict(spec))):
        for _ in range(200):
            made = made[1]
        assert made is relu


def test_a_spec_is_called_once():
    for action in (Spec(relu)(1), Spec(relu)(1).partial):
        assert told(lambda: action(2), ValueError) == "\n".join(
            [
                f"<Spec: {HERE}:relu(1)> is called already, and takes no more arguments",
                "  give them before the call, or set  spec.kwargs[name] = ...",
            ]
        )


def test_what_is_no_spec_is_refused_by_python():
    for action in (lambda: Spec(), lambda: Spec(lr=3), lambda: Spec(3), lambda: Spec("a:b", (), {}, "called", True, 6)):
        with pytest.raises(TypeError, match="Spec\\(|no spec of it"):
            action()


# --- trust


def test_only_what_is_allowed_is_imported_where_that_is_said():
    config = {"a": {"_target_": f"{HERE}:relu"}, "b": [{"_target_": "os:system", "command": "true"}]}
    assert told(lambda: Spec.instantiate_from_dict(config, allow=[HERE]), TrustError) == "\n".join(
        [
            "b[0]  os:system is named by data, which imports nothing by itself",
            f'      to allow it in Python:   Spec.instantiate_from_dict(..., allow=["{HERE}", "os"])',
            '      in pyproject.toml:       allow = ["os"]  under [tool.callsheet]',
        ]
    )
    config.pop("b")
    assert Spec.instantiate_from_dict(config, allow=[HERE])["a"] is relu
    call = {"_target_": "functools:partial", "args": [1], "_return_type_": "called"}
    assert "so data may never name it" in told(lambda: Spec.instantiate(call, allow=["functools"]), TrustError)


def test_what_an_allowed_module_took_from_elsewhere_is_judged_by_where_it_is_from(project):
    project("helpers.py", "import os\nrun, made = os.system, []\nadd = made.append")
    config = {"_target_": "helpers:run", "args": ["true"], "_return_type_": "called"}
    for verb in (
        lambda: Spec.instantiate(config, allow=["helpers"]),
        lambda: build(to_spec(config, allow=["helpers"])),
    ):
        assert "helpers:run is really os.system, which is not allowed" in told(verb)
    config["_target_"] = "helpers:add"
    Spec.instantiate(config, allow=["helpers"])
    build(to_spec(config, allow=["helpers"]))


def test_a_native_spec_of_dicts_imports_only_what_is_allowed():
    config = {"a": {"_target_": f"{HERE}:relu"}, "b": Spec(gelu)}
    read = to_spec(config)
    assert told(lambda: build(read), TrustError) == "\n".join(
        [
            f"{HERE}:relu is named by data, which imports nothing by itself",
            f'  to allow it in Python:   to_spec(..., allow=["{HERE}"])',
            f'  in pyproject.toml:       allow = ["{HERE}"]  under [tool.callsheet]',
        ]
    )
    assert build(to_spec(config, allow=[HERE])) == {"a": relu, "b": gelu}
    assert build(to_spec(config["b"])) is gelu


def test_the_project_allows_for_it_too(project):
    project("pyproject.toml", f'[tool.callsheet]\nallow = ["{HERE}"]')
    config = {"_target_": f"{HERE}:relu"}
    assert build(to_spec(config)) is relu
    assert Spec.instantiate(config, allow=[]) is relu


def test_becoming_a_native_spec_imports_nothing(project):
    project("costly.py", "raise AssertionError('imported')")
    read = to_spec({"a": {"_target_": "costly:f", "x": 1}, "b": Spec("costly:g")}, allow=["costly"])
    assert to_data(read) == {
        "a": {"_target_": "costly:f", "_partial_": True, "x": 1},
        "b": {"_value_": "name", "of": "costly:g"},
    }


# --- to Callsheet and back


def test_a_native_spec_has_every_verb(tmp_path):
    config = {"tx": Spec(Adam, lr=1e-3), "model": Spec(create_model, 3, activations=relu)(), "steps": 1000}
    native = to_spec(config)
    assert native == {
        "tx": partial(Adam)(lr=1e-3),
        "model": lazy(create_model)(3, activations=relu),
        "steps": 1000,
    }
    save(native, tmp_path / "conf.yaml")
    assert load(tmp_path / "conf.yaml") == native
    changed = override(native, ["tx.lr=0.5", "model.activations=math.floor"])
    assert build(changed)["tx"].keywords == {"lr": 0.5}
    assert [change.path for change in diff(native, changed)] == ["tx.lr", "model.activations"]
    wrong = to_spec({"m": Spec(relu, y=1)})
    assert told(lambda: check(wrong), SpecError).startswith(f"m.y  no such argument of {HERE}.relu")


def test_texts_that_look_like_references_are_texts():
    config = {"a": "${b}", "b": Spec(create_model, "x${c}", {"d": ["${e}"]})()}
    native = to_spec(config)
    assert build(native) == Spec.instantiate(config) == {"a": "${b}", "b": ("model", "x${c}", {"d": ["${e}"]})}
    assert Spec.instantiate(from_spec(native)) == Spec.instantiate(config)


def test_sharing_goes_both_ways(tmp_path):
    shared = Spec(Adam)()
    native = to_spec({"a": shared, "b": Spec(create_model, shared)})
    save(native, tmp_path / "conf.json")
    back = from_spec(load(tmp_path / "conf.json"))
    assert back["a"] is back["b"].args[0]
    assert back == {"a": shared, "b": Spec(create_model, shared)}


def test_native_nodes_are_built_together_with_specs():
    inner = lazy(Adam)(lr=2)
    made = build(to_spec({"a": inner, "b": Spec(create_model, inner)()}))
    assert made["b"][1] is made["a"]
    advice = "build(to_spec(...)) builds both together"
    assert told(lambda: Spec.instantiate({"a": inner})) == "\n".join(
        ["a  is a node of Callsheet's own: lazy(Adam)(lr=2)", f"   {advice}"]
    )
    assert "from_spec(...) makes one of config_spec of it" in told(lambda: asdict({"a": inner}))


def test_a_spec_that_stands_in_a_native_one_is_told_before_anything_is_built():
    Adam.made = 0
    spec = {"first": lazy(Adam)(), "tx": lazy(create_model)(activations=[Spec(relu)])}
    for verb in (build, check):
        assert told(lambda: verb(spec), SpecError) == "\n".join(
            [
                "tx.activations[0]  a Spec of config_spec stands here, which is no call of Callsheet's",
                "                   set by here",
                "                   write  to_spec(...)  around it",
            ]
        )
    assert Adam.made == 0
    spec["tx"].activations = [to_spec(Spec(relu))]
    assert build(spec)["tx"] == ("model", 1, [relu])


def test_specs_in_one_that_is_not_recursive_reach_its_function_as_specs():
    spec = Spec(f"{HERE}:create_model", kwargs={"num_layers": [Spec(Adam, "${x}")], "n": 1}, _recursive_=False)()
    made = build(to_spec(spec))
    assert made == Spec.instantiate(spec) == ("model", [Spec(Adam, "${x}")], None, ("n", 1))


def test_what_config_spec_has_no_words_for_is_refused():
    model = lazy(create_model)(2)
    spec = {
        "model": model,
        "size": lazy(relu)(ref(model)),
        "twice": lazy(lazy(create_model)())(),
        "config": Small(),
        "must": callsheet.MISSING,
        "f": lazy(lambda: 1)(),
    }
    with pytest.raises(SpecError) as caught:
        from_spec(spec)
    assert [(fault.path, fault.problem.partition(":")[0]) for fault in caught.value.faults] == [
        ("size[0]", "is the reference ref(lazy(create_model)(2))"),
        ("twice", "calls what another call gives"),
        ("config", "is a Small, which builds something else"),
        ("must", "is MISSING"),
        ("f", "is a lambda, which no name leads to"),
    ]
    back = from_spec(resolve({"model": model, "size": lazy(relu)(ref(model))}))
    assert back["size"].args[0] is back["model"]
