"""A path names a place: what is written comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callsheet._path import format_path, parse_path
from callsheet.errors import PathError
from saying import told

KEYS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
STEPS = st.lists(st.text(min_size=1, max_size=8) | KEYS | st.tuples(KEYS, KEYS), min_size=1, max_size=6)


@given(STEPS)
@example(["a.b", "c"])
@example(['say "hi"', "\\", "[0]", "a]b"])
@example(["0", 0, "-1", -1])
@example(["lern-rate", "@x", "é", "a b"])
@example([""])
@example(["None", None, "True", True, False, "0.5", 0.5, float("-inf"), 1e16, b"x", (), (1, None)])
def test_a_path_that_is_written_reads_back_as_it_was(steps):
    read = list(parse_path(format_path(steps)))
    assert read == steps
    assert [*map(type, read)] == [*map(type, steps)]


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a", ("a",)),
        ("a.b.c", ("a", "b", "c")),
        ("a[0][-1]", ("a", 0, -1)),
        ('a["odd key"].b', ("a", "odd key", "b")),
        ("a['single']", ("a", "single")),
        ("[0].a", (0, "a")),
        ("a.0.b", ("a", "0", "b")),
        ("a[b]", ("a", "b")),
        ("a[null][true][false]", ("a", None, True, False)),
        ("a[1e-3][1.50][nan][(x)]", ("a", "1e-3", "1.50", "nan", "(x)")),
        ("learning-rate", ("learning-rate",)),
    ],
)
def test_paths_are_read_in_every_form(text, steps):
    assert parse_path(text) == steps


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a name at column 1"),
        (".a", "expected a name at column 1"),
        ("a..b", "expected a name at column 3"),
        ("a.", "expected a name at column 3"),
        ("a[0]b", "expected '.' or '[' at column 5"),
        ("a[", "this '[' is not closed at column 2"),
        ("a[]", "expected a position or a key at column 2"),
        ('a["b', "this '[' is not closed by \"] at column 2"),
        ("a['b\"]", "this '[' is not closed by '] at column 2"),
    ],
)
def test_what_is_no_path_is_refused_with_its_column(text, problem):
    assert told(lambda: parse_path(text), PathError) == f"{text!r} is not a path: {problem}"
