"""The browser that the other tests rely on, and the page that tells on what it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tools import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.browser
def test_a_page_on_disk_is_drawn(offline_page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<!doctype html><title>A page</title><svg width=9 height=9><path d='M0 0h9'/></svg>", encoding="utf-8"
    )
    offline_page.goto((tmp_path / "page.html").as_uri())
    assert offline_page.title() == "A page"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<script>throw new Error('broken')</script>", "error in the page: broken"),
        ("<script>console.error('so so')</script>", "error in the console: so so"),
        ("<img src='https://tiles.example/1.png'>", "request to outside: https://tiles.example/1.png"),
    ],
)
def test_a_fault_is_told(body: str, told: str, page: Page, tmp_path: Path) -> None:
    # the fixture is taken apart here, since its own verdict comes only after the test
    from tests.conftest import watch

    faults = watch(page)
    (tmp_path / "page.html").write_text(f"<!doctype html><title>A page</title>{body}", encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri())
    assert told in faults


def test_a_browser_that_was_named_is_never_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(browser.VARIABLE, str(tmp_path / "missing"))
    told: list[str] = []
    assert browser.find() is None
    assert browser.ensure(tmp_path, told.append) is None
    assert "does not start" in told[0]


def test_each_way_is_tried_and_its_failure_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("closed today")

    monkeypatch.delenv(browser.VARIABLE, raising=False)
    monkeypatch.setattr(browser, "candidates", lambda own: iter(()))
    monkeypatch.setattr(browser, "by_apt", fail)
    monkeypatch.setattr(browser, "by_npm", fail)
    told: list[str] = []
    assert browser.ensure(tmp_path, told.append) is None
    assert [line for line in told if "closed today" in line] == [
        "  not from Debian's package: closed today",
        "  not from the npm registry: closed today",
    ]
