"""PyTorch in trials that are forked: it works where nothing was computed before, and its random numbers differ."""

import pytest

from command import Project

pytest.importorskip("torch")

CONF = "from callsheet import lazy\nfrom train import fit\nmain = lazy(fit)(1)\n"

TRAIN = """
    import torch

    {seeding}

    def fit(n: int):
        drawn = torch.rand(300, 300)
        return {{"first": float(drawn[0, 0]), "sum": float((drawn @ drawn).sum())}}
"""


@pytest.fixture
def cmd(tmp_path, monkeypatch):
    """A project in which PyTorch computes with two threads, which a fork does not inherit."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    return Project(tmp_path)


@pytest.mark.parametrize(("seeding", "different"), [("", 2), ("torch.manual_seed(3)", 1)], ids=["untouched", "seeded"])
def test_forks_compute_in_parallel_and_draw_as_processes_of_their_own(cmd, seeding, different):
    cmd.config(CONF, train=TRAIN.format(seeding=seeding))
    data = cmd("sweep", "conf.py", "main.0=1,2", "--json", "--warm").data
    for name in ("first", "sum"):
        assert len({trial["result"][name] for trial in data["trials"]}) == different


def test_an_operation_on_import_that_starts_threads_is_refused(cmd):
    cmd.config(CONF, train=TRAIN.format(seeding="torch.rand(999, 999) @ torch.rand(999, 999)"))
    said = cmd("sweep", "conf.py", "main.0=1,2", "--warm", code=1)
    assert said.err.startswith("callsheet: trials cannot be forked: libraries that they import run ")
    assert said.err.endswith(", as of a first operation of PyTorch on import\n  run them without  --warm\n")
    assert cmd.ids() == []
