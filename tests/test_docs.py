"""README and docs tell the truth: every block is played, every output compared."""

import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import docs  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_block_of_a_page_does_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    _, differences = docs.play(page, tmp_path)
    assert not differences, "\n\n".join(differences)


def test_the_main_job_of_the_readme_learns_to_read_digits(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    commands = [
        c.text
        for b in docs.blocks((ROOT / "README.md").read_text())
        if b.language == "console"
        for c in docs.commands(b.text)
    ]
    run = next(command for command in commands if command.startswith("callsheet run conf.py"))
    docs.at_terminal("callsheet init digits", tmp_path)
    screen = docs.at_terminal(run, tmp_path)
    assert float(screen.split("accuracy ")[1].split()[0]) >= 0.95


def links(page):
    """The files that a page links to, and the pictures that it shows."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    return {(page.parent / link).resolve() for link in found if "://" not in link}


def test_the_readme_lists_every_page():
    listed = {path for path in links(ROOT / "README.md") if path.suffix == ".md"}
    assert listed >= {path.resolve() for path in PAGES[1:]}


@pytest.mark.parametrize(
    "page",
    [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_link_leads_to_a_file(page):
    assert [path for path in links(page) if not path.exists()] == []


def test_a_page_whose_output_is_not_true_is_found_out(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo one\ntwo\n```\n")
    text, differences = docs.play(page, tmp_path)
    assert "the document says\n    two\n  it printed\n    one" in differences[0]
    assert text == "```console\n$ echo one\none\n```\n"
