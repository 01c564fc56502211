"""A real server on the tiny index, and a real browser before it."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Streamlit does not know whether a page's name is part of the server's base path, and asks for
# both. Chromium writes each 404 to the console; no page can prevent it.
OWN_PROBE = re.compile(
    r"/(vocabulary|why|inspect|surf|evaluation|models|lessons)/_stcore/(health|host-config)"
)
TIMEOUT = 60_000.0  # milliseconds; waits end as soon as what they wait for is there


@dataclass(frozen=True)
class Server:
    """A running app.

    Attributes
    ----------
    url : str
        Its address, without a slash at the end.
    log : Path
        What it has written.
    """

    url: str
    log: Path


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@contextlib.contextmanager
def serving(artifacts: Path, log: Path, base_path: str = "") -> Iterator[Server]:
    """Run the app on a free port; whatever it logs must hold no traceback."""
    port = _free_port()
    url = f"http://localhost:{port}/{base_path}".rstrip("/")
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = [f"--server.port={port}", "--server.headless=true"]
    options += [f"--server.baseUrlPath={base_path}"] if base_path else []
    environment = os.environ | {"VISWORD_ARTIFACTS": str(artifacts)}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(url, process, log)
        yield Server(url, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)
    written = log.read_text(errors="replace")
    assert "Traceback" not in written, written


@pytest.fixture(scope="session")
def artifacts(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the artifacts folder with the tiny index, for servers alone."""
    place = tmp_path_factory.mktemp("served") / "artifacts"
    shutil.copytree(built, place)
    return place


@pytest.fixture(scope="package")
def server(artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One app for all tests that do not ask for a fresh one."""
    with serving(artifacts, tmp_path_factory.mktemp("server") / "log.txt") as running:
        yield running


@pytest.fixture
def fresh_server(artifacts: Path, tmp_path: Path) -> Iterator[Server]:
    """An app that nobody has visited yet."""
    with serving(artifacts, tmp_path / "log.txt") as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. Without one these tests are left out, except where they must run."""
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if path is None:
        told = f"none of {', '.join(CHROMIUM)} is installed"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


class Visitor:
    """One person with a browser of their own, whose console is watched."""

    def __init__(self, browser: Browser, server: Server, **options: Any) -> None:
        self.server = server
        self.context = browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "accept_downloads": True} | options
        )
        self.context.set_default_timeout(TIMEOUT)
        self.errors: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def _console(self, message: ConsoleMessage) -> None:
        address = message.location.get("url", "").removeprefix(self.server.url)
        if message.type == "error" and not OWN_PROBE.fullmatch(address):
            self.errors.append(f"{message.text} at {address}")

    def open(self, address: str) -> Page:
        """Open a page of the app, and wait until it stands."""
        self.page.goto(self.server.url + address)
        return self.settled()

    def settled(self) -> Page:
        """Wait until the page's script has run and what it shows is there."""
        self.page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
        expect(self.page.locator("[data-stale=true]")).to_have_count(0)
        # The app's own components fill themselves once their script is there.
        expect(self.page.locator("ul.gallery:not([aria-label])")).to_have_count(0)
        expect(self.page.locator("[data-do=fit]:empty")).to_have_count(0)
        return self.page


@pytest.fixture
def visitors(browser: Browser, server: Server) -> Iterator[Callable[..., Visitor]]:
    """Make visitors; at the end their consoles must be clean."""
    made: list[Visitor] = []

    def visitor(on: Server = server, **options: Any) -> Visitor:
        made.append(Visitor(browser, on, **options))
        return made[-1]

    yield visitor
    for one in made:
        one.context.close()
    assert [error for one in made for error in one.errors] == []


@pytest.fixture
def visitor(visitors: Callable[..., Visitor]) -> Visitor:
    """One visitor at a desk."""
    return visitors()
