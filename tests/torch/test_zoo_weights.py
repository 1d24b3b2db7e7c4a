"""What a zoo publishes with weights is built with them, whole or as far as they fit, here and in workers."""

import json
import logging
import os
import sys
from pathlib import Path

import fsspec
import pytest
import torch

from callsheet import build, equal, lazy, load, load_weights, restore, save_weights, zoo
from callsheet.errors import RunError, TrustError, WeightsError, ZooError
from command import Project
from running import run_here
from saying import told

TRAIN = """
    import torch

    from callsheet import save_weights


    class Net(torch.nn.Module):
        def __init__(self, width: int = 3, classes: int = 2, slope: float = 0.5):
            super().__init__()
            self.slope = slope
            self.body = torch.nn.Linear(2, width)
            self.head = torch.nn.Linear(width, classes)


    class Pair(torch.nn.Module):
        def __init__(self, left: Net, right: Net):
            super().__init__()
            self.left, self.right = left, right


    def fit(model, weights: str):
        save_weights(model, weights)
        return {"accuracy": 0.5, "best": None, "on": "cpu"}
"""
CONF = """
    from callsheet import lazy
    from train import Net, Pair, fit

    model = lazy(Net)(width=4)
    pair = lazy(Pair)(left=model, right=lazy(Net)(width=5, slope=0.1))
    main = lazy(fit)(model, weights="${run.dir}/weights.safetensors")
    both = lazy(fit)(pair, weights="${run.dir}/weights.safetensors")
"""
ABOUT = {"description": "A net.", "licence": "MIT"}


@pytest.fixture
def cmd(tmp_path, project, monkeypatch):
    found = Project(tmp_path)
    project("train.py", TRAIN)
    project("conf.py", CONF)
    monkeypatch.setenv("CALLSHEET_CACHE", str(tmp_path / "cache"))
    return found


@pytest.fixture
def small(cmd):
    """A published net, as it was built."""
    net = build(load("conf.py").model)
    save_weights(net, "net.safetensors")
    zoo.publish(load("conf.py").model, "zoo/small", weights="net.safetensors", **ABOUT)
    return net


def same(a, b):
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_a_trained_entry_is_built_with_its_weights(small):
    assert same(build(zoo.get("./zoo/small", trained=True, allow=["train"])), small)
    assert not same(build(zoo.get("./zoo/small", allow=["train"])), small)


def test_a_model_that_differs_is_refused_or_loads_what_fits_and_says_what_not(small, caplog):
    with pytest.raises(WeightsError, match="head.weight"):
        build(zoo.get("./zoo/small", ["classes=5"], trained=True, allow=["train"]))
    caplog.set_level(logging.INFO, "callsheet.zoo")
    five = build(zoo.get("./zoo/small", ["classes=5"], trained=True, on_mismatch="skip", allow=["train"]))
    assert torch.equal(five.body.weight, small.body.weight)
    assert five.head.out_features == 5
    assert "mis-shaped  head.weight  (2, 4) in the file, (5, 4) in the model" in caplog.text


def test_names_are_mapped_in_an_entry_too(small):
    spec = zoo.get("./zoo/small", trained=True, key_map={"head": None}, on_mismatch="skip", allow=["train"])
    net = build(spec)
    assert torch.equal(net.body.weight, small.body.weight)
    assert not torch.equal(net.head.weight, small.head.weight)


def test_a_trained_model_stands_in_a_spec_and_is_built_once(small):
    model = zoo.get("./zoo/small", trained=True, allow=["train"])
    built = build({"a": model, "b": lazy(list)([model]), "inner": model.model})
    assert built["a"] is built["b"][0] is built["inner"]
    assert same(built["a"], small)


def test_remote_weights_are_verified_and_kept_by_their_digest(small, tmp_path):
    spec = load("conf.py").model
    card = zoo.publish(spec, "memory://shelf/small", weights="net.safetensors", **ABOUT)
    again = zoo.get("memory://shelf/small", trained=True, allow=["train"])
    assert same(build(again), small)
    assert os.path.exists(tmp_path / f"cache/zoo/{card.weights_sha256}.safetensors")
    fsspec.filesystem("memory").rm("/shelf/small/weights.safetensors")
    assert same(build(again), small)


def test_weights_that_do_not_fit_are_not_published(small):
    text = told(lambda: zoo.publish(lazy("train:Net")(9), "zoo/b", weights="net.safetensors", **ABOUT), WeightsError)
    assert "body.weight  (4, 2) in the file, (9, 2) in the model" in text
    torch.save(small.state_dict(), "net.pth")
    text = told(lambda: zoo.publish(lazy("train:Net")(4), "zoo/b", weights="net.pth", **ABOUT), WeightsError)
    assert text.startswith("net.pth is no .safetensors file, which is what is published\n")
    assert os.listdir("zoo") == ["small"]


def test_a_run_is_published_with_its_weights_result_and_defaults(cmd):
    run = run_here(cmd.runs, "main", "model.classes=7")
    card = zoo.publish_run(run, "model", "zoo/seven", **ABOUT)
    assert card.metrics == {"accuracy": 0.5, "on": "cpu"}
    assert card.defaults == {"train.Net": {"slope": "0.5"}}
    assert json.loads(Path("zoo/seven/config.json").read_text()) == {
        "_format_": 1,
        "_target_": "train:Net",
        "width": 4,
        "classes": 7,
    }
    assert same(build(zoo.get("./zoo/seven", trained=True, allow=["train"])), restore(run, "model"))
    assert "has no weights" in told(lambda: zoo.publish_run(run, "pair", "zoo/pair", **ABOUT), RunError)


def test_defaults_in_force_then_are_published_and_compared_deeper_down(cmd, project, monkeypatch):
    run = run_here(cmd.runs, "both")
    card = zoo.publish_run(run, "pair", "zoo/pair", metrics={"f1": 1.0}, **ABOUT)
    assert card.metrics == {"f1": 1.0}
    assert card.defaults == {
        "left: train.Net": {"classes": "2", "slope": "0.5"},
        "right: train.Net": {"classes": "2"},
    }
    project("train.py", TRAIN.replace("slope: float = 0.5", "slope: float = 0.75"))
    monkeypatch.delitem(sys.modules, "train", raising=False)
    text = told(lambda: build(zoo.get("./zoo/pair", trained=True, allow=["train"])), ZooError)
    assert text.startswith("left.slope  was 0.5 by default when the weights were trained, and is 0.75 today")
    pair = build(zoo.get("./zoo/pair", ["left.slope=0.5"], trained=True, allow=["train"]))
    assert (pair.left.slope, pair.right.slope) == (0.5, 0.1)


def test_a_run_whose_weights_were_changed_is_not_published(cmd):
    run = run_here(cmd.runs)
    cmd.file("weights.safetensors").write_bytes(b"other")
    with pytest.raises(WeightsError, match="something was written to it since"):
        zoo.publish_run(run, "model", "zoo/b", **ABOUT)
    assert not os.path.exists("zoo")


def test_fine_tuning_is_swept_by_workers_and_what_comes_out_is_restored_and_published(cmd, small, project):
    project(
        "tune.py",
        """
        from callsheet import lazy, zoo
        from train import fit

        model = zoo.get("./zoo/small", trained=True, on_mismatch="skip", allow=["train"])
        main = lazy(fit)(model, weights="${run.dir}/weights.safetensors")
        """,
    )
    cmd("sweep", "tune.py", "model.model.classes=5,6")
    nets = {run: restore(run, "model") for run in cmd.ids()}
    assert sorted(net.head.out_features for net in nets.values()) == [5, 6]
    assert all(torch.equal(net.body.weight, small.body.weight) for net in nets.values())
    run = next(iter(nets))
    zoo.publish_run(run, "model", "zoo/tuned", **ABOUT)
    spec = zoo.get("./zoo/tuned", allow=["train"])
    assert "callsheet" not in Path("zoo/tuned/config.json").read_text()
    assert equal(spec, lazy("train:Net")(width=4, classes=nets[run].head.out_features))


def test_data_may_name_a_trained_entry_where_that_is_allowed(small):
    Path("conf.json").write_text(
        json.dumps(
            {
                "_type_": "callsheet.zoo.trained:Trained",
                "model": {"_target_": "train:Net", "width": 4},
                "entry": "./zoo/small",
                "sha256": zoo.card("./zoo/small").weights_sha256,
            }
        )
    )
    with pytest.raises((TrustError, Exception), match="callsheet.zoo.trained:Trained is named by data"):
        build(load("conf.json", allow=["train"]))
    assert same(build(load("conf.json", allow=["train", "callsheet.zoo"])), small)


def test_weights_of_an_entry_load_by_hand_too(small):
    net = build(lazy("train:Net")(width=4))
    load_weights(net, zoo.file_of("./zoo/small", "weights.safetensors"))
    assert same(net, small)
