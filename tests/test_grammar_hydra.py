"""The grammar beside hydra-core's own parser: wherever Hydra accepts a text, it means the same, save what is listed."""

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet._alternatives import Choice, Glob, Interval, Range
from callsheet._grammar import parse
from callsheet._word import plain_value
from callsheet.errors import OverrideError

types = pytest.importorskip("hydra.core.override_parser.types")
HYDRA = pytest.importorskip("hydra.core.override_parser.overrides_parser").OverridesParser.create()
REFUSED = "refused"
PAGE = (Path(__file__).parents[1] / "docs" / "overrides.md").read_text(encoding="utf-8")

# Where Hydra accepts and Callsheet means something else: the reason, an example (which docs/overrides.md has too), and
# which texts it covers, by the text and by what Hydra reads.
DEVIATIONS = [
    ("a sweep inside of a value cannot be tried", "a=[1,range(3)]", lambda text, read: holds_sweep(read[2])),
    ("a delete has one value", "~a=1,2", lambda text, read: read[0] == "DEL" and isinstance(read[2], tuple)),
    ("a sweep of nothing", "a=range(5,1)", lambda text, read: is_swept(read, "sweep") and not read[2][1]),
    (
        "an interval that holds nothing",
        "a=interval(1,0)",
        lambda text, read: is_swept(read, "interval") and read[2][1] >= read[2][2],
    ),
    ("true is no number", "a=range(true)", lambda text, read: re.search(r"(range|interval)\([^)]*(true|false)", text)),
    ("a key that stands twice", "a={b: 1, b: 2}", lambda text, read: "{" in text and "stands twice" in told(text)),
    ("spaces after a colon at the end", "a=[b: ]", lambda text, read: re.search(r":\s+([\],})]|$)", text)),
    (
        "the order of shuffle is the same each time",
        "a=shuffle([1,2,3,4,5,6,7,8])",
        lambda text, read: "shuffle" in text,
    ),
    (
        "sort keeps the numbers of a range",
        "a=sort(range(10,1,-2))",
        lambda text, read: re.search(r"sort\(.*range", text),
    ),
    ("tenths are tenths", "a=range(0,4.9,0.7)", lambda text, read: re.search(r"range\(.*\.", text)),
    ("a cast keeps tags", "a=int(tag(t,choice(1,2)))", lambda text, read: "tag" in text),
    ("a pattern is a text", "a=glob([1])", lambda text, read: "glob" in text),
    ("a key cannot end in -", "a-=[1]", lambda text, read: re.match(r"[^=]*-=", text)),
    ("references nest", "a=${b${c}", lambda text, read: re.search(r"\$\{[^}]*\$\{", text)),
    ("an empty path names nothing", "=1", lambda text, read: not read[1]),
]

# What Hydra refuses for no reason that a user could see.
ACCEPTED = {
    "a=https://h/p?q=1": "https://h/p?q=1",
    "a=~/data": "~/data",
    "a=b=c": "b=c",
    "a=x!": "x!",
    "a=<eos>": "<eos>",
    "a=#1": "#1",
    "a=img[0-9].png": "img[0-9].png",
    "a=it's": "it's",
    "a=größe": "größe",
    "a=f & g; h": "f & g; h",
    "a=${b.${c}}": "${b.${c}}",
    "a = 1": 1,
    "a=[1, 2,]": [1, 2],
    "a={'b c': 1}": {"b c": 1},
    "a='x' ": "x",
}


def holds_sweep(value, *, top=True):
    if isinstance(value, tuple):
        return not top or (value[0] == "sweep" and any(holds_sweep(item, top=False) for item in value[1]))
    if isinstance(value, types.Sweep | types.Glob):
        return True
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(holds_sweep(item, top=False) for item in inside)


def ordered(text, values):
    return sorted(values, key=repr) if "shuffle" in text else [*values]


def is_swept(read, kind):
    return isinstance(read[2], tuple) and read[2][0] == kind


def told(text):
    try:
        parse(text)
    except OverrideError as error:
        return str(error)
    return ""


def of_hydra(text):
    """What Hydra reads: the operation, the path, and the value."""
    try:
        found = HYDRA.parse_override(text)
        value = found._value
        if isinstance(value, types.RangeSweep):
            return found.type.name, found.key_or_group, ("sweep", ordered(text, value.range()), sorted(value.tags))
    except Exception:
        return REFUSED
    return found.type.name, found.key_or_group, _of_hydra(value)


def _of_hydra(value):
    if isinstance(value, types.QuotedString):
        return value.text
    if isinstance(value, types.ChoiceSweep):
        made = [_of_hydra(item) for item in value.list]
        return "sweep", sorted(made, key=repr) if value.shuffle else made, sorted(value.tags)
    if isinstance(value, types.IntervalSweep):
        return "interval", value.start, value.end, sorted(value.tags)
    if isinstance(value, types.Glob):
        return "glob", value.include, value.exclude
    if isinstance(value, list):
        return [_of_hydra(item) for item in value]
    if isinstance(value, dict):
        return {key: _of_hydra(item) for key, item in value.items()}
    return value


def of_callsheet(text):
    try:
        said = parse(text)
    except OverrideError:
        return REFUSED
    name = {"set": "CHANGE", "add": "ADD", "force": "FORCE_ADD", "delete": "DEL", "append": "EXTEND"}.get(
        said.operation, said.operation
    )
    sweep = said.sweep
    if isinstance(sweep, Interval):
        value = "interval", sweep.start, sweep.end, sorted(sweep.tags)
    elif isinstance(sweep, Glob):
        value = "glob", sweep.include, sweep.exclude
    elif isinstance(sweep, Range):
        value = "sweep", ordered(text, sweep), sorted(sweep.tags)
    elif isinstance(sweep, Choice):
        made = [plain_value(item) for item in said.choices]
        value = "sweep", ordered(text, made), sorted(sweep.tags)
    else:
        value = plain_value(said.choices[0]) if said.choices else None
    return name, ".".join(map(str, said.steps)), value


# --- texts ------------------------------------------------------------------------------------------------------------

ATOMS = r"""
a b foo lr x_1 a-b null Null true FALSE 0 1 -1 +5 1_000 007 00 01.5 1. .5 1e-3 1e5 -2.5 1_0.5 1e 1.e2 inf -inf +INF
infinity 0x10 1_ 1__0 _1 / - . $ % * @ ? | \ + : :: ${a.b} ${oc.env:X,1} ${..b} \\ \( \) \[ \] \{ \} \: \= \, '' ""
'a' 'a,b' 'it\'s' '\\' 'a\\b' 'a\\\'b' "q'q" '1' 'true' http://h:80/p s3://b/k a/b.c user@host 50% 10:30 *.py
"""
WORDS = [*ATOMS.split(), " ", "\t", "\\ ", "a b", '"x y"', "'two\nlines'"]
KEYS = [
    "a",
    "a.b",
    "a.b.c",
    "x_1",
    "a-b",
    "$db",
    "a.0",
    "a.0.b",
    "a/b",
    "a.b-c",
    "hydra.x",
    "+a",
    "++a.b",
    "~a",
    "~a.b",
]
NUMBERS = ["0", "1", "2", "-1", "10", "0.5", "1.0", "3", "2.5", "-3", "7", "1e1"]
SWEEPS = ("choice", "range", "interval", "glob", "tag", "sort", "shuffle", "int", "float", "str", "bool")


class Typist:
    """Someone who types overrides."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self):
        key = self.random.choice(KEYS)
        if key.startswith("~"):
            return key + self.random.choice(["", "=" + self.value(2)])
        kind = self.random.random()
        if kind < 0.2:
            return f"{key}={self.sweep(2)}"
        if kind < 0.35:
            return f"{key}={self.several(2, 3, lambda: self.value(1))}"
        return f"{key}={self.space()}{self.value(3)}" if kind < 0.98 else f"{key}="

    def word(self):
        return "".join(self.random.choices(WORDS, k=self.random.choice([1, 1, 1, 1, 2, 3])))

    def value(self, depth):
        kind = self.random.random() if depth else 0
        if kind < 0.6:
            return self.word()
        if kind < 0.75:
            return f"[{self.several(0, 3, lambda: self.value(depth - 1))}]"
        if kind < 0.9:
            return f"{{{self.several(0, 3, lambda: f'{self.word()}:{self.space()}{self.value(depth - 1)}')}}}"
        name = self.random.choice(["int", "float", "str", "bool", "sort"])
        inner = self.random.choice(NUMBERS) if self.random.random() < 0.5 else self.value(depth - 1)
        return f"{name}({self.space()}{inner}{self.space()})"

    def sweep(self, depth):
        name = self.random.choice(SWEEPS if depth else SWEEPS[:4])
        if name in ("range", "interval"):
            low, high = sorted(self.random.sample(["0", "1", "2", "-1", "10", "2.5", "-3", "7"], 2), key=float)
            more = self.random.choice(["", ",1", ",2", ",0.5"]) if name == "range" else ""
            return f"{name}({low},{high}{more})"
        if name == "choice":
            return f"choice({self.several(1, 3, lambda: self.value(depth))})"
        if name == "glob":
            return self.random.choice(["glob(a*)", "glob([a*, b?], exclude=ab)", "glob('*')", "glob(include=*)"])
        more = self.random.choice(["", "", ",reverse=true", ",reverse=false"]) if name == "sort" else ""
        tags = self.random.choice(["", "t,", "'u v',"]) if name == "tag" else ""
        inner = self.sweep(depth - 1)
        if name in ("sort", "int", "float") and self.random.random() < 0.5:
            inner = ",".join(self.random.choices(NUMBERS, k=3))
        return f"{name}({tags}{inner}{more})"

    def several(self, least, most, one):
        return (self.space() + "," + self.space()).join(one() for _ in range(self.random.randint(least, most)))

    def space(self):
        return self.random.choice(["", "", "", " ", "\t"])


def reason_of(text, read):
    return next((reason for reason, _, covers in DEVIATIONS if covers(text, read)), None)


# --- the promise ------------------------------------------------------------------------------------------------------


def test_almost_all_that_hydra_accepts_means_the_same():
    read = {text: of_hydra(text) for text in (Typist(seed).text() for seed in range(6000))}
    accepted = {text: found for text, found in read.items() if found != REFUSED}
    same = [text for text, found in accepted.items() if repr(of_callsheet(text)) == repr(found)]
    assert len(accepted) > 3000
    assert len(same) / len(accepted) >= 0.99


@given(st.integers(0, 10**9))
def test_where_it_means_something_else_the_reason_is_listed(seed):
    text = Typist(seed).text()
    read = of_hydra(text)
    if read != REFUSED and repr(of_callsheet(text)) != repr(read):
        assert reason_of(text, read), text


@given(st.text(alphabet="ab01.-+,=()[]{}:\\'\"$ _/", max_size=12))
def test_any_short_text_that_hydra_accepts_means_the_same_or_the_reason_is_listed(value):
    text = "a=" + value
    read = of_hydra(text)
    if read != REFUSED and repr(of_callsheet(text)) != repr(read):
        assert reason_of(text, read), text


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, text, _ in DEVIATIONS])
def test_each_deviation_is_one_and_is_documented(reason, text):
    read = of_hydra(text)
    assert read != REFUSED
    assert repr(of_callsheet(text)) != repr(read)
    assert reason_of(text, read) == reason
    assert f"`{text}`" in PAGE


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_hydra_refuses_for_no_good_reason_is_read(text):
    assert of_hydra(text) == REFUSED
    assert of_callsheet(text) == ("CHANGE", "a", ACCEPTED[text])
