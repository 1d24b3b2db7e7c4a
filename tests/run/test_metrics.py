"""`metrics.jsonl` is read however its writer left it."""

import math

from callsheet.run._metrics import Line, last_entry, last_values, read_metrics, series


def written(folder, text):
    (folder / "metrics.jsonl").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_a_line_has_its_step_and_time_apart_from_its_numbers(tmp_path):
    folder = written(tmp_path, '{"loss": 0.5, "step": 10, "time": 1.5}\n{"loss": 1, "acc": 0.25}\n')
    assert [*read_metrics(folder)] == [
        Line(10, 1.5, {"loss": 0.5}),
        Line(1, None, {"loss": 1, "acc": 0.25}),
    ]
    assert [*read_metrics(folder / "metrics.jsonl")] == [*read_metrics(folder)]


def test_numbers_that_json_lacks_are_texts_and_nothing_else_is_a_number(tmp_path):
    text = '{"a": "nan", "b": "inf", "c": "-inf", "d": "high", "e": true, "f": null, "g": [1]}\n{"a": NaN}\n'
    first, second = read_metrics(written(tmp_path, text))
    assert math.isnan(first.values.pop("a"))
    assert first.values == {"b": math.inf, "c": -math.inf}
    assert math.isnan(second.values["a"])


def test_what_is_half_or_damaged_is_no_line_and_others_keep_their_numbers(tmp_path):
    damaged = b'{"a": 1}\n\xff\xfe\n[1, 2]\n\n{"a": 5, "step": 0.5}\n{"a": ' + b"9" * 5000 + b'}\n{"a": 6'
    lines = [*read_metrics(written(tmp_path, damaged))]
    assert [(line.x, line.values) for line in lines] == [(0, {"a": 1}), (4, {"a": 5})]
    assert [*read_metrics(tmp_path / "elsewhere")] == []


def test_a_run_that_went_on_has_one_curve(tmp_path):
    text = "".join(f'{{"loss": {value}, "step": {step}}}\n' for step, value in [(0, 9), (1, 8), (2, 7), (1, 6), (2, 5)])
    folder = written(tmp_path, text + '{"acc": 1, "step": 2}\n')
    assert series(folder) == {"loss": ([0, 1, 2], [9, 6, 5]), "acc": ([2], [1])}
    assert last_values(folder) == {"loss": 5, "acc": 1}


def test_the_last_entry_is_the_last_whole_line_and_only_the_end_is_read(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert last_entry(tmp_path) == (None, {})
    path.write_text("")
    assert last_entry(tmp_path) == (None, {})
    path.write_text('{"step": 3, "loss": 0.5, "time": 1.0}\n{"step": 4, "lo')
    assert last_entry(tmp_path) == (3, {"loss": 0.5})
    path.write_text("x" * 10_000_000 + '\n{"loss": "nan", "name": "text"}\n')
    step, values = last_entry(tmp_path)
    assert (step, [*values]) == (None, ["loss"])
    path.write_text("[1]\n")
    assert last_entry(tmp_path) == (None, {})
