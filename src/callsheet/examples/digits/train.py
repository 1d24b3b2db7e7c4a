"""A small network, an optimizer and a training loop: ordinary code that knows nothing of Callsheet."""

import json
import os
import sys

import numpy as np
from sklearn.datasets import load_digits


class Net:
    """One hidden layer."""

    def __init__(self, width: int = 32, classes: int = 10):
        draw = np.random.default_rng(0).normal
        self.weights = [draw(0, 0.1, (64, width)), np.zeros(width), draw(0, 0.1, (width, classes)), np.zeros(classes)]

    def parameters(self) -> list[np.ndarray]:
        return self.weights

    def forward(self, x):
        w1, b1, w2, b2 = self.weights
        hidden = np.maximum(x @ w1 + b1, 0)
        scores = hidden @ w2 + b2
        p = np.exp(scores - scores.max(1, keepdims=True))
        return hidden, p / p.sum(1, keepdims=True)

    def gradients(self, x, y):
        hidden, p = self.forward(x)
        error = (p - np.eye(p.shape[1])[y]) / len(x)
        back = (error @ self.weights[2].T) * (hidden > 0)
        return [x.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]


class Adam:
    def __init__(self, params: list, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)):
        self.params, self.lr, self.betas, self.t = params, lr, betas, 0
        self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]

    def step(self, gradients):
        self.t += 1
        b1, b2 = self.betas
        for p, m, v, g in zip(self.params, self.m, self.v, gradients):
            m += (1 - b1) * (g - m)
            v += (1 - b2) * (g * g - v)
            p -= self.lr * (m / (1 - b1**self.t)) / (np.sqrt(v / (1 - b2**self.t)) + 1e-8)


def digits(batch_size: int = 64, seed: int = 0):
    """1,797 handwritten digits of 8 x 8 pixels: a function that gives shuffled batches, and a test set."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    x, y = x[order] / 16, y[order]
    train, test = (x[360:], y[360:]), (x[:360], y[:360])

    def batches(epoch):
        shuffled = np.random.default_rng((seed, epoch)).permutation(len(train[0]))
        return [(train[0][i], train[1][i]) for i in np.array_split(shuffled, len(shuffled) // batch_size)]

    return batches, test


def fit(model: Net, data, optim: Adam, epochs: int = 5, out: str | None = None) -> dict[str, float]:
    """Trains, prints each epoch, and appends its numbers to `metrics.jsonl` in the folder `out`."""
    batches, (x, y) = data
    for epoch in range(1, epochs + 1):
        for inputs, labels in batches(epoch):
            optim.step(model.gradients(inputs, labels))
        p = model.forward(x)[1]
        loss, accuracy = float(-np.log(p[range(len(y)), y]).mean()), float((p.argmax(1) == y).mean())
        bar = f"epoch {epoch}/{epochs}  {'█' * (20 * epoch // epochs):░<20}" if sys.stdout.isatty() else f"epoch {epoch}/{epochs}"
        end = "\n" if epoch == epochs or not sys.stdout.isatty() else "\r"
        print(f"{bar}   loss {loss:.3f}   accuracy {accuracy:.3f}", end=end, flush=True)
        if out:
            with open(os.path.join(out, "metrics.jsonl"), "a") as file:
                print(json.dumps({"step": epoch, "loss": loss, "accuracy": accuracy}), file=file)
    return {"loss": loss, "accuracy": accuracy}
