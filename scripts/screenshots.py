"""Draw the README's pictures: a run of the sample and a comparison, in headless Chromium.

`./scripts/screenshots` writes them to scripts/pictures; the prices are synthetic, and the pictures say so.
"""

import tempfile
from pathlib import Path

from support.chromium import Browser, find_chromium

from plimsoll import backtest, compare

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "scripts" / "pictures"
DRAW_ALL = "Promise.all(Object.keys(plimsoll.payload.figures).map((key) => plimsoll.draw(key))).then(() => true)"


def main() -> None:
    """Run, compare, photograph."""
    binary = find_chromium()
    if binary is None:
        raise SystemExit("screenshots: no Chromium is installed")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run = backtest(ROOT / "config" / "demo.toml", out=folder / "run", trials="off")
        other = backtest("sixty_forty", start=run.returns.index[0].date(), benchmark="SPY", trials="off")
        compare(run, other, out=folder / "compare.html")
        with Browser(binary) as browser:
            for name, page in (("run", folder / "run" / "report.html"), ("compare", folder / "compare.html")):
                with browser.tab(page, width=1100, height=1000) as tab:
                    tab.run(DRAW_ALL)
                    picture = tab.picture()
                (PICTURES / f"{name}.png").write_bytes(picture)
                print(f"{PICTURES / name}.png: {len(picture):,} bytes")


if __name__ == "__main__":
    main()
