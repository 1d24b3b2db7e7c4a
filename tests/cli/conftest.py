"""The project in which these tests run the command."""

import pytest

from command import Project


@pytest.fixture
def cmd(tmp_path):
    """A project; calling it runs the command there."""
    return Project(tmp_path)
