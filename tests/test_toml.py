"""TOML files are read as data, dates included, and never written."""

import datetime

import pytest

from callsheet import equal, lazy, load, origin, save
from callsheet._spec import attach
from callsheet.errors import LoadError
from saying import told


def test_a_config_reads_as_it_looks(project):
    project(
        "conf.toml",
        """
        epochs = 5
        lr = 1e-3
        betas = [0.9, 0.999]
        name = "${model.width} units"

        [model]
        _target_ = "train.Net"
        width = 64
        missing = "???"

        [[stages]]
        n = inf
        """,
    )
    cfg = load("conf.toml", ["model.width=32"])
    assert equal(
        cfg,
        attach({
            "epochs": 5,
            "lr": 0.001,
            "betas": [0.9, 0.999],
            "name": "${model.width} units",
            "model": lazy("train.Net")(width=32, missing=cfg.model.missing),
            "stages": [{"n": float("inf")}],
        }),
    )  # fmt: skip
    assert cfg.name == "32 units"


def test_dates_and_times_are_themselves(project, tmp_path):
    project("conf.toml", "a = 2020-01-02T03:04:05Z\nb = 2020-01-02T03:04:05\nc = 2020-01-02\nd = [03:04:05]\n")
    cfg = load("conf.toml")
    assert cfg.a == datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    assert cfg.b == datetime.datetime(2020, 1, 2, 3, 4, 5)
    assert cfg.c == datetime.date(2020, 1, 2)
    assert cfg.d[0] == datetime.time(3, 4, 5)
    save(cfg, tmp_path / "x.yaml")
    assert equal(load(tmp_path / "x.yaml"), cfg)


WRONG = {
    "two signs": ("a = 1\nb = = 2\n", "x.toml:2", ("b = = 2",)),
    "a key twice": ("a = 1\na = 2\n", "x.toml:2", ("a = 2",)),
    "an open bracket": ("a = 1\nb = [1,\n", "x.toml:2", ("b = [1,",)),
    "a null byte": ("a = 'x\0'\n", "x.toml:1", ("a = 'x\0'",)),
    "a number of too many digits": ("a = " + "9" * 5000, "", ()),
}


@pytest.mark.parametrize(("text", "origin", "advice"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_line(project, tmp_path, text, origin, advice):
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(LoadError) as caught:
        load("x.toml")
    (fault,) = caught.value.faults
    assert "is not valid TOML: " in fault.problem
    assert (fault.origin, fault.advice) == (origin, advice)


def test_values_know_their_file(project):
    project("x.toml", "[a]\nb = 1\n")
    assert origin(load("x.toml"), "a.b").where == "x.toml"


def test_writing_is_refused_and_says_what_can_be_written(project, tmp_path):
    assert told(lambda: save({"a": 1}, "x.toml")) == (
        "x.toml cannot be written: a spec is saved as .json, .yaml, .yml or .py"
    )
    assert list(tmp_path.iterdir()) == []
