"""The real engines: each is started if it does not run, and is kept running; `make engines-stop` ends them."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

TOOL = Path(__file__).parents[2] / "tools" / "engines"


class OneAfterTheOther(LoadScopeScheduling):
    """Tests of different engines run at once; those of one, which end its daemons, one after the other."""

    def _split_scope(self, nodeid):
        """The engine that a test names, by its file, itself or its parameter."""
        named = re.search(r"(?<![a-z])(kubernetes|ray|docker|slurm)(?![a-z])", nodeid)
        return named[1] if named else nodeid


def pytest_xdist_make_scheduler(config, log):
    return OneAfterTheOther(config, log)


def pytest_collection_modifyitems(items):
    """Docker's SDK leaves its socket open where the daemon goes away just then; it is found later, by whichever test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(
                pytest.mark.filterwarnings("ignore:unclosed <socket.socket fd=.* family=1, :ResourceWarning")
            )


def tool(*words):
    """Run the command that starts and ends engines, and return what it prints."""
    ended = subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"engines {' '.join(words)}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def until(true, seconds=60):
    """Wait until a function returns something true, and return that; it is asked again and again."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Running:
    """An engine that runs.

    Attributes:
        name: What `tools/engines` calls it.
        env: The environment variables with which its own clients find it.
        folder: Where its data is, its daemons' logs in `log`, and their pid files in `run`.
        told: All that `engines.json` tells of it.
    """

    name: str
    env: dict
    folder: Path
    told: dict = field(repr=False)

    def run(self, *command, code=0, text=None, cwd=None):
        """Run a client of the engine and return what it prints; it must end with a code."""
        env = {**os.environ, **self.env}
        ended = subprocess.run(command, env=env, cwd=cwd, input=text, capture_output=True, text=True, check=False)
        assert ended.returncode == code, f"{command} ended with {ended.returncode}: {ended.stdout}{ended.stderr}"
        return ended.stdout

    def start(self, daemon=""):
        """Start what does not run of the engine, or one of its daemons, and wait until it answers."""
        tool("start", "/".join(filter(None, (self.name, daemon))))

    def stop(self, daemon):
        """End a daemon as an administrator does, and wait until it is gone."""
        tool("stop", f"{self.name}/{daemon}")

    def kill(self, daemon):
        """End a daemon as a fault does: kill -9."""
        tool("kill", f"{self.name}/{daemon}")

    @contextlib.contextmanager
    def down(self, daemon):
        """The engine without one of its daemons, which is started again in the end."""
        self.stop(daemon)
        try:
            yield self
        finally:
            self.start(daemon)


class RunningSlurm(Running):
    """A Slurm cluster of two nodes, with the partitions `main` and, which preempts it, `urgent`."""

    nodes = ("n1", "n2")

    @contextlib.contextmanager
    def node_down(self, node):
        """The cluster with a node lost: jobs there end, or are requeued; in the end the node is resumed."""
        self.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        try:
            yield self
        finally:
            until(lambda: self.is_resumed(node))

    def is_resumed(self, node):
        """Whether a node is idle; one that is down is resumed, unless its own daemon has said that it is there."""
        if self.node_state(node).startswith("down"):
            with contextlib.suppress(AssertionError):
                self.run("scontrol", "update", f"nodename={node}", "state=resume")
        return self.node_state(node) == "idle"

    def node_state(self, node):
        """The state of a node, as `idle` or `down`."""
        return self.run("sinfo", "--noheader", f"--nodes={node}", "--format=%T").split()[0]


def running(name, kind=Running):
    """An engine, started if it does not run."""
    tool("start", name)
    told = json.loads(tool("tell", name))[name]
    return kind(name, told["env"], Path(told["folder"]), told)


@pytest.fixture(scope="session")
def slurm():
    """Slurm without accounting: no `sacct`."""
    return running("slurm", RunningSlurm)


@pytest.fixture(scope="session")
def slurmdbd():
    """A second Slurm cluster, with accounting."""
    return running("slurmdbd", RunningSlurm)


@pytest.fixture(scope="session")
def docker():
    """Docker; `told["image"]` is an image with this machine's Python."""
    return running("docker")


@pytest.fixture(scope="session")
def kubernetes():
    """A Kubernetes server with one node; `told` has its `url`, its `token`, and the `image` to run."""
    return running("kubernetes")


@pytest.fixture(scope="session")
def ray():
    """A Ray cluster that is open to whoever reaches it; `told["url"]` is its dashboard's."""
    return running("ray")


@pytest.fixture(scope="session")
def ray_with_token():
    """A Ray cluster that wants a token."""
    return running("ray-with-token")
