"""Command templates: words first, values then."""

import enum
import shlex
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.run import _template
from callsheet.run._template import fill
from saying import told


class Colour(enum.Enum):
    RED = "red"


def test_values_stand_for_what_their_names_say():
    assert fill("train.py --lr {{lr}} -n{{n}}", {"lr": 1e-3, "n": 4}) == ["train.py", "--lr", "0.001", "-n4"]


@given(st.text())
def test_no_value_makes_another_word(value):
    assert fill("x {{v}} --v={{v}} '{{v}}' \"a {{v}}\" y", {"v": value}) == [
        "x",
        value,
        f"--v={value}",
        value,
        f"a {value}",
        "y",
    ]


@given(st.lists(st.text(st.characters(exclude_characters="{}|&;<>()$`\0"), min_size=1), min_size=1))
def test_without_values_words_are_those_of_a_shell(words):
    text = shlex.join(words)
    assert fill(text, {}) == shlex.split(text)


def test_lines_go_on_and_white_space_does_not_count():
    assert fill("a \\\n   b\n\tc", {}) == ["a", "b", "c"]
    assert fill("a\\\nb \\  'it''s' \"say \\\"x\\\"\"", {}) == ["ab", " ", "its", 'say "x"']


def test_a_list_is_a_word_for_each_item_and_joined_within_another():
    assert fill("{{v}} --v={{v}} {{e}} z", {"v": [1, "a b"], "e": []}) == ["1", "a b", "--v=1,a b", "z"]


def test_none_leaves_out_the_option():
    template = "x --seed {{s}} --seed={{s}} -s {{s}} --flag {{n}} {{s}}"
    assert fill(template, {"s": None, "n": 1}) == ["x", "--flag", "1"]
    assert fill("x -1 {{s}} - {{s}} -- {{s}}", {"s": None}) == ["x", "-1", "-", "--"]


def test_truth_values_are_written_as_python_does_and_flags_are_there_or_not():
    assert fill("{{t}} {{f}}", {"t": True, "f": False}) == ["True", "False"]
    template = "x {{t | flag('--on')}} {{f | flag('--on')}} {{f | flag('--on', '--off')}}"
    assert fill(template, {"t": True, "f": False}) == ["x", "--on", "--off"]
    assert fill("x {{v | each('-I')}}", {"v": ["a", "b"]}) == ["x", "-I", "a", "-I", "b"]


def test_enum_members_numbers_of_numpy_and_paths_are_texts():
    np = pytest.importorskip("numpy")
    import pathlib

    names = {"c": Colour.RED, "n": np.float64(0.5), "p": pathlib.PurePosixPath("/a b")}
    assert fill("{{c}} {{n}} {{p}}", names) == ["red", "0.5", "/a b"]


def test_expressions_are_computed():
    assert fill("x {{ a * 2 }} {{ '}}' ~ b }} {{ b if a > 3 else 'few' }}", {"a": 2, "b": "c"}) == [
        "x",
        "4",
        "}}c",
        "few",
    ]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("a | b", "| at column 3 asks for a shell, and a command runs without one\n  quote it if it is meant as it stands\n  for a shell:  sh -c '…'"),
        ("a\nb $HOME", "$ at line 2, column 3 asks for a shell, and a command runs without one\n  quote it if it is meant as it stands\n  for a shell:  sh -c '…'"),
        ('"$HOME"', "$ at column 2 asks for a shell, and a command runs without one\n  quote it if it is meant as it stands\n  for a shell:  sh -c '…'"),
        ("a {{v", "the {{ at column 3 is not closed by }}"),
        ("a 'v", "the quote at column 3 is not closed"),
        ("a \\", "the backslash at column 3 has nothing after it"),
        ("a {% if v %}", "{% at column 3: only {{…}} is read"),
        (" \n ", "is empty: a command has at least one word"),
        ("a {{v +}}", "{{v +}} at column 3 cannot be read: unexpected 'end of print statement'"),
        ("a {{v.__class__}}", "{{v.__class__}} at column 3 comes to nothing\n  say what else:  {{… if … else …}}"),
        ("a {{v / 0}}", "{{v / 0}} at column 3 raises ZeroDivisionError: division by zero"),
        ("a {{o}}", "{{o}} at column 3 is {'k': 1}, which is no text\n  name one of its values, or write it as text:  | tojson"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_column(template, said):
    assert told(lambda: fill(template, {"v": 1, "o": {"k": 1}})) == said


def test_the_sandbox_lets_nothing_out():
    for text in ("''.__class__.__mro__", "v.append(3)", "range(9)", "cycler", "lipsum()"):
        with pytest.raises((Exception,)):
            fill("{{" + text + "}}", {"v": [1]})


def test_without_jinja_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    _template._environment.cache_clear()
    assert told(lambda: fill("x {{v}}", {"v": 1})) == (
        "filling in a command needs the package jinja2\n  pip install 'callsheet[command]'"
    )
