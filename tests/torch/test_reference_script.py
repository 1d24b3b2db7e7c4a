"""`examples/torch_digits`: the script that trains and evaluates any config of its conventions."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import callsheet
from callsheet import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "torch_digits"
SHORT = ["train.max_iter=30", "train.eval_period=30", "train.checkpoint_period=10", "model.width=16"]


@pytest.fixture
def train_net(tmp_path, monkeypatch):
    """The script's `main`, in a copy of its folder."""
    folder = tmp_path / "torch_digits"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield __import__("train_net").main
    for name in set(sys.modules) - before:
        if str(folder) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]


def weights(path):
    return torch.load(path, weights_only=True)


def same(one, other):
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


def test_training_that_was_cut_off_goes_on_as_if_it_never_had_been(train_net):
    dropout = [*SHORT, "model.dropout=0.5"]
    whole = train_net(["conf.py", *dropout, "train.output_dir=whole"])
    train_net(["conf.py", *dropout, "train.output_dir=parts", "train.max_iter=10"])
    parts = train_net(["conf.py", "--resume", *dropout, "train.output_dir=parts"])
    assert parts == whole
    assert same(weights("parts/model_final.pth"), weights("whole/model_final.pth"))


def test_a_checkpoint_is_not_written_over_unasked(train_net, capsys):
    train_net(["conf.py", *SHORT])
    before = weights("output/model_final.pth")
    with pytest.raises(SystemExit):
        train_net(["conf.py", *SHORT, "optimizer.lr=1"])
    assert "--resume goes on from it, another train.output_dir starts anew" in capsys.readouterr().err
    assert same(weights("output/model_final.pth"), before)


def test_evaluating_only_trains_nothing(train_net, capsys):
    trained = train_net(["conf.py", *SHORT])
    files = sorted(Path("output").iterdir())
    assert train_net(["conf.py", *SHORT, "--eval-only"]) == {"accuracy": trained["accuracy"]}
    other = ["--eval-only", "train.output_dir=nowhere", "train.init_checkpoint=output/model_final.pth"]
    assert train_net(["conf.py", *SHORT, *other]) == {"accuracy": trained["accuracy"]}
    assert sorted(Path("output").iterdir()) == files
    assert not Path("nowhere").exists()


def test_training_starts_from_given_weights(train_net):
    train_net(["conf.py", *SHORT])
    again = ["train.output_dir=again", "train.init_checkpoint=output/model_final.pth", "optimizer.lr=0"]
    train_net(["conf.py", *SHORT, *again])
    assert same(weights("again/model_final.pth"), weights("output/model_final.pth"))


def test_any_config_of_the_conventions_will_do(train_net):
    Path("other.py").write_text(
        "from .conf import dataloader, evaluator, optimizer, train\n"
        "from callsheet import lazy, ref\n"
        "from torch.nn import Linear\n"
        "from torch.optim import SGD\n"
        "model = lazy(Linear)(64, 10)\n"
        "optimizer = lazy(SGD)(ref(model).parameters(), lr=0.5)\n"
    )
    short = [text for text in SHORT if "width" not in text]
    assert train_net(["other.py", *short])["accuracy"] > 0.5
    assert load("output/config.yaml") == load("other.py", short)
    allow = ["--allow", "digits", "--allow", "torch"]
    assert train_net(["output/config.yaml", "--eval-only", *allow])["accuracy"] > 0.5
    assert train_net(["output/config.yaml", "--resume", "train.max_iter=31", *allow])["accuracy"] > 0.5
    with pytest.raises(callsheet.errors.SpecError, match="named by data"):
        train_net(["output/config.yaml", "--eval-only"])


def test_the_config_of_the_page_is_trained(train_net):
    page = (EXAMPLE.parents[1] / "docs" / "training-script.md").read_text()
    Path("small.py").write_text(page.partition("```python file=small.py\n")[2].partition("```")[0])
    assert train_net(["small.py"])["accuracy"] > 0.7


def test_what_is_missing_or_misspelt_is_told_before_anything_is_trained(train_net, capsys):
    Path("poor.py").write_text("from .conf import dataloader, model, train\n")
    with pytest.raises(SystemExit):
        train_net(["poor.py"])
    assert "poor.py has no optimizer, evaluator" in capsys.readouterr().err
    with pytest.raises(callsheet.errors.SpecError, match="no such argument of digits.Net"):
        train_net(["wide.py", "model.widht=3"])
    assert not Path("output").exists()


def test_the_same_config_runs_under_the_command(train_net):
    environment = {"PYTHONPATH": str(Path(callsheet.__file__).parents[1]), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "callsheet", "run", "wide.py", *SHORT, "--runs", "runs"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "iter 30/30" in done.stdout
    assert [path.name for path in Path("runs").glob("*/model_final.pth")] == ["model_final.pth"]
    assert not Path("output").exists()
