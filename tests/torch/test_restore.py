"""A run records the weights that it saves with the node that describes them, and `restore` builds that node again."""

import json
import sys
import warnings

import pytest
import torch

from callsheet import CallsheetWarning, restore, runs, save_weights
from callsheet._running import RECORDING
from callsheet.errors import PathError, RunError, WeightsError
from command import Project
from running import run_here
from saying import told

TRAIN = """
    import copy

    import torch

    from callsheet import Config, build, save_weights


    class Net(torch.nn.Module):
        def __init__(self, width: int = 3, classes: int = 2, seed: int = 0):
            super().__init__()
            torch.manual_seed(seed)
            self.body = torch.nn.Linear(2, width)
            self.head = torch.nn.Linear(width, classes)


    def nothing_more(model):
        return model


    class Pair:
        def __init__(self, teacher, student):
            self.teacher, self.student = teacher, student


    class PairConfig(Config[Pair]):
        teacher: object
        student: object

        def build(self):
            return Pair(build(self.teacher), build(self.student))


    def step(model):
        for parameter in model.parameters():
            parameter.data += 1


    def fit(model, weights: str, parts=()):
        step(model)
        save_weights(model, weights)
        return float(sum(p.detach().sum() for p in model.parameters()))


    def fit_twice(model, folder: str):
        for n in (1, 2):
            step(model)
            save_weights(model, f"{folder}/epoch{n}.safetensors")
        save_weights(torch.nn.DataParallel(model), f"{folder}/last.safetensors")


    def fit_average(model, folder: str, node=None):
        average = copy.deepcopy(model)
        step(average)
        save_weights(average, f"{folder}/average.safetensors", node=node)


    def fit_pair(pair, folder: str):
        step(pair.student)
        save_weights(pair.student, f"{folder}/student.safetensors")
        save_weights(pair.teacher, f"{folder}/teacher.safetensors")


    def fit_dict(models: dict, folder: str):
        model = models.pop("a")
        models["z"] = models.pop("b")
        step(model)
        save_weights(model, f"{folder}/a.safetensors", node="models.a")
"""
CONF = """
    from callsheet import lazy, ref
    from train import Net, PairConfig, fit, fit_average, fit_dict, fit_pair, fit_twice, nothing_more

    model = lazy(Net)(width=4)
    main = lazy(fit)(model, weights="${run.dir}/weights.safetensors")
    twice = lazy(fit_twice)(model, "${run.dir}")
    average = lazy(fit_average)(model, "${run.dir}")
    other = lazy(Net)(width=5, seed=1)
    pair = PairConfig(model, other)
    by_hand = lazy(fit_pair)(pair, "${run.dir}")
    models = {"a": model, "b": other}
    taken = lazy(fit_dict)(models, "${run.dir}")
    same = lazy(nothing_more)(model)
    through = lazy(fit)(same, weights="${run.dir}/weights.safetensors")
    seeded = lazy(Net)(seed="${run.index}")
    late = lazy(fit)(seeded, weights="${run.dir}/late.safetensors")
"""


@pytest.fixture
def cmd(tmp_path, project):
    found = Project(tmp_path)
    project("train.py", TRAIN)
    project("conf.py", CONF)
    return found


def total(model):
    return float(sum(p.detach().sum() for p in model.parameters()))


def run(cmd, entry="main", *overrides):
    return run_here(cmd.runs, entry, *overrides)


def recorded(cmd):
    return [json.loads(line) for line in cmd.text("weights.jsonl").splitlines()]


def test_a_node_is_built_again_with_the_weights_it_got(cmd):
    result = json.loads(cmd("run", "conf.py", "model.classes=7", "--json").out)["result"]["result"]
    (run,) = cmd.ids()
    model = restore(run, "model")
    assert total(model) == pytest.approx(result)
    assert (model.body.out_features, model.head.out_features) == (4, 7)
    (line,) = recorded(cmd)
    assert (line["file"], line["nodes"]) == ("weights.safetensors", ["model"])
    assert total(restore(run, "main[0]")) == total(model)  # the same node by its other path
    assert total(restore(cmd.runs / run, "model")) == total(model)
    assert total(restore(runs()[0], "model")) == total(model)
    assert total(restore(runs()[0].record, "model")) == total(model)
    assert total(restore(run[:4], "model", runs=cmd.runs)) == total(model)


def test_a_run_of_a_worker_is_restored_alike(cmd):
    cmd("sweep", "conf.py", "model.width=4,6")
    assert sorted(restore(run, "model").body.out_features for run in cmd.ids()) == [4, 6]


def test_the_last_weights_of_a_node_count_unless_a_file_is_named(cmd):
    name = run(cmd, "twice")
    assert [line["nodes"] for line in recorded(cmd)] == [["model"]] * 3
    first, last = restore(name, "model", file="epoch1.safetensors"), restore(name, "model")
    assert torch.equal(first.head.weight + 1, last.head.weight)
    text = (
        "model  has no weights epoch3 in run {}\n       it has epoch1.safetensors, epoch2.safetensors, last.safetensors"
    )
    assert told(lambda: restore(name, "model", file="epoch3"), RunError) == text.format(name)


def test_nodes_are_told_apart_within_a_handwritten_build(cmd):
    name = run(cmd, "by_hand")
    assert [(line["file"], line["nodes"]) for line in recorded(cmd)] == [
        ("student.safetensors", ["other"]),
        ("teacher.safetensors", ["model"]),
    ]
    assert restore(name, "pair.student").body.out_features == 5
    assert restore(name, "model").body.out_features == 4


def test_a_model_that_its_holder_was_robbed_of_is_named_by_hand(cmd):
    assert restore(run(cmd, "taken"), "model").body.out_features == 4


def test_a_model_that_passes_through_a_node_has_both_paths_and_is_built_by_the_one_that_made_it(cmd):
    name = run(cmd, "through")
    assert recorded(cmd)[0]["nodes"] == ["model", "same"]
    assert restore(name, "same").body.out_features == 4


def test_what_the_run_did_not_build_is_saved_with_a_warning_that_says_what_to_do(cmd):
    with pytest.warns(CallsheetWarning) as warned:
        name = run(cmd, "average")
    assert str(warned[0].message) == (
        f"runs/{name}/average.safetensors is saved, but restore cannot find it: the run did not build this Net from a "
        'node of its spec; save_weights(..., node="model")  says which node describes it'
    )
    assert warned[0].filename.endswith("train.py")
    assert recorded(cmd)[0]["nodes"] == []
    assert (
        told(lambda: restore(name, "model"), RunError)
        == f"""\
model  has no weights in run {name}
       of no node of the spec:  average.safetensors  (load_weights reads them)"""
    )
    again = run(cmd, "average", "average.node=model")
    assert restore(again, "model").body.out_features == 4


def test_a_node_that_is_not_there_costs_no_weights(cmd):
    with pytest.warns(CallsheetWarning, match=r"modle is not there in the spec; did you mean  model\?"):
        run(cmd, "average", "average.node=modle")
    assert cmd.file("average.safetensors").exists()


def test_what_a_run_alone_knows_is_known_when_a_node_is_built_again(cmd):
    name = run(cmd, "late")
    assert restore(name, "seeded").body.out_features == 3


def test_a_file_that_was_changed_or_is_gone_is_refused(cmd):
    name = run(cmd)
    file = cmd.file("weights.safetensors")
    raw = file.read_bytes()
    file.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    text = told(lambda: restore(name, "model"), WeightsError)
    assert f"weights.safetensors is not what run {name} saved: its SHA-256 is " in text
    file.unlink()
    assert told(lambda: restore(name, "model"), WeightsError) == f"there is no file runs/{name}/weights.safetensors"


def test_code_that_changed_since_is_named_by_its_tensors(cmd, project, monkeypatch):
    name = run(cmd)
    project(
        "train.py", TRAIN.replace("self.head = torch.nn.Linear(width, classes)", "self.tail = torch.nn.Linear(1, 1)")
    )
    monkeypatch.delitem(sys.modules, "train")
    text = told(lambda: restore(name, "model"), WeightsError)
    assert "tail.weight  is not in" in text
    assert "head.weight  is in" in text


def test_what_is_not_there_is_named_with_what_is(cmd):
    name = run(cmd)
    assert "did you mean  model?" in told(lambda: restore(name, "modle"), PathError)
    text = f"other  has no weights in run {name}\n       it has weights of  model"
    assert told(lambda: restore(name, "other"), RunError) == text
    assert "there is no run 'zzzzzz'" in told(lambda: restore("zzzzzz", "model"), RunError)


def test_a_run_that_saved_nothing_says_how_one_does(cmd):
    name = run(cmd, "model")
    assert (
        told(lambda: restore(name, "model"), RunError)
        == f"""\
model  has no weights in run {name}
       save_weights(model, path)  within a run records them"""
    )


def test_a_run_that_held_a_live_object_says_that_it_cannot_be_built_again(cmd, project):
    project(
        "live.py", CONF.replace("main = lazy(fit)(", "live = object()\n    main = lazy(fit)(parts=live, model=") + "\n"
    )
    name = run_here(cmd.runs, config="live.py")
    text = f"run {name} cannot be built again: it held what is no data: main.parts"
    assert told(lambda: restore(name, "model"), RunError) == text


def test_outside_of_a_run_nothing_is_recorded_and_nothing_warned_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CallsheetWarning)
        save_weights(torch.nn.Linear(1, 1), "one.safetensors")
    assert RECORDING.get() is None
    assert [path.name for path in tmp_path.iterdir()] == ["one.safetensors"]
