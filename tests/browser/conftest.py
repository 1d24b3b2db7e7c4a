"""A real Chromium, and a page of a report in it."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from callsheet import runs
from callsheet.report._page import write_report

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def chromium():
    """Where the browser is; the tests fail, and are not skipped, where there is none."""
    named = os.environ.get("CALLSHEET_CHROMIUM")
    found = [named] if named else [*filter(None, map(shutil.which, NAMES)), *filter(os.path.exists, PLACES)]
    assert found, "no Chromium: make browser installs it, or name one in CALLSHEET_CHROMIUM"
    return found[0]


@pytest.fixture(scope="session")
def browser():
    """A headless browser for all tests."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A function that writes the runs of a folder as a page and opens it; at the end nothing may have gone wrong."""
    contexts, wrong = [], []

    def open_page(folder, *, width=1280, scheme="light", words=None, **more):
        path = tmp_path / "report.html"
        found = runs(folder)
        write_report(found.filter(words) if words else found, path, **more)
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request", lambda request: None if request.url == path.as_uri() else wrong.append(f"request: {request.url}")
        )
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
