"""Data and training; only `save_weights` is Callsheet's, which notes in the run what was saved."""

from collections.abc import Sequence

import torch
from callsheet import save_weights
from nets import DigitNet
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy


def digits(classes: Sequence[int] = tuple(range(10)), examples: int = 1437, seed: int = 0):
    """Images and labels to train with and to test with, of some of the ten digits; labels count from 0."""
    data = load_digits()
    keep = [n for n, label in enumerate(data.target) if label in classes]
    images = torch.tensor(data.images[keep], dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor([list(classes).index(label) for label in data.target[keep]])
    order = torch.randperm(len(keep), generator=torch.Generator().manual_seed(seed))
    split = len(keep) // 5
    test, train = order[:split], order[split : split + examples]
    return images[train], labels[train], images[test], labels[test]


def fit(model: DigitNet, data, weights: str, epochs: int = 5, lr: float = 3e-3, seed: int = 0) -> dict[str, float]:
    """Train, save the weights, and give the accuracy on the test images."""
    images, labels, test_images, test_labels = data
    shuffle = torch.Generator().manual_seed(seed)
    optim = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(labels), generator=shuffle).split(32):
            optim.zero_grad()
            cross_entropy(model(images[batch]), labels[batch]).backward()
            optim.step()
    model.eval()
    with torch.no_grad():
        accuracy = (model(test_images).argmax(1) == test_labels).float().mean().item()
    print(f"accuracy {accuracy:.3f} on {len(test_labels)} images")
    save_weights(model, weights)
    return {"accuracy": round(accuracy, 3)}
