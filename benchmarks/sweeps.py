"""What a trial costs: a grid over a spec in memory to full specs, beside the same configs as dicts by itertools."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from measure import medians

from callsheet import grid, lazy, ref, sweep

GOAL = 12

WIDTHS = [8 * n for n in range(1, 11)]
RATES = [n / 1000 for n in range(1, 11)]
SEEDS = range(10)


class Net:
    def __init__(
        self, width: int = 32, depth: int = 4, norm: str = "batch", dropout: float = 0.1, classes: int = 10
    ) -> None: ...


def adam(lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, decay: float = 0.0) -> None: ...


def digits(batch_size: int = 32, seed: int = 0) -> None: ...


def fit(
    model: Net | None = None, optim: object = None, data: object = None, epochs: int = 10, seed: int = 0
) -> None: ...


def by_hand() -> list[object]:
    """The configs as dicts."""
    return [
        {
            "main": {
                "model": {"width": width, "depth": 4, "norm": "batch", "dropout": 0.1, "classes": 10},
                "optim": {"lr": lr, "beta1": 0.9, "beta2": 0.999, "decay": 0.0},
                "data": {"batch_size": 64, "seed": 0},
                "epochs": 5,
                "seed": seed,
            }
        }
        for width, lr, seed in product(WIDTHS, RATES, SEEDS)
    ]


def described() -> object:
    """The spec whose trials they are."""
    model = lazy(Net)(width=64, depth=4, norm="batch", dropout=0.1, classes=10)
    optim = lazy(adam)(lr=1e-3, beta1=0.9, beta2=0.999, decay=0.0)
    data = lazy(digits)(batch_size=64, seed=0)
    return {"main": lazy(fit)(model=model, optim=optim, data=data, epochs=5, seed=0)}


def referring() -> object:
    """The same with references in the place of parts and numbers."""
    model = lazy(Net)(width=64, depth=4, norm="batch", dropout=0.1, classes=10)
    optim = lazy(adam)(lr=1e-3, beta1=0.9, beta2=0.999, decay=0.0)
    data = lazy(digits)(batch_size=64, seed=ref("seed"))
    main = lazy(fit)(model=ref(model), optim=ref(optim), data=data, epochs=ref("epochs"), seed=ref("seed"))
    return {"seed": 0, "epochs": 5, "model": model, "optim": optim, "main": main}


def rows() -> Iterator[tuple[str, float | None, dict[str, float]]]:
    """The rows: a label, the goal, and seconds for a thousand configs."""
    spec = described()
    space = grid({"main.model.width": WIDTHS, "main.optim.lr": RATES, "main.seed": SEEDS})

    def trials() -> list[object]:
        return [trial.spec for trial in sweep(spec, space)]

    assert [plain["main"]["seed"] for plain in by_hand()] == [made["main"].seed for made in trials()]  # type: ignore[index]
    yield "grid of 1,000 trials to specs", GOAL, medians({"callsheet": trials, "plain": by_hand})

    spec_with_references = referring()
    top = grid({"model.width": WIDTHS, "optim.lr": RATES, "seed": SEEDS})

    def trials_with_references() -> list[object]:
        return [trial.spec for trial in sweep(spec_with_references, top)]

    assert [plain["main"]["seed"] for plain in by_hand()] == [made["seed"] for made in trials_with_references()]  # type: ignore[index]
    seconds = medians({"callsheet": trials_with_references, "plain": by_hand})
    yield "grid of 1,000 trials with references", None, seconds
