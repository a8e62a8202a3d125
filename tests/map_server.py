"""`landbridge serve` as a user starts it, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class Server:
    """`landbridge serve` as a user starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self) -> None:
        words = [sys.executable, "-m", "landbridge", "serve", str(self.folder), "--port", "0"]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, text=True, cwd=self.folder.parent, env=dict(os.environ)
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"the server said {line!r}"
        self.address = found.group()

    def kill(self) -> None:
        """As if the power went."""
        assert self.process is not None
        self.process.kill()
        self._ended()

    def _ended(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.wait()
        self.process.stdout.close()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self._ended()


def ask(server: Server, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    """Ask for something; return the status and what came."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        server.address + path, data=data, method=method, headers={"content-type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text and "json" in answer.headers["content-type"] else text
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
