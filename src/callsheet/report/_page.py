"""The page: one HTML file that holds its data, its style, its program and the library that draws."""

from __future__ import annotations

import html
import os
import re
from importlib.resources import files
from typing import Any

from callsheet._storage import write_whole
from callsheet.report._gather import Limits, as_json, gather
from callsheet.run._runs import Runs

PROGRAM = ("view.js", "table.js", "charts.js", "details.js", "start.js")
"""The page's own program, in the order in which its files build on each other."""


def write_report(
    found: Runs,
    path: str | os.PathLike[str],
    *,
    title: str = "",
    said: str = "",
    limits: Limits = Limits(),  # noqa: B008
) -> None:
    """Write runs as one page.

    Args:
        found: The runs, in the order of the table.
        path: The file, which is written whole or not at all.
        title: Of the page; the project's folder by default.
        said: The filter that picked the runs, which the page tells.
        limits: What a browser can bear.
    """
    write_whole(os.fspath(path), page(gather(found, title=title, said=said, limits=limits)))


def is_report(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a page that was written before.

    Raises:
        OSError: It cannot be read.
    """
    head = _text("page.html").partition("{{")[0].encode()
    with open(path, "rb") as file:
        return file.read(len(head)) == head


def page(data: dict[str, Any]) -> str:
    """The page of gathered data."""
    parts = {
        "title": html.escape(data["title"]),
        "style": _text("page.css"),
        "data": as_json(data),
        "library": _text("echarts/echarts.min.js"),
        "program": "\n".join(_text(name) for name in PROGRAM),
    }
    # In one pass: what a value says can never be taken for a place of the template.
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], _text("page.html"))


def _text(name: str) -> str:
    return (files("callsheet.report") / name).read_text(encoding="utf-8")
