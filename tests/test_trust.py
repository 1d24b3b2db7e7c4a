"""Promise 12: data imports and calls nothing unless trusted Python, the command line or the project allows it."""

import re
import sys

import pytest

from callsheet import build, from_data
from callsheet._target import parse_name, resolve
from callsheet._trust import Policy
from callsheet.errors import CallsheetError, TrustError

MODULE = """
    import builtins, functools, os
    from builtins import getattr as fetch
    from os import system as shell
    from other import Other

    class Net:
        def __init__(self, width=1): self.width = width
        @classmethod
        def make(cls): return cls(7)
        _private = 5
        class Inner: ...

    def fit(): return "fitted"
    join = functools.partial(os.path.join, "a")
"""


@pytest.fixture
def train(project):
    project("train.py", MODULE)
    project("other.py", "class Other: ...\n")
    project("pkg/__init__.py", "")
    project("pkg/deep.py", "def f(): return 'deep'\n")
    return project


def built(target, allow):
    return build(from_data({"_target_": target}, allow=allow, where="x.json"))


def refusal(target, allow=()):
    """The one problem, and the advice, of asking data for a target."""
    with pytest.raises(CallsheetError) as caught:
        built(target, allow)
    (fault,) = caught.value.faults
    return fault.problem, list(fault.advice)


# --- what is allowed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        ("train:fit", ["train"]),
        ("train.fit", ["train"]),
        ("train:fit", ["train:fit"]),
        ("train:Net", ["train"]),
        ("train:Net.make", ["train"]),
        ("train:Net.Inner", ["train"]),
        ("pkg.deep:f", ["pkg"]),
        ("pkg.deep:f", ["pkg.deep"]),
        ("train:Other", ["train", "other"]),
        ("builtins:dict", ["builtins"]),
        ("train:fit", "train"),
    ],
)
def test_what_is_allowed_is_called(train, target, allow):
    assert built(target, allow) is not None


@pytest.mark.parametrize("allow", [[], ["trai"], ["train2"], ["train.fit"], ["train:Net"], ["other"], [""]])
def test_nothing_else_is(train, allow):
    assert refusal("train:fit", allow)[0] == "train:fit is named by data, which imports nothing by itself"
    assert "train" not in sys.modules


def test_a_name_alone_allows_only_whole_parts_of_it(train):
    assert refusal("pkg.deep:f", ["pkg.dee"])[0] == "pkg.deep:f is named by data, which imports nothing by itself"


def test_trusted_python_needs_no_policy(train):
    assert resolve(parse_name("train:fit"))() == "fitted"


# --- what never is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "builtins:eval",
        "builtins:exec",
        "builtins:compile",
        "builtins:getattr",
        "builtins:setattr",
        "builtins:open",
        "importlib:import_module",
        "functools:partial",
        "functools:reduce",
        "operator:attrgetter",
        "operator:methodcaller",
        "operator:call",
        "runpy:run_path",
        "pkgutil:resolve_name",
        "pydoc:locate",
        "inspect:getattr_static",
    ],
)
def test_dispatchers_are_never_targets_from_data_allowed_or_not(name):
    module, _, qualname = name.partition(":")
    assert refusal(name, [module, "train"]) == (
        f"{name} calls or fetches whatever it is told, so data may never name it",
        [],
    )
    assert refusal(name)[0] == f"{name} calls or fetches whatever it is told, so data may never name it"


def test_a_dispatcher_under_another_name_is_known_by_itself(train):
    assert refusal("train:fetch", ["train", "builtins"]) == (
        "train:fetch is builtins.getattr, which data may never name",
        [],
    )
    assert refusal("io:open", ["io"])[0] == "io:open calls or fetches whatever it is told, so data may never name it"
    assert refusal("_functools:partial", ["_functools", "functools"])[0].endswith(
        "is functools.partial, which data may never name"
    )
    assert refusal("_operator:attrgetter", ["_operator", "operator"])[0].endswith(
        "is operator.attrgetter, which data may never name"
    )
    assert refusal("_frozen_importlib:__import__", ["_frozen_importlib", "importlib"])[0].endswith(
        "which data may not follow"
    )


def test_what_an_allowed_module_took_from_another_is_judged_as_what_it_is(train):
    assert refusal("train:os.system", ["train"])[0] == "train:os.system is really the module os, which is not allowed"
    assert refusal("train:shell", ["train"])[0] == "train:shell is really os.system, which is not allowed"
    assert (
        refusal("train:builtins.eval", ["train"])[0]
        == "train:builtins.eval is really the module builtins, which is not allowed"
    )
    assert refusal("train:Other", ["train"])[0] == "train:Other is really other.Other, which is not allowed"
    assert refusal("train:join", ["train"])[0] == "train:join is really functools.partial, which is not allowed"


def test_a_dotted_name_may_not_go_round_the_colon(train):
    assert refusal("train.os.system", ["train"])[0].startswith("train.os:system is ")
    assert refusal("train:Net.__init__.__globals__", ["train"])[0] == (
        "train:Net.__init__.__globals__ names a private attribute, which data may not follow"
    )


@pytest.mark.parametrize(
    "name",
    ["train:Net._private", "train:__builtins__", "train:Net.__subclasses__", "train:_x.y", "builtins:__import__"],
)
def test_no_attribute_that_starts_with_an_underscore_is_followed(train, name):
    assert refusal(name, ["train", "builtins"]) == (f"{name} names a private attribute, which data may not follow", [])


def test_module_names_may_start_with_an_underscore(project):
    project("_impl/_net.py", "def f(): return 'made'\n")
    assert built("_impl._net:f", ["_impl"]) == "made"


@pytest.mark.parametrize(
    "data",
    [
        {"_value_": "name", "of": "train:fit"},
        {"_type_": "train:Net"},
        {"_value_": "enum", "of": ["train:Color", "RED"]},
        {"_value_": "set", "of": [["name", "train:fit"]]},
        {"_value_": "set", "of": [["tuple", [["name", "train:fit"]]]]},
        {"_value_": "dtype", "of": ["<f4"]},
        {"_target_": {"_target_": "train:Net"}},
        {"_target_": "train:Net", "_partial_": True},
    ],
    ids=str,
)
def test_whatever_data_names_is_asked_for(train, data):
    with pytest.raises(CallsheetError, match="is named by data, which imports nothing by itself"):
        build(from_data({"a": data}))
    assert "train" not in sys.modules


def test_a_file_that_data_names_needs_a_policy_too(project):
    path = project("conf.py", "raise SystemExit('ran')\n")
    assert "is named by data, which imports nothing by itself" in refusal(f"{path}:f#{'0' * 12}")[0]


# --- the advice works -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "allow"), [("train:fit", []), ("train:Other", ["train"]), ("train:Other", []), ("pkg.deep:f", ["train"])]
)
def test_following_the_advice_works(train, target, allow):
    for _ in range(3):
        try:
            assert built(target, allow) is not None
            return
        except CallsheetError as error:
            advice = error.faults[0].advice[0]
            found = re.fullmatch(r"to trust it:  load\(\.\.\., allow=(\[.*\])\)  or  ((--allow \S+ ?)+)", advice)
            assert set(allow) < set(eval(found[1]))
            assert found[2].split("--allow ")[1:] == [f"{m} " if m != eval(found[1])[-1] else m for m in eval(found[1])]
            allow = eval(found[1])
    pytest.fail("the advice does not end")


def test_the_whole_text(train):
    with pytest.raises(TrustError) as caught:
        resolve(parse_name("train:fit", where="x.json", policy=Policy(["pkg"])))
    assert str(caught.value) == (
        "train:fit is named by data, which imports nothing by itself           x.json\n"
        'to trust it:  load(..., allow=["pkg", "train"])  or  --allow pkg --allow train'
    )
    with pytest.raises(TrustError) as caught:
        resolve(parse_name("train:Other", where="x.json", policy=Policy(["train"])))
    assert str(caught.value) == (
        "train:Other is really other.Other, which is not allowed               x.json\n"
        'to trust it:  load(..., allow=["train", "other"])  or  --allow train --allow other'
    )


def test_what_only_the_error_of_an_import_says_is_not_hidden(project):
    project("broken.py", "import not_there\n")
    with pytest.raises(
        CallsheetError, match="broken.f cannot be imported: ModuleNotFoundError: No module named 'not_there'"
    ):
        built("broken:f", ["broken"])


def test_the_policy_travels_with_a_loaded_spec(train):
    project = train
    project("x.json", '{"_target_": "train:fit"}')
    from callsheet import copy, load, override

    assert build(load("x.json", allow=["train"])) == "fitted"
    assert build(copy(load("x.json", allow=["train"]))) == "fitted"
    with pytest.raises(CallsheetError):
        build(override(load("x.json"), []))


def test_what_a_reference_in_data_would_call_on_a_built_object_is_judged_before_it_is_called(project):
    project("train.py", "class Net:\n    def __init__(self): self.seen = []\n    def weights(self): return 3\n")
    data = {"m": {"_target_": "train:Net"}, "n": {"_ref_": "m", "_then_": [["attr", "weights"], ["call", [], {}]]}}
    assert build(from_data(data, allow=["train"]))["n"] == 3
    data["n"]["_then_"] = [["attr", "seen"], ["attr", "append"], ["call", [1], {}]]
    with pytest.raises(CallsheetError, match="^builtins:list.append is named by data"):
        build(from_data(data, allow=["train"]))
