"""The page of a report in a real browser: it sorts, filters, draws and opens, and asks nobody for anything."""

import math

import pytest
from playwright.sync_api import expect

from command import Project
from made import made_run


@pytest.fixture
def twelve(tmp_path):
    """Twelve runs; the last has failed, and has no curve and no result."""
    folder = tmp_path / "runs"
    for n in range(1, 13):
        failed = n == 12
        made_run(
            folder,
            f"aaaa{n:02}",
            {"optim.lr": 10.0 ** -(n % 3 + 1), "model.width": 8 * n, "act": "gelu" if n % 2 else "relu"},
            number=n,
            state="failed" if failed else "done",
            result={} if failed else {"accuracy": ((n * 7) % 12) / 12},
            metrics=[] if failed else [{"loss": 2 / (k + n), "val/acc": k - 1, "step": 10 * k} for k in range(5)],
        )
    return folder


def ids(page):
    return page.locator("#runs tbody .open").all_inner_texts()


def column(page, name):
    heads = [text.split("\n")[-1].rstrip(" ↑↓") for text in page.locator("#runs thead th").all_inner_texts()]
    return page.locator(f"#runs tbody tr > :nth-child({heads.index(name) + 1})").all_inner_texts()


def head(page, name):
    return page.locator("#runs thead th", has_text=name)


def drawn(page, chart="curves"):
    """The names of the lines of a chart."""
    return page.evaluate(
        f"charts.{chart}.getOption().series.flatMap((s) => s.type === 'line' ? [s.name] : s.data.map((d) => d.name))"
    )


def axes(page):
    option = page.evaluate(
        "(({xAxis, yAxis}) => [xAxis[0].type, yAxis[0].type, yAxis[0].name])(charts.curves.getOption())"
    )
    return tuple(option)


def has_ink(page, chart):
    """Whether anything is drawn on a chart's canvas."""
    return page.evaluate(
        f"""() => {{
            const canvas = document.querySelector("#{chart} canvas");
            const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            const seen = new Set();
            for (let n = 0; n < pixels.length; n += 4) if (pixels[n + 3] > 200) seen.add(pixels[n] + "," + pixels[n + 1] + "," + pixels[n + 2]);
            return seen.size > 20;
        }}"""
    )


def test_no_two_curves_look_alike_nor_their_dots(opened, tmp_path):
    for n in range(1, 31):
        steps = [{"loss": n / (k + 1), "step": k} for k in range(3)]
        made_run(tmp_path / "runs", f"aaaa{n:02}", {"lr": n}, number=n, metrics=steps)
    page = opened(tmp_path / "runs")
    lines = page.evaluate("charts.curves.getOption().series.map((s) => s.itemStyle.color + s.lineStyle.type)")
    assert len({*lines}) == 30
    looks = page.evaluate(
        "[...document.querySelectorAll('#runs .swatch')].map((dot) => dot.style.border + dot.style.background)"
    )
    assert len({*looks}) == 30


def test_a_click_on_a_head_sorts_and_another_turns_it_round(opened, twelve):
    page = opened(twelve)
    assert ids(page) == [f"aaaa{n:02}" for n in range(1, 13)]
    head(page, "accuracy").get_by_role("button").click()
    down = [float(text) for text in column(page, "accuracy") if text != "-"]
    assert down == sorted(down, reverse=True)
    assert column(page, "accuracy")[-1] == "-"
    assert head(page, "accuracy").get_attribute("aria-sort") == "descending"
    head(page, "accuracy").get_by_role("button").press("Enter")
    assert [float(text) for text in column(page, "accuracy") if text != "-"] == sorted(down)
    assert column(page, "accuracy")[-1] == "-"
    assert head(page, "accuracy").get_attribute("aria-sort") == "ascending"
    head(page, "act").get_by_role("button").click()
    assert column(page, "act") == ["gelu"] * 6 + ["relu"] * 6


def test_words_and_comparisons_filter_the_table_and_the_charts(opened, twelve):
    page = opened(twelve)
    page.fill("#filter", "width<=40 gelu")
    expect(page.locator("#runs tbody tr")).to_have_count(3)
    assert ids(page) == ["aaaa01", "aaaa03", "aaaa05"]
    assert page.inner_text("#count") == "3 of 12 runs"
    assert drawn(page) == drawn(page, "parallel") == ["aaaa01", "aaaa03", "aaaa05"]
    page.fill("#filter", "state=failed")
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    assert ids(page) == ["aaaa12"]
    page.fill("#filter", "nothing=1")
    expect(page.locator("#count")).to_have_text("no column nothing")


def test_the_metric_and_the_axes_are_chosen(opened, twelve):
    page = opened(twelve)
    assert axes(page) == ("value", "value", "loss")
    assert len(drawn(page)) == 11
    page.select_option("#metric", "val/acc")
    page.check("#log-y")
    page.check("#log-x")
    assert axes(page) == ("log", "log", "val/acc")
    assert "22 points not above zero cannot stand on a log scale" in page.inner_text("#curves-said")
    assert has_ink(page, "curves")


def test_ticked_runs_are_the_ones_that_are_drawn(opened, twelve):
    page = opened(twelve)
    page.get_by_label("Draw the curves of aaaa02").check()
    page.get_by_label("Draw the curves of aaaa05").check()
    assert drawn(page) == ["aaaa02", "aaaa05"]
    assert page.inner_text("#curves-said") == "2 ticked runs."
    page.click("#untick")
    assert len(drawn(page)) == 11
    assert page.locator("#runs tbody input:checked").count() == 0


def test_dragging_along_an_axis_keeps_the_runs_that_pass_there(opened, twelve):
    page = opened(twelve)
    assert has_ink(page, "parallel")
    page.locator("#parallel").scroll_into_view_if_needed()
    box = page.locator("#parallel").bounding_box()
    axis = page.evaluate(
        "charts.parallel.getModel().getComponent('parallel').coordinateSystem.getAxisLayout('dim1').position"
    )
    x = box["x"] + axis[0]
    page.mouse.move(x, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(x, box["y"] + 120, steps=5)
    page.mouse.up()
    expect(page.locator("#unbrush")).to_be_visible()
    kept = [int(text) for text in column(page, "model.width")]
    assert kept
    assert min(kept) > 8 * 12 / 2
    page.click("#unbrush")
    assert len(ids(page)) == 12


def test_a_result_that_is_nan_or_inf_keeps_its_axis_and_the_runs_without_a_number_are_counted(opened, tmp_path):
    for n, loss in enumerate((0.5, 0.25, math.nan, math.inf, -math.inf, 0.125), 1):
        made_run(tmp_path / "runs", f"aaaa{n:02}", {"lr": n}, number=n, result={"loss": loss})
    page = opened(tmp_path / "runs")
    axes = page.evaluate("charts.parallel.getOption().parallelAxis.map(({name, min, max}) => [name, min, max])")
    assert axes == [["lr", 1, 6], ["loss", 0.125, 0.5]]
    assert page.locator("#colour option").all_inner_texts() == ["lr", "loss"]
    assert page.inner_text("#filter-example") == "loss<0.25"
    assert head(page, "loss").get_attribute("class") == "number"
    assert page.inner_text("#parallel-said").endswith(
        " 3 runs, dotted, are left out where nan or inf cannot be drawn: loss."
    )
    values = page.evaluate("charts.parallel.getOption().series[0].data.map((d) => [d.value[1], d.lineStyle?.type])")
    assert values == [[0.5, None], [0.25, None], ["-", "dotted"], ["-", "dotted"], ["-", "dotted"], [0.125, None]]
    page.fill("#filter", "loss<1")
    expect(page.locator("#runs tbody tr")).to_have_count(3)
    assert "dotted" not in page.inner_text("#parallel-said")


def test_the_example_of_a_filter_names_what_is_there(opened, tmp_path):
    made_run(tmp_path / "runs", "aaaaa1", {"act": "gelu"})
    assert opened(tmp_path / "runs").inner_text("#filter-example") == "state=done"


def test_a_run_opens_with_its_spec_and_who_set_what(opened, tmp_path):
    cmd = Project(tmp_path).listing()
    cmd("run", "conf.py", "optim.lr=0.5")
    page = opened(cmd.runs)
    page.locator("#runs .open").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("heading", level=2).inner_text() == f"Run {cmd.ids()[0]}"
    optim = dialog.locator("details", has=page.locator("summary", has_text="optim")).first
    assert optim.get_attribute("open") == ""
    assert optim.locator(".leaf", has_text="lr = ").inner_text().split("\n") == [
        "lr = 0.5",
        "command line optim.lr=0.5",
        "replaced 0.001 conf.py:8",
    ]
    dialog.get_by_role("button", name="Close all").click()
    assert optim.locator(".leaf").first.is_hidden()
    optim.locator("summary").first.click()
    assert optim.locator(".leaf").first.is_visible()
    assert dialog.locator("dt", has_text="overrides").locator("+ dd").inner_text() == "optim.lr=0.5"
    page.keyboard.press("Escape")
    expect(page.locator("#run")).to_be_hidden()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (400, "light")])
def test_it_fits_narrow_and_wide_in_both_schemes(opened, twelve, width, scheme):
    page = opened(twelve, width=width, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(20, 24, 29)" if scheme == "dark" else "rgb(255, 255, 255)")
    assert has_ink(page, "curves")
    assert has_ink(page, "parallel")
    page.locator("#runs .open").first.click()
    box = page.locator("#run").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_every_control_has_a_name(opened, twelve):
    page = opened(twelve)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")].filter((one) => !one.closest("dialog") && !one.hidden
            && !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length)).map((one) => one.outerHTML)"""
    )
    assert unnamed == []


def test_hostile_values_are_shown_and_do_nothing(opened, tmp_path):
    texts = [
        "</script><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{a|<b>x</b>}",
        "javascript:alert(1)",
    ]
    for n, text in enumerate(texts):
        made_run(
            tmp_path / "runs",
            f"aaaaa{n}",
            {"x": text, f"key{n}": text},
            number=n,
            result={text: n, "acc": n},
            metrics=[{text: 1, "loss": n}, {text: 2, "loss": 1}],
            record={"overrides": [text], "host": {"name": text}},
            status={"error": text},
            files={
                "trackers.json": {
                    text: {"id": "7", "url": "javascript:alert(1)"},
                    "good": {"url": "https://example.org/run"},
                }
            },
        )
    page = opened(tmp_path / "runs", title=texts[0])
    assert page.inner_text("h1") == page.title().removesuffix(" · runs") == texts[0]
    assert column(page, "x") == texts
    for text in texts:
        page.select_option("#metric", text)
    page.locator("#curves").hover()
    page.locator("#parallel").hover()
    for n in range(4):
        page.locator("#runs .open").nth(n).click()
        assert texts[n] in page.inner_text("#run-body")
        assert page.locator("#run-body a").evaluate_all("links => links.map((a) => a.href)") == [
            "https://example.org/run"
        ]
        page.click("#close")


def test_runs_without_curves_and_without_differences_say_so(opened, tmp_path):
    made_run(tmp_path / "runs", "aaaaa1", {"x": 1})
    page = opened(tmp_path / "runs")
    assert page.inner_text("#curves-said").startswith("No run has curves")
    assert page.inner_text("#parallel-said").startswith("Nothing differs")
    assert page.locator("#curves").is_hidden()


def test_hundreds_of_runs_are_drawn_in_part_and_it_is_said(opened, tmp_path):
    for n in range(260):
        made_run(
            tmp_path / "runs",
            f"aaa{n:03}",
            {"lr": n},
            number=n % 59,
            result={"acc": n},
            metrics=[{"loss": n}, {"loss": n + 1}],
        )
    page = opened(tmp_path / "runs")
    assert len(ids(page)) == 200
    page.click("#more")
    assert len(ids(page)) == 260
    assert page.inner_text("#curves-said").startswith("The first 40 of 260 runs of the table")
    assert len(drawn(page)) == 40
    assert len(drawn(page, "parallel")) == 260
