"""axe-core in an open page: what a reader with a screen reader, or with weak eyes, would stumble over.

The script comes with the package axe-playwright-python; nothing is loaded from the network.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from playwright.sync_api import Page

BAD = ("serious", "critical")
_RUN = """async (bad) => (await axe.run(document, {resultTypes: ['violations']})).violations
    .filter((found) => bad.includes(found.impact))
    .map((found) => `${found.id} (${found.impact}): ${found.nodes.length} times, first at `
        + `${found.nodes[0].target.join(' ')}: ${found.nodes[0].failureSummary}`)"""


@cache
def axe() -> str:
    """Return the text of axe-core."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def serious_violations(page: Page) -> list[str]:
    """Run axe-core on the page as it stands now.

    Args:
        page: an open page, light or dark, whatever is to be judged.

    Returns:
        One sentence for each rule that is broken with impact serious or critical; empty when all is well.
    """
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(axe())
    return page.evaluate(_RUN, list(BAD))
