"""Aliases, depth and size are bounded (12): what is far too much fails by name, in bounded time and memory."""

import json
import subprocess
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("the limits of a process are POSIX's", allow_module_level=True)

SECONDS = 30  # of processor time; on a machine of 2026, the slowest case takes a third of it
MEMORY = 1 << 30

TOO_MANY = "holds more than 1,000,000 values, which is what a data file may hold"


def laughs(levels, first, level):
    """A document whose every level holds the one above it more than once."""
    return "".join([f"k0: &k0 {first}\n", *(f"k{n}: &k{n} {level.format(f'*k{n - 1}')}\n" for n in range(1, levels))])


def chain(end):
    return "{" + "".join(f'"k{n}": {{"_same_": "k{n + 1}"}}, ' for n in range(100_000)) + f'"k100000": {end}}}'


def same_lists():
    pairs = (f'"k{n + 1}": [{{"_same_": "k{n}"}}, {{"_same_": "k{n}"}}]' for n in range(100))
    return '{"k0": [1, 1], ' + ", ".join(pairs) + "}"


def merges():
    first = "{" + ", ".join(f"a{n}: {n}" for n in range(10_000)) + "}"
    return f"k0: &k0 {first}\n" + "".join(f"k{n + 1}: &k{n + 1} {{<<: *k{n}, b{n}: 1}}\n" for n in range(10_000))


ALIASES = "is a YAML alias too much: together they make more than 1,000,000 values"
CIRCLE = "leads to 'k1', which leads back to it: one of them must be written in full"
NO_NODE = "leads to 'k0', which is no call or dataclass: write its value here"

CASES = {
    "billion laughs in lists": ("x.yaml", lambda: laughs(12, [1] * 10, "[{0}, {0}, {0}, {0}, {0}, {0}]"), ALIASES),
    "billion laughs in mappings": ("x.yaml", lambda: laughs(100, "{x: 1, y: 2}", "{{x: {0}, y: {0}}}"), ALIASES),
    "calls that share calls": ("x.yaml", lambda: laughs(300, "{_target_: m:f}", "{{_target_: m:f, x: {0}, y: {0}}}"), ""),
    "merges that grow": ("x.yaml", merges, TOO_MANY),
    "50 MB of aliases": ("x.yaml", lambda: "a: &a [1, 2]\nb:\n" + "- *a\n" * 10_000_000, TOO_MANY),
    "a chain of _same_": ("x.json", lambda: chain('{"_target_": "m:f"}'), ""),
    "a circle of _same_": ("x.json", lambda: chain('{"_same_": "k0"}'), CIRCLE),
    "lists that share by _same_": ("x.json", same_lists, NO_NODE),
    "100,000 levels of JSON lists": ("x.json", lambda: "[" * 100_000 + "]" * 100_000, "is nested too deeply"),
    "100,000 levels of JSON objects": ("x.json", lambda: '{"a":' * 100_000 + "1" + "}" * 100_000, "is nested too deeply"),
    "100,000 levels of YAML": ("x.yaml", lambda: "[" * 100_000 + "]" * 100_000, "is nested more than 1000 levels deep"),
    "100,000 levels of dashes": ("x.yaml", lambda: "- " * 100_000 + "1", "is nested more than 1000 levels deep"),
    "100,000 levels of TOML": ("x.toml", lambda: "a = " + "[" * 100_000 + "]" * 100_000, "is nested too deeply"),
    "10^6 digits in JSON": ("x.json", lambda: "[" + "9" * 1_000_000 + "]", "holds a number of 1,000,000 digits"),
    "10^6 digits in YAML": ("x.yaml", lambda: "a: " + "9" * 1_000_000, "holds a number of 1,000,000 digits"),
    "10^6 digits in base 16": ("x.yaml", lambda: "a: 0x" + "f" * 1_000_000, "holds a number of 1,000,002 digits"),
    "10^6 digits in TOML": ("x.toml", lambda: "a = " + "9" * 1_000_000, "is not valid TOML: Exceeds the limit"),
    "250,000 references in JSON": ("x.json", lambda: '{"a": 1, "b": [' + ", ".join(['"${a}"'] * 250_000) + "]}", ""),
    "more references in YAML": ("x.yaml", lambda: "a: 1\nb:\n" + "- ${a}\n" * 1_000_000, TOO_MANY),
    "50 MB of text in JSON": ("x.json", lambda: '{"a": "' + "x" * 50_000_000 + '"}', ""),
    "50 MB of commas in JSON": ("x.json", lambda: '{"a": "' + "\\\\," * 17_000_000 + '"}', ""),
    "50 MB of text in YAML": ("x.yaml", lambda: "a: " + "x" * 50_000_000, ""),
    "50 MB of lines in YAML": ("x.yaml", lambda: "a: |\n" + "  one line of many\n" * 2_600_000, ""),
    "50 MB of text in TOML": ("x.toml", lambda: "a = '" + "x" * 50_000_000 + "'", ""),
    "50 MB of numbers in JSON": ("x.json", lambda: "[1" + ",1" * 25_000_000 + "]", TOO_MANY),
    "50 MB of lists in JSON": ("x.json", lambda: "[[]" + ",[]" * 16_000_000 + "]", TOO_MANY),
    "50 MB of numbers in YAML": ("x.yaml", lambda: "- 1\n" * 12_500_000, TOO_MANY),
    "NaN in JSON": ("x.json", lambda: '{"a": 1,\n "b": NaN}', "is not valid JSON: NaN is no number"),
    "Infinity in JSON": ("x.json", lambda: "[\n-Infinity]", "is not valid JSON: -Infinity is no number"),
    "a float beyond all": ("x.json", lambda: "[1e999999]", ""),
}  # fmt: skip

PROGRAM = """
import json, resource, sys
path, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
from callsheet import load
from callsheet.errors import CallsheetError
try:
    load(path)
except CallsheetError as error:
    print(json.dumps([str(error.faults[0].problem), str(error.faults[0].origin), len(error.faults)]))
else:
    print(json.dumps(["", "", 0]))
"""


@pytest.mark.parametrize(("name", "text", "problem"), CASES.values(), ids=CASES)
def test_what_is_far_too_much_is_one_named_error_or_works(tmp_path, name, text, problem):
    pytest.importorskip("yaml")
    (tmp_path / name).write_text(text())
    child = [sys.executable, "-c", PROGRAM, name, str(SECONDS), str(MEMORY)]
    done = subprocess.run(child, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
    found, origin, count = json.loads(done.stdout)
    assert problem in found
    assert count == bool(problem)
    assert bool(found) == bool(problem)
    assert name in origin + found or not problem
