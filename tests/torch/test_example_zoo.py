"""The example `examples/zoo_digits` does what its README says: train, publish, fine-tune on five of the classes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from callsheet import build, restore, zoo
from command import Project

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "zoo_digits"


@pytest.fixture
def cmd(tmp_path, monkeypatch):
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    project = Project(tmp_path)
    shutil.copy(EXAMPLE / "pyproject.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield project
    for name in ("nets", "train"):
        sys.modules.pop(name, None)


def test_what_was_learned_on_ten_digits_helps_with_five(cmd):
    commands = re.search(r"```\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.S)[1]
    assert [line.partition("  ")[0] for line in commands.splitlines()] == [
        "callsheet run conf.py",
        "python publish.py 7f3a9c",
        "callsheet zoo show ./zoo/digits_small",
        "callsheet run finetune.py",
        "callsheet run finetune.py:scratch",
        "callsheet compare --maximize accuracy",
    ]
    ten = cmd("run", "conf.py", "--json").data
    assert ten["result"]["accuracy"] > 0.95
    said = subprocess.run([sys.executable, "publish.py", ten["run"]], capture_output=True, text=True, check=True)
    assert said.stdout == f"published zoo/digits_small, accuracy {ten['result']['accuracy']}\n"
    assert "defaults     nets.DigitNet: classes=10, seed=0" in cmd("zoo", "show", "./zoo/digits_small").out
    five = cmd("run", "finetune.py", "--json").data
    scratch = cmd("run", "finetune.py:scratch", "--json").data
    assert five["result"]["accuracy"] > scratch["result"]["accuracy"]
    assert f"\n{five['run']} " in cmd("compare", "--maximize", "accuracy").out

    published = build(zoo.get("./zoo/digits_small", trained=True))
    assert torch.equal(published.head.weight, restore(ten["run"], "model").head.weight)
    tuned = restore(five["run"], "model")
    assert tuned.head.out_features == 5
    card = zoo.publish_run(five["run"], "model", "zoo/digits_five", description="Five of them", licence="Apache-2.0")
    assert card.metrics["accuracy"] == five["result"]["accuracy"]
    again = build(zoo.get("./zoo/digits_five", trained=True))
    assert torch.equal(again.body[0].weight, tuned.body[0].weight)
