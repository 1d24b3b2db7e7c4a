"""Containers of a real Docker daemon do what all executors can, and end as what befalls them says."""

import pytest

from callsheet.run.docker import Docker
from callsheet.testing import EngineSuite


@pytest.fixture(autouse=True)
def daemon(docker, monkeypatch):
    """The daemon, which the environment names; in the end it has no container of a test."""
    for name, value in docker.env.items():
        monkeypatch.setenv(name, value)
    yield docker
    left = docker.run("docker", "ps", "--all", "--quiet", "--filter=label=callsheet.plan").split()
    if left:
        docker.run("docker", "rm", "--force", *left)


class TestDocker(EngineSuite):
    @pytest.fixture(autouse=True)
    def _daemon(self, daemon):
        self.daemon = daemon

    def make(self, **fields):
        return Docker(self.daemon.told["image"], network="none", **fields)

    def kill(self, run):
        name = f"callsheet-{run.record['plan']}-{run.record['index']}-"
        found = self.daemon.run("docker", "ps", "--quiet", "--no-trunc", f"--filter=name={name}").split()
        self.daemon.run("docker", "kill", *found)

    def away(self):
        return self.daemon.down("dockerd")
