"""What tests of files share: a project folder to write configs in, and a clean table of modules afterwards."""

import os
import shutil
import signal
import sys
import tempfile
import textwrap

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("callsheet.testing")

# Nothing that tests leave behind counts for anybody else, or for the next time.
os.environ["CALLSHEET_CACHE"] = CACHE = tempfile.mkdtemp(prefix="callsheet-cache-")

# As many threads as there are cores would wait for each other wherever two processes compute at once.
os.environ["OMP_NUM_THREADS"] = "1"

# The gate tries the same examples each time; `make laws` looks for other ones. No test fails for being slow.
settings.register_profile(
    "callsheet",
    derandomize="CALLSHEET_LAWS" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("callsheet")

# A shell starts what runs in the background deaf to Ctrl-C, and so all that tests start and interrupt would be.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure():
    shutil.rmtree(CACHE, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_module_outlives_its_test(tmp_path_factory):
    """A module that a test has written and imported is not there for the next, which may have one of that name."""
    yield
    base = str(tmp_path_factory.getbasetemp())
    for name, module in [*sys.modules.items()]:
        if base in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]


REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _entries():
    """What lies in the repository's own folder; the caches of tools, whose names start with a dot, do not count."""
    return {name for name in os.listdir(REPOSITORY) if not name.startswith(".")}


@pytest.fixture(autouse=True)
def _nothing_appears_in_the_repository():
    before = _entries()
    yield
    assert sorted(_entries() - before) == [], "a test writes where nobody asked it to"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that writes a file of an own project, which is the working directory and on `sys.path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write(name, text):
        path = tmp_path / name
        stem = name.partition("/")[0].removesuffix(".py")
        if str(tmp_path) not in (getattr(sys.modules.get(stem), "__file__", None) or ""):
            monkeypatch.delitem(sys.modules, stem, raising=False)  # of the same name, from elsewhere
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return str(path)

    yield write
    for name in set(sys.modules) - before:
        if str(tmp_path) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]
