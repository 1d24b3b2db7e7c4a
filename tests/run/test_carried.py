"""The library itself lies among the runs, ready for interpreters that have none of it (promise 23)."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import callsheet.run.worker
from callsheet.run._code import carry_library, library_name


def test_a_carried_library_is_the_one_that_workers_import_and_is_not_compiled_anew(tmp_path):
    own = Path(importlib.util.cache_from_source(callsheet.run.worker.__file__))
    carry_library(tmp_path)
    folder = tmp_path / ".code" / library_name()
    code = "import sys, callsheet.run.worker as worker; print(worker.__file__, worker.__spec__.cached)"
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-v", "-c", code]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    file, cached = said.stdout.split()
    assert file == str(folder / "callsheet/run/worker.py")
    assert Path(cached).read_bytes() == own.read_bytes()
    assert f"{cached} matches {file}" in said.stderr


def test_it_is_carried_once(tmp_path):
    carry_library(tmp_path)
    worker = tmp_path / ".code" / library_name() / "callsheet/run/worker.py"
    worker.unlink()
    carry_library(tmp_path)
    assert not worker.exists()
    assert [path.name for path in (tmp_path / ".code").iterdir()] == [library_name()]
