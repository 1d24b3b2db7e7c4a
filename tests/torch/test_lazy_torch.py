"""A config that names PyTorch and scikit-learn classes costs nothing until something needs them."""

import json
import subprocess
import sys

import pytest

from callsheet import build, load, to_data

TORCH = """
from __future__ import annotations

import torch
import torch.nn as nn
import torch.utils.data
from torch import Tensor, float32, optim
from torch.nn import BatchNorm2d, functional as F
from torch.optim.lr_scheduler import CosineAnnealingLR

from callsheet import lazy, partial, ref

epochs = 3


def block(width: int, norm: type[nn.Module] = None) -> nn.Module:
    return lazy(nn.Sequential)(
        lazy(nn.Conv2d)(3, width, kernel_size=3, dtype=float32),
        lazy(BatchNorm2d)(width),
        lazy(nn.ReLU)(inplace=True),
    )


model = lazy(nn.Sequential)(block(8), lazy(nn.Flatten)(), lazy(nn.LazyLinear)(10))
optimizer = lazy(optim.AdamW)(ref(model).parameters(), lr=1e-3, betas=(0.9, 0.95))
schedule = lazy(CosineAnnealingLR)(optimizer, T_max=epochs)
sgd = partial(torch.optim.SGD)(lr=0.1, momentum=0.9)
loss = partial(F.cross_entropy)(label_smoothing=0.1)
layers = lazy(dict)(norms=[nn.BatchNorm2d, nn.LayerNorm], by={"act": nn.GELU}, device=torch.device)
loader = lazy(torch.utils.data.DataLoader)([1, 2, 3], batch_size=2)
"""

SKLEARN = """
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
import sklearn.preprocessing as pre
from sklearn import metrics

from callsheet import lazy, partial

model = lazy(make_pipeline)(lazy(pre.StandardScaler)(), lazy(LogisticRegression)(C=0.5))
forest = lazy(RandomForestClassifier)(n_estimators=3, random_state=0)
score = partial(metrics.accuracy_score)(normalize=True)
"""

CHILD = """
import json, sys
from callsheet import check, equal, hash_of, load, to_data
warm, path, package = sys.argv[1:]
if warm == "warm":
    __import__(package)
spec = load(path)
text, data, digest, same = repr(spec), to_data(spec), hash_of(spec), equal(spec, load(path))
imported = package in sys.modules
check(spec)
print(json.dumps([imported, text, data, digest, same]))
"""


@pytest.mark.parametrize(("text", "package"), [(TORCH, "torch"), (SKLEARN, "sklearn")], ids=["torch", "sklearn"])
def test_showing_saving_comparing_and_hashing_import_nothing_and_say_the_same_as_when_it_is_imported(
    tmp_path, text, package
):
    path = tmp_path / "conf.py"
    path.write_text(text)

    def child(warm):
        command = [sys.executable, "-c", CHILD, warm, str(path), package]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    cold, warm = child("cold"), child("warm")
    assert (cold[0], warm[0]) == (False, True)
    assert cold[1:] == warm[1:]
    assert cold[4] is True


def test_the_names_are_those_of_the_file(tmp_path):
    path = tmp_path / "conf.py"
    path.write_text(TORCH)
    data = to_data(load(path))
    targets = [part["_target_"] for part in data["model"]["_args_"][0]["_args_"]]
    assert targets == ["torch.nn:Conv2d", "torch.nn:BatchNorm2d", "torch.nn:ReLU"]
    assert data["optimizer"]["_target_"] == "torch.optim:AdamW"
    assert data["sgd"]["_target_"] == "torch.optim:SGD"
    assert data["loss"]["_target_"] == "torch.nn.functional:cross_entropy"
    assert data["loader"]["_target_"] == "torch.utils.data:DataLoader"


def test_all_of_it_builds(tmp_path):
    import torch

    path = tmp_path / "conf.py"
    path.write_text(TORCH)
    spec = load(path, ["epochs=7"])
    del spec.layers  # its `torch.device` is a class, and stays one
    built = build(spec)
    assert built["schedule"].T_max == 7
    assert built["optimizer"].param_groups[0]["betas"] == (0.9, 0.95)
    assert next(built["model"].parameters()).dtype is torch.float32
    assert built["loss"](torch.zeros(1, 10), torch.tensor([1])).item() > 0
    assert len(built["loader"]) == 2


def test_scikit_learn_builds_too(tmp_path):
    path = tmp_path / "conf.py"
    path.write_text(SKLEARN)
    built = build(load(path, ["forest.n_estimators=5"]))
    assert built["forest"].n_estimators == 5
    assert built["model"].steps[1][1].C == 0.5
