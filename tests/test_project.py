"""What `[tool.callsheet]` of the project's `pyproject.toml` says, which project that is, and what it costs."""

import os
import pathlib
import subprocess
import sys

import pytest

import callsheet
from callsheet._project import project_settings
from saying import told


def test_the_nearest_pyproject_upward_from_the_working_directory_counts(project):
    outer = project("pyproject.toml", '[tool.callsheet]\nallow = ["outer"]\n')
    assert (project_settings().allow, project_settings().file) == (("outer",), outer)
    os.makedirs("a/b")
    os.chdir("a/b")
    assert project_settings().allow == ("outer",)
    project("a/pyproject.toml", '[project]\nname = "a"\n')
    assert project_settings().allow == ()


def test_a_folder_without_one_says_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = project_settings()
    assert (found.allow, found.migrations, found.resolvers) == ((), {}, {})


def test_every_setting(project):
    project(
        "pyproject.toml",
        """
        [tool.callsheet]
        allow = ["train", "torch.optim:AdamW", "confs/base.py", "file:~/.token"]

        [tool.callsheet.migrations]
        "train:OldNet" = "train:Net"

        [tool.callsheet.resolvers]
        git = "train:git_hash"
        """,
    )
    found = project_settings()
    assert found.allow == ("train", "torch.optim:AdamW", os.path.abspath("confs/base.py"), "file:~/.token")
    assert found.migrations == {"train:OldNet": "train:Net"}
    assert found.resolvers == {"git": "train:git_hash"}


def test_a_file_is_allowed_by_its_place_in_the_project(project):
    project("pyproject.toml", '[tool.callsheet]\nallow = ["confs/base.py"]\n')
    expected = os.path.abspath("confs/base.py")
    os.mkdir("sub")
    os.chdir("sub")
    assert project_settings().allow == (expected,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[tool.callsheet]\nalow = ["train"]\n',
            "tool.callsheet.alow  is no setting of Callsheet             pyproject.toml:2\n"
            "                     did you mean  allow?\n"
            "                     known are  allow, executors, migrations, resolvers",
        ),
        (
            "[tool.callsheet.whatever]\nx = 1\n",
            "tool.callsheet.whatever  is no setting of Callsheet         pyproject.toml:1\n"
            "                         known are  allow, executors, migrations, resolvers",
        ),
        (
            '[tool.callsheet]\n\nallow = "train"\n',
            "tool.callsheet.allow  must be a list of texts, found 'train'\n"
            "                      set by pyproject.toml:3",
        ),
        (
            '[tool.callsheet]\nallow = ["torch.*"]\n',
            "tool.callsheet.allow  'torch.*' is nothing that can be allowed\n"
            "                      set by pyproject.toml:2\n"
            '                      allow=["train", "torch.optim:AdamW"]',
        ),
        (
            "[tool.callsheet]\nmigrations = 1\n",
            "tool.callsheet.migrations  must be a table of texts, found 1\n"
            "                           set by pyproject.toml:2",
        ),
        (
            '[tool.callsheet.resolvers]\ngit = "m:f"\nhost = 1\n',
            "tool.callsheet.resolvers  has 'host' = 1, which is no text  pyproject.toml:3",
        ),
        (
            "tool.callsheet = 3\n",
            "tool.callsheet  must be a table, found 3                    pyproject.toml:1",
        ),
        (
            '[tool.callsheet]\nallow = ["train"\nx = 1\n',
            "pyproject.toml:3  is not valid TOML: Unclosed array",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(project, text, said):
    project("pyproject.toml", text)
    assert told(project_settings) == said


def test_it_is_read_again_when_it_changed(project):
    path = pathlib.Path(project("pyproject.toml", '[tool.callsheet]\nallow = ["one"]\n'))
    first = project_settings()
    assert project_settings() is first
    path.write_text('[tool.callsheet]\nallow = ["other"]\n')
    assert project_settings().allow == ("other",)


def loaded_by(program: str, folder: str) -> set[str]:
    source = pathlib.Path(callsheet.__file__).parent.parent
    lines = f"import sys; sys.path.insert(0, {str(source)!r})\n{program}\nprint(*sys.modules)"
    child = [sys.executable, "-I", "-S", "-c", lines]
    return set(subprocess.run(child, cwd=folder, check=True, capture_output=True, text=True).stdout.split())


def test_a_config_of_python_does_not_read_it(project, tmp_path):
    project("pyproject.toml", "[tool.callsheet]\nthis is broken\n")
    project("conf.py", "from callsheet import lazy\nmain = lazy('train:fit')(a=1)\n")
    assert "tomllib" not in loaded_by("from callsheet import load; load('conf.py')", str(tmp_path))


def test_toml_is_parsed_only_for_data_and_where_the_project_speaks_of_callsheet(project, tmp_path):
    project("x.json", "{}")
    program = "from callsheet import load; load('x.json')"
    project("pyproject.toml", "[project]\nname = 'mine'\n")
    assert "tomllib" not in loaded_by(program, str(tmp_path))
    project("pyproject.toml", "[tool.callsheet]\nallow = []\n")
    assert "tomllib" in loaded_by(program, str(tmp_path))
