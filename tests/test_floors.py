"""The house: no import of Callsheet hides inside a function, and files and functions stay readable."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "callsheet"
FILES = [path for path in sorted(SOURCE.rglob("*.py")) if "examples" not in path.parts]


@pytest.fixture(scope="module")
def trees():
    """The syntax tree of each file, by its path."""
    return {path: ast.parse(path.read_text()) for path in FILES}


def _functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_no_import_of_callsheet_hides_inside_a_function(trees):
    hidden = []
    for path, tree in trees.items():
        for function in _functions(tree):
            for node in ast.walk(function):
                own = isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("callsheet"))
                own = own or (isinstance(node, ast.Import) and any(a.name.startswith("callsheet") for a in node.names))
                if own:
                    hidden.append(f"{path.name}:{node.lineno}")
    assert hidden == []


def test_functions_stay_under_sixty_lines(trees):
    long = [
        f"{path.name}:{function.name}"
        for path, tree in trees.items()
        for function in _functions(tree)
        if function.end_lineno - function.lineno >= 60
    ]
    # Two loops that must call nothing for a leaf, or the call would cost more than the work.
    assert sorted(long) == ["_equal.py:equal", "_tree.py:fold"]


def test_every_file_says_in_one_sentence_what_it_is_for(trees):
    assert [path.name for path, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_architecture_names_every_module_and_every_folder():
    listing = (SOURCE.parent.parent / "ARCHITECTURE.md").read_text().split("```")[1]
    names = {*re.findall(r"\w+", listing)}
    modules = {path.stem for path in FILES} - {"__init__", "__main__"}
    folders = {part for path in FILES for part in path.relative_to(SOURCE).parts[:-1]}
    assert sorted((modules | folders) - names) == []
