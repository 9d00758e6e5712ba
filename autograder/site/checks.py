"""Does every link of a built site lead somewhere, and does nothing come from another host?

What enters: a folder of HTML. What leaves: one sentence per page and problem; none when all is well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from autograder.site import messages

_LOADS = {"src", "srcset", "poster", "data", "action", "formaction"}
_OTHER = ("http", "https", "ftp", "ws", "wss")


@dataclass
class Page(HTMLParser):
    """One page: its anchors, what it links to, what it loads, and what every page should have.

    Args:
        text: the HTML.
    """

    text: str
    anchors: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    language: str = ""
    titled: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what matters of a tag."""
        values = {name: value or "" for name, value in attrs}
        if name := values.get("id"):
            (self.twice if name in self.anchors else self.anchors).add(name)
        if tag == "a" and "href" in values:
            self.links.add(values["href"])
        elif "href" in values or "xlink:href" in values:
            self.loads.add(values.get("href") or values["xlink:href"])
        self.loads |= {values[name] for name in _LOADS & values.keys()}
        self.language = self.language or (values.get("lang", "") if tag == "html" else "")
        self.titled = self.titled or tag == "title"


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the pages of a folder.

    Args:
        folder: a built site.

    Returns:
        Sentences: links and anchors that lead nowhere, files from other hosts, ids used twice, no language or title.
    """
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    return [
        messages.BROKEN.format(page=path.relative_to(folder.resolve()).as_posix(), problem=problem)
        for path, page in pages.items()
        for problem in (*_of_page(page), *_of_links(path, pages, folder.resolve()))
    ]


def _of_page(page: Page) -> Iterator[str]:
    if not page.language:
        yield messages.NO_LANGUAGE
    if not page.titled:
        yield messages.NO_TITLE
    for name in sorted(page.twice):
        yield messages.TWICE.format(name=name)
    for address in sorted(page.loads):
        if urlsplit(address).scheme in _OTHER or address.startswith("//"):
            yield messages.STRANGER.format(address=address)


def _of_links(path: Path, pages: dict[Path, Page], folder: Path) -> Iterator[str]:
    page = pages[path]
    for address in sorted(page.links | page.loads):
        parts = urlsplit(address)
        if parts.scheme or address.startswith("//"):
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file() or not target.is_relative_to(folder):
            yield messages.NO_PAGE.format(address=address)
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield messages.NO_ANCHOR.format(address=address)
