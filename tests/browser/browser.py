"""A headless Chromium, driven over DevTools: as much of it as a person's eyes and hands need.

Protocol: https://chromedevtools.github.io/devtools-protocol/ (Page, Runtime, Input, Emulation, Target).
"""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTH, HEIGHT = 1400, 1000
PATIENCE = 60.0
_STILL, _LITTLE = 700, 0.003  # so many milliseconds apart, two pictures differ by so little
# What every script may use: elements that can be seen, by selector and the text they hold; the innermost come last.
_EYES = """
const look = (selector, text) => [...document.querySelectorAll(selector)].filter(e =>
    e.checkVisibility({opacityProperty: true, visibilityProperty: true}) && (e.innerText ?? "").includes(text ?? ""));
const whole = () => document.readyState === "complete" && document.fonts.status === "loaded" &&
    document.getAnimations().every(a => a.playState !== "running" || a.effect.getComputedTiming().endTime === Infinity);
"""


def installed() -> str | None:
    """Path of a Chromium or Chrome; None when there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """One tab. Every wait has an end; what is waited for is a condition that the page itself looks at."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire, self._last, self._session = wire, 0, ""
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._call("Page.enable")

    def go(self, url: str) -> None:
        """Open an address; wait for what you want to see there with `until`."""
        failed = self._call("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"

    def look(self, script: str) -> Any:
        """The value of a JavaScript expression; `look(selector, text)` in it gives elements that can be seen."""
        answer = self._call(
            "Runtime.evaluate", expression=f"(async () => {{{_EYES} return {script}}})()",
            awaitPromise=True, returnByValue=True,
        )  # fmt: skip
        assert "exceptionDetails" not in answer, f"{script}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def until(self, script: str, within: float = PATIENCE) -> Any:
        """Wait until an expression holds; its value. The page itself looks at it, ten times a second.

        Raises:
            AssertionError: it did not, in so many seconds; with the text that is on the page instead.
        """
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            waiting = (
                f"await (async () => {{ const end = Date.now() + {1000 * min(left, 5)}; let found;"
                f"while (!(found = (() => ({script}))()) && Date.now() < end)"
                " await new Promise(r => setTimeout(r, 100)); return found; })()"
            )
            with suppress(_Left):
                if found := self.look(waiting):
                    return found
        raise AssertionError(f"not within {within:.0f} s: {script}\nThe page:\n{self.look('document.body.innerText')}")

    def click(self, selector: str, text: str = "") -> None:
        """Press the mouse in the middle of the innermost element that can be seen, once it stands still."""
        found = f"look({json.dumps(selector)}, {json.dumps(text)}).at(-1)"
        self.until(f"{found} && whole()")
        where = self.look(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
            f" return {{x: r.x + r.width / 2, y: r.y + r.height / 2}} }})({found})"
        )
        for event in ("mousePressed", "mouseReleased"):
            self._call("Input.dispatchMouseEvent", type=event, button="left", clickCount=1, **where)

    def fill(self, selector: str, text: str) -> None:
        """Click into a field, and type."""
        self.click(selector)
        self._call("Input.insertText", text=text)

    def choose(self, selector: str, option: str) -> None:
        """Choose an option of a list, as the keyboard does: go there, and type how it begins."""
        found = f"look({json.dumps(selector)}).at(-1)"
        self.until(f"{found} && whole()")
        self.look(f"{found}.focus()")
        for letter in option:
            self._call("Input.dispatchKeyEvent", type="char", text=letter)
        self.until(f"{found}.selectedOptions[0]?.innerText === {json.dumps(option)}", 10)

    def picture(self, file: Path, height: int = HEIGHT, width: int = WIDTH) -> None:
        """Save what is seen as a PNG, once nothing on it moves any more but the line that stands for now.

        Args:
            height, width: pixels of the window; it is put back afterwards. A wider picture is made as narrow as others.
        """
        size = {"height": height, "width": width, "deviceScaleFactor": WIDTH / width}
        self._call("Emulation.setDeviceMetricsOverride", mobile=False, **size)
        picture, last = "", "nothing yet"
        deadline = time.monotonic() + PATIENCE
        while abs(len(picture) - len(last)) > _LITTLE * len(last):
            assert time.monotonic() < deadline, f"{file.name}: the page does not stand still"
            self.until("whole()")
            self.look(f"await new Promise(r => setTimeout(r, {_STILL}))")
            last, picture = picture, self._call("Page.captureScreenshot", format="png")["data"]
        self._call("Emulation.clearDeviceMetricsOverride")
        file.write_bytes(base64.b64decode(picture))

    def _call(self, method: str, **parameters: Any) -> Any:
        """Say one thing to the browser, and hear the answer; what else it tells is not listened to."""
        self._last += 1
        call = {"id": self._last, "method": method, "params": parameters}
        self._wire.send(json.dumps(call | ({"sessionId": self._session} if self._session else {})))
        while (answer := json.loads(self._wire.recv(timeout=PATIENCE))).get("id") != self._last:
            pass
        if "error" in answer and "context" in answer["error"]["message"].lower():
            raise _Left(answer["error"]["message"])
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]


class _Left(AssertionError):
    """The page was left for another one while it was looked at."""


@contextmanager
def browsing(chromium: str, place: Path) -> Iterator[Page]:
    """A browser with nothing in it, at a page that is empty; it ends with the block.

    Args:
        chromium: its path.
        place: an empty directory for what it writes.
    """
    argv = [chromium, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={place}", "--no-first-run",
            "--no-proxy-server", "--disable-background-networking", "--disable-gpu", "--disable-dev-shm-usage",
            "--hide-scrollbars", f"--window-size={WIDTH},{HEIGHT}", "about:blank"]  # fmt: skip
    if os.geteuid() == 0:
        argv.append("--no-sandbox")  # Chromium's sandbox refuses to work for root
    with (place.parent / f"{place.name}.log").open("wb") as log:
        browser = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        with connect(_address(browser, place), max_size=None, proxy=None, compression=None) as wire:
            yield Page(wire)
            with suppress(ConnectionClosed):
                wire.send(json.dumps({"id": 0, "method": "Browser.close"}))
                browser.wait(10)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(browser.pid, signal.SIGKILL)  # its helpers, too
        browser.wait(10)


def _address(browser: subprocess.Popen[bytes], place: Path) -> str:
    """Where it listens: it writes that into a file of its directory."""
    file, deadline = place / "DevToolsActivePort", time.monotonic() + PATIENCE
    while not (file.exists() and file.read_text().count("\n")):
        assert browser.poll() is None, f"Chromium ended with {browser.returncode}: {place}.log"
        assert time.monotonic() < deadline, f"Chromium does not listen: {place}.log"
        time.sleep(0.05)
    port, path = file.read_text().split("\n")[:2]
    return f"ws://127.0.0.1:{port}{path}"
