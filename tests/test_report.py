"""The page of a report holds what its runs recorded, and nothing that a value says can change what it is."""

import hashlib
import json
import math
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from callsheet import runs
from callsheet.report._curves import thinned
from callsheet.report._gather import Limits, as_json, gather
from callsheet.report._page import write_report
from command import Project
from made import made_run


class Elements(HTMLParser):
    """The elements of a page as a browser sees them, and the text of its data."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.data, self._within = [], [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self._within = dict(attrs).get("id")

    def handle_endtag(self, tag):
        self._within = None

    def handle_data(self, data):
        if self._within == "data":
            self.data += data


def page_of(folder, tmp_path, **more):
    write_report(runs(folder), tmp_path / "report.html", **more)
    text = (tmp_path / "report.html").read_text()
    elements = Elements(text)
    return text, elements, json.loads(elements.data)


def column(data, name):
    names = [column["name"] for column in data["columns"]]
    return [row[names.index(name)] for row in data["rows"]]


def test_the_table_has_what_differs_and_what_came_out(tmp_path):
    for n, lr in enumerate([0.1, 0.01], 1):
        made_run(
            tmp_path / "runs",
            f"aaaaa{n}",
            {"lr": lr, "same": 1, "name": f"n{n}"},
            number=n,
            result={"acc": n / 3},
            metrics=[{"loss": n}],
        )
    _, _, data = page_of(tmp_path / "runs", tmp_path, title="Mine", said="lr<1")
    assert [(c["kind"], c["name"]) for c in data["columns"]] == [
        ("run", "number"), ("run", "state"), ("value", "lr"), ("value", "name"), ("result", "acc"), ("metrics", "loss"), ("run", "duration"), ("run", "started"),
    ]  # fmt: skip
    assert column(data, "lr") == [0.1, 0.01]
    assert column(data, "acc") == [0.3333333, 0.6666667]
    assert column(data, "started")[1] - column(data, "started")[0] == 60
    assert (data["title"], data["filter"], data["notes"]) == ("Mine", "lr<1", [])
    assert data["curves"] == {"loss": {"0": [[0], [1]], "1": [[0], [2]]}}


def test_the_spec_of_a_run_is_there_with_who_set_what(tmp_path):
    cmd = Project(tmp_path).listing()
    cmd("run", "conf.py", "optim.lr=0.5")
    _, _, data = page_of(cmd.runs, tmp_path)
    (details,) = data["details"]
    texts = data["texts"]
    lines = [(line[0], *(texts[n] for n in line[1:4])) for line in details["spec"]]
    assert (0, "epochs", "5", "conf.py:5") in lines
    assert (1, "lr", "0.5", "command line  optim.lr=0.5") in lines
    (lr,) = [line for line in details["spec"] if texts[line[1]] == "lr"]
    assert [[texts[n] for n in link] for link in lr[4]] == [["0.001", "conf.py:8"]]
    facts = dict(details["facts"])
    assert facts["overrides"] == "optim.lr=0.5"
    assert facts["config"] == str(tmp_path / "conf.py")
    assert facts["code"] == cmd.read("run.json")["code"]["version"]
    assert {"host", "python", "command", "attempt", "directory"} <= set(facts)


HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    '"><img src=x onerror=alert(1)>',
    "{{style}}{{data}}",
    "\\u003c/script\\u003e",
    "' onclick='x'",
    "\u2028\u2029\x00\x7f",
    "\ud800",
    "a{b|c}",
    "javascript:alert(1)",
]


def test_no_value_ends_the_element_that_holds_it(tmp_path):
    plain = made_run(tmp_path / "plain", "aaaaa1", {"x": "x"})
    assert plain.exists()
    calm = page_of(tmp_path / "plain", tmp_path)[1]
    for n, text in enumerate(HOSTILE):
        safe = text.replace("\ud800", "\\ud800")
        made_run(
            tmp_path / "runs",
            f"aaaa{n:02}",
            {"x": text, safe: 1},
            number=n,
            result={text: text},
            metrics=[{text: 1}],
            record={"overrides": [text], "command": [text], "host": {"name": text}, "config": text},
            status={"error": text},
            files={"trackers.json": {text: {"id": text, "url": text}}},
        )
    text, elements, data = page_of(tmp_path / "runs", tmp_path, title=HOSTILE[0], said=HOSTILE[3])
    assert elements.tags == calm.tags
    assert elements.attributes == calm.attributes
    assert data["title"] == HOSTILE[0]
    assert column(data, "x") == [text.replace("\ud800", "?") for text in HOSTILE]
    assert text.count(HOSTILE[0]) == 0


def test_numbers_that_json_lacks_are_texts_or_gaps(tmp_path):
    made_run(
        tmp_path / "runs",
        "aaaaa1",
        {"lr": 1},
        result={"acc": math.nan},
        metrics=[{"loss": "nan"}, {"loss": 1}, {"loss": "inf"}],
    )
    _, _, data = page_of(tmp_path / "runs", tmp_path)
    assert column(data, "acc") == ["nan"]
    assert data["curves"]["loss"]["0"] == [[0, 1, 2], [None, 1, None]]


def test_a_secret_is_not_in_the_page(tmp_path):
    cmd = Project(tmp_path).config(
        """
        from callsheet import Secret, lazy
        from train import fit
        main = lazy(fit)(key=Secret("env:API_KEY"), place="${env:PLACE}")
        """,
        train="def fit(key: str, place: str): return {'length': len(key)}\n",
    )
    cmd("run", "conf.py", env={"API_KEY": "hunter2-hunter2", "PLACE": "s3://bucket"})
    text, _, data = page_of(cmd.runs, tmp_path)
    assert column(data, "length") == [15]
    assert "hunter2" not in text
    assert "***" in data["texts"] or any("env:API_KEY" in shown for shown in data["texts"])


def test_the_page_asks_the_network_for_nothing(tmp_path):
    made_run(tmp_path / "runs", "aaaaa1", {"x": 1})
    text, elements, _ = page_of(tmp_path / "runs", tmp_path)
    assert not [value for name, value in elements.attributes if name in ("src", "href")]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_the_library_that_draws_is_the_one_that_its_readme_names():
    folder = files("callsheet.report") / "echarts"
    digest = hashlib.sha256((folder / "echarts.min.js").read_bytes()).hexdigest()
    assert digest in (folder / "README.md").read_text()
    assert "Apache License" in (folder / "LICENSE").read_text()


def test_a_large_report_stays_small_and_says_what_is_left_out(tmp_path):
    for n in range(1, 7):
        lines = [{"loss": k, "step": k} for k in range(1000)]
        made_run(tmp_path / "runs", f"aaaaa{n}", {f"v{k}": k * n for k in range(1, 9)}, number=n, metrics=lines)
    data = gather(runs(tmp_path / "runs"), limits=Limits(points=600, curve=500, leaves=20, columns=0))
    assert data["notes"] == [
        "8 of 8 values that differ have no column here",
        "the specs of 4 runs are left out, since the page would be too large: callsheet show RUN",
        "curves are drawn with at most 100 of their up to 1000 points: the smallest and the largest of each stretch are kept",
    ]
    assert all(len(xs) <= 100 for xs, _ in data["curves"]["loss"].values())
    assert [details["spec"] is None for details in data["details"]] == [False, False, True, True, True, True]


def test_too_many_runs_are_cut_and_said_so(tmp_path):
    for n in range(1, 4):
        made_run(tmp_path / "runs", f"aaaaa{n}", {"lr": n}, number=n)
    data = gather(runs(tmp_path / "runs").sort("-number"), limits=Limits(runs=2))
    assert [details["id"] for details in data["details"]] == ["aaaaa3", "aaaaa2"]
    assert data["notes"] == ["the first 2 of 3 runs are here: a filter picks those that matter"]


@pytest.mark.parametrize("most", [4, 10, 99])
def test_thinning_keeps_ends_and_spikes(most):
    ys = [0.0] * 500
    ys[123], ys[321] = 9.0, -9.0
    xs, kept = thinned(range(500), ys, most)
    assert len(xs) <= most
    assert (xs[0], xs[-1]) == (0, 499)
    assert dict(zip(xs, kept, strict=True))[123] == 9.0
    assert dict(zip(xs, kept, strict=True))[321] == -9.0
    assert xs == sorted(xs)
    assert thinned([0, 1, 2, 3, 4, 5], [math.nan] * 6, 4)[1] == [None] * 3


def test_what_is_written_is_json_that_holds_no_markup():
    assert as_json({"a": "<&>\u2028"}) == '{"a":"\\u003c\\u0026\\u003e\\u2028"}'
    with pytest.raises(ValueError):
        as_json(math.nan)


def test_the_command_writes_the_runs_that_it_is_told(tmp_path):
    cmd = Project(tmp_path)
    for n in (1, 2, 3):
        made_run(cmd.runs, f"aaaaa{n}", {"lr": n}, number=n, result={"acc": n / 10})
    said = cmd("report", "result.acc>0.1", "--sort", "-result.acc", "-o", "best.html", "--title", "Best")
    assert re.fullmatch(r"wrote best\.html: 2 runs, 1\.\d MB\n", said.out)
    data = json.loads(Elements((tmp_path / "best.html").read_text()).data)
    assert [details["id"] for details in data["details"]] == ["aaaaa3", "aaaaa2"]
    assert (data["title"], data["filter"]) == ("Best", "result.acc>0.1")
    assert cmd("report", "result.acc>9", code=1).err == "callsheet: no run of 3 fits\n  result.acc>9\n"
    page = tmp_path / "report.html"
    assert not page.exists()
    told = cmd("report", "result.acc>0.1", "--json").data
    assert told == {"file": str(page), "runs": 2, "bytes": page.stat().st_size}
