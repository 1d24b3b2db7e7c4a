"""A small network for handwritten digits; it knows nothing of Callsheet."""

import torch
from torch import nn


class DigitNet(nn.Module):
    """Digits of 8 x 8 pixels, `[batch, 1, 8, 8]`, to logits `[batch, classes]`."""

    def __init__(self, width: int = 16, classes: int = 10, seed: int = 0):
        super().__init__()
        torch.manual_seed(seed)
        self.body = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(8 * width, classes)

    def forward(self, x):
        return self.head(self.body(x))
