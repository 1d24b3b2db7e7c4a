"""Promise 12: data imports and calls nothing unless trusted Python, the command line or the project allows it."""

import functools
import json
import os
import re
import subprocess
import sys

import pytest

from callsheet import build, check, copy, from_data, load, override, ref
from callsheet._dispatchers import NEVER
from callsheet._ref import moved
from callsheet._spec import attach
from callsheet._target import parse_name, resolve
from callsheet._trust import Policy
from callsheet.errors import CallsheetError, TrustError
from saying import told

MODULE = """
    import builtins, enum, functools, operator, os, json, other
    from builtins import getattr as fetch
    from os import system as shell
    from other import Other, decorated, runner, Inherited

    class Net(Inherited):
        def __init__(self, width=1): self.width = width
        @classmethod
        def make(cls): return cls(7)
        _private = 5
        class Inner: ...
        def weights(self): return self.width
        seen = []
        tool = staticmethod(os.getcwd)
        text = "{0.__class__}"
        os = os
        other = runner
        def __call__(self): return "called"

    class Color(enum.Enum):
        RED = 1

    net = Net()
    def fit(**_): return "fitted"
    def tool(): return os.getcwd
    def runs(): return runner
    def made(): return Net()
    seen = []
    text = "{0.__class__}"
    join = functools.partial(os.path.join, "a")
    quick = functools.partial(fit)
    getter = operator.attrgetter("width")

    @functools.cache
    def kept(): return "kept"

    @decorated
    def wrapped(): return "wrapped"

    @functools.wraps(fit)
    def honest(): return "honest"

    def __getattr__(name):
        if name == "lazily": return Other
        if name == "later": return fit
        raise AttributeError(name)
"""
OTHER = """
    import functools
    class Other: ...
    class Inherited:
        @classmethod
        def inherited(cls): return cls()
        def above(self): return 1
    class Runner:
        __module__ = "other"
        def __call__(self): return "ran"
    runner = Runner()
    runner.__module__ = "train"
    def liar(): return "lied"
    liar.__module__, liar.__qualname__ = "train", "fit"
    def decorated(f):
        @functools.wraps(f)
        def call(*args): return f(*args)
        return call
    @decorated
    def own(): return "own"
    class Sly(type):
        def __getattribute__(cls, name):
            return {"__module__": "train", "__qualname__": "Net"}.get(name) or super().__getattribute__(name)
    Posing = Sly("Posing", (), {"__module__": "other", "__qualname__": "Posing"})
"""


@pytest.fixture
def train(project):
    project("pyproject.toml", "")
    project("train.py", MODULE)
    project("other.py", OTHER)
    project("pkg/__init__.py", "")
    project("pkg/deep.py", "def f(): return 'deep'\n")
    project("pkg/_impl.py", "def f(): return 'made'\n")
    return project


def built(target, allow):
    return build(from_data({"_target_": target}, allow=allow, where="x.json"))


def refusal(target, allow=()):
    """The one problem of asking data for a target."""
    with pytest.raises(CallsheetError) as caught:
        built(target, allow)
    (fault,) = caught.value.faults
    return fault.problem


def unallowed(name):
    return f"{name} is named by data, which imports nothing by itself"


# --- what is allowed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        ("train:fit", ["train"]),
        ("train.fit", ["train"]),
        ("train:fit", ["train:fit"]),
        ("train:fit", "train"),
        ("train:Net", ["train"]),
        ("train:Net.make", ["train"]),
        ("train:Net.make", ["train:Net.make"]),
        ("train:Net.Inner", ["train:Net.Inner"]),
        ("train:net", ["train"]),
        ("train:later", ["train"]),
        ("train:kept", ["train"]),
        ("train:quick", ["train"]),
        ("train:wrapped", ["train"]),
        ("train:honest", ["train"]),
        ("pkg.deep:f", ["pkg"]),
        ("pkg.deep:f", ["pkg.deep"]),
        ("pkg:deep.f", ["pkg"]),
        ("pkg._impl:f", ["pkg._impl"]),
        ("train:Other", ["train", "other"]),
        ("builtins:dict", ["builtins"]),
        ("types:SimpleNamespace", ["types"]),
    ],
)
def test_what_is_allowed_is_called(train, target, allow):
    assert built(target, allow) is not None


def test_an_entry_with_a_colon_allows_what_stands_there_under_that_name(train):
    assert type(built("train:Other", ["train:Other"])).__name__ == "Other"
    assert refusal("train:shell", ["train:Other"]) == unallowed("train:shell")


@pytest.mark.parametrize("allow", [[], ["trai"], ["train2"], ["train.fit"], ["train:Net"], ["other"], ["fit"]])
def test_nothing_else_is(train, allow):
    before = "train" in sys.modules
    assert refusal("train:fit", allow) == unallowed("train:fit")
    assert ("train" in sys.modules) == before


def test_a_name_alone_allows_only_whole_parts_of_it(train):
    assert refusal("pkg.deep:f", ["pkg.dee"]) == unallowed("pkg.deep:f")


@pytest.mark.parametrize("entry", ["", "*", "torch.*", "train/", ".train", "train:", "train:fit()", "a b", 5])
def test_what_can_be_no_name_cannot_be_allowed(entry):
    assert told(lambda: from_data({}, allow=[entry])) == (
        f'{entry!r} is nothing that can be allowed\n  allow=["train", "torch.optim:AdamW"]'
    )


def test_nothing_is_allowed_by_an_empty_list_and_not_by_none():
    assert told(lambda: from_data({}, allow=None)).startswith("None is nothing that can be allowed\n  allow=[")
    assert from_data({}, allow=[]) == {}


def test_trusted_python_needs_no_policy(train):
    assert resolve(parse_name("train:fit"))() == "fitted"


# --- what never is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(name for names in NEVER.values() for name in names.split()))
def test_a_dispatcher_is_never_a_target_from_data_allowed_or_not(name):
    target = name if ":" in name else f"{name}:f"
    reason = next(reason for reason, names in NEVER.items() if name in names.split())
    entry = target.partition(":")[0]
    assert refusal(target, [entry, target]) == refusal(target) == f"{target} {reason}, so data may never name it"


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("train:fetch", "builtins.getattr, which reads or sets whatever attribute a text names"),
        ("train:getter", "operator.attrgetter, which reads or sets whatever attribute a text names"),
        ("train:text.format", "str.format, which reads or sets whatever attribute a text names"),
        ("train:functools.reduce", "the module functools, which calls whatever it is handed"),
        ("codecs:builtins.eval", "builtins.eval, which runs text as code"),
    ],
)
def test_a_dispatcher_under_another_name_is_known_by_itself(train, name, real):
    everything = ["train", "builtins", "functools", "operator", "codecs", name]
    assert refusal(name, everything) == f"{name} is really {real}, so data may never name it"


@pytest.mark.parametrize(
    "name", ["_functools:partial", "_operator:attrgetter", "_pickle:loads", "_io:open", "_ctypes:dlopen", "posix:eval"]
)
def test_the_c_half_of_a_module_of_python_counts_as_the_module(name):
    assert refusal(name, [name.partition(":")[0]]) is not None


def test_pickles_are_never_read_for_data(project):
    import pickle

    data = {"_target_": "pickle:loads", "_args_": [{"_value_": "bytes", "of": "gASVAAAAAAAA"}]}
    assert pickle.__name__ == "pickle"
    assert told(lambda: build(from_data(data, allow=["pickle"], where="x.json"))) == (
        "pickle:loads unpickles, which calls whatever the bytes say, so data may never name it\nset by x.json"
    )


def test_callsheet_itself_is_not_for_data_to_call(train):
    train("conf.py", "x = 1\n")
    data = {"_target_": "callsheet:load", "path": "conf.py"}
    assert told(lambda: build(from_data(data, allow=["callsheet"], where="x.json"))) == (
        "callsheet:load is really callsheet._files.load, which is Callsheet's own and could lift what holds for data, "
        "so data may never name it\nset by x.json"
    )


# --- what an allowed name really is -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("train:os.system", "the module os"),
        ("train:shell", "os.system"),
        ("train:builtins.dict", "the module builtins"),
        ("train:json.codecs.open", "the module json"),
        ("train:Other", "other.Other"),
        ("train:lazily", "other.Other"),
        ("train:runner", "other.Runner"),
        ("train:join", "os.path.join"),
        ("train:Net.tool", "os.getcwd"),
        ("train:net.os", "the module os"),
        ("train:Net.inherited", "other.Inherited.inherited"),
        ("train:net.above", "other.Inherited.above"),
        ("train:decorated", "other.decorated"),
        ("train:other.own", "the module other"),
    ],
)
def test_what_an_allowed_module_took_from_another_is_judged_as_what_it_is(train, name, real):
    assert refusal(name, ["train"]) == f"{name} is really {real}, which is not allowed"


def test_a_chain_through_modules_that_an_allowed_one_imported_ends_at_the_first(project):
    assert refusal("json:codecs.open", ["json"]) == "json:codecs.open is really the module codecs, which is not allowed"
    assert refusal("json:decoder.scanner.re.compile", ["json"]).endswith(
        "is really the module re, which is not allowed"
    )


@pytest.mark.parametrize(
    ("name", "real"), [("liar", "liar"), ("runner", "Runner"), ("Posing", "Posing"), ("own", "own")]
)
def test_what_an_object_says_of_itself_does_not_count_where_it_can_be_seen(train, name, real):
    module = train("thin.py", f"from other import {name}\n")
    assert module
    assert refusal(f"thin:{name}", ["thin", "train"]) == (f"thin:{name} is really other.{real}, which is not allowed")


def test_what_says_no_module_counts_to_the_one_it_was_taken_from(train):
    data = {"_target_": "train:seen.append", "_args_": [3]}
    build(from_data(data, allow=["train"]))
    assert sys.modules["train"].seen == [3]


def test_a_dotted_name_may_not_go_round_the_colon(train):
    assert refusal("train.os.system", ["train"]).startswith("train.os:system is ")
    assert refusal("train:Net.__init__.__globals__", ["train"]) == (
        "train:Net.__init__.__globals__ names a private attribute, which data may not follow"
    )


@pytest.mark.parametrize(
    "name",
    ["train:Net._private", "train:__builtins__", "train:Net.__subclasses__", "train:_x.y", "builtins:__build_class__"],
)
def test_no_attribute_that_starts_with_an_underscore_is_followed(train, name):
    assert refusal(name, ["train", "builtins"]) == f"{name} names a private attribute, which data may not follow"


def test_module_names_may_start_with_an_underscore(project):
    project("_impl/_net.py", "def f(): return 'made'\n")
    assert built("_impl._net:f", ["_impl"]) == "made"


# --- whatever data can name -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        {"_value_": "name", "of": "train:fit"},
        {"_type_": "train:Net"},
        {"_value_": "enum", "of": ["train:Color", "RED"]},
        {"_value_": "set", "of": [["name", "train:fit"]]},
        {"_value_": "set", "of": [["tuple", [["name", "train:fit"]]]]},
        {"_items_": [[{"_value_": "name", "of": "train:fit"}, 1]]},
        {"_target_": {"_target_": "train:Net"}},
        {"_target_": "train:Net", "_partial_": True},
    ],
    ids=str,
)
def test_whatever_data_names_is_asked_for(project, data):
    before = "train" in sys.modules
    with pytest.raises(CallsheetError, match="is named by data, which imports nothing by itself"):
        build(from_data({"a": data}))
    assert ("train" in sys.modules) == before


def test_reading_an_attribute_asks_too(train):
    cfg = from_data({"f": {"_value_": "name", "of": "train:fit"}}, where="x.json")
    assert told(lambda: cfg.f).startswith(unallowed("train:fit"))
    assert from_data({"f": {"_value_": "name", "of": "train:fit"}}, allow=["train"]).f() == "fitted"


def test_an_enum_of_data_must_be_an_enum(train):
    data = {"_value_": "enum", "of": ["train:Net", 5]}
    with pytest.raises(TypeError, match="is no Enum, so it has no member 5"):
        build(from_data({"a": data}, allow=["train"]))


def test_numpy_needs_no_policy_since_data_has_no_say_in_what_of_it_is_called():
    numpy = pytest.importorskip("numpy")
    data = {"_value_": "array", "of": ["<f4", [2], "AACAPwAAAEA="]}
    assert build(from_data({"a": data}))["a"].tolist() == [1, 2]
    assert build(from_data({"a": {"_value_": "dtype", "of": ["<f4"]}}))["a"] == numpy.dtype("f4")


def test_an_array_of_objects_is_not_made_of_bytes():
    pytest.importorskip("numpy")
    with pytest.raises(ValueError, match="cannot create an OBJECT array from memory buffer"):
        build(from_data({"a": {"_value_": "array", "of": ["|O", [1], "AAAAAAAAAAA="]}}))


# --- files ------------------------------------------------------------------------------------------------------------


def file_target(path, name="f"):
    from callsheet._configfile import digest_of, read_source

    return f"{path}:{name}#{digest_of(read_source(path))}"


def test_what_a_file_defines_is_allowed_by_the_files_path(train):
    path = train("conf.py", "def f(): return 'defined'\nimport os\n")
    assert refusal(file_target(path)) == unallowed(f"{path}:f")
    assert refusal(file_target(path), ["conf"]) == unallowed(f"{path}:f")
    assert built(file_target(path), ["conf.py"]) == built(file_target(path), [path]) == "defined"
    assert refusal(file_target(path, "os.getcwd"), [path]).endswith("is really the module os, which is not allowed")


@pytest.mark.parametrize("written", ["conf.py", "./conf.py", "conf./../conf.py"])
def test_a_file_is_named_by_its_whole_path(train, written):
    path = train("conf.py", "raise SystemExit('ran')\n")
    digest = file_target(path).partition("#")[2]
    assert refusal(f"{written}:f#{digest}", [path, "conf", "conf.py"]) == (
        f"{written}:f is in a file that is not named by its whole path"
    )


# --- references -------------------------------------------------------------------------------------------------------


def followed(then, base="train:Net", allow=("train",)):
    data = {"m": {"_target_": base}, "n": {"_ref_": "m", "_then_": then}}
    return build(from_data(data, allow=allow, where="x.json"))["n"]


def test_what_a_reference_would_call_on_a_built_object_is_judged_before_it_is_called(train):
    assert followed([["attr", "weights"], ["call", [], {}]]) == 1
    assert followed([["call", [], {}]]) == "called"
    reached = "is reached by data, and nothing allows it"
    assert told(lambda: followed([["attr", "above"], ["call", [], {}]]), TrustError).startswith(
        f"other.Inherited.above {reached}\n"
    )
    assert told(lambda: followed([["attr", "seen"], ["attr", "append"], ["call", [1], {}]])).startswith(
        f"builtins.list.append {reached}\n"
    )
    assert sys.modules["train"].Net.seen == []
    assert told(lambda: followed([["attr", "tool"], ["call", [], {}]])).startswith(f"os.getcwd {reached}\n")
    assert told(lambda: followed([["attr", "other"], ["call", [], {}]])).startswith(f"other.Runner {reached}\n")


def test_code_is_judged_where_it_is_fetched_since_it_could_be_handed_on(train):
    assert told(lambda: followed([["attr", "os"]])) == (
        "the module os is reached by data, and nothing allows it\n"
        '  to allow it in Python:   from_data(..., allow=["train", "os"])\n'
        "  on the command line:     --allow train --allow os\n"
        '  in pyproject.toml:       allow = ["os"]  under [tool.callsheet]'
    )
    assert told(lambda: followed([["attr", "tool"]])).startswith("os.getcwd is reached by data")


def test_dispatchers_are_not_reached_through_built_objects(train):
    steps = [["attr", "text"], ["attr", "format"], ["call", [{"_same_": "m"}], {}]]
    assert told(lambda: followed(steps, allow=["train", "builtins"])) == (
        "builtins.str.format reads or sets whatever attribute a text names, so data may never reach it"
    )


def test_private_attributes_are_refused_when_data_is_read():
    with pytest.raises(CallsheetError, match="follows the attribute '__class__', which data may not"):
        followed([["attr", "__class__"]])


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ({"_target_": "train:tool"}, "os.getcwd"),
        ({"_target_": "train:runs"}, "other.Runner"),
        ({"_target_": {"_target_": "builtins:dict"}}, "builtins.dict"),
        ({"_ref_": "m", "_then_": [["attr", "tool"]]}, "os.getcwd"),
        ({"_ref_": "made"}, "os.getcwd"),
    ],
    ids=str,
)
def test_what_is_called_because_another_call_made_it_is_judged_too(train, target, found):
    data = {"m": {"_target_": "train:Net"}, "made": {"_target_": "train:tool"}, "x": {"_target_": target}}
    with pytest.raises(CallsheetError, match=f"{found}|builtins:dict"):
        build(from_data(data, allow=["train"]))


def test_an_object_of_an_allowed_class_is_called_as_a_target(train):
    assert build(from_data({"_target_": {"_target_": "train:made"}}, allow=["train"])) == "called"


def test_a_reference_of_data_keeps_its_policy_where_python_refers_to_it(train):
    data = {"m": {"_value_": "name", "of": "train:net"}, "n": {"_ref_": "${m}", "_then_": [["attr", "os"]]}}
    theirs = from_data(data, allow=["train"])
    mine = attach({"theirs": theirs, "os": ref("n")})
    moved(mine.__dict__["os"], lambda _: theirs)
    with pytest.raises(TrustError, match="the module os is reached by data"):
        print(mine.os)


# --- the advice works -------------------------------------------------------------------------------------------------


def advice_of(error):
    """The three lines that would allow it: the list, the words and the line of TOML that they hold."""
    python, command, toml = error.faults[0].advice
    return (
        re.fullmatch(r"to allow it in Python:   (load\(\"x.json\", allow=\[.*\]\))", python)[1],
        re.fullmatch(r"on the command line:     (--allow .*)", command)[1].split(),
        re.fullmatch(r"in pyproject.toml:       (allow = \[.*\])  under \[tool.callsheet\]", toml)[1],
    )


TARGETS = ["train:fit", "train:Other", "pkg.deep:f", "train:Net.inherited"]


@pytest.mark.parametrize("target", TARGETS)
def test_following_the_line_for_python_works(train, target):
    train("x.json", json.dumps({"_target_": target}))
    line = 'load("x.json")'
    for _ in range(3):
        try:
            assert build(eval(line)) is not None
            return
        except CallsheetError as error:
            line = advice_of(error)[0]
    pytest.fail("the advice does not end")


@pytest.mark.parametrize("target", TARGETS)
def test_following_the_line_for_the_project_works(train, target):
    train("x.json", json.dumps({"_target_": target}))
    for _ in range(3):
        try:
            assert build(load("x.json")) is not None
            return
        except CallsheetError as error:
            train("pyproject.toml", f"[tool.callsheet]\n{advice_of(error)[2]}\n")
    pytest.fail("the advice does not end")


def test_following_the_flags_for_the_command_works(train):
    train("x.json", json.dumps({"_target_": "train:Other"}))
    flags = []
    for _ in range(3):
        words = [sys.executable, "-m", "callsheet", "check", "x.json", *flags]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            assert flags == ["--allow", "train", "--allow", "other"]
            return
        flags = re.search(r"on the command line:     (--allow .*)", done.stderr)[1].split()
    pytest.fail("the advice does not end")


def test_the_whole_text(train):
    with pytest.raises(TrustError) as caught:
        resolve(parse_name("train:fit", where="x.json", policy=Policy(["pkg"], project=["shop"])))
    assert str(caught.value) == (
        "train:fit is named by data, which imports nothing by itself           x.json\n"
        'to allow it in Python:   load("x.json", allow=["pkg", "train"])\n'
        "on the command line:     --allow pkg --allow train\n"
        'in pyproject.toml:       allow = ["shop", "train"]  under [tool.callsheet]'
    )


def test_what_only_the_error_of_an_import_says_is_not_hidden(project):
    project("broken.py", "import not_there\n")
    with pytest.raises(
        CallsheetError, match="broken.f cannot be imported: ModuleNotFoundError: No module named 'not_there'"
    ):
        built("broken:f", ["broken"])


# --- where a policy lives ---------------------------------------------------------------------------------------------


def test_the_policy_travels_with_a_loaded_spec(train):
    train("x.json", '{"_target_": "train:fit"}')
    assert build(load("x.json", allow=["train"])) == "fitted"
    assert build(copy(load("x.json", allow=["train"]))) == "fitted"
    with pytest.raises(CallsheetError):
        build(override(load("x.json"), []))


def test_the_project_of_the_working_directory_gives_one(train):
    train("x.json", '{"_target_": "train:fit"}')
    train("pyproject.toml", '[tool.callsheet]\nallow = ["train"]\n')
    os.makedirs("sub/folder")
    os.chdir("sub/folder")
    assert build(load("../../x.json")) == "fitted"


def test_the_folder_of_a_data_file_never_does(train, tmp_path_factory, monkeypatch):
    downloads = tmp_path_factory.mktemp("downloads")
    (downloads / "pyproject.toml").write_text('[tool.callsheet]\nallow = ["train"]\n')
    (downloads / "x.json").write_text('{"_target_": "train:fit"}')
    with pytest.raises(CallsheetError, match="train:fit is named by data"):
        check(load(downloads / "x.json"))


def test_the_file_itself_never_does(train):
    train(
        "x.json", json.dumps({"_target_": "train:fit", "allow": ["train"], "tool": {"callsheet": {"allow": ["train"]}}})
    )
    with pytest.raises(CallsheetError, match="train:fit is named by data"):
        check(load("x.json"))


def test_what_lies_beside_a_data_file_does_not_stand_in_for_what_was_allowed(train, tmp_path_factory):
    downloads = tmp_path_factory.mktemp("downloads")
    (downloads / "pyproject.toml").write_text("")
    (downloads / "train.py").write_text("raise SystemExit('the wrong one')")
    (downloads / "fractions.py").write_text("raise SystemExit('the wrong one')")
    data = {"main": {"_target_": "train:fit"}, "x": {"_value_": "fraction", "of": "1/2"}}
    (downloads / "x.json").write_text(json.dumps(data))
    words = [sys.executable, "-m", "callsheet", "run", str(downloads / "x.json"), "--allow", "train"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "the wrong one" in done.stderr) == (0, False)
    assert os.path.isdir("runs")
    assert not (downloads / "runs").exists()


def test_a_callable_that_python_wrote_is_its_own_business(train):
    spec = from_data({"a": 1})
    spec.f = functools.partial(os.path.join, "a")
    assert build(spec)["f"]("b") == "a/b"


@pytest.mark.parametrize(
    "main",
    [
        {"_target_": "train:fit", "a": {"_ref_": "m", "_then_": [["attr", "tool"], ["call", [], {}]]}},
        {"_target_": {"_ref_": "made"}},
        {"_target_": {"_target_": "train:tool"}},
    ],
    ids=["a step of a reference", "a target that is referred to", "a target that is called"],
)
def test_a_worker_judges_what_came_from_data_as_the_sender_would(train, main):
    from callsheet.run.submit import submit

    data = {"m": {"_target_": "train:Net"}, "made": {"_target_": "train:tool"}, "main": main}
    train("x.json", json.dumps(data))
    for allow, state in ((["train"], "failed"), (["train", "os"], "done")):
        (job,) = jobs = submit(load("x.json", allow=allow), runs="runs")
        assert jobs.wait(30)
        assert job.state == state
        log = (job.run.directory / "err.log").read_text()
        assert ("os.getcwd is reached by data, and nothing allows it" in log) == (state == "failed")


def test_data_cannot_say_of_itself_what_a_plan_says_of_it():
    assert told(lambda: from_data({"a": {"_target_": "train:f", "_allow_": ["os"]}}, where="x.json")) == (
        "a  has _allow_, which data may not say of itself                      x.json"
    )
