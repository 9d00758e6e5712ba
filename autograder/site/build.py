"""From the course to a folder of static pages: sources for Sphinx, Sphinx, and a check of every link.

What enters: a course, which lessons, their runs. What leaves: a folder that works by ``file://`` and on any host.
What Sphinx reads, writes and remembers stays in ``run/site-cache/``, so only what changed is read again.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograder.course import Lesson
from autograder.files import write_atomically
from autograder.folders import CourseError, Folders
from autograder.site import messages, pages
from autograder.site.checks import problems
from autograder.site.runs import Run

HERE = Path(__file__).parent
START = "index.html"
_MARK = ".course-site"
_NEEDED = ("furo", "latex2mathml", "myst_nb", "sphinx", "ziamath")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SETTINGS: dict[str, Any] = {
    "project": "Deep-learning course",
    "extensions": ["myst_nb", "autograder.site.extension"],
    "html_theme": "furo",
    "html_title": "Deep-learning course",
    "html_static_path": [str(HERE / "static")],
    "html_css_files": ["site.css"],
    "html_js_files": [("site.js", {"defer": "defer"})],
    "html_search_scorer": str(HERE / "scorer.js"),
    "html_use_index": False,
    "html_show_copyright": False,
    "html_show_sphinx": False,
    "html_copy_source": False,
    "html_math_renderer": "mathml",
    "html_theme_options": {"top_of_page_buttons": []},
    "html_permalinks_icon": "#",
    "language": "en",
    "nb_execution_mode": "off",
    "nb_mime_priority_overrides": [("html", "text/html", 1)],
    "nb_ipywidgets_js": {},  # the live view of widgets would come from another host
    "myst_enable_extensions": ["dollarmath"],
    "myst_heading_anchors": 4,
    "myst_update_mathjax": False,
    # In a notebook "% of the images" is text, and so are "+++" and "(name)=".
    "myst_disable_syntax": ["myst_line_comment", "myst_block_break", "myst_target"],
    "smartquotes": False,
    "suppress_warnings": ["myst.header", "mystnb.unknown_mime_type", "config.cache"],
}


@dataclass(frozen=True)
class Site:
    """What was built.

    Args:
        start: the page to open.
        pages: how many pages there are.
        problems: what is wrong with them, one sentence each.
    """

    start: Path
    pages: int
    problems: tuple[str, ...]


def sources(folders: Folders, lessons: Sequence[Lesson], runs: Mapping[str, Run | None]) -> dict[str, str]:
    """Return everything that Sphinx reads, by path.

    Args:
        folders: the course.
        lessons: the lessons that the site shows.
        runs: by lesson id, what its solved notebook showed; None where it was never run.

    Raises:
        CourseError: a notebook is missing.
    """
    chosen = [lesson.id for lesson in lessons]
    made = {"index.md": pages.start_page([pages.introduction(folders, lesson) for lesson in lessons])}
    made["gallery.md"] = pages.gallery_page(chosen)
    made |= pages.documentation(folders)
    for lesson in lessons:
        made |= pages.lesson_pages(folders, lesson, runs.get(lesson.id), chosen)
    return made


def build(folders: Folders, texts: Mapping[str, str], output: Path) -> Site:
    """Build the site and check every page of it.

    Args:
        folders: the course.
        texts: what `sources` returned.
        output: the folder of the site; pages that it has no longer are removed.

    Raises:
        CourseError: Sphinx is missing, or the folder holds something else.
    """
    claim(folders, output)
    cache = folders.run / "site-cache"
    _write_sources(cache / "pages", texts, folders.root / "docs")
    # Not at once into the folder: MyST-NB makes one of its own beside the pages.
    said = _sphinx(cache, cache / "html")
    shutil.copytree(cache / "html", output, dirs_exist_ok=True)
    _remove_old(output, texts)
    found = sorted(output.rglob("*.html"))
    return Site(output / START, len(found), (*said, *problems(output)))


def _require_sphinx() -> None:
    if not all(find_spec(name) for name in _NEEDED):
        raise CourseError(messages.NO_SPHINX)


def claim(folders: Folders, output: Path) -> None:
    """Make the folder ours.

    Raises:
        CourseError: Sphinx is missing, or somebody's files lie in the folder.
    """
    _require_sphinx()
    if folders.root.is_relative_to(output.resolve()):
        raise CourseError(messages.INSIDE_THE_COURSE.format(folder=output))
    if output.is_file() or (output.is_dir() and any(output.iterdir()) and not (output / _MARK).exists()):
        raise CourseError(messages.NOT_A_SITE.format(folder=output))
    write_atomically(output / _MARK, b"Built by `course site`, which may remove files from this folder.\n")
    # Without it some hosts leave out folders whose names begin with an underscore.
    write_atomically(output / ".nojekyll", b"")


def _write_sources(folder: Path, texts: Mapping[str, str], docs: Path) -> None:
    contents = {name: text.encode() for name, text in texts.items()}
    images = (path for path in (docs / "images").rglob("*") if path.is_file())
    contents |= {f"docs/{path.relative_to(docs).as_posix()}": path.read_bytes() for path in images}
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in contents:
            path.unlink()
    for name, content in contents.items():
        path = folder / name
        # An untouched file is not read again.
        if not path.is_file() or path.read_bytes() != content:
            write_atomically(path, content)


def _sphinx(cache: Path, output: Path) -> list[str]:
    """Run Sphinx; its warnings, one line each."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(HERE.rglob("*")) if path.is_file()))
    memory = cache / f"doctrees-{digest.hexdigest()[:12]}"
    source, said = str(cache / "pages"), io.StringIO()
    try:
        with patch_docutils(), docutils_namespace(), warnings.catch_warnings():
            # Of myst-parser about its own use of Sphinx: nothing that a user of the site could mend.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            folders = (source, None, str(output), str(memory))
            Sphinx(*folders, "html", {**_SETTINGS}, status=None, warning=said).build()
    except SphinxError as error:
        raise CourseError(str(error)) from None
    return [_COLOUR.sub("", line).replace(f"{source}/", "") for line in said.getvalue().splitlines() if line.strip()]


def _remove_old(output: Path, texts: Mapping[str, str]) -> None:
    kept = {Path(name).with_suffix(".html").as_posix() for name in texts} | {"search.html"}
    for path in output.rglob("*.html"):
        if path.relative_to(output).as_posix() not in kept:
            path.unlink()
