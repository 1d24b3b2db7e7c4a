"""The example of handwritten digits, swept on every engine: only `--on` differs, and what comes of it is the same."""

import pytest

from command import Project

SWEEP = ("sweep", "conf.py", "optim.lr=1e-3,1e-2", "epochs=2", "--maximize", "accuracy")


def said_of(name, engine):
    """The words after `--on` that an engine needs on this machine."""
    return {
        "slurm": [],
        "docker": [f"docker.image={engine.told.get('digits')}"],
        "kubernetes": [f"kubernetes.image={engine.told.get('digits')}", "kubernetes.host_network=true"],
        "ray": [f"ray.address={engine.told.get('url')}"],
    }[name]


@pytest.mark.parametrize("name", ["slurm", "docker", "kubernetes", "ray"])
def test_only_the_executor_differs(request, tmp_path, name):
    engine = request.getfixturevalue(name)
    cmd = Project(tmp_path)
    cmd("init", "digits")
    there = cmd(
        *SWEEP, "--on", name, *(word for said in said_of(name, engine) for word in ("--on", said)), env=engine.env
    )
    here = cmd(*SWEEP, "--redo")
    assert there.out.splitlines()[-1].split()[2:] == here.out.splitlines()[-1].split()[2:]  # the best, but for its run
    results = {}
    for row in cmd("compare", "--json").data:
        results.setdefault(tuple(row["values"].items()), []).append(row["result"])
    assert len(results) == 2
    assert all(len(pair) == 2 and pair[0] == pair[1] for pair in results.values())
    states = {(cmd.read("run.json", run)["plan"], cmd.read("status.json", run)["state"]) for run in cmd.ids()}
    assert len(states) == 1  # one plan, all done
