"""Promise 15, syntax: what an override says, before any spec or type is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet._grammar import parse
from callsheet._values import parse_value
from callsheet._word import Word, plain_value, typed, write_value
from callsheet.errors import OverrideError


def said(text):
    found = parse(text)
    return found.operation, found.path, [plain_value(choice) for choice in found.choices]


@pytest.mark.parametrize(
    ("text", "operation", "path", "choices"),
    [
        ("a.b=1", "set", "a.b", [1]),
        ("+a.c=[1,2]", "add", "a.c", [[1, 2]]),
        ("++a.c=1", "force", "a.c", [1]),
        ("~a.d", "delete", "a.d", []),
        ("~a.d=1", "delete", "a.d", [1]),
        ("a.0.b=x", "set", "a.0.b", ["x"]),
        ("a[0].b=x", "set", "a[0].b", ["x"]),
        ('a["odd = key"].b=x', "set", 'a["odd = key"].b', ["x"]),
        ("a-b.c_d=1", "set", "a-b.c_d", [1]),
        ("a=", "set", "a", [""]),
        ("a=b=c", "set", "a", ["b=c"]),
        (" a = 1 ", "set", "a", [1]),
        ("a=1,2", "set", "a", [1, 2]),
        ("a=[1,2],[3]", "set", "a", [[1, 2], [3]]),
        ("a='x,y',z", "set", "a", ["x,y", "z"]),
        ("+a=1,2", "add", "a", [1, 2]),
    ],
)
def test_an_override_has_an_operation_a_path_and_values(text, operation, path, choices):
    assert said(text) == (operation, path, choices)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("+5", 5),
        ("1_000", 1000),
        ("1.0", 1.0),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("inf", float("inf")),
        ("-inf", float("-inf")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("Null", None),
        ("", ""),
        ("no", "no"),
        ("on", "on"),
        ("None", "None"),
        ("007", "007"),
        ("00", "00"),
        ("0", 0),
        ("-0", 0),
        ("0.50", 0.5),
        ("1_", "1_"),
        ("1__0", "1__0"),
        ("_1", "_1"),
        ("1.2.3", "1.2.3"),
        ("0x10", "0x10"),
        ("1e", "1e"),
        ("2024-01-01", "2024-01-01"),
        ("infinite", "infinite"),
        ("nano", "nano"),
        ("٣", "٣"),
        ("a/b.c", "a/b.c"),
        ("s3://b/k?x=1", "s3://b/k?x=1"),
        ("two words", "two words"),
        ("10:30", "10:30"),
        ("${a.b}", "${a.b}"),
        ("run-${a[1,2]}", "run-${a[1,2]}"),
        ("'1'", "1"),
        ('"true"', "true"),
        ("''", ""),
        (r"'it\'s'", "it's"),
        (r"'back\\slash'", r"back\\slash"),
        (r"'at the end\\'", "at the end\\"),
        (r"'before \\\' one'", r"before \' one"),
        (r"'\n'", r"\n"),
        ("'[1,2]'", "[1,2]"),
        (r"a\,b", "a,b"),
        (r"a\[b", "a[b"),
        ("[]", []),
        ("{}", {}),
        ("[ 1 , x ]", [1, "x"]),
        ("[1,]", [1]),
        ("[[1],[2,[3]]]", [[1], [2, [3]]]),
        ("{a: 1, 'b c': [2], \"d\":{e:f}}", {"a": 1, "b c": [2], "d": {"e": "f"}}),
        ("{1: a, null: b}", {1: "a", None: "b"}),
        ("{a: x y, b: 'c:d'}", {"a": "x y", "b": "c:d"}),
        ("[a=b, c]", ["a=b", "c"]),
    ],
)
def test_a_value_has_a_type_of_its_own(text, value):
    (choice,) = parse("a=" + text).choices
    found = plain_value(choice)
    assert (type(found), found) == (type(value), value)


def test_nan_is_a_number():
    assert typed("nan") != typed("nan")


def test_a_quoted_text_is_told_from_a_word():
    assert parse("a=1").choices == [Word("1")]
    assert parse("a='1'").choices == ["1"]


def test_a_word_keeps_its_text_beside_its_value():
    word = parse("a=1e3").choices[0]
    assert (word.text, word.value) == ("1e3", 1000.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr", "'lr' is not an override: there is no '='\n  write  path=value"),
        ("+lr", "'+lr' is not an override: there is no '='\n  write  +path=value"),
        ("++a.b", "'++a.b' is not an override: there is no '='\n  write  ++path=value"),
        ("=1", "'=1' is not an override: '' is not a path: expected a name at column 1"),
        ("a..b=1", "'a..b=1' is not an override: 'a..b' is not a path: expected a name at column 3"),
        ("a[=1", "'a[=1' is not an override: there is no '='\n  write  path=value"),
        ("a=[1,2", "this '[' is not closed, at column 3\n  a=[1,2\n    ^"),
        ("a=[1,[2]", "this '[' is not closed, at column 3\n  a=[1,[2]\n    ^"),
        ("a={b", "expected ':' after a key, at column 5\n  a={b\n      ^"),
        ("a={b: 1", "this '{' is not closed, at column 3\n  a={b: 1\n    ^"),
        ("a='x", "this quote is not closed, at column 3\n  a='x\n    ^"),
        ("a='x'y", "expected ',' after the value, at column 6\n  a='x'y\n       ^"),
        ("a=[1]2", "expected ',' after the value, at column 6\n  a=[1]2\n       ^"),
        ("a=['x' 1]", "expected ',' or ']' after the value, at column 8\n  a=['x' 1]\n         ^"),
        ("a=[,]", "expected a value, at column 4\n  a=[,]\n     ^"),
        ("a=1,", "expected a value between commas, at column 5\n  a=1,\n      ^"),
        ("a=,1", "expected a value between commas, at column 5\n  a=,1\n      ^"),
        ("a={[1]: 2}", "a key must be a word or a quoted text, at column 4\n  a={[1]: 2}\n     ^"),
        ("a=${b", "this '${' is not closed, at column 3\n  a=${b\n    ^"),
        (
            "a=rnage(3)",
            "rnage(…) is not known; quote a text that holds '(', at column 3\n  a=rnage(3)\n    ^\n  did you mean  range(…)?",
        ),
        (
            "a=(1,2)",
            "a value does not start with '(': a list stands in [ ], a text in quotes, at column 3\n  a=(1,2)\n    ^",
        ),
        ("a=1,2]", "this ']' closes nothing; quote a text that holds it, at column 6\n  a=1,2]\n       ^"),
        ("a=img[0-9.png", "this '[' is not closed, at column 6\n  a=img[0-9.png\n       ^"),
        ("a={b, c: 1}", "expected ':' after a key, at column 5\n  a={b, c: 1}\n      ^"),
        ("a=[1,range(3)]", "a sweep cannot stand inside of a list, at column 6\n  a=[1,range(3)]\n       ^"),
        ("a={b: choice(1)}", "a sweep cannot stand inside of a dict, at column 7\n  a={b: choice(1)}\n        ^"),
        ("a=1,range(3)", "a sweep cannot stand among the values of another, at column 5\n  a=1,range(3)\n      ^"),
        ("a=int(x)", "'x' cannot become int, at column 3\n  a=int(x)\n    ^"),
        ("a=str(null)", "null cannot become str, at column 3\n  a=str(null)\n    ^"),
        ("a=sort(1,x)", "sort cannot tell which of these comes first, at column 3\n  a=sort(1,x)\n    ^"),
        ("a=range(5,1)", "range holds nothing: from 5 to 1 in steps of 1, at column 3\n  a=range(5,1)\n    ^"),
        ("a=range(0,1,0)", "the step of a range cannot be 0, at column 3\n  a=range(0,1,0)\n    ^"),
        ("a=range(0,inf,0.5)", "range needs finite numbers, at column 3\n  a=range(0,inf,0.5)\n    ^"),
        ("a=range(1,2,3,4)", "range takes start, stop, step, found 4 values, at column 3\n  a=range(1,2,3,4)\n    ^"),
        ("a=range(1,start=2)", "range is given start twice, at column 3\n  a=range(1,start=2)\n    ^"),
        ("a=range(stop=2)", "range takes start, stop, step, at column 3\n  a=range(stop=2)\n    ^"),
        ("a=interval(2,1)", "interval holds nothing: 2.0 is not below 1.0, at column 3\n  a=interval(2,1)\n    ^"),
        (
            "a=choice(b=1)",
            "choice takes no b=…: it takes values alone; quote a text that holds '=', at column 3\n  a=choice(b=1)\n    ^",
        ),
        ("a=choice()", "choice needs a value, at column 3\n  a=choice()\n    ^"),
        ("a=choice(1", "this '(' is not closed, at column 9\n  a=choice(1\n          ^"),
        (
            "a=tag(x,y)",
            "the last that tag takes is a sweep, as in tag(mine, choice(a,b)), at column 3\n  a=tag(x,y)\n    ^",
        ),
        (
            "a=sort(reverse=true,1)",
            "what has no name stands before what has one, at column 21\n  a=sort(reverse=true,1)\n" + " " * 22 + "^",
        ),
        (
            "+a=extend_list(1)",
            "'+a=extend_list(1)' is not an override\n  extend_list adds to a list that is there, as in a=extend_list(x)",
        ),
        (
            "a[0:1]=x",
            "'a[0:1]=x' is not an override\n  elements are set by a list, as in a[0:2]=[x], or deleted, as in ~a[0:2]",
        ),
        (
            "+m...a=1",
            "'+m...a=1' is not an override\n  three dots go with = += -= and ~, as in model...dropout=0.1:  + makes a new key, of one place",
        ),
        ("~a=1,2", "'~a=1,2' would delete a sweep of values: name one, or none"),
    ],
)
def test_a_text_that_is_no_override_is_refused_with_the_column(text, message):
    with pytest.raises(OverrideError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(OverrideError) as caught:
        parse("a={b: 1, b: 2}")
    assert str(caught.value) == "the key 'b' stands twice, at column 10\n  a={b: 1, b: 2}\n           ^"


def test_values_nested_too_deeply_are_one_named_error():
    assert str(plain_value(parse("a=" + "[" * 200 + "]" * 200).choices[0])) == "[" * 200 + "]" * 200
    with pytest.raises(OverrideError) as caught:
        parse("a=" + "[" * 5000 + "]" * 5000)
    assert str(caught.value) == "a value is nested too deeply: more than 200 levels, at column 203"


def test_a_sweep_where_one_value_stands_is_refused():
    with pytest.raises(OverrideError) as caught:
        parse_value("1,2")
    assert (
        str(caught.value) == "'1,2' is a sweep, and only one value can stand here\n  for one value:  [a,b]  or  'a,b'"
    )


def test_the_choice_of_a_sweep_reads_back_as_itself():
    texts = [
        "a.b=1,'x,y',[1,2]",
        "a=b\\ , c\\\t ,d",
        "+a=1,{k: v}",
        "++a[0]=x\\,y,z",
        "a=choice(b\\ , 'c')",
        "a=range(1,4)",
        "a=range(0,1,0.1)",
    ]
    for text in [
        *texts,
        "a=str(1,true)",
        "a=sort(c,b,a)",
        "a=shuffle([1],{b: c})",
        "m...a=1,2",
        "a-=[1],[2]",
        "++a=true,null",
    ]:
        sweep = parse(text)
        for n in range(len(sweep.choices)):
            again = parse(sweep.chosen(n).text)
            assert (again.operation, again.path) == (sweep.operation, sweep.path)
            assert plain_value(again.choices[0]) == plain_value(sweep.choices[n])


def test_the_numbers_of_a_range_are_made_when_they_are_asked_for():
    said = parse("a=range(0,1000000000000,3)")
    assert len(said.choices) == len(said.texts) == 333_333_333_334
    assert (said.choices[1000], said.texts[-1], said.texts[1:3]) == (3000, "999999999999", ["3", "6"])
    assert [*parse("a=range(0,1,0.1)").choices] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert [*parse("a=sort(range(10,1,-2))").choices] == [2, 4, 6, 8, 10]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("int(3.7)", 3),
        ("float(1)", 1.0),
        ("str(1e3)", "1000.0"),
        ("bool(1)", True),
        ("int({a: 1.5, b: ['2']})", {"a": 1, "b": [2]}),
        ("json_str({a: [1, null, x]})", '{"a": [1, null, "x"]}'),
        ("sort([3, 1, 2], reverse=true)", [3, 2, 1]),
        ("[int(1.5), {k: str(2)}]", [1, {"k": "2"}]),
    ],
)
def test_functions_give_values(text, value):
    found = plain_value(parse_value(text))
    assert repr(found) == repr(value)


def test_what_sweeps_is_told_with_its_tags():
    said = parse("a=tag(mine, 'two words', sort(3,1,2))")
    assert (said.is_sweep, [*said.texts], said.sweep.tags) == (True, ["1", "2", "3"], {"mine", "two words"})
    assert repr(parse("a=int(interval(1,5))").sweep) == "int(interval(1,5))"


def test_an_interval_is_logarithmic_by_a_tag_as_hydra_has_it_or_by_an_argument_as_python_has_it():
    tagged = parse("a=tag(log,interval(1e-4,1e-1))").sweep
    for text in (
        "interval(1e-4, 1e-1, log=True)",
        "interval(1e-4,1e-1,log=true)",
        "interval(start=1e-4,end=1e-1,log=true)",
    ):
        assert parse(f"a={text}").sweep == tagged
    assert parse("a=interval(1e-4,1e-1,log=false)").sweep == parse("a=interval(1e-4,1e-1)").sweep
    assert repr(parse("a=int(interval(1,100,log=true))").sweep) == "tag(log,int(interval(1,100)))"
    for text in ("interval(1,2,true)", "interval(1,log=true)", "interval(1,2,log=3)"):
        with pytest.raises(OverrideError, match="interval takes start, end, log|log is true or false"):
            parse(f"a={text}")
    assert parse("a=glob([a*, b], exclude=*2)").sweep.chosen(["a1", "a2", "b", "c"]) == ["a1", "b"]
    assert parse("a=choice(1)").is_sweep


def test_the_order_of_shuffle_is_the_same_each_time():
    orders = {tuple(parse("a=shuffle(range(0,100))").texts) for _ in range(3)}
    assert len(orders) == 1
    assert sorted(map(int, orders.pop())) == [*range(100)] != [*map(int, parse("a=shuffle(range(0,100))").texts)]


@pytest.mark.parametrize(
    ("text", "operation", "span"),
    [
        ("a.b[0:0]=[x]", "splice", (0, 0)),
        ("a.b[-2:]=[]", "splice", (-2, None)),
        ("~a.b[:3]", "splice", (None, 3)),
        ("a.b-=[x]", "remove", None),
        ("a.b=extend_list(x)", "append", None),
    ],
)
def test_lists_are_edited(text, operation, span):
    said = parse(text)
    assert (said.operation, said.span, said.steps) == (operation, span, ("a", "b"))
    assert [*map(plain_value, said.choices)] == [[] if "x" not in text else ["x"]]


def test_three_dots_reach_below():
    said = parse('a.b...c["x...y"]=1')
    assert (said.steps, said.below, said.path) == (("a", "b"), ("c", "x...y"), 'a.b...c["x...y"]')
    assert parse("...c=1").steps == ()
    assert parse('a["x...y"]=1').steps == ("a", "x...y")
    assert (parse('a["x...y"]...b=1').steps, parse('a["x...y"]...b=1').below) == (("a", "x...y"), ("b",))


@pytest.mark.parametrize(
    "text",
    [
        "a=[" + "x," * 50_000 + "]",
        "a=" + "\\" * 100_000,
        "a=" + "\\ " * 100_000,
        "a='" + "\\" * 100_000,
        "a='" + "\\" * 100_000 + "x'",
        "a=" + "x(" * 150,
        "a=" + "x[" * 50_000,
        "a=" + "${" * 50_000,
        "a=" + "b " * 50_000 + "(",
        "a=" + " " * 100_000 + "x" + " " * 100_000,
        "a[" * 50_000 + "=1",
        "a" + "." * 100_000 + "=1",
        "a=choice(" + "x," * 50_000 + "y)",
    ],
)
def test_a_long_text_takes_no_longer_than_its_length(text):
    try:
        said = parse(text)
    except OverrideError as error:
        assert str(error)
    else:
        assert said.text == text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_can_be_typed(value):
    found = plain_value(parse_value(write_value(value)))
    assert found == value
    assert repr(found) == repr(value)


@given(st.text())
def test_any_text_is_an_override_or_an_override_error(text):
    try:
        parse(text)
    except OverrideError as error:
        assert str(error)
