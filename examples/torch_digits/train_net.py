"""Trains and evaluates any config that has a model, a dataloader, an optimizer, an evaluator and training options.

python train_net.py conf.py
python train_net.py conf.py optimizer.lr=3e-3 train.max_iter=800
python train_net.py conf.py --resume
python train_net.py conf.py --eval-only train.init_checkpoint=output/model_final.pth
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import torch
from engine import evaluate, fit

from callsheet import build, check, get, load, save
from callsheet.errors import CallsheetError

PARTS = ("model", "dataloader.train", "dataloader.test", "optimizer", "evaluator", "train")
DEFAULTS = {"output_dir": "output", "init_checkpoint": "", "device": "cpu"}


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Do what the command line says; give the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("overrides", nargs="*", metavar="path=value")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in train.output_dir")
    parser.add_argument("--eval-only", action="store_true", help="evaluate train.init_checkpoint; train nothing")
    parser.add_argument("--allow", action="append", default=[], metavar="MODULE", help="what a .yaml config may import")
    args = parser.parse_intermixed_args(argv)

    sys.path.insert(0, os.path.dirname(os.path.abspath(args.config)))  # where what it names may lie
    cfg = load(args.config, args.overrides, allow=args.allow)
    missing = [part for part in PARTS if get(cfg, part, None) is None]
    if missing:
        parser.error(f"{args.config} has no {', '.join(missing)}")
    check(cfg)

    built = build({part: get(cfg, part) for part in PARTS})  # each once: the optimizer has the model's own parameters
    model, data, test_data, optimizer, evaluator, train = (built[part] for part in PARTS)
    train = {**DEFAULTS, **train}
    if args.eval_only:
        return evaluated(model, test_data, evaluator, train)
    checkpoint = os.path.join(train["output_dir"], "checkpoint.pth")
    if os.path.exists(checkpoint) and not args.resume:
        parser.error(f"{checkpoint} exists: --resume goes on from it, another train.output_dir starts anew")
    os.makedirs(train["output_dir"], exist_ok=True)
    save(cfg, os.path.join(train["output_dir"], "config.yaml"))
    return fit(model, data, test_data, optimizer, evaluator, **train, resume=args.resume)


def evaluated(model: Any, data: Any, evaluator: Any, train: dict[str, Any]) -> dict[str, float]:
    """The result of trained weights: those of `train.init_checkpoint`, else those that training left."""
    weights = train["init_checkpoint"] or os.path.join(train["output_dir"], "model_final.pth")
    model.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    result = evaluate(model, data, evaluator, device=train["device"])
    print(weights, *(f"{name} {value:.4f}" for name, value in result.items()), sep="   ")
    return result


if __name__ == "__main__":
    try:
        main()
    except CallsheetError as error:
        sys.exit(f"train_net.py: {error}")
