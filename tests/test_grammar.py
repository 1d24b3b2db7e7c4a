"""Promise 15, syntax: what an override says, before any spec or type is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet._grammar import Word, parse, parse_value, plain_value, typed
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
        (r"'back\\slash'", "back\\slash"),
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
        ("a={[1]: 2}", "a key must be a word or a quoted text, at column 3\n  a={[1]: 2}\n    ^"),
        ("a=${b", "this '${' is not closed, at column 3\n  a=${b\n    ^"),
        ("a=range(3)", "range(…) is not known; quote a text that holds '(', at column 3\n  a=range(3)\n    ^"),
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
    for text in ("a.b=1,'x,y',[1,2]", "+a=1,{k: v}", "++a[0]=x\\,y,z"):
        sweep = parse(text)
        for n in range(len(sweep.choices)):
            again = parse(sweep.chosen(n).text)
            assert (again.operation, again.steps, again.choices) == (sweep.operation, sweep.steps, [sweep.choices[n]])


def test_reading_is_linear_in_the_length():
    assert len(plain_value(parse("a=[" + "x," * 50_000 + "]").choices[0])) == 50_000


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def written(value):
    """A value as one may type it."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)}: {written(v)}" for k, v in value.items()) + "}"
    return {"None": "null", "True": "true", "False": "false"}.get(repr(value), repr(value))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_any_value_can_be_typed(value):
    found = plain_value(parse_value(written(value)))
    assert found == value
    assert repr(found) == repr(value)


@given(st.text())
def test_any_text_is_an_override_or_an_override_error(text):
    try:
        parse(text)
    except OverrideError as error:
        assert str(error)
