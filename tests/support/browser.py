"""A real browser for the tests, where there is one: pages loaded, measured, and what they complain of kept.

It is spoken to over two pipes, a JSON message each way ended by a zero byte (Chromium's remote debugging), so
that no port is opened and nothing is installed for it.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
# Virtual key codes, and the text a key types.
KEYS = {
    "ArrowLeft": (37, ""), "ArrowUp": (38, ""), "ArrowRight": (39, ""), "ArrowDown": (40, ""),
    "Home": (36, ""), "End": (35, ""), "Enter": (13, "\r"), "Escape": (27, ""), " ": (32, " "),
    "p": (80, "p"),
}  # fmt: skip
PATIENCE = 60.0  # seconds for a page to draw itself


def installed() -> str | None:
    """The browser's path, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass
class Seen:
    """What a page did while it was loaded."""

    complaints: list[str] = field(default_factory=list)  # console messages and exceptions
    requests: list[str] = field(default_factory=list)  # of anything but the page itself


class Browser:
    """One browser with one tab."""

    def __init__(self, path: str, profile: Path) -> None:
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        # Chromium reads from descriptor 3 and writes to 4, whatever numbers the pipes have here.
        wired = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        arguments = ["bash", "-c", wired, path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            arguments, pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._number, self._session = b"", 0, ""
        self.seen = Seen()
        page = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._in)

    def ask(self, method: str, **parameters: Any) -> Any:
        """One command and its answer; what happens in the meantime is noted."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def show(self, page: Path, width: int, *, dark: bool) -> None:
        """Load the page on a screen this wide, in these colours, and wait until its figures are drawn."""
        self.seen = Seen()
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.ask("Page.navigate", url=page.as_uri())
        ready = f"location.href === {json.dumps(page.as_uri())} && document.documentElement?.dataset.drawn"
        late = time.monotonic() + PATIENCE
        while self.evaluate(ready) in (None, False):
            assert time.monotonic() < late, f"{page} was not drawn in {PATIENCE} s"
            time.sleep(0.05)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        found = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """One key of the keyboard, pressed and let go, wherever the focus is."""
        code, text = KEYS[key]
        pressed = {"key": key, "code": key if len(key) > 1 else "Space", "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **pressed, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **pressed)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """The mouse, pressed at one place and let go at another."""
        for kind, (x, y), buttons in (
            ("mouseMoved", start, 0),
            ("mousePressed", start, 1),
            ("mouseMoved", end, 1),
            ("mouseReleased", end, 0),
        ):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=buttons,
                     clickCount=1)  # fmt: skip

    def _next(self) -> Any:
        while b"\0" not in self._buffer:
            read = os.read(self._in, 1 << 16)
            assert read, "the browser is gone"
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: Any) -> None:
        method, parameters = event.get("method"), event.get("params", {})
        if method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.seen.complaints.append(json.dumps(parameters)[:500])
        if method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if parameters["type"] != "Document" and not url.startswith(("data:", "blob:")):
                self.seen.requests.append(url)


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """A browser for as long as it is needed. Raises AssertionError where there is none."""
    path = installed()
    assert path is not None
    with Browser(path, profile) as opened:
        yield opened
