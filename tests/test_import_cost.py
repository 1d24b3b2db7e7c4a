"""`from callsheet import lazy, load` stays quick: what is slow to import, and not needed to describe a call, is not."""

import pathlib
import subprocess
import sys

import pytest

import callsheet

SLOW = [
    "ast",
    "asyncio",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "enum",
    "functools",
    "hashlib",
    "importlib.metadata",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "pickle",
    "pkgutil",
    "re",
    "shutil",
    "subprocess",
    "tempfile",
    "threading",
    "tomllib",
    "traceback",
    "typing",
    "unittest",
    "click",
    "typeguard",
    "yaml",
]


def imported_by(statement: str) -> set[str]:
    """The modules that a statement loads into an interpreter that has loaded nothing, `site` left out."""
    source = pathlib.Path(callsheet.__file__).parent.parent
    program = f"import sys; sys.path.insert(0, {str(source)!r})\n{statement}\nprint(*sys.modules)"
    child = [sys.executable, "-I", "-S", "-c", program]
    return set(subprocess.run(child, check=True, capture_output=True, text=True).stdout.split())


def test_the_face_loads_nothing_slow():
    assert sorted(imported_by("from callsheet import lazy, load").intersection(SLOW)) == []


def test_importing_callsheet_alone_loads_none_of_its_modules():
    assert {name for name in imported_by("import callsheet") if name.startswith("callsheet")} == {"callsheet"}


@pytest.mark.parametrize("hint", ["list[int]", "int | None", "dict[str, tuple[int, ...]]", "Exception"])
def test_an_annotation_of_builtins_is_read_without_what_is_slow(hint):
    loaded = imported_by(f"from callsheet._hint import form_of\nassert form_of({hint}).kind not in ('any', 'other')")
    assert sorted(loaded.intersection(SLOW)) == []


def test_the_list_names_modules_as_they_are_loaded():
    assert "dataclasses" in imported_by("import dataclasses")
