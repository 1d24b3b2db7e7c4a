"""What builds checks: the real signatures of PyTorch and scikit-learn raise no false alarm, and wrong values are found."""

import json
import os
import re
import subprocess
import sys

import numpy
import pytest
import torch
from sklearn import cluster, decomposition, ensemble, linear_model, neighbors, pipeline, preprocessing, svm
from test_lazy_torch import SKLEARN, TORCH
from torch import nn, optim
from torch.utils.data import DataLoader, RandomSampler, Subset, TensorDataset, WeightedRandomSampler

from callsheet import build, check, lazy, partial, ref
from callsheet.errors import SpecError


def net():
    return lazy(nn.Linear)(4, 2)


def parameters():
    return ref(net()).parameters()


def collate(rows):
    return rows


def data():
    return lazy(TensorDataset)(torch.ones(4, 2), torch.zeros(4))


def _id(x):
    return re.sub(r" at 0x\w+", "", repr(x))


CALLS = [
    net(),
    lazy(nn.Linear)(4, 2, bias=False, device="cpu", dtype=torch.float64),
    lazy(nn.Conv1d)(3, 8, 3, padding="same"),
    lazy(nn.Conv2d)(3, 8, 3, stride=2, padding=1, padding_mode="reflect"),
    lazy(nn.Conv2d)(3, 8, (3, 5), stride=(1, 2), padding=(1, 1), dilation=1, groups=1),
    lazy(nn.ConvTranspose3d)(3, 8, 3, output_padding=(0, 0, 0)),
    lazy(nn.MaxPool2d)(2, stride=None),
    lazy(nn.AvgPool2d)((2, 2), ceil_mode=True, divisor_override=3),
    lazy(nn.AdaptiveAvgPool2d)((1, None)),
    lazy(nn.BatchNorm2d)(8, momentum=None, eps=1e-3, affine=False),
    lazy(nn.LayerNorm)(8),
    lazy(nn.LayerNorm)((4, 8), elementwise_affine=True),
    lazy(nn.LayerNorm)([4, 8], eps=1),
    lazy(nn.GroupNorm)(2, 8),
    lazy(nn.Dropout)(0.5),
    lazy(nn.Dropout)(0),
    lazy(nn.Embedding)(10, 4, padding_idx=0, max_norm=1),
    lazy(nn.LSTM)(4, 8, num_layers=2, batch_first=True, bidirectional=True),
    lazy(nn.GRU)(input_size=4, hidden_size=8, dropout=0),
    lazy(nn.MultiheadAttention)(8, 2, dropout=0.1, kdim=None),
    lazy(nn.TransformerEncoderLayer)(8, 2, activation="gelu"),
    lazy(nn.TransformerEncoderLayer)(8, 2, activation=nn.functional.gelu),
    lazy(nn.TransformerEncoder)(
        lazy(nn.TransformerEncoderLayer)(8, 2, batch_first=True), 2, norm=lazy(nn.LayerNorm)(8)
    ),
    lazy(nn.Transformer)(8, 2, 1, 1, dim_feedforward=16, batch_first=True),
    lazy(nn.Upsample)(scale_factor=2, mode="bilinear", align_corners=False),
    lazy(nn.Upsample)(size=(4, 4)),
    lazy(nn.Flatten)(1),
    lazy(nn.Unflatten)(1, (2, 2)),
    lazy(nn.PReLU)(num_parameters=1, init=0.1),
    lazy(nn.ELU)(alpha=1, inplace=True),
    lazy(nn.Sequential)(net(), lazy(nn.ReLU)(), lazy(nn.Softmax)(dim=-1)),
    lazy(nn.ModuleList)([net(), lazy(nn.ReLU)()]),
    lazy(nn.ModuleDict)({"a": net()}),
    lazy(nn.CrossEntropyLoss)(weight=torch.ones(2), label_smoothing=0.1),
    lazy(nn.CrossEntropyLoss)(reduction="sum"),
    lazy(nn.TripletMarginWithDistanceLoss)(distance_function=lazy(nn.PairwiseDistance)(), margin=1),
    lazy(optim.SGD)(parameters(), lr=0.1, momentum=0, nesterov=False),
    lazy(optim.AdamW)(parameters(), lr=1, betas=(0.9, 0.999), foreach=None, fused=False),
    lazy(optim.AdamW)([{"params": parameters(), "lr": 0.1}], lr=torch.tensor(0.1), capturable=True),
    lazy(optim.LBFGS)(parameters(), line_search_fn="strong_wolfe"),
    lazy(optim.lr_scheduler.MultiStepLR)(lazy(optim.SGD)(parameters(), 0.1), milestones=(3, 5), gamma=0.1),
    lazy(optim.lr_scheduler.LambdaLR)(lazy(optim.SGD)(parameters(), 0.1), lr_lambda=lambda epoch: 0.9**epoch),
    lazy(optim.lr_scheduler.OneCycleLR)(lazy(optim.Adam)(parameters()), max_lr=0.1, total_steps=10),
    lazy(optim.lr_scheduler.ReduceLROnPlateau)(lazy(optim.Adam)(parameters()), mode="max", min_lr=0),
    lazy(DataLoader)(data(), batch_size=2, shuffle=True, num_workers=0, pin_memory=False),
    lazy(DataLoader)([1, 2, 3], batch_size=2),
    lazy(DataLoader)(data(), batch_size=None, collate_fn=collate, worker_init_fn=None),
    lazy(DataLoader)(data(), sampler=lazy(RandomSampler)(data(), num_samples=4, replacement=True)),
    lazy(Subset)(data(), [0, 1]),
    lazy(WeightedRandomSampler)([0.1, 0.9], 2),
    lazy(torch.distributions.Normal)(0.0, torch.ones(2)),
    lazy(torch.device)("cpu"),
    lazy(torch.tensor)([1.0, 2.0], dtype=torch.float32),
    partial(optim.AdamW)(lr=1e-3),
    lazy(linear_model.LogisticRegression)(C=1, max_iter=200, class_weight={0: 1.0, 1: 2.0}),
    lazy(linear_model.Ridge)(alpha=numpy.float64(0.5), solver="auto", random_state=0),
    lazy(ensemble.RandomForestClassifier)(n_estimators=10, max_depth=None, max_features="sqrt", n_jobs=-1),
    lazy(ensemble.GradientBoostingRegressor)(learning_rate=1, subsample=0.5),
    lazy(svm.SVC)(kernel="rbf", gamma=0.1, probability=False),
    lazy(neighbors.KNeighborsClassifier)(n_neighbors=numpy.int64(3), weights="distance", metric="cosine"),
    lazy(cluster.KMeans)(3, init="k-means++", n_init="auto"),
    lazy(decomposition.PCA)(0.95, whiten=True),
    lazy(preprocessing.FunctionTransformer)(numpy.log1p, validate=True),
    lazy(pipeline.Pipeline)([("scale", lazy(preprocessing.StandardScaler)()), ("svm", lazy(svm.SVC)())]),
]


@pytest.mark.parametrize("call", CALLS, ids=_id)
def test_what_builds_checks(call):
    build(call)
    assert check(call) is None


@pytest.mark.parametrize(
    ("call", "problems"),
    [
        (lazy(optim.AdamW)(parameters(), lr="x"), ["lr must be float | Tensor, found 'x'"]),
        (lazy(optim.AdamW)(parameters(), betas=(0.9,)), ["betas must be tuple[float | Tensor, float | Tensor], found (0.9,)"]),
        (lazy(optim.AdamW)(parameters(), fused="no"), ["fused must be bool | None, found 'no'"]),
        (lazy(optim.SGD)(net(), lr=0.1), ["[0] must be Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]], found a call of Linear"]),
        (lazy(nn.Conv2d)(3, out_channels=None, kernel_size=3), ["out_channels must be int, found None"]),
        (lazy(nn.Conv2d)(3, 8, (3, "3")), ["[2][1] must be int, found '3'"]),
        (lazy(nn.Conv2d)(3, 8, 3, padding_mode="mirror"), ["padding_mode must be Literal['zeros', 'reflect', 'replicate', 'circular'], found 'mirror'"]),
        (lazy(nn.ModuleList)([net(), 3]), ["[0][1] must be Module, found 3"]),
        (lazy(nn.ModuleDict)({"a": lazy(dict)()}), ["[0].a must be Module, found a call of dict"]),
        (lazy(nn.TransformerEncoder)(lazy(nn.Linear)(1, 1), 2), ["[0] must be TransformerEncoderLayer, found a call of Linear"]),
        (lazy(nn.Dropout)("0.5"), ["[0] must be float, found '0.5'"]),
        (lazy(optim.lr_scheduler.StepLR)(net(), 3, gamma=None), ["[0] must be Optimizer, found a call of Linear", "gamma must be float, found None"]),
        (lazy(DataLoader)(net(), batch_size="64", drop_last=0), ["[0] must be Dataset, found a call of Linear", "batch_size must be int | None, found '64'", "drop_last must be bool, found 0"]),
        (lazy(RandomSampler)(data(), num_samples=2.5), ["num_samples must be int | None, found 2.5"]),
    ],
    ids=_id,
)  # fmt: skip
def test_a_value_that_the_signature_does_not_allow_is_found(call, problems):
    with pytest.raises(SpecError) as caught:
        check(call)
    assert [f"{fault.path} {fault.problem}" for fault in caught.value.faults] == problems


CHILD = """
import json, sys
from callsheet import hash_of, load
from callsheet._check import examine
package, *overrides = sys.argv[1:]
spec = load("conf.py", overrides)
faults, notes = examine(spec)
print(json.dumps([package in sys.modules, hash_of(spec), [fault.as_data() for fault in [*faults, *notes]]]))
"""


@pytest.mark.parametrize(
    ("package", "text", "wrong"),
    [
        # That a list serves as a Dataset is for PyTorch to tell.
        (
            "torch",
            TORCH.replace("[1, 2, 3]", "lazy(torch.utils.data.TensorDataset)()"),
            ["optimizer.lr=fast", "layers.norms.0=3", "sgd.momentum=null"],
        ),
        ("sklearn", SKLEARN, ["forest.n_estimator=3"]),
    ],
    ids=["torch", "sklearn"],
)
def test_a_config_that_was_checked_once_is_checked_again_without_importing_what_it_names(
    tmp_path, package, text, wrong
):
    (tmp_path / "conf.py").write_text(text)

    def told(*overrides, cache="cache"):
        environ = {**os.environ, "CALLSHEET_CACHE": cache and str(tmp_path / cache)}
        done = subprocess.run(
            [sys.executable, "-c", CHILD, package, *overrides],
            cwd=tmp_path,
            env=environ,
            check=True,
            capture_output=True,
        )
        return json.loads(done.stdout)

    imported, digest, faults = told()
    assert (imported, faults) == (True, [])
    assert told() == [False, digest, []]
    found = told(*wrong)
    assert found[0]
    assert found[2] != []
    assert found == told(*wrong, cache="")
