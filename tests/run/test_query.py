"""Filters are a small language: each comparison means one thing, and a mistake is pointed at."""

import math

import pytest

from callsheet.errors import QueryError
from callsheet.run._query import Query, sort_key, typed
from saying import told

ROWS = [
    {"id": "123456", "state": "done", "acc": 0.9, "name": "Adam", "lr": 0.001, "ok": True, "text": "7"},
    {"id": "abcdef", "state": "failed", "acc": None, "name": None, "lr": 0.01, "ok": False, "text": "8"},
    {"id": "fedcba", "state": "done", "acc": math.nan, "name": "SGD", "lr": 1, "ok": None, "text": "and so"},
]


def kept(text, rows=ROWS):
    query = Query(text)
    assert {row["id"] for row in rows} == {row["id"] for row in ROWS}
    keep = query.keep(lambda name, at: [row[name] for row in rows], len(rows))
    return [row["id"][0] for row, kept in zip(rows, keep, strict=True) if kept]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state=done", "1f"),
        ("state==done", "1f"),
        ("state != done", "a"),
        ("acc>0.5", "1"),
        ("acc>=0.9", "1"),
        ("acc<1", "1"),
        ("acc=nan", "f"),
        ("acc!=nan", "1a"),
        ("acc=nan or lr=0.01", "af"),
        ("lr<=1e-2", "1a"),
        ("lr = 1", "f"),
        ("lr=1.0", "f"),
        ("name~ad", "1"),
        ('name = "Adam"', "1"),
        ("name='Adam'", "1"),
        ("name=none", "a"),
        ("name!=none", "1f"),
        ("name!=Adam", "af"),
        ("ok=true", "1"),
        ("ok=false", "a"),
        ("id=123456", "1"),
        ("text=7", "1"),
        ("text='and so'", "f"),
        ("name>B", "f"),
        ("name>0.5", ""),
        ("acc>high", ""),
        ("state=done and acc>0.5", "1"),
        ("state=failed or acc>0.5", "1a"),
        ("state=failed or state=done and lr=1", "af"),
        ("(state=failed or state=done) and lr=1", "f"),
        ("not state=done", "a"),
        ("not (state=done and lr=1)", "1a"),
        ("NOT state=done OR lr=1", "af"),
        ("state=done and not not lr=1", "f"),
    ],
)
def test_a_filter_keeps(text, expected):
    assert kept(text) == list(expected)


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("", "the filter is empty: compare something, as in  state=done", 0),
        ("state", "expected a comparison after 'state': one of  = != < <= > >= ~", 5),
        ("state=", "expected a value after '='", 6),
        ("state=done and", "expected a name at the end", 14),
        ("=done", "expected a name, found '='", 0),
        ("state=done acc>1", "expected 'and' or 'or' before 'acc'", 11),
        ("x=1 and (state=done", "this '(' is not closed", 8),
        ("state=done)", "expected 'and' or 'or' before ')'", 10),
        ("state='done", 'cannot read the filter at "\'"', 6),
        ("state ! done", "cannot read the filter at '!'", 6),
        (
            "duration>1h and started>yesterday",
            "started is compared with a date, as in  2026-11-22  or  2026-11-22T08:30",
            24,
        ),
        ("duration>1x", "duration is compared with seconds, or with a time as in  30s  5m  1.5h  2d", 9),
        ("(" * 60 + "a=1" + ")" * 60, "the filter is nested too deeply", 50),
    ],
)
def test_a_mistake_is_pointed_at(text, problem, column):
    said = told(lambda: Query(text), QueryError)
    assert said == f"{problem}\n  {text}\n  {' ' * column}^"


def test_a_state_that_no_run_can_have_is_a_mistake():
    states = "states are  running, done, failed, interrupted, cancelled, lost"
    assert told(lambda: Query("acc>0 and state=don"), QueryError) == (
        f"there is no state 'don'\n  acc>0 and state=don\n                  ^\n  did you mean  done?\n  {states}"
    )
    assert told(lambda: Query("status!='x'"), QueryError) == (
        f"there is no state 'x'\n  status!='x'\n          ^\n  {states}"
    )
    assert kept("state~do") == ["1", "f"]


@pytest.mark.parametrize(
    "text", ["__import__('os').system('true')=1", "a=1 if b else 2", "[a for a in b]", "lambda: 1"]
)
def test_python_is_no_filter(text):
    with pytest.raises(QueryError):
        Query(text)


def test_names_hold_paths_with_brackets_and_dashes():
    names = []
    Query('a.b[0]["odd key"].c-d>1 and result.val/acc<2').keep(lambda name, at: names.append((name, at)) or [1], 1)
    assert names == [('a.b[0]["odd key"].c-d', 0), ("result.val/acc", 28)]


def test_durations_have_units_and_dates_are_moments():
    def seconds(text):
        return [s for s in (30.0, 90.0, 5400.0) if Query(text).keep(lambda name, at: [s], 1) == [True]]

    assert seconds("duration>1m") == [90.0, 5400.0]
    assert seconds("duration>1.5h or duration<31s") == [30.0]
    assert seconds("duration=90") == [90.0]
    assert Query("started>=1970-01-02T00:00+00:00").keep(lambda name, at: [86399.0, 86400.0], 2) == [False, True]


def test_the_text_of_a_leaf_is_a_value_again():
    assert [typed(text) for text in ("1", "1e-3", "'a'", '"it\'s"', "None", "Net", "-inf")] == [
        1, 0.001, "a", "it's", None, "Net", -math.inf,
    ]  # fmt: skip


def test_numbers_come_before_texts_and_what_is_missing_last():
    assert sorted([None, "b", 2, "a", math.nan, 1.5], key=sort_key)[:4] == [1.5, 2, "a", "b"]
