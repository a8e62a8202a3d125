"""What all tests share: the browser, the folder of shared inputs, and the rule that CI leaves nothing out."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tools import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

ROOT = Path(__file__).resolve().parents[1]
CI = os.environ.get("CI", "").lower() == "true"

CHROMIUM_FLAGS = [
    "--disable-gpu",  # pages are drawn on the CPU ...
    "--enable-unsafe-swiftshader",  # ... and WebGL stays on, in software
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OWN_SCHEMES = {"about", "blob", "data", "file"}
OWN_HOSTS = {"127.0.0.1", "localhost", "::1"}


# ------------------------------------------------------------------------------ under CI, left out means failed


def left_out(report: Any) -> Any:
    """Turn a skip into a failure; a test that is expected to fail did run, and stays as it is."""
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"left out, which CI does not allow: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return left_out((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return left_out((yield))


# ------------------------------------------------------------------------------------------------ shared inputs


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared inputs, as LANDBRIDGE_SHARED names it."""
    named = os.environ.get("LANDBRIDGE_SHARED")
    if not named:
        pytest.skip("left out: LANDBRIDGE_SHARED names no folder of shared inputs")
    folder = Path(named).resolve()
    if not folder.is_dir():
        pytest.fail(f"LANDBRIDGE_SHARED={named} is no folder")
    return folder


# -------------------------------------------------------------------------------------------------- the browser


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Drive a Chromium that is on this machine; Playwright's own download is never asked for."""
    executable = browser.find(ROOT / ".venv" / "browser")
    if executable is None:
        pytest.skip(f"left out: no Chromium; `python3 run.py test` gets one, or name yours in {browser.VARIABLE}")
    return {
        **browser_type_launch_args,
        "executable_path": str(executable),
        "args": CHROMIUM_FLAGS,
        "chromium_sandbox": os.name == "nt" or os.geteuid() != 0,  # Chromium's sandbox refuses to run as root
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Make screenshots the same everywhere: one size, one language, nothing that moves."""
    same = {
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
    }
    return {**browser_context_args, **same}


def is_outside(url: str) -> bool:
    """Whether an address leads off this machine."""
    parts = urlsplit(url)
    return parts.scheme not in OWN_SCHEMES and parts.hostname not in OWN_HOSTS


def watch(page: Page) -> list[str]:
    """Keep a page from leaving this machine; the list grows with each attempt and with each error in the page."""
    faults: list[str] = []

    def gate(route: Route, request: Request) -> None:
        route.abort() if is_outside(request.url) else route.continue_()

    page.context.route("**/*", gate)
    page.on("request", lambda r: faults.append(f"request to outside: {r.url}") if is_outside(r.url) else None)
    page.on("websocket", lambda s: faults.append(f"socket to outside: {s.url}") if is_outside(s.url) else None)
    page.on("pageerror", lambda error: faults.append(f"error in the page: {error}"))
    page.on("console", lambda m: faults.append(f"error in the console: {m.text}") if m.type == "error" else None)
    return faults


@pytest.fixture
def offline_page(page: Page) -> Iterator[Page]:
    """A page that fails its test on any error in it and on any request that would leave this machine."""
    faults = watch(page)
    yield page
    assert not faults, "\n".join(dict.fromkeys(faults))
