"""A real Chromium, a page with the widgets and no kernel, and one JupyterLab on loopback for the session."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HTML = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Looks</title><body><main>{body}</main></body></html>'
)
KERNEL_IS_IDLE = """() => {
  const context = window.jupyterapp?.shell?.currentWidget?.sessionContext;
  return Boolean(context?.isReady) && context.session?.kernel?.status === 'idle';
}"""
QUIET_LAB = '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'


@dataclass
class Lab:
    """A running JupyterLab: where it answers, its token, and the folder it shows."""

    url: str
    token: str
    folder: Path


@dataclass
class Watched:
    """A browser page and everything that went wrong on it: console errors, exceptions, requests that leave."""

    page: Page
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def watch(self) -> Watched:
        """Listen from now on."""
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.on("request", lambda request: self._note(request.url))
        return self

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:", "ws://127.0.0.1:")):
            self.strangers.append(url)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a screen."""
    path = os.environ.get("COURSE_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("No Chromium found. Install it (Debian: apt install chromium) or set COURSE_CHROMIUM to its path.")
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """A new page, 1,040 pixels wide."""
    context = chromium.new_context(viewport={"width": 1040, "height": 900})
    context.set_default_timeout(60_000)
    yield Watched(context.new_page()).watch()
    context.close()


@pytest.fixture
def still_page(watched: Watched, tmp_path: Path):
    """A function that opens widgets as a page from a folder: no kernel, no server."""

    def open_widgets(*widgets) -> Watched:
        path = tmp_path / "looks.html"
        path.write_text(HTML.format(body="".join(widget.page() for widget in widgets)), encoding="utf-8")
        watched.page.goto(path.as_uri())
        watched.page.wait_for_function(f"document.querySelectorAll('.look').length === {len(widgets)}")
        return watched

    return open_widgets


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lab_environment(home: Path, token: str) -> dict[str, str]:
    """Every folder Jupyter writes to is its own, so nothing of the user's is read or changed."""
    config = home / "config"
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "page_config.json").write_text(QUIET_LAB)
    folders = {name: str(home / name.lower()) for name in ("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    return {
        **kept,
        **folders,
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_TOKEN": token,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def wait_until_up(process: subprocess.Popen, port: int, log: Path) -> None:
    """Return when the server accepts connections; fail with its own words when it ends or takes two minutes."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
            break
    pytest.fail(f"JupyterLab did not start on port {port}:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One JupyterLab for all tests, ended by its process id."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")
    port, token = free_port(), secrets.token_hex(16)
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",
        f"--ServerApp.root_dir={folder}",
    ]
    if os.geteuid() == 0:
        command.append("--allow-root")
    log = (home / "lab.log").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=lab_environment(home, token), stdout=log, stderr=log)
    try:
        wait_until_up(process, port, home / "lab.log")
        yield Lab(f"http://127.0.0.1:{port}", token, folder)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


@pytest.fixture
def open_book(lab: Lab, watched: Watched) -> Iterator[Callable[[dict[str, Any]], Watched]]:
    """A function that opens a notebook, given as JSON, and runs all cells; its kernel ends with the test."""

    def open_and_run(book: dict[str, Any]) -> Watched:
        name = secrets.token_hex(4)
        (lab.folder / f"{name}.ipynb").write_text(json.dumps(book), encoding="utf-8")
        watched.page.goto(f"{lab.url}/lab/workspaces/{name}/tree/{name}.ipynb?token={lab.token}")
        watched.page.wait_for_function(KERNEL_IS_IDLE)
        watched.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        return watched

    yield open_and_run
    watched.page.evaluate("() => window.jupyterapp?.shell.currentWidget?.sessionContext?.shutdown()")


@pytest.fixture
def notebook(open_book: Callable[[dict[str, Any]], Watched]) -> Callable[..., Watched]:
    """A function that writes a notebook from code cells, opens it in JupyterLab and runs all cells."""

    def open_notebook(*cells: str) -> Watched:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        return open_book(book)

    return open_notebook
