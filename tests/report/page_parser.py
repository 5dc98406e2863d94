"""A report page taken apart with the standard parser."""

import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "circle", "line", "polyline"}


class Page(HTMLParser):
    """Collects elements, texts and scripts, and checks that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[tuple[dict[str, str], str]] = []
        self.texts: list[str] = []
        self.stack: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {key: value or "" for key, value in attrs}
        self.elements.append((tag, named))
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "script":
            self.scripts.append((named, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.stack[-1:] == [tag], f"</{tag}> closes {self.stack[-1:]}"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if self.stack[-1:] == ["script"]:
            attributes, text = self.scripts[-1]
            self.scripts[-1] = (attributes, text + data)
        elif self.stack[-1:] != ["style"]:
            self.texts.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def payload(self) -> dict[str, Any]:
        text = next(text for attributes, text in self.scripts if attributes.get("id") == "payload")
        return dict(json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} in the figures")))

    @property
    def axes(self) -> dict[str, list[str]]:
        """The shared columns of dates, written out."""
        found = {}
        for name, axis in self.payload["axes"].items():
            days = np.cumsum([0, *axis["gaps"]]) + np.datetime64(axis["first"], "D") if axis else []
            found[name] = [str(day) for day in days]
        return found

    def x_of(self, trace: dict[str, Any]) -> list[str]:
        """The dates of a trace."""
        axis = self.axes[trace["x"]] if isinstance(trace["x"], str) else trace["x"]
        return [axis[k] for k in np.cumsum(trace["at"])] if "at" in trace else axis

    @property
    def text(self) -> str:
        return "\n".join(part for part in self.texts if part)
