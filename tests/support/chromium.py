"""The machine's own Chromium, driven by Playwright: no browser is downloaded, nothing goes over the network."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S: Final = 60.0
PHONE: Final = 600  # a window narrower than this is a phone's
_FLAGS: Final = ("--disable-gpu", "--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb")


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, None if there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One process; `tab` opens pages in it one after the other."""

    def __init__(self, binary: str) -> None:
        """Start it."""
        self._driver = sync_playwright().start()
        self._browser = self._driver.chromium.launch(
            executable_path=binary, headless=True, args=list(_FLAGS), chromium_sandbox=False
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        self._browser.close()
        self._driver.stop()

    @contextmanager
    def tab(self, file: Path, *, width: int = 1200, height: int = 900) -> Iterator["Tab"]:
        """Open a file in a tab of this size, in a profile of its own that the next one knows nothing of."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, is_mobile=width < PHONE, device_scale_factor=1
        )
        context.set_default_timeout(1000.0 * PATIENCE_S)
        try:
            tab = Tab(context.new_page())
            tab.open(file)
            yield tab
        finally:
            context.close()


class Tab:
    """A page that is open. `complaints` : what it logged as an error or threw. `requests` : addresses it asked for."""

    def __init__(self, page: Page) -> None:
        """Listen to a page."""
        self.page = page
        self.complaints: list[str] = []
        self._asked: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked.append(request.url))

    def open(self, file: Path) -> None:
        """Load a file and wait until it stands."""
        self.page.goto(file.as_uri(), wait_until="load")

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited."""
        return self.page.evaluate(script)

    def until(self, script: str) -> None:
        """Wait until an expression is true; not by Playwright, whose waiting needs what the page's policy forbids."""
        last = time.monotonic() + PATIENCE_S
        while not self.run(script):
            if time.monotonic() > last:
                raise RuntimeError(f"never true: {script}")
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press and release a key."""
        self.page.keyboard.press(key)

    def picture(self, *, whole: bool = False) -> bytes:
        """Return a PNG of the window, or of the whole page."""
        return self.page.screenshot(full_page=whole)

    def pdf(self) -> bytes:
        """Return the page as it prints."""
        return self.page.pdf(print_background=True, prefer_css_page_size=True)

    @property
    def requests(self) -> list[str]:
        """Every address the page asked for, but those that never leave it (data:, blob:)."""
        return [url for url in self._asked if not url.startswith(("data:", "blob:", "about:"))]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self.complaints.append(message.text)
