"""References: a path in the spec inside the text, Python on what is built after it."""

from __future__ import annotations

import functools
import pickle
from collections import namedtuple

import pytest

from callsheet import (
    MISSING,
    build,
    check,
    copy,
    diff,
    equal,
    factory,
    from_data,
    get,
    hash_of,
    lazy,
    load,
    merge,
    origin,
    override,
    patch,
    plain,
    ref,
    replace,
    resolve,
    rewrite,
    save,
    sweep,
    to_data,
    walk,
)
from callsheet._items import raw_item
from callsheet._spec import attach
from callsheet.errors import CycleError, LoadError, PathError, ReferenceUseError, SaveError, SpecError
from saying import told


class Model:
    made = 0

    def __init__(self, width=2):
        type(self).made += 1
        self.width = width
        self.rows = {"a": [10, 20]}

    def parameters(self, scale=1):
        return [self.width * scale]


def keep(*args, **kwargs):
    return args, kwargs


Named = namedtuple("Named", "text more")


def test_what_is_done_to_a_reference_happens_to_what_is_built():
    model = lazy(Model)(width=3)
    spec = {
        "whole": ref(model),
        "attr": ref(model).width,
        "call": ref(model).parameters(scale=2),
        "item": ref(model).rows["a"][-1],
        "sum": ref(model).width * 2 + ref(model).width,
        "model": model,
    }
    Model.made = 0
    built = build(spec)
    assert Model.made == 1
    assert built["whole"] is built["model"]
    assert [built["attr"], built["call"], built["item"], built["sum"]] == [3, [6], 20, 9]


def test_a_reference_alone_builds_the_node_it_leads_to():
    assert build(lazy(keep)(ref(lazy(Model)(width=4)).width)) == ((4,), {})


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (lambda r: r + 2, 9),
        (lambda r: 2 + r, 9),
        (lambda r: r - 2, 5),
        (lambda r: 2 - r, -5),
        (lambda r: r * 2, 14),
        (lambda r: 2 * r, 14),
        (lambda r: r / 2, 3.5),
        (lambda r: 14 / r, 2.0),
        (lambda r: r // 2, 3),
        (lambda r: 15 // r, 2),
        (lambda r: r % 4, 3),
        (lambda r: 9 % r, 2),
        (lambda r: r**2, 49),
        (lambda r: 2**r, 128),
        (lambda r: r * r - r, 42),
        (lambda r: -r, -7),
        (lambda r: +r, 7),
        (lambda r: abs(-r), 7),
        (lambda r: round(r / 3), 2),
        (lambda r: round(r / 3, 1), 2.3),
    ],
)
def test_arithmetic_from_both_sides(make, value):
    spec = lazy(dict)(steps=7, x=make(ref("steps")), y={"z": [make(ref("steps"))]})
    assert build(spec) == {"steps": 7, "x": value, "y": {"z": [value]}}


def test_a_whole_text_reference_keeps_its_type_and_one_inside_text_is_text():
    spec = lazy(dict)(
        a={"b": 1.5, "rows": [5, None]},
        whole="${a.b}",
        item="${a.rows[1]}",
        dotted="${a.rows.0}",
        text="run-${a.b}-${a.rows[0]}",
        all="${a}",
    )
    built = build(spec)
    assert built["whole"] == 1.5
    assert (built["item"], built["dotted"], built["text"]) == (None, 5, "run-1.5-5")
    assert built["all"] == {"b": 1.5, "rows": [5, None]}


def test_a_text_reference_to_a_call_is_that_very_object():
    built = build(lazy(dict)(m=lazy(Model)(), a="${m}", b=["${m}"], c=ref("m").width))
    assert built["a"] is built["m"] is built["b"][0]
    assert built["c"] == 2


def test_a_backslash_makes_a_literal():
    spec = lazy(dict)(a=1, cost=r"\${a}", both=r"\${a} is ${a}")
    assert build(spec) == {"a": 1, "cost": "${a}", "both": "${a} is 1"}
    assert repr(spec) == r"lazy(dict)(a=1, cost='\\${a}', both='\\${a} is ${a}')"


def test_a_default_that_a_path_leads_through_a_positional_argument():
    spec = lazy(dict)(m=lazy(Model)(5), w=ref("m").width, p="${m.width}", q="${m[0]}")
    assert {k: v for k, v in build(spec).items() if k != "m"} == {"w": 5, "p": 5, "q": 5}


def test_references_stay_live():
    model = lazy(Model)(width=1)
    spec = lazy(dict)(steps=1, model=model, twice=ref("steps") * 2, width=ref(model).width)
    spec.steps = 5
    model.width = 7
    built = build(spec)
    assert (built["twice"], built["width"]) == (10, 7)


def test_chains_of_references_lead_to_their_end():
    links = {f"a{n}": f"${{a{n - 1}}}" for n in range(1, 3000)}
    for named in (links, dict(reversed(links.items()))):
        spec = lazy(dict)(**named, a0=1)
        assert set(build(spec).values()) == {1}


def test_arithmetic_on_references_to_arithmetic():
    assert build(lazy(dict)(a=1, b=ref("a") + 1, c=ref("b") * ref("b"), d="n${c}")) == {
        "a": 1,
        "b": 2,
        "c": 4,
        "d": "n4",
    }


def test_copy_moves_references_to_the_nodes_inside():
    inside = lazy(Model)(width=1)
    spec = lazy(dict)(i=inside, a=ref(inside).width + 1)
    made = copy(spec)
    made.i.width = 10
    assert build(made)["a"] == 11
    assert build(spec)["a"] == 2


def test_copy_moves_a_node_that_only_a_reference_reaches_where_it_leads_back_inside():
    model, apart = lazy(keep)(1), lazy(keep)(2)
    optim = lazy(keep)(model)
    spec = attach({"model": model, "steps": ref(optim).steps, "other": ref(apart).x})
    moved = copy(spec)
    assert equal(moved, spec)
    assert moved["steps"].__base__[0] is moved["model"] is not model
    assert moved["other"].__base__ is apart


APART = """
from callsheet import lazy, ref

model = lazy("test_references:Model")(width=1)
_wrapped = lazy("test_references:keep")({inner})
_averaged = lazy("test_references:keep")(ref(_wrapped))
main = lazy("test_references:keep")(model, ref(_averaged)[0][0][0][0])
"""


@pytest.mark.parametrize("inner", ["model", '"${model}"'])
@pytest.mark.parametrize(
    "verb",
    [
        lambda spec: override(spec, ["model.width=9"]),
        lambda spec: next(iter(sweep(spec, ["model.width=9,10"]))).spec,
        lambda spec: merge(spec, {"model": lazy(Model)(width=9)}),
        lambda spec: patch(spec, diff(spec, override(spec, ["model.width=9"]))),
        lambda spec: rewrite(spec, lambda path, x: 9 if path == "model.width" else x),
        lambda spec: replace(spec, {"model.width": 9}),
    ],
)
def test_what_references_lead_to_in_more_than_one_step_stays_one_in_whatever_is_made_anew(project, verb, inner):
    project("conf.py", APART.format(inner=inner))
    spec = load("conf.py")
    (model, averaged), _ = build(verb(spec).main)
    assert averaged is model
    assert model.width == 9
    assert build(spec.main)[0][0].width == 1


def test_what_comes_along_brings_whatever_else_leads_to_what_it_holds():
    model, mean = lazy(keep)(1), lazy(keep)(2)
    with_model, alone = lazy(keep)(model, mean), lazy(keep)(mean)
    spec = attach([model, ref(with_model), ref(alone)])
    for made in (copy(spec), patch(spec, []), merge(spec, spec)):
        assert equal(made, spec)
        assert raw_item(made, 1).__base__[1] is raw_item(made, 2).__base__[0]


def test_rewriting_leads_paths_into_what_is_made():
    spec = from_data({"a": 1, "b": {"x": "${a}", "t": ["n-${..x}"]}})
    made = rewrite(spec, lambda path, x: 10 if path == "a" else x)
    assert plain(made) == {"a": 10, "b": {"x": 10, "t": ["n-10"]}}
    assert plain(spec) == {"a": 1, "b": {"x": 1, "t": ["n-1"]}}


def test_any_node_can_be_referred_to_at_its_first_use():
    kind = namedtuple("kind", "x")  # known to nobody yet
    assert build({"x": ref(kind(1)).x}) == {"x": 1}


def test_an_unbound_reference_reads_as_the_reference():
    spec = lazy(dict)(a=1, b=ref("a"))
    assert repr(spec.b) == 'ref("a")'
    assert build(spec, root={"a": 5}) == {"a": 1, "b": 5}


def test_a_reference_survives_pickling():
    model = lazy(Model)(width=3)
    spec = [model, ref(model).parameters(scale=2), lazy(dict)(t="x${[0].width}", s=ref("[0]").width + 1)]
    made = pickle.loads(pickle.dumps(spec))
    assert equal(spec, made)
    assert build(made)[1:] == [[6], {"t": "x3", "s": 4}]


# --- what a reference is not


@pytest.mark.parametrize(
    ("use", "problem", "advice"),
    [
        (bool, "has no truth value before it is built", "compare what it leads to, or move the test into the target"),
        (list, "cannot be iterated before it is built", "pass it whole, and iterate in the target"),
        (lambda r: r < 1, "cannot be ordered before it is built", "compare in the target"),
        (lambda r: r >= 1, "cannot be ordered before it is built", "compare in the target"),
        (lambda r: r > 1, "cannot be ordered before it is built", "compare in the target"),
        *[
            (
                use,
                "takes no &, |, ^, ~, <<, >>, @ or divmod before it is built",
                "pass it whole, and do that in the target",
            )
            for use in (
                lambda r: r << 1,
                lambda r: 1 >> r,
                lambda r: r | 1,
                lambda r: r & 1,
                lambda r: r ^ 1,
                lambda r: ~r,
                lambda r: {} | r,
                lambda r: r @ r,
                lambda r: divmod(r, 2),
            )
        ],
        (reversed, "cannot be iterated before it is built", "pass it whole, and iterate in the target"),
        (len, "has no length before it is built", "pass it whole, and take its length in the target"),
        (lambda r: 1 in r, "cannot be searched before it is built", "pass it whole, and search in the target"),
        (int, "is no number before it is built", "pass it whole, and convert it in the target"),
        (float, "is no number before it is built", "pass it whole, and convert it in the target"),
        (lambda r: range(3)[r], "is no number before it is built", "pass it whole, and convert it in the target"),
        (lambda r: f"{r}", "cannot be formatted before it is built", 'write the text as a reference: "run-${seed}"'),
        (lambda r: f"{r:>4}", "cannot be formatted before it is built", 'write the text as a reference: "run-${seed}"'),
        (
            lambda r: setattr(r, "x", 1),
            "cannot set .x on a reference",
            "set it on the node that the reference leads to",
        ),
        (
            lambda r: delattr(r, "x"),
            "cannot delete .x of a reference",
            "delete it from the node that the reference leads to",
        ),
        (
            lambda r: r.__setitem__(0, 1),
            "cannot set an item of a reference",
            "set it on the node that the reference leads to",
        ),
    ],
)
def test_a_reference_is_no_value_yet_and_says_what_to_do(use, problem, advice):
    assert told(lambda: use(ref("a.b") + 1), ReferenceUseError) == f'the reference ref("a.b") + 1 {problem}\n  {advice}'


@pytest.mark.parametrize("value", [3, None, len, Model, object])
def test_only_nodes_and_paths_can_be_referred_to(value):
    assert told(lambda: ref(value), ReferenceUseError) == (
        f'cannot refer to {value!r}: it is no node\n  refer to a call, a dataclass, or a path: ref("a.b")'
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${}", "${}, which is no reference: '' is not a path: expected a name at column 1"),
        ("a ${.}", "${.}, which is no reference: '' is not a path: expected a name at column 1"),
        ("${a..b}", "${a..b}, which is no reference: 'a..b' is not a path: expected a name at column 3"),
        ("${a[}", "${a[}, which is no reference: 'a[' is not a path: this '[' is not closed at column 2"),
    ],
)
def test_what_is_no_reference_is_refused_when_it_is_written(text, problem):
    assert told(lambda: lazy(dict)(a=text), PathError) == (
        f"{text!r} holds {problem}\n  as in ${{model.width}}, ${{.lr}} or ${{env:HOME}}; a literal ${{ is written \\${{"
    )


def test_a_reference_that_is_not_closed_is_refused_with_its_column():
    assert told(lambda: lazy(dict)(a="ab${c"), PathError) == (
        "'ab${c' opens a reference that is not closed at column 3\n  write \\${ for a literal ${"
    )


# --- where references lead


def fault_lines(spec):
    return told(lambda: check(spec), SpecError).split("\n")


def test_a_reference_that_leads_nowhere_is_named_with_its_place():
    assert fault_lines(lazy(dict)(a=[ref("b.c").x], t="x${d}")) == [
        "a[0]  refers to b.c, where nothing is                                   here",
        "t     refers to d, where nothing is                                     here",
    ]


def test_cycles_of_references_are_named_with_both_ends_and_all_else_is_found_too():
    assert fault_lines(lazy(dict)(a=ref("b") + 1, b=lazy(dict)(x=ref("a")), c=MISSING)) == [
        'a  refers to what needs a to be built first: ref("b") + 1               here',
        "c  must be given                                                        here",
    ]
    assert fault_lines(lazy(dict)(a="${b}", b="${a}")) == [
        "a  is a reference that leads back to itself: b → a → b                  here",
        "b  is a reference that leads back to itself: b → a → b                  here",
    ]


def test_a_node_that_refers_to_what_holds_it_is_a_cycle():
    spec = lazy(dict)(main=lazy(dict)(x=[ref("main")]))
    assert fault_lines(spec)[0].startswith('main.x[0]  refers to what needs main to be built first: ref("main")')
    assert told(lambda: build(spec), SpecError) == told(lambda: check(spec), SpecError)


def test_a_missing_value_behind_several_references_is_told_once_at_its_own_place():
    assert fault_lines(lazy(dict)(a="${m.x}", b=ref("m.x") + 1, t="t${m.x}", m={"x": MISSING})) == [
        "m.x  must be given                                                      here",
    ]


# --- texts in plain dicts and lists


def plain_spec():
    return {
        "a": "${b}",
        "b": 1,
        "cost": "\\${x}",
        "row": [{"up": "${...b}"}, ("run-${b}",)],
        "later": functools.partial(keep, n="${b}"),
        "same": "${row}",
    }


VERBS = {
    "build": lambda s: {**build(s), "later": build(s)["later"]()},
    "factory": lambda s: factory(s)()["row"],
    "get": lambda s: get(s, "same[0].up"),
    "walk": lambda s: [*walk(s)],
    "origin": lambda s: origin(s, "same[0].up").kind,
    "resolve": resolve,
    "merge": lambda s: merge(s, {"b": 2}),
    "override": lambda s: override(s, ["same[0].up=2"]),
    "replace": lambda s: replace(s, {"same[0].up": 2}),
    "rewrite": lambda s: rewrite(s, lambda path, x: f"<{x}>" if type(x) is str else x),
    "patch": lambda s: patch(s, diff(override(plain_spec(), []), override(plain_spec(), ["a=4"]))),
    "diff": lambda s: diff(s, {"b": 1, "a": "${c}"}),
    "sweep": lambda s: [trial.spec for trial in sweep(s, {"b": [1, 2]})],
    "to_data": to_data,
    "to_data plain": lambda s: {**to_data({**s, "later": 0}, plain=True)},
    "hash_of": hash_of,
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_text_in_a_plain_dict_means_the_same_as_in_a_spec_in_every_verb(verb):
    do = VERBS[verb]
    assert repr(do(plain_spec())) == repr(do(attach(plain_spec())))


def test_a_text_in_a_plain_dict_is_a_reference_and_what_was_given_stays_as_it_was():
    spec = {"a": "${b}", "b": 1, "cost": "cost: \\${x}", "up": [("${...b}",)]}
    before = {**spec}
    assert build(spec) == {"a": 1, "b": 1, "cost": "cost: ${x}", "up": [(1,)]}
    assert plain(spec) == before
    assert type(spec["a"]) is str


def test_a_plain_dict_equals_the_spec_that_is_made_of_it(tmp_path):
    spec = attach(plain_spec())
    assert equal(plain_spec(), spec)
    assert spec == plain_spec()
    assert spec.row == plain_spec()["row"]
    assert not diff(plain_spec(), spec)
    assert not equal({"a": "${b}"}, {"a": "\\${b}"})
    data = {**plain_spec(), "later": 0}
    save(data, tmp_path / "o.json")
    assert load(tmp_path / "o.json") == data
    assert hash_of(load(tmp_path / "o.json")) == hash_of(data)


def test_check_finds_the_references_of_a_plain_dict():
    for spec in ({"a": "${nope}"}, [("${[1].nope}",), {}], {"f": functools.partial(keep, "${nope}")}):
        with pytest.raises(SpecError, match="nope"):
            check(spec)
    for verb in (build, check, hash_of, to_data):
        with pytest.raises(PathError, match="not closed"):
            verb({"a": "${"})


def test_a_part_of_a_plain_dict_stays_in_its_place():
    spec = {"seed": 3, "net": {"seed": "${..seed}", "width": "${seed}"}}
    check(spec["net"], root=spec)
    assert build(spec["net"], root=spec) == {"seed": 3, "width": 3}
    assert factory({"w": "${seed}"}, root=spec)() == {"w": 3}


def test_texts_in_the_fields_of_a_dataclass_stay_texts_in_every_verb():
    spec = {"point": Named("${b}", {"x": "${b}"}), "b": 1, "c": "${b}"}
    assert build(spec) == {"point": Named("${b}", {"x": "${b}"}), "b": 1, "c": 1}
    assert equal(spec, attach(spec))


# --- relative references


def test_one_dot_is_what_stands_beside_and_each_further_dot_one_level_up():
    spec = from_data({"a": {"x": "${.y}", "y": 3, "rows": ["${..y}", "${.[0]}", {"z": "${...y}"}]}, "top": "${a.x}"})
    assert plain(spec) == {"a": {"x": 3, "y": 3, "rows": [3, 3, {"z": 3}]}, "top": 3}
    assert build(spec) == plain(spec)


def test_the_positional_arguments_of_a_call_are_a_level():
    spec = from_data({"_target_": "shop:Net", "_args_": ["${..depth}", "${.[0]}", "${.depth}"], "depth": 7})
    assert spec[0] == spec[1] == 7
    assert told(lambda: spec[2], PathError) == "refers to .depth, where nothing is"


def test_a_relative_reference_follows_the_container_in_which_it_was_read():
    spec = from_data({"a": {"x": "${.y}", "y": 1}, "y": 2})
    a = spec.a
    del spec["a"]
    spec.elsewhere = {"deep": a}
    a.y = 5
    assert spec.elsewhere.deep.x == 5


def test_copy_moves_relative_references_and_those_inside_texts_into_the_copy():
    spec = from_data({"a": {"x": "${.y}", "t": "n-${.y}", "y": 1}, "p": "${a.${k}}", "k": "y", "args": None})
    spec.args = from_data({"_target_": "shop:Net", "_args_": ["${..y}"], "y": 1})
    made = copy(spec)
    made.a.y, made.k, made.args.y = 2, "x", 3
    assert [made.a.x, made.a.t, made.p, made.args[0]] == [2, "n-2", 2, 3]
    assert [spec.a.x, spec.a.t, spec.p, spec.args[0]] == [1, "n-1", 1, 1]


def test_a_spec_that_was_never_loaded_has_its_references_where_they_stand():
    spec = lazy(dict)(a={"x": "${.y}", "y": 2, "inner": lazy(dict)(z="${..y}")})
    check(spec)
    assert build(spec) == {"a": {"x": 2, "y": 2, "inner": {"z": 2}}}
    assert repr(spec.a.x) == 'ref(".y")'
    assert build(spec.a.inner, root=spec) == {"z": 2}


def test_texts_in_a_python_config_file_are_bound_where_they_stand(project):
    path = project("conf.py", """
        from callsheet import lazy, ref
        lr = 1
        opt = {"lr": "${lr}", "warm": "${.lr}", "call": lazy(dict)(x="${..warm}", y=ref(".x") + 1)}
    """)  # fmt: skip
    spec = load(path)
    assert (spec.opt.lr, spec.opt.warm, spec.opt.call.x, spec.opt.call.y) == (1, 1, 1, 2)
    spec.lr = 2
    assert spec.opt.call.y == 3


def test_an_override_may_hold_references_which_are_bound_where_it_puts_them():
    spec = from_data({"a": {"x": 1, "y": 2, "l": [0]}, "z": 7})
    made = override(spec, ["a.x=${.y}", "a.l.0=${..y}", "++a.q='${..z}-${.y}'", "a.y=${plans.${z}}", "++plans={7: 5}"])
    assert plain(made.a) == {"x": 5, "y": 5, "l": [5], "q": "7-5"}


def test_one_that_would_mean_two_things_is_refused_and_both_places_are_named():
    node = lazy(dict)(lr="${..lr}", inside={"a": "${.b}", "b": 1})
    spec = lazy(dict)(a={"n": node, "lr": 1}, b={"n": node, "lr": 2}, c=MISSING)
    said = (
        "a.n.lr  ${..lr} would mean two things: one here, another at b.n.lr, where the same object stands\n"
        "        set by here\n"
        "        write the path from the root, or hold a copy(...) at one of the places"
    )
    assert told(lambda: check(spec), SpecError) == said + "\nc       must be given" + " " * 51 + "here"
    del spec["c"]
    assert told(lambda: build(spec), SpecError) == said
    assert told(lambda: to_data(spec), SaveError) == said


def test_one_that_means_the_same_at_both_places_is_fine():
    node = lazy(dict)(lr="${..lr}", inside={"a": "${.b}", "b": 1})
    spec = lazy(dict)(a={"n": node, "again": node, "lr": 1})
    built = build(spec)
    assert built["a"]["n"] is built["a"]["again"]
    assert built["a"]["n"] == {"lr": 1, "inside": {"a": 1, "b": 1}}


def test_data_in_which_a_node_held_twice_has_such_a_reference_is_refused():
    data = {"a": {"n": {"_target_": "shop:Net", "lr": "${..lr}"}, "lr": 1}, "b": {"n": {"_same_": "a.n"}, "lr": 2}}
    assert told(lambda: from_data(data), LoadError).startswith("a.n.lr  ${..lr} would mean two things: one here")


def test_one_that_leads_above_the_spec_is_a_fault():
    assert told(lambda: check(from_data({"a": "${..b}"})), SpecError) == (
        "a  refers to ${..b}, which leads above the spec                         data\n"
        "   each dot after the first is one level up"
    )


def test_one_that_was_moved_is_not_saved_as_if_it_meant_what_it_says():
    spec = from_data({"a": {"n": {"x": "${..lr}"}, "lr": 1}, "b": {"lr": 2}})
    spec.b.n = spec.a.pop("n")
    assert spec.b.n.x == 1
    assert told(lambda: to_data(spec), SaveError) == (
        "b.n.x  ${..lr} leads to where it was read, and would lead elsewhere when it is read here\n"
        "       write the path from the root"
    )


# --- what is written in texts


@pytest.mark.parametrize(
    "text",
    [
        "${a}", "${a.b[0]}", '${a["odd key"]}', "${.x}", "${..x.y}", "${.[0]}", "run-${seed}-${.x}", r"\${a}", r"c:\\${a}",
        r"\\\${a}${b}", "$${a}", "${a}}", "${plans.${plan}.lr}", "${${a}}", "${a[${n}]}", '${a["${k}"]}', "${..${.k}.x}",
        "${env:HOME}", "${env:HOME,a default}", "${now:}", "${add:${a},2}", "${f:'a,b',[1, ${x}],{k: v}}", "${oc.x:a}",
        "${f:x ${a} y}", r"${f:'it\'s',a\,b}", '${a["}"]}', r'${a["\${"]}',
    ],
)  # fmt: skip
def test_a_text_is_written_back_as_it_was_read(text):
    spec = lazy(dict)(x=text)
    assert to_data(spec)["x"] == text
    again = lazy(dict)(x=to_data(spec)["x"])
    assert equal(spec, again)
    assert hash_of(spec) == hash_of(again)


def test_references_are_told_apart_by_how_they_are_written():
    texts = ["${a}", "${.a}", "${..a}", "x${a}", "${a}x", "${env:a}", "${a:}", "${a.${a}}", "${.a.${a}}", r"\${a}"]
    specs = [lazy(dict)(x=text) for text in texts]
    assert [[equal(a, b) for a in specs] for b in specs] == [[a is b for a in specs] for b in specs]
    assert len({hash_of(spec) for spec in specs}) == len(texts)


def test_backslashes_before_a_reference_are_halved():
    spec = from_data({"n": 1, "one": r"a\${n}", "two": r"a\\${n}", "three": r"a\\\${n}", "far": r"\a${n}"})
    assert [spec.one, spec.two, spec.three, spec.far] == ["a${n}", "a\\1", "a\\${n}", "\\a1"]


def test_a_reference_inside_a_reference_tells_a_part_of_its_path():
    spec = from_data(
        {"plans": {"fast": {"lr": 1}, "x": {"y": {"lr": 3}}}, "plan": "fast", "n": 1, "rows": [4, 5]}
        | {"lr": "${plans.${plan}.lr}", "row": "${rows[${n}]}", "name": "${${which}}", "which": "plan"}
    )
    assert (spec.lr, spec.row, spec.name) == (1, 5, "fast")
    spec.plan = "x.y"
    assert spec.lr == 3
    assert build(spec)["lr"] == resolve(spec).lr == 3


def test_a_path_that_is_known_only_when_something_is_built_is_refused():
    spec = lazy(dict)(model=lazy(Model)(), plans={"a": 1}, lr="${plans.${model}}")
    assert told(lambda: check(spec), SpecError) == (
        "lr  refers to ${plans.${model}}, a path that is known only when something is built\n"
        "    set by here\n"
        "    let a value that nothing must be built for tell the path"
    )


def test_references_nest_to_a_depth_that_is_bounded_and_read_in_linear_time():
    assert told(lambda: ref("${" * 60 + "a" + "}" * 60), PathError).endswith(
        "nests references more than 50 levels deep"
    )
    assert to_data([ref("${f:" * 40 + "a" + "}" * 40)]) == ["${f:" * 40 + "a" + "}" * 40]


# --- the environment and resolvers


def test_an_environment_variable_is_text_and_its_default_too(monkeypatch):
    monkeypatch.setenv("PORT", "80")
    monkeypatch.delenv("NOPE", raising=False)
    spec = from_data(
        {"port": "${env:PORT}", "other": "${env:NOPE,8080}", "none": "${env:NOPE,null}", "url": "h:${env:PORT}"}
    )
    assert build(spec) == {"port": "80", "other": "8080", "none": None, "url": "h:80"}
    monkeypatch.setenv("PORT", "81")
    assert spec.port == "81"


def test_one_that_is_not_set_is_told_before_anything_is_built(monkeypatch):
    monkeypatch.delenv("NOPE", raising=False)
    Model.made = 0
    spec = lazy(dict)(m=lazy(Model)(), a=["${env:NOPE}"])
    said = (
        "a[0]  asks for the environment variable NOPE, which is not set          here\n"
        "      set it, or give a default:  ${env:NOPE,default}"
    )
    assert told(lambda: check(spec), SpecError) == told(lambda: build(spec), SpecError) == said
    assert Model.made == 0


def counting():
    made = []
    return lambda *args: made.append(args) or len(made), made


def test_a_resolver_is_asked_once_for_each_place_of_a_build_and_anew_in_the_next():
    ask, made = counting()
    spec = from_data(
        {
            "a": "${n:1,x,true,'1'}",
            "b": "${a}",
            "c": "t${a}",
            "d": "${n:}",
            "p": "${list[${a}]}",
            "list": [9, 8, 7, 6, 5],
        },
        resolvers={"n": ask},
    )
    built = build(spec)
    assert made == [(1, "x", True, "1"), ()]
    assert built["a"] == built["b"] == 1
    assert (built["c"], built["d"], built["p"]) == ("t1", 2, 8)
    assert build(spec)["a"] == 3
    assert spec.a == 5


def test_the_arguments_of_a_resolver_may_be_references_lists_and_dicts():
    spec = from_data(
        {"a": 3, "k": "v", "sum": "${add:${a},${.a}}", "all": "${f:[1,${a}],{x: ${k}},a-${k},'q,${k}'}"},
        resolvers={"add": lambda a, b: a + b, "f": lambda *args: args},
    )
    assert spec.sum == 6
    assert spec.all == ([1, 3], {"x": "v"}, "a-v", "q,v")
    assert build(spec)["all"] == spec.all


def test_a_resolver_may_be_handed_what_is_built():
    spec = lazy(dict)(m=lazy(Model)(width=4), w="${width:${m}}")
    loaded = from_data(to_data(spec), allow=["builtins", "test_references"], resolvers={"width": lambda m: m.width})
    assert build(loaded)["w"] == 4


def test_a_resolver_that_nobody_gave_is_named_with_the_nearest():
    assert told(lambda: from_data({"a": {"b": "x${nwo:}"}}, resolvers={"now": str}), LoadError) == (
        "a.b  asks for the resolver nwo, which nobody gave                       data\n"
        "     did you mean  now?\n"
        '     to give it:  load(..., resolvers={"nwo": function})'
    )


def test_load_takes_resolvers_for_python_and_for_data(project):
    python, data = project("conf.py", 'a = {"b": "${twice:4}"}'), project("conf.json", '{"a": {"b": "${twice:4}"}}')
    for path in (python, data):
        assert load(path, ["++a.c=${twice:${.b}}"], resolvers={"twice": lambda n: 2 * n}).a.c == 16
        assert "conf" in told(lambda path=path: load(path), LoadError)


# --- chains


def chain(count):
    return {f"a{n}": f"${{a{n - 1}}}" for n in range(count - 1, 0, -1)} | {"a0": 1}


def relative_chain(count):
    return {f"a{n}": {"v": f"${{..a{n - 1}.v}}"} for n in range(count - 1, 0, -1)} | {"a0": {"v": 1}}


@pytest.mark.parametrize("data", [chain(5000), relative_chain(5000)])
def test_a_chain_of_any_length_is_read_checked_built_and_resolved(data):
    for spec in (from_data(data), lazy(dict)(**data)):
        check(spec)
        built = build(spec)
        assert built["a4999"] == built["a0"]
        assert plain(resolve(spec)["a4999"]) == built["a0"]
    assert get(from_data(data), "a4999" if data["a0"] == 1 else "a4999.v") == 1


def test_a_chain_of_arithmetic_of_any_length_is_read_checked_built_and_resolved():
    spec = lazy(dict)(**{f"a{n}": ref(f"a{n - 1}") + 1 for n in range(2999, 0, -1)}, a0=1)
    check(spec)
    assert build(spec)["a2999"] == resolve(spec).a2999 == 3000
    loaded = from_data(to_data(spec))
    assert equal(loaded, spec)
    assert hash_of(loaded) == hash_of(spec)
    assert loaded.a2999 == 3000


def test_a_chain_of_calls_is_no_nesting():
    spec = lazy(dict)(**{f"m{n}": lazy(dict)(x=ref(f"m{n - 1}")) for n in range(1500, 0, -1)}, m0=1)
    check(spec)
    built = build(spec)
    assert built["m1500"]["x"]["x"] is built["m1498"]


def test_the_ends_of_long_chains_that_lead_nowhere_or_in_a_circle_are_told():
    nowhere, circle = chain(2000), chain(2000)
    del nowhere["a0"]
    circle["a0"] = "${a1999}"
    with pytest.raises(SpecError) as caught:
        check(lazy(dict)(**nowhere))
    problems = [fault.problem for fault in caught.value.faults]
    assert problems[0] == "refers to a1998, which leads to a0, where nothing is"
    assert len([text for text in problems if "where nothing is" in text]) == 1999
    assert "leads back to itself: a1998 → a1997 → a1996 → a1995 → … → " in fault_lines(lazy(dict)(**circle))[0]


def test_what_is_handed_to_itself_again_and_again_is_looked_at_once():
    total = ref("a")
    for _ in range(60):
        total = total + total
    spec = lazy(dict)(a=1, total=total, held=[total])
    check(spec)
    assert build(spec)["total"] == resolve(spec).total == 2**60
    data = to_data(spec)
    again = from_data(data, allow=["builtins"])
    assert equal(again, spec)
    assert equal(copy(spec), spec)
    assert hash_of(again) == hash_of(copy(spec)) == hash_of(spec)
    assert to_data(again) == data
    assert len(repr(spec)) < 2000
    assert again.total == 2**60


# --- what reading gives


def test_reading_gives_the_value_wherever_nothing_must_be_built():
    spec = from_data(
        {"opts": {"lr": 0.1, "net": {"_target_": "shop:Net", "w": 3}}, "rows": [1, [2, 3]], "m": "???", "none": None}
    )
    spec.lr, spec.row, spec.w = ref("opts")["lr"], ref("rows")[1][-1], "${net.w}"
    spec.net, spec.text, spec.missing = ref("opts")["net"], "${rows}", "x${m}"
    made = from_data(to_data(spec))
    assert (made.lr, made.row, made.w, made.missing) == (0.1, 3, 3, MISSING)
    assert made.net is made.opts.net
    assert list(made.text[1]) == [2, 3]
    assert "m         must be given" in told(lambda: check(made), SpecError)


def test_a_reference_that_is_bound_elsewhere_leads_there_also_from_a_chain():
    other = from_data({"x": 1, "y": "${x}"})
    object.__getattribute__(other, "__dict__")["x"] = 5
    spec = lazy(dict)(x=2, here="${there.y}", there=other)
    assert build(spec)["here"] == 5


def test_reading_what_leads_nowhere_says_so():
    spec = from_data({"a": "${modle.width}", "model": {"width": 3}, "b": "${a}", "c": "${d}", "d": "${c}"})
    said = "refers to modle.width, where nothing is\n  did you mean  model.width?"
    assert told(lambda: spec.a, PathError) == said
    assert told(lambda: spec.b, PathError) == said.replace("modle.width,", "a, which leads to modle.width,")
    assert told(lambda: spec.c, CycleError) == "is a reference that leads back to itself: d → c → d"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda r: (r + 1) * 2, '(ref("a") + 1) * 2'),
        (lambda r: 2 * (1 - r), '2 * (1 - ref("a"))'),
        (lambda r: 1 - (r - 2), '1 - (ref("a") - 2)'),
        (lambda r: r - (r - 2), 'ref("a") - (ref("a") - 2)'),
        (lambda r: (r**2) ** 3, '(ref("a") ** 2) ** 3'),
        (lambda r: 2 ** (r + 1), '2 ** (ref("a") + 1)'),
        (lambda r: -(r + 1), '-(ref("a") + 1)'),
        (lambda r: (-r) ** 2, '(-ref("a")) ** 2'),
        (lambda r: -(r**2), '-ref("a") ** 2'),
        (lambda r: abs(r - 1).x, 'abs(ref("a") - 1).x'),
        (lambda r: (r + 1).f(r, k=r + 1)[0], '(ref("a") + 1).f(ref("a"), k=ref("a") + 1)[0]'),
        (lambda r: round(r, 2) + [r], 'round(ref("a"), 2) + [ref("a")]'),  # noqa: RUF005
        (lambda r: r + -1, 'ref("a") + -1'),
    ],
)
def test_a_reference_reads_as_the_code_that_makes_it(make, text):
    made = make(ref("a"))
    assert repr(made) == text
    assert equal(eval(text, {"ref": ref}), made)


def test_resolvers_that_the_project_names_may_be_asked_everywhere(project):
    project("pyproject.toml", '[tool.callsheet.resolvers]\ntwice = "tools:twice"\n')
    project("tools.py", "def twice(x):\n    return 2 * x\n")
    assert load(project("conf.json", '{"a": "${twice:4}"}')).a == 8
    assert load(project("conf.py", 'a = "${twice:4}"\nb = 1\n')).a == 8
    assert load("conf.json", resolvers={"twice": lambda x: "given here"}).a == "given here"
