"""Pages in a real browser: drawn without a complaint or a request, switches, folds, phone, paper, hostile names."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.chromium import Browser, find_chromium

from plimsoll import Result, compare
from plimsoll.engine.report.result import record_of
from plimsoll.engine.report.tearsheet.page import tearsheet_html

Make = Callable[..., Result]
BINARY = find_chromium()
LIMIT = 2_500_000
HOSTILE = "<img src=x onerror=alert(1)>"
DRAW_ALL = "Promise.all(Object.keys(plimsoll.payload.figures).map((key) => plimsoll.draw(key))).then(() => true)"
DRAWN = "document.querySelectorAll('.plot .main-svg').length > 0"
# Wider than the window, with nothing around it that scrolls: what a reader of a phone cannot get at.
CLIPPED = """[...document.querySelectorAll('table, .plot, h1, h2, h3, dd')].filter((one) => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let box = one.parentElement; box; box = box.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX)) return false;
  return true;
}).map((one) => one.tagName + ' ' + one.textContent.slice(0, 40))"""

# A box that has to be moved sideways to be read, and a line that ends in an ellipsis.
SIDEWAYS = """[...document.querySelectorAll('.scroll, .tile span, .tile strong')].filter(
  (one) => one.scrollWidth > one.clientWidth + 1
).map((one) => one.textContent.trim().slice(0, 40) + ' ' + one.scrollWidth + ' of ' + one.clientWidth)"""

# A value of a list on a phone that the head of its column does not stand before.
HEADLESS = """[...document.querySelectorAll('.cells td[data-head]')].filter((one) => {
  const said = getComputedStyle(one, '::before').content, place = [...one.parentElement.children].indexOf(one);
  const head = one.closest('table').querySelectorAll('thead th')[place].textContent;
  return one.dataset.head !== head || said !== JSON.stringify(head);
}).map((one) => one.textContent)"""

# Texts whose colour differs from what is behind them by less than WCAG 2.1 (1.4.3) asks of small text, 4.5 to 1.
PALE = """(() => {
  const read = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (one) => {
    for (let box = one; box; box = box.parentElement) {
      const colour = getComputedStyle(box).backgroundColor;
      if (colour.startsWith('rgb') && read(colour)[3] !== 0) return read(colour);
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('h1, h2, h3, p, a, dt, dd, li, th, td, caption, span, strong, button')]
    .filter((one) => one.textContent.trim() && one.offsetParent && !one.closest('svg, .heat, .plot'))
    .map((one) => {
      const [a, b] = [light(read(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), one.tagName + '.' + one.className + ' ' + one.textContent.trim().slice(0, 30)];
    }).filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(2) + ' ' + what);
})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if BINARY is None:
        pytest.skip("no Chromium is installed")
    with Browser(BINARY) as running:
        yield running


@pytest.fixture(scope="module")
def pages(make_result: Make, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run's page, a comparison, and a page whose every name is hostile."""
    folder = tmp_path_factory.mktemp("pages")
    one, two = make_result(sessions=400, seed=1, name="a"), make_result(sessions=400, seed=2, name="b")
    hostile = replace(
        record_of(one), name=HOSTILE, weights=one.weights.rename(columns={"SPY": HOSTILE}),
        fills=one.fills.replace({"symbol": {"SPY": HOSTILE}}),
    )  # fmt: skip
    found = {"run": folder / "run.html", "hostile": folder / "hostile.html", "compare": folder / "compare.html"}
    found["run"].write_text(tearsheet_html(record_of(one), one.metrics))
    found["hostile"].write_text(tearsheet_html(hostile, one.metrics))
    compare(one, two, out=found["compare"])
    return found


@pytest.mark.parametrize("which", ["run", "compare", "hostile"])
def test_a_page_draws_all_it_has_and_asks_nobody(browser: Browser, pages: dict[str, Path], which: str) -> None:
    with browser.tab(pages[which]) as tab:
        tab.until(DRAWN)
        assert tab.run(DRAW_ALL)
        undrawn = "Object.keys(plimsoll.payload.figures).filter((k) => !document.querySelector('#' + k + ' .main-svg'))"
        assert tab.run(undrawn) == []
        assert tab.run("Object.keys(plimsoll.payload.figures).length") >= 5
        assert tab.complaints == []
        assert tab.requests == [pages[which].as_uri()]
        assert tab.run("document.querySelectorAll('img, iframe, object, link[href^=http]').length") == 0
        if which == "hostile":
            assert HOSTILE in tab.run("document.body.textContent")


def test_switches_change_what_they_say(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.tab(pages["run"]) as tab:
        tab.until(DRAWN)
        key = tab.run("document.querySelector('[data-log]').dataset.log")
        kind = f"document.getElementById('{key}').layout.yaxis.type"
        tab.until(f"{kind} === 'log'")  # equity begins on equal ratios
        tab.run("document.querySelector('[data-log]').click()")
        tab.until(f"{kind} !== 'log'")
        assert tab.run("document.querySelector('[data-log]').getAttribute('aria-pressed')") == "false"
        theme, dark = (
            tab.run("document.documentElement.dataset.theme"),
            "getComputedStyle(document.body).backgroundColor",
        )
        light = tab.run(dark)
        tab.run("document.getElementById('theme').click()")
        assert {theme, tab.run("document.documentElement.dataset.theme")} == {"light", "dark"}
        assert tab.run(dark) != light
        folds = "[...document.querySelectorAll('details')].map((one) => one.open)"
        if tab.run("document.querySelectorAll('[data-unfold]').length"):
            tab.run("document.querySelector('[data-unfold]').click()")
            assert any(tab.run(folds))
            tab.run("document.querySelector('[data-unfold]').click()")
        assert tab.complaints == []


@pytest.mark.parametrize("which", ["run", "compare"])
def test_words_stand_out_from_what_is_behind_them_by_day_and_by_night(
    browser: Browser, pages: dict[str, Path], which: str
) -> None:
    with browser.tab(pages[which]) as tab:
        assert tab.run("document.querySelectorAll('td, p, dt').length") > 50
        first = tab.run("document.documentElement.dataset.theme")
        assert tab.run(PALE) == []
        tab.run("document.getElementById('theme').click()")
        assert tab.run("document.documentElement.dataset.theme") != first
        assert tab.run(PALE) == []


def test_the_keyboard_reaches_the_switches(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.tab(pages["run"]) as tab:
        tab.until(DRAWN)
        before = tab.run("document.documentElement.dataset.theme")
        for _ in range(40):
            tab.press("Tab")
            if tab.run("document.activeElement.id") == "theme":
                break
        tab.press("Enter")
        assert tab.run("document.documentElement.dataset.theme") != before


@pytest.mark.parametrize("which", ["run", "compare"])
def test_a_phone_shows_all_of_it(browser: Browser, pages: dict[str, Path], which: str) -> None:
    with browser.tab(pages[which], width=390, height=844) as tab:
        assert tab.run(DRAW_ALL)  # the first figure lies below the window
        assert tab.run("document.documentElement.scrollWidth") <= 390
        assert tab.run(CLIPPED) == []
        assert tab.run(SIDEWAYS) == []
        assert tab.run("document.querySelectorAll('.cells td[data-head]').length") > 20
        assert tab.run(HEADLESS) == []


def test_a_desktop_shows_all_tables_whole(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.tab(pages["run"], width=1280, height=900) as tab:
        assert tab.run(SIDEWAYS) == []


def test_it_prints(browser: Browser, pages: dict[str, Path]) -> None:
    with browser.tab(pages["run"]) as tab:
        tab.until(DRAWN)
        printed = tab.pdf()
        assert printed.startswith(b"%PDF")
        assert 2 <= printed.count(b"/Type /Page\n") + printed.count(b"/Type/Page") <= 40
        assert tab.complaints == []


@pytest.mark.parametrize(("sessions", "n"), [(5040, 30), (300, 500)])
def test_long_and_broad_runs_keep_within_the_size_of_a_page(make_result: Make, sessions: int, n: int) -> None:
    result = make_result(sessions=sessions, n=n)
    assert len(tearsheet_html(record_of(result), result.metrics).encode()) < LIMIT
