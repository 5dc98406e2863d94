"""What every page has: the frame, the style, the drawing library; the page loads nothing from anywhere.

The library is Plotly's own partial bundle of lines and bars, kept beside this file with its licence: a quarter of the
whole. A page with other kinds of traces takes the whole one from the installed package. Either is packed in the page.
"""

import base64
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plimsoll.engine.kept import keep, recall
from plimsoll.engine.report.page.palette import DARK, LIGHT

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER: Final = Path(__file__).parents[1]  # templates, styles and scripts are named from the report package
STYLES: Final = ("page/page.css",)
SCRIPTS: Final = ("page/page.js",)
KEPT: Final = "page/plotly-basic.min.js"
# Of gzip: a page grows by a few per cent, and 6 takes more than twice as long; the library is packed once.
LEVEL: Final = 4
LEVEL_KEPT: Final = 6
GZIP: Final = 16  # added to zlib's window: with gzip's header, which then has no time in it
STEP: Final = 1 << 16
# Nothing may be fetched, whatever a page holds; the whole library compiles shaders' glue at run time.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src 'unsafe-inline'"


def render_page(
    template: str,
    context: Mapping[str, Any],
    payload: Mapping[str, Any],
    *,
    styles: Sequence[str] = STYLES,
    scripts: Sequence[str] = SCRIPTS,
    whole_library: bool = False,
) -> str:
    """Return a finished page.

    template : a template that extends `page/page.html.j2`, named from the report package.
    context : what the template shows; always `heading` and `banners` [(text, "red" | "yellow")]. Escaped on insertion.
    payload : what the scripts draw; types JSON knows, no NaN.
    styles, scripts : names of files from the report package, put into the page in this order.
    whole_library : for traces that are neither lines, points nor bars.
    """
    from markupsafe import Markup

    page: str = (
        _environment()
        .get_template(template)
        .render(
            **context,
            light=LIGHT,
            dark=DARK,
            css=Markup("\n".join(_read(name) for name in styles)),
            script=Markup("\n".join(_read(name) for name in scripts)),
            library=Markup(plotly_packed(whole=whole_library)),
            policy=POLICY + (" 'unsafe-eval'" if whole_library else ""),
            payload=Markup(script_safe(json.dumps(payload, separators=(",", ":"), allow_nan=False))),
        )
    )
    return page


def script_safe(text: str) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@lru_cache(maxsize=2)
def plotly_packed(*, whole: bool = False) -> str:
    """Return the drawing library as `packed`: the bundle beside this file, or the installed plotly package's whole one.

    It is packed once and kept, by its content.
    """
    if whole:
        spec = find_spec("plotly")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError("plotly is not installed; this page needs it")
        content = (Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes()
    else:
        content = (FOLDER / KEPT).read_bytes()
    name, key = f"library-{whole}", f"{hashlib.sha256(content).hexdigest()} {zlib.ZLIB_RUNTIME_VERSION}"
    found = recall(name, key)
    if found is None:
        found = packed(content, LEVEL_KEPT).encode()
        keep(name, key, found)
    return found.decode()


def packed(content: bytes, level: int = LEVEL) -> str:
    """Return bytes as base64 of gzip, the same for the same bytes: what `page.js` unpacks."""
    return base64.b64encode(gzip.compress(content, level, mtime=0)).decode("ascii")


def packed_within(content: bytes, room: int) -> str | None:
    """Return bytes as `packed`, None where that has more than `room` characters; it gives up as soon as it knows."""
    most = room // 4 * 3  # base64 makes four characters of three bytes
    work = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | GZIP)
    done = bytearray()
    for begin in range(0, len(content), STEP):
        done += work.compress(content[begin : begin + STEP])
        if len(done) > most:
            return None
    done += work.flush()
    return base64.b64encode(done).decode("ascii") if len(done) <= most else None


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from plimsoll.engine.report.page.compiled_template import KeptTemplates

    options: dict[str, Any] = {"autoescape": True, "undefined": StrictUndefined}
    options |= {"trim_blocks": True, "lstrip_blocks": True}
    return Environment(loader=FileSystemLoader(FOLDER), bytecode_cache=KeptTemplates(repr(options)), **options)
