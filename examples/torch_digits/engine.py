"""Training and evaluation for any model, data and optimizer: ordinary code that knows nothing of configuration."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import nn


def fit(
    model: nn.Module,
    data: Any,
    test_data: Any,
    optimizer: torch.optim.Optimizer,
    evaluator: Any,
    *,
    max_iter: int = 400,
    eval_period: int = 100,
    checkpoint_period: int = 100,
    output_dir: str = "output",
    init_checkpoint: str = "",
    device: str = "cpu",
    resume: bool = True,
) -> dict[str, float]:
    """Train a classifier, and evaluate it on the way.

    Args:
        model: Gives scores (n, classes).
        data: Gives `batch(iteration)`, a pair `(x, y)`.
        test_data: Iterates over such pairs.
        optimizer: Of the model's parameters.
        evaluator: Has `process(scores, y)` and `evaluate()`.
        max_iter: Iterations altogether.
        eval_period: Iterations between evaluations.
        checkpoint_period: Iterations between checkpoints.
        output_dir: Where checkpoints lie: `checkpoint.pth`, and at the end `model_final.pth`.
        init_checkpoint: The weights to start from, as `model_final.pth` has them.
        device: Such as "cpu" or "cuda".
        resume: Whether to go on from the checkpoint in `output_dir`, where there is one.

    Returns:
        The last loss, and what the evaluator gives.
    """
    model.to(device)
    first, loss = start(model, optimizer, output_dir, init_checkpoint, resume)
    result: dict[str, float] = {}
    for iteration in range(first, max_iter):
        model.train()
        torch.manual_seed(iteration)  # for dropout and its like, whether or not training was cut off before
        x, y = data.batch(iteration)
        batch_loss = nn.functional.cross_entropy(model(x.to(device)), y.to(device))
        optimizer.zero_grad()
        batch_loss.backward()
        optimizer.step()
        loss, done = batch_loss.item(), iteration + 1
        if done % checkpoint_period == 0 or done == max_iter:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "iteration": done, "loss": loss}
            write(state, os.path.join(output_dir, "checkpoint.pth"))
        if done % eval_period == 0 or done == max_iter:
            result = evaluate(model, test_data, evaluator, device=device)
            print(f"iter {done}/{max_iter}", *(f"{k} {v:.4f}" for k, v in {"loss": loss, **result}.items()), sep="   ")
    write(model.state_dict(), os.path.join(output_dir, "model_final.pth"))
    return {"loss": loss, **(result or evaluate(model, test_data, evaluator, device=device))}


def evaluate(model: nn.Module, data: Any, evaluator: Any, *, device: str = "cpu") -> dict[str, float]:
    """What the evaluator gives for a model over all of its data."""
    model.to(device).eval()
    with torch.no_grad():
        for x, y in data:
            evaluator.process(model(x.to(device)).cpu(), y)
    result: dict[str, float] = evaluator.evaluate()
    return result


def start(
    model: nn.Module, optimizer: torch.optim.Optimizer, output_dir: str, init_checkpoint: str, resume: bool
) -> tuple[int, float]:
    """Load what training goes on from; give the first iteration, and the loss of the one before."""
    path = os.path.join(output_dir, "checkpoint.pth")
    if resume and os.path.exists(path):
        state = torch.load(path, weights_only=True, map_location="cpu")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        print(f"resumed at iteration {state['iteration']} from {path}")
        return state["iteration"], state["loss"]
    if init_checkpoint:
        model.load_state_dict(torch.load(init_checkpoint, weights_only=True, map_location="cpu"))
    return 0, float("nan")


def write(state: dict[str, Any], path: str) -> None:
    """Write a file of tensors whole or not at all: a crash leaves the one before."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)
