"""The grammar as a user types it: files of overrides, swaps that tell what they leave out, variants, sweeps."""

import os

import pytest

TRAIN = """
    class Adam:
        def __init__(self, lr: float = 0.1, betas: tuple[float, float] = (0.9, 0.99)):
            self.lr = lr

    class SGD:
        def __init__(self, lr: float = 0.5, momentum: float = 0.0):
            self.lr = lr

    def fit(optim, name="x"):
        return {"lr": optim.lr}
"""
CONF = """
    from callsheet import lazy
    from train import Adam, SGD, fit

    optim = lazy(Adam)(lr=0.3, betas=(0.5, 0.9))
    _slow = lazy(SGD)(lr=0.01)
    main = lazy(fit)(optim)
"""


@pytest.fixture
def here(cmd):
    return cmd.config(CONF, train=TRAIN)


def test_a_file_of_overrides_is_named_with_an_at_sign(here):
    here.write("o.txt", "# ours\noptim.lr=3\n")
    assert "optim = lazy(Adam)(lr=3, " in here("show", "conf.py", "@o.txt").out
    assert here("diff", "conf.py", "@o.txt", code=1).out == "optim.lr  0.3 → 3  conf.py:4 → o.txt:2\n"
    here.write("o.txt", "optim.lr=3\noptim.lrr=[\n")
    said = here("show", "conf.py", "@o.txt", code=2)
    assert "this '[' is not closed, at column 11" in said.err
    assert "o.txt:2" in said.err


def test_a_swap_tells_once_what_it_leaves_out(here):
    said = here("show", "conf.py", "optim=SGD", "optim.momentum=0.9")
    assert said.err == "callsheet: optim=SGD: train.SGD takes no betas, left out\n"
    assert "optim = lazy(SGD)(lr=0.3, momentum=0.9)" in said.out
    said = here("sweep", "conf.py", "optim=SGD", "optim.lr=1,2")
    assert said.err.count("left out") == 1


def test_variants_and_swaps_sweep(here):
    said = here("sweep", "conf.py", "optim=@slow,SGD", "--minimize", "lr")
    assert "optim=@slow" in said.out
    assert "lr 0.01" in said.out
    assert "lr 0.3" in said.out


def test_an_interval_needs_someone_who_draws(here):
    said = here("sweep", "conf.py", "optim.lr=interval(0,1)", code=2)
    assert "an interval has no end of values" in said.err


def test_a_wildcard_is_told_with_each_place(here):
    said = here("check", "conf.py", "...lr=fast", code=1)
    assert "optim.lr  must be float, found 'fast'" in said.err


def test_a_swap_imports_nothing_of_which_the_signature_is_remembered(here):
    train = here.root / "train.py"
    train.write_text('print("imported")\n' + train.read_text())
    os.utime(train, (1, 1))  # of what was written just now nothing is remembered
    remembering = {"CALLSHEET_CACHE": str(here.root / "cache")}
    shown = "optim = lazy(SGD)(lr=0.3)\n"
    first = here("show", "conf.py", "optim=SGD", env=remembering)
    again = here("show", "conf.py", "optim=SGD", env=remembering)
    assert ("imported" in first.out, "imported" in again.out) == (True, False)
    assert shown in again.out
    assert again.err == first.err == "callsheet: optim=SGD: train.SGD takes no betas, left out\n"
    assert "imported" not in here("diff", "conf.py", "optim=train.SGD", env=remembering, code=1).out
