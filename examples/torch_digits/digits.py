"""A small network and its data: ordinary code that knows nothing of configuration."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn


class Net(nn.Module):
    """Handwritten digits, 8 by 8 pixels, to scores of their classes: (n, 64) to (n, classes).

    Args:
        width: Features of each hidden layer.
        depth: Hidden layers.
        classes: Scores.
        dropout: Probability that a feature is left out in training.
        seed: Of the first weights.
    """

    def __init__(self, width: int = 64, depth: int = 1, classes: int = 10, dropout: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for n in range(depth):
            layers += [nn.Linear(width if n else 64, width), nn.ReLU(), nn.Dropout(dropout)]
        self.backbone = nn.Sequential(*layers)
        self.head = nn.Linear(width if depth else 64, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The scores of a batch."""
        return self.head(self.backbone(x))


class Digits:
    """The digits of scikit-learn in batches: `(x, y)` with x (n, 64) in 0..1 and y (n,).

    Args:
        split: "train" (the first 1,437 images) or "test" (the other 360).
        batch_size: Images in a batch.
        seed: Of the order, which is another one in each epoch.
        classes: Only digits below this.
    """

    def __init__(self, split: str = "train", batch_size: int = 64, seed: int = 0, classes: int = 10) -> None:
        x, y = load_digits(return_X_y=True)
        part = slice(None, 1437) if split == "train" else slice(1437, None)
        self.x = torch.tensor(x[part] / 16, dtype=torch.float32)
        self.y = torch.tensor(y[part])
        self.x, self.y = self.x[self.y < classes], self.y[self.y < classes]
        self.batch_size = batch_size
        self.seed = seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Every image once, in the order in which they stand."""
        yield from zip(self.x.split(self.batch_size), self.y.split(self.batch_size), strict=True)

    def batch(self, iteration: int) -> tuple[Tensor, Tensor]:
        """The batch of an iteration, always the same: training goes on from a checkpoint as if it had never stopped."""
        batches = -(-len(self.x) // self.batch_size)
        order = torch.Generator().manual_seed(self.seed + iteration // batches)
        shuffled = torch.randperm(len(self.x), generator=order)
        picked = shuffled[(iteration % batches) * self.batch_size :][: self.batch_size]
        return self.x[picked], self.y[picked]


class Accuracy:
    """Counts how many of the scores are highest where they should be."""

    def __init__(self) -> None:
        self.right = self.seen = 0

    def process(self, scores: Tensor, y: Tensor) -> None:
        """Take in a batch: scores (n, classes), y (n,)."""
        self.right += int((scores.argmax(1) == y).sum())
        self.seen += len(y)

    def evaluate(self) -> dict[str, float]:
        """The result over all that was taken in, which is forgotten then."""
        result = {"accuracy": self.right / max(self.seen, 1)}
        self.right = self.seen = 0
        return result
