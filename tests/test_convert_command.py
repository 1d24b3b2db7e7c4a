"""`callsheet convert`: one config as another kind of file."""

from pathlib import Path

import pytest

from callsheet import load, to_python
from command import Project

LAZYCONFIG = Path(__file__).parent / "compat" / "lazyconfigs" / "configs" / "baselines" / "cascade_3x.py"


@pytest.fixture
def here(tmp_path):
    return Project(tmp_path).listing()


def test_a_config_goes_through_every_kind_of_file(here):
    for before, after in [("conf.py", "a.yaml"), ("a.yaml", "b.json"), ("b.json", "c.py")]:
        assert here("convert", before, after).out == f"wrote {after}\n"
    assert load(str(here.root / "c.py")) == load(str(here.root / "conf.py"))


def test_without_a_new_file_it_is_printed_as_python(here):
    said = here("convert", "conf.py:optim")
    assert "spec = lazy(Adam)(" in said.out
    assert here("convert", "conf.py").out == to_python(load(str(here.root / "conf.py")))


def test_nothing_is_written_over_unasked(here):
    here.write("other.py", "x = 1\n")
    said = here("convert", "conf.py", "other.py", code=2)
    assert "other.py exists\n  --force  writes over it\n" in said.err
    assert (here.root / "other.py").read_text() == "x = 1\n"
    here("convert", "conf.py", "other.py", "--force")
    assert "lazy(Net)" in (here.root / "other.py").read_text()


def test_a_lazyconfig_file_becomes_a_config(here):
    here("convert", str(LAZYCONFIG), "new.py", "--from", "detectron2")
    spec = load(str(here.root / "new.py"))
    assert spec.model.roi_heads.box_predictors[2].num_classes == 80
    said = here("convert", f"{LAZYCONFIG}:train", "--from", "detectron2")
    assert 'device = "cuda"' in said.out


def test_a_config_of_config_spec_becomes_a_config(here):
    here.write("old.json", '{"tx": {"target": "train:Adam", "lr": 0.1, "__dense_spec__": true}, "steps": 10}')
    here("convert", "old.json", "new.py", "--from", "config_spec")
    assert "tx = partial(Adam)(lr=0.1)" in (here.root / "new.py").read_text()
    assert "there is no file" in here("convert", "older.json", "--from", "config_spec", code=1).err


def test_what_cannot_be_converted_is_told_and_nothing_is_written(here):
    here.write("live.py", "x = [lambda: 1]\n")
    assert "x[0]" in here("convert", "live.py", "new.yaml", code=1).err
    assert "cannot be written" in here("convert", "conf.py", "new.toml", code=1).err
    assert "did you mean  optim?" in here("convert", "conf.py:optimm", code=1).err
    assert "'hydraa' is not" in here("convert", "conf.py", "--from", "hydraa", code=2).err
    assert sorted(path.name for path in here.root.iterdir() if path.name.startswith("new")) == []
