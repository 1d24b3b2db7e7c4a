"""Promise 14: renamed targets and arguments are brought up to date when data is read, once, and it is reported."""

import json
from itertools import pairwise

import pytest

from callsheet import build, check, equal, from_data, hash_of, lazy, load, origin, save, to_data
from command import Project
from saying import told

TODAY = """
    import enum
    from dataclasses import dataclass, field
    class Color(enum.Enum):
        CRIMSON = 1
    class Net:
        def __init__(self, depth=1, width=1, inner=None):
            self.depth, self.width, self.inner = depth, width, inner
    @dataclass
    class Optim:
        rate: float = 0.1
    def fit(*args, **kwargs): return len(args)
"""
RENAMES = {
    "train:OldNet": "train:Net",
    "train:Net.n_layers": "depth",
    "train:Net.legacy": None,
    "train:Optim.lr": "rate",
    "train:Color.RED": "CRIMSON",
    "old_pkg": "train",
}


@pytest.fixture
def train(project):
    project("train.py", TODAY)
    return project


def read(data, rules=RENAMES, allow=("train",)):
    """What is read of data, and the lines of the report."""
    lines = []
    spec = from_data(
        data, allow=allow, migrations=rules, report=lambda change: lines.append(str(change)), where="x.json"
    )
    return spec, lines


def call(target, *args, **kwargs):
    return {"_target_": target, **({"_args_": list(args)} if args else {}), **kwargs}


# --- what is renamed --------------------------------------------------------------------------------------------------


def test_a_target(train):
    spec, lines = read({"model": call("train:OldNet", width=2)})
    assert equal(spec["model"], lazy("train:Net")(width=2))
    assert lines == ["model is now train:Net, was train:OldNet"]
    assert build(spec)["model"].width == 2


def test_an_argument(train):
    spec, lines = read({"model": call("train:Net", n_layers=3, width=2)})
    assert list(spec["model"]) == ["depth", "width"]
    assert lines == ["model.n_layers is now depth"]
    assert build(spec)["model"].depth == 3


def test_an_argument_under_the_old_name_of_its_target(train):
    rules = {"train:OldNet": "train:Net", "train:OldNet.layers": "n_layers", "train:Net.n_layers": "depth"}
    spec, lines = read({"a": call("train:OldNet", layers=3), "b": call("train:Net", n_layers=3)}, rules)
    assert (spec["a"].depth, spec["b"].depth) == (3, 3)
    assert lines == [
        "a.layers is now n_layers",
        "a.n_layers is now depth",
        "a is now train:Net, was train:OldNet",
        "b.n_layers is now depth",
    ]


def test_the_argument_of_an_old_name_is_none_of_another_target(train):
    spec, lines = read({"a": call("train:fit", n_layers=3)})
    assert (list(spec["a"]), lines) == (["n_layers"], [])


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_argument_that_is_gone(train, nothing):
    spec, lines = read(call("train:Net", legacy=3, width=2), {"train:Net.legacy": nothing})
    assert (list(spec), lines) == (["width"], ["legacy is gone"])


def test_a_module_and_those_below_it(train):
    data = {"a": call("old_pkg:Net"), "b": call("old_pkg.sub:Net"), "c": call("old_pkgs:Net")}
    spec, lines = read(data, {"old_pkg": "train"})
    assert [to_data(spec)[name]["_target_"] for name in "abc"] == ["train:Net", "train.sub:Net", "old_pkgs:Net"]
    assert len(lines) == 2


def test_a_module_that_became_a_package_of_its_name(train):
    data = {"a": call("nets:Net"), "b": call("nets.deep:Net")}
    spec, _ = read(data, {"nets": "nets.deep"})
    assert [to_data(spec)[name]["_target_"] for name in "ab"] == ["nets.deep:Net", "nets.deep:Net"]


def test_a_dataclass_and_its_fields(train):
    spec, lines = read({"optim": {"_type_": "old_pkg:Optim", "lr": 0.5}})
    assert build(spec)["optim"].rate == 0.5
    assert lines == [
        "optim.lr is now rate",
        "optim is now train:Optim, was old_pkg:Optim",
    ]


def test_what_stands_as_a_value(train):
    data = {
        "f": {"_value_": "name", "of": "train:OldNet"},
        "e": {"_value_": "enum", "of": ["old_pkg:Color", "RED"]},
        "s": {"_value_": "set", "of": [["name", "train:OldNet"], ["tuple", [["int", 1], ["name", "old_pkg:fit"]]]]},
        "k": {"_items_": [[{"_value_": "name", "of": "train:OldNet"}, 1]]},
    }
    spec, lines = read(data)
    import train as today

    made = build(spec)
    assert (made["f"], made["e"], made["s"], made["k"]) == (
        today.Net, today.Color.CRIMSON, {today.Net, (1, today.fit)}, {today.Net: 1},
    )  # fmt: skip
    assert lines[:2] == [
        "f is now train:Net, was train:OldNet",
        "e is now ['train:Color', 'CRIMSON'], was ['old_pkg:Color', 'RED']",
    ]


def test_a_name_written_with_dots_only(train):
    assert equal(read(call("train.OldNet"))[0], lazy("train:Net")())


def test_a_partial_a_target_within_a_target_and_a_node_that_only_a_reference_reaches(train):
    data = {
        "p": {"_target_": "train:OldNet", "_partial_": True},
        "t": {"_target_": call("train:OldNet")},
        "r": call("train:fit", {"_ref_": "_nodes_.n0"}),
        "_nodes_": {"n0": call("train:OldNet", n_layers=2)},
    }
    text = repr(to_data(read(data)[0]))
    assert "OldNet" not in text
    assert "n_layers" not in text


def test_positional_arguments_are_left_as_they_are(train):
    spec, lines = read(call("train:Net", 3, 4))
    assert (to_data(spec)["_args_"], lines) == ([3, 4], [])


def test_sharing_is_kept(train):
    data = {"a": call("train:OldNet"), "b": {"_same_": "a"}, "c": call("train:Net", n_layers=call("train:OldNet"))}
    data["d"] = {"_same_": "c.n_layers"}
    spec, _ = read(data)
    assert spec["a"] is spec["b"]
    assert spec["d"] is spec["c"].depth


def test_references_follow_an_argument_to_its_new_name(train):
    data = {
        "model": call("train:OldNet", n_layers=call("train:Net", n_layers=7)),
        "a": "${model.n_layers.n_layers}",
        "b": "deep ${model.n_layers.n_layers}",
        "c": "${other.n_layers}",
        "other": "${model.n_layers}",
        "d": "${plain.n_layers}",
        "plain": {"n_layers": 1},
    }
    spec, _ = read(data)
    assert (spec.a, spec.b, spec.c, spec.d) == (7, "deep 7", 7, 1)


def test_relative_references_do_too(train):
    inner = call("train:Net", n_layers="${..width}", width="${.n_layers}")
    spec, _ = read({"model": call("train:OldNet", n_layers=3, width=7, inner=inner), "a": "wide ${.model.n_layers}"})
    assert (spec.model.inner.depth, spec.model.inner.width, spec.a) == (7, 7, "wide 3")


def test_references_follow_an_argument_that_was_renamed_twice(train):
    data = {"m": call("train:Net", x=7), "a": "${m.x}", "b": "${m.y}"}
    spec, _ = read(data, {"train:Net.x": "y", "train:Net.y": "depth"})
    assert spec.a == 7
    assert told(lambda: check(spec)).startswith("b  refers to m.y, where nothing is")


def test_a_function_that_calls_back_and_forth_ends():
    rules = {"a:A": lambda old: lazy("b:B")(), "b:B": lambda old: lazy("a:A")()}
    assert told(lambda: read({"m": call("a:A")}, rules)) == (
        "m  is migrated in a circle: b:B becomes a:A                           x.json"
    )


# --- what needs code --------------------------------------------------------------------------------------------------


def test_an_argument_that_became_others(train):
    spec, lines = read(call("train:Net", blocks=3), {"train:Net.blocks": lambda n: {"depth": 2 * n, "width": n}})
    assert equal(spec, lazy("train:Net")(depth=6, width=3))
    assert lines == ["blocks became depth, width"]


def test_what_a_function_gives_is_migrated_further(train):
    rules = {"train:Net.blocks": lambda n: {"n_layers": 2 * n}, "train:Net.n_layers": "depth"}
    assert read(call("train:Net", blocks=3), rules)[0].depth == 6


def test_a_call_that_became_another(train):
    rules = {"train:OldNet": lambda old: lazy("train:Net")(depth=old.blocks * 2, inner=old.inner)}
    data = {"a": call("train:OldNet", blocks=2, inner=call("train:OldNet", blocks=1, inner=None)), "b": {"_same_": "a"}}
    spec, lines = read(data, rules)
    assert (spec["a"].depth, spec["a"].inner.depth) == (4, 2)
    assert spec["a"] is spec["b"]
    assert sorted(lines) == [
        "a is now train:Net, was train:OldNet",
        "a.inner is now train:Net, was train:OldNet",
    ]


def test_a_function_gives_no_more_trust_than_the_data_has(train):
    rules = {"train:OldNet": lambda old: lazy("os:getcwd")()}
    with pytest.raises(Exception, match="os:getcwd is named by data"):
        build(read(call("train:OldNet"), rules)[0])


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"train:Net.a": lambda a: a}, "is migrated by a function that gives 1, and not a dict of new arguments"),
        (
            {"train:Net.a": lambda a: {"a": a}},
            "is migrated by a function that gives {'a': 1}, and not a dict of new arguments",
        ),
    ],
)
def test_a_function_that_could_be_applied_twice_is_refused(rule, said):
    assert told(lambda: read({"m": call("train:Net", a=1)}, rule)).startswith(f"m.a  {said}")


def test_a_function_that_keeps_the_target_is_refused():
    assert told(lambda: read({"m": call("train:Net", a=1)}, {"train:Net": lambda old: old})) == (
        "m  is migrated by a function that gives lazy(Net)(a=1), and not the call of another target by its name\n"
        "   set by x.json"
    )


# --- once, and in order -----------------------------------------------------------------------------------------------


def test_a_chain_of_names_is_followed_to_its_end(train):
    rules = {"a:A": "b:B", "b:B": "train:Net", "train:Net.x": "y", "train:Net.y": "depth", "b:B.w": "x"}
    spec, lines = read(call("a:A", w=1), rules)
    assert equal(spec, lazy("train:Net")(depth=1))
    assert lines == ["w is now x", "x is now y", "y is now depth", "is now train:Net, was a:A"]


def test_a_long_chain_is_no_matter_of_depth():
    names = [f"m:A{n}" for n in range(2000)]
    arguments = {f"m:A1999.x{n}": f"x{n + 1}" for n in range(2000)}
    rules = {**dict(pairwise(names)), **arguments}
    spec, _ = read(call("m:A0", x0=1), rules)
    assert to_data(spec) == {"_target_": "m:A1999", "x2000": 1}


@pytest.mark.parametrize(
    ("rules", "circle"),
    [
        ({"a:A": "b:B", "b:B": "a:A"}, "a:A → b:B → a:A"),
        ({"a:A": "a:A"}, "a:A → a:A"),
        ({"m": "n", "n": "m"}, "m:_ → n:_ → m:_"),
        ({"a:A": "b:A", "b": "a"}, "a:A → b:A → a:A"),
        ({"a:A.x": "y", "a:A.y": "x"}, "a:A.x → a:A.y → a:A.x"),
        ({"a": "b.c", "b": "a"}, "a:_ → b.c:_ → a.c:_ → …"),
    ],
)
def test_names_that_lead_back_are_refused_before_anything_is_read(rules, circle):
    assert told(lambda: read({}, rules)) == f"migrations  lead back to where they start\n            {circle}"


def test_both_names_of_one_argument_are_a_fault():
    assert told(lambda: read({"m": call("train:Net", n_layers=1, depth=2)})) == (
        "m.n_layers  is now depth, and both are given                          x.json"
    )


def test_it_is_applied_once_and_what_was_saved_after_it_is_left_as_it_is(train, tmp_path):
    rules = {**RENAMES, "train:Net.blocks": lambda n: {"width": n * 2}}
    spec, _ = read({"m": call("train:OldNet", blocks=2, n_layers=3)}, rules)
    save(spec, tmp_path / "new.json")
    lines = []
    again = load(tmp_path / "new.json", migrations=rules, report=lines.append)
    assert (equal(again, spec), hash_of(again) == hash_of(spec), lines) == (True, True, [])


@pytest.mark.parametrize(
    "rule", [{"train.Net": "train:Net"}, {"train:Net": "Net2"}, {"train:Net": None}, {"a b": "c"}, {"a": 1}, {1: "a"}]
)
def test_what_is_no_rule_is_refused(rule):
    ((old, new),) = rule.items()
    assert told(lambda: read({}, rule)) == (
        f"migrations  cannot read  {old!r}: {new!r}\n"
        '            a target:    "train:OldNet": "train:Net"\n'
        '            a module:    "old.package": "new.package"\n'
        '            an argument: "train:Net.n_layers": "depth"'
    )


# --- where it is said, and told ---------------------------------------------------------------------------------------


def test_the_origin_of_what_was_renamed_says_so(train):
    spec, _ = read({"model": call("train:OldNet", n_layers=3)})
    assert origin(spec, "model.depth").text == "was n_layers"
    assert origin(spec, "model.depth").where == "x.json"


def test_a_file_is_migrated_when_it_is_loaded(train):
    train("old.json", json.dumps(call("train:OldNet", n_layers=3)))
    assert load("old.json", ["depth=4"], migrations=RENAMES, allow=["train"]).depth == 4


def test_the_project_says_it_for_all_its_data_and_what_is_given_counts_first(train):
    train("pyproject.toml", '[tool.callsheet.migrations]\n"a:A" = "train:Net"\n"train:Net.n" = "depth"\n')
    train("old.json", json.dumps(call("a:A", n=3)))
    assert equal(load("old.json"), lazy("train:Net")(depth=3))
    assert equal(load("old.json", migrations={"train:Net.n": "width"}), lazy("train:Net")(width=3))


def test_a_newer_format_is_refused_with_what_to_do():
    assert told(lambda: from_data({"_format_": 2, "a": 1}, where="x.json")) == (
        "has format 2, and this Callsheet reads up to 1                        x.json\n"
        "update it:  pip install --upgrade callsheet"
    )
    assert told(lambda: from_data({"_format_": 0, "a": 1}, where="x.json")) == (
        "has format 0, and this Callsheet reads up to 1                        x.json"
    )


@pytest.fixture
def cmd(tmp_path):
    cmd = Project(tmp_path)
    cmd.config(
        "from callsheet import lazy\nmodel = lazy('train:OldNet')(n_layers=3)\nmain = lazy('train:fit')(model)\n",
        train="class OldNet:\n    def __init__(self, n_layers): self.n = n_layers\ndef fit(model): return model.n\n",
    )
    cmd("run", "conf.py")
    cmd.write("train.py", "class Net:\n    def __init__(self, depth): self.n = depth\ndef fit(model): return model.n\n")
    cmd.config("from callsheet import lazy\nmodel = lazy('train:Net')(depth=4)\nmain = lazy('train:fit')(model)\n")
    cmd("run", "conf.py")
    cmd.write(
        "pyproject.toml",
        '[tool.callsheet]\nallow = ["train"]\nmigrations = {"train:OldNet" = "train:Net", "train:Net.n_layers" = "depth"}\n',
    )
    return cmd


def test_the_command_says_in_one_line_what_it_changed(cmd):
    cmd.write("old.json", json.dumps({"main": call("train:OldNet", n_layers=3)}))
    said = cmd("check", "old.json")
    assert said.err == (
        "callsheet: old.json was migrated: main.n_layers is now depth, main is now train:Net, was train:OldNet\n"
    )


def test_an_old_run_is_shown_as_it_would_be_written_today(cmd):
    old = min(cmd.ids(), key=lambda run: cmd.read("run.json", run)["number"])
    said = cmd("show", old)
    assert "lazy(Net)(depth=3)" in said.out
    assert said.err.startswith("callsheet: runs/")


def test_runs_from_before_and_after_are_compared_by_the_new_names(cmd):
    head, *rows = cmd("compare").out.splitlines()
    assert "model.depth" in head
    assert "n_layers" not in head
    column = head.split().index("model.depth")
    assert sorted(row.split()[column] for row in rows) == ["3", "4"]


def test_why_knows_an_old_run_by_the_new_names(cmd):
    old = min(cmd.ids(), key=lambda run: cmd.read("run.json", run)["number"])
    assert cmd("why", old, "model.depth").out.startswith("3")
