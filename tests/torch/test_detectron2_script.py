"""A training script in the manner of detectron2's own, of which only the import of its configs is another."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import callsheet

NETS = """
    import torch
    from torch import nn

    class Stem(nn.Module):
        def __init__(self, in_channels, out_channels, norm):
            super().__init__()
            self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
            self.norm = norm(out_channels)

        def forward(self, x):
            return self.norm(self.conv(x)).relu()

    class Net(nn.Module):
        @staticmethod
        def make_stages(depth, width):
            return [nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU()) for _ in range(depth)]

        def __init__(self, stem, stages, num_classes, head):
            super().__init__()
            self.stem, self.stages, self.head = stem, nn.ModuleList(stages), head
            self.num_classes = num_classes

        def forward(self, x):
            x = self.stem(x)
            for stage in self.stages:
                x = stage(x)
            return self.head(x.mean((2, 3)))

    def batches(n, size):
        generator = torch.Generator().manual_seed(0)
        return [(torch.randn(size, 3, 8, 8, generator=generator), torch.arange(size) % 4) for _ in range(n)]
"""
# What stands in for detectron2 does to the config what its own functions do.
DETECTRON2 = {
    "detectron2/__init__.py": "",
    "detectron2/config.py": "raise ImportError('the config of detectron2 itself is not asked')\n",
    "detectron2/solver.py": """
        def get_default_optimizer_params(model, base_lr=None, weight_decay_norm=None):
            return [{"params": [p], "lr": base_lr} for p in model.parameters()]
    """,
    "detectron2/engine.py": """
        import copy, os
        import yaml
        from omegaconf import OmegaConf, SCMode

        def default_setup(cfg, args):
            output_dir = OmegaConf.select(cfg, "train.output_dir", default=None)
            os.makedirs(output_dir, exist_ok=True)
            copied = copy.deepcopy(cfg)
            assert OmegaConf.select(cfg, "SEED", default=-1) == -1
            data = OmegaConf.to_container(copied, resolve=False, structured_config_mode=SCMode.INSTANTIATE)
            text = yaml.dump(data, default_flow_style=None)
            with open(os.path.join(output_dir, "config.yaml"), "w") as file:
                file.write(text)
            assert yaml.unsafe_load(text) is not None
            OmegaConf.update(cfg, "train.device", "cpu")
    """,
}
CONFIGS = {
    "configs/common/optim.py": """
        import torch
        from detectron2.config import LazyCall as L
        from detectron2.solver import get_default_optimizer_params

        SGD = L(torch.optim.SGD)(
            params=L(get_default_optimizer_params)(base_lr="${..lr}", weight_decay_norm=0.0), lr=0.02, momentum=0.9
        )
    """,
    "configs/common/model.py": """
        from detectron2.config import LazyCall as L
        from torch.nn import BatchNorm2d, Linear
        from nets import Net, Stem

        model = L(Net)(
            stem=L(Stem)(in_channels=3, out_channels=8, norm=BatchNorm2d),
            stages=L(Net.make_stages)(depth=2, width="${..stem.out_channels}"),
            head=L(Linear)(in_features="${..stem.out_channels}", out_features="${..num_classes}"),
            num_classes=10,
        )
    """,
    "configs/small.py": """
        from detectron2.config import LazyCall as L
        from detectron2.model_zoo import get_config
        from nets import batches
        from .common.model import model

        optimizer = get_config("common/optim.py").SGD
        train = dict(output_dir="./output", max_iter=4, device="cuda")
        dataloader = dict(train=L(batches)(n="${...train.max_iter}", size=4), test=L(batches)(n=1, size=8))
        model.num_classes = 4
        model.stages.depth += 1
    """,
}
SCRIPT = """
    import sys
    import torch
    from callsheet.compat.detectron2 import LazyConfig, instantiate
    from detectron2.engine import default_setup

    def do_train(cfg):
        model = instantiate(cfg.model)
        model.to(cfg.train.device)
        cfg.optimizer.params.model = model
        optim = instantiate(cfg.optimizer)
        losses = []
        for x, y in instantiate(cfg.dataloader.train):
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optim.zero_grad()
            loss.backward()
            optim.step()
            losses.append(loss.item())
        torch.save(model.state_dict(), cfg.train.output_dir + "/model.pth")
        print(len(losses), optim.param_groups[0]["lr"], LazyConfig.to_py(cfg.train), sep="\\n", end="")

    def main(config_file, *opts):
        cfg = LazyConfig.load(config_file)
        cfg = LazyConfig.apply_overrides(cfg, opts)
        default_setup(cfg, None)
        do_train(cfg)

    main(*sys.argv[1:])
"""


@pytest.fixture
def checkout(project, tmp_path):
    for name, text in {**DETECTRON2, **CONFIGS, "nets.py": NETS, "train_net.py": SCRIPT}.items():
        project(name, text)
    return tmp_path


def test_the_reference_training_script_works_with_another_import(checkout):
    command = [sys.executable, "train_net.py", "configs/small.py", "optimizer.lr=0.5", "train.output_dir=out"]
    source = str(Path(callsheet.__file__).parents[1])
    done = subprocess.run(
        command, cwd=checkout, env={"PYTHONPATH": source}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["4", "0.5", 'cfg.device = "cpu"', "cfg.max_iter = 4", 'cfg.output_dir = "out"']
    assert "nets.Net" in (checkout / "out" / "config.yaml").read_text()


def test_the_model_has_the_parameters_of_one_built_by_hand(checkout):
    from callsheet import build
    from callsheet.compat.detectron2 import LazyConfig, instantiate, to_spec

    cfg = LazyConfig.load("configs/small.py")
    nets = __import__("nets")
    torch.manual_seed(0)
    by_hand = nets.Net(nets.Stem(3, 8, torch.nn.BatchNorm2d), nets.Net.make_stages(3, 8), 4, torch.nn.Linear(8, 4))
    for make in (lambda: instantiate(cfg.model), lambda: build(to_spec(cfg).model)):
        torch.manual_seed(0)
        state = make().state_dict()
        assert list(state) == list(by_hand.state_dict())
        assert all(torch.equal(state[name], value) for name, value in by_hand.state_dict().items())


def test_a_plain_dict_with_a_target_describes_a_layer():
    from callsheet.compat.detectron2 import instantiate

    made = instantiate({"_target_": "torch.nn.Conv2d", "in_channels": 4, "out_channels": 6, "kernel_size": 3})
    assert type(made) is torch.nn.Conv2d
    assert made.weight.shape == (6, 4, 3, 3)
