"""Two sequences are put side by side: every element once, equal ones together, as few left over as can be."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet._align import _by_occurrence, align


def most_in_common(a, b):
    """The length of a longest common subsequence, by the book."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = row
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


WORDS = st.lists(st.sampled_from("abc"), max_size=12)


@given(WORDS, WORDS)
def test_each_element_stands_once_and_in_order(a, b):
    pairs = align((a, b))
    assert [i for i, _ in pairs if i is not None] == [*range(len(a))]
    assert [j for _, j in pairs if j is not None] == [*range(len(b))]


@given(WORDS, WORDS)
def test_as_many_equal_elements_stand_together_as_can(a, b):
    together = sum(i is not None and j is not None and a[i] == b[j] for i, j in align((a, b)))
    assert together >= most_in_common(a, b)


@given(WORDS, WORDS)
def test_the_rougher_answer_pairs_equal_elements_that_do_not_cross(a, b):
    pairs = _by_occurrence(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert pairs == sorted(pairs)
    assert len({j for _, j in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("a", "b", "pairs"),
    [
        ("", "", []),
        ("", "a", [(None, 0)]),
        ("a", "", [(0, None)]),
        ("ab", "xy", [(0, 0), (1, 1)]),
        ("abc", "xbyc", [(0, 0), (1, 1), (None, 2), (2, 3)]),
        ("abab", "babab", [(None, 0), (0, 1), (1, 2), (2, 3), (3, 4)]),
    ],
)
def test_what_is_left_between_is_paired_by_position(a, b, pairs):
    assert align((a, b)) == pairs


def test_weaker_keys_decide_between_what_stays():
    strict = ["p", "conv1", "q"], ["p", "relu", "conv2", "q"]
    loose = ["-", "conv", "-"], ["-", "relu", "conv", "-"]
    assert align(strict, loose) == [(0, 0), (None, 1), (1, 2), (2, 3)]


def test_two_insertions_among_equal_elements_are_two():
    a = [n % 2 for n in range(400)]
    b = [*a[:100], 0, *a[100:300], 1, *a[300:]]
    assert sum(i is None for i, _ in align((a, b))) == 2


@pytest.mark.parametrize(
    "pair",
    [
        lambda n: ([*range(n)], [*range(0, n, 2)]),
        lambda n: ([*range(n)], [*range(n, 0, -1)]),
        lambda n: ([k % 2 for k in range(n)], [k // 3 % 2 for k in range(n)]),
        lambda n: ([0] * n, [1] * n),
    ],
)
def test_the_work_grows_with_the_length_alone(pair):
    def lines(n):
        count = 0

        def trace(frame, event, arg):
            nonlocal count
            count += event == "line"
            return trace

        sys.settrace(trace)
        try:
            align(pair(n))
        finally:
            sys.settrace(None)
        return count

    assert lines(8000) < 3 * lines(4000)
