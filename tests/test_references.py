"""References: a path in the spec inside the text, Python on what is built after it."""

from __future__ import annotations

import pickle
from collections import namedtuple

import pytest

from callsheet import MISSING, build, check, copy, equal, lazy, ref
from callsheet._spec import attach
from callsheet.errors import PathError, ReferenceUseError, SpecError
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
        (lambda r: f"{r}", "cannot be formatted before it is built", 'write the text as a reference: "run-${seed}"'),
        (lambda r: f"{r:>4}", "cannot be formatted before it is built", 'write the text as a reference: "run-${seed}"'),
        (
            lambda r: setattr(r, "x", 1),
            "cannot set .x on a reference",
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


@pytest.mark.parametrize("inner", ["env:HOME", ".x", "..x", "now:"])
def test_forms_that_are_not_known_are_refused_when_they_are_written(inner):
    text = f"a-${{{inner}}}"
    assert told(lambda: lazy(dict)(a=text), PathError) == (
        f"{text!r} holds a reference of a form that is not known: ${{{inner}}}\n"
        "  known are paths from the root, as ${model.width}; a literal ${ is written \\${"
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
        'a  is a reference that leads back to itself: ref("a")                   here',
        'b  is a reference that leads back to itself: ref("b")                   here',
    ]


def test_a_node_that_refers_to_what_holds_it_is_a_cycle():
    spec = lazy(dict)(main=lazy(dict)(x=[ref("main")]))
    assert fault_lines(spec)[0].startswith('main.x[0]  refers to what needs main to be built first: ref("main")')
    assert told(lambda: build(spec), SpecError) == told(lambda: check(spec), SpecError)


def test_a_missing_value_behind_several_references_is_told_once_at_its_own_place():
    assert fault_lines(lazy(dict)(a="${m.x}", b=ref("m.x") + 1, t="t${m.x}", m={"x": MISSING})) == [
        "m.x  must be given                                                      here",
    ]
