"""The static site in a real Chromium, opened from a folder: alive, searchable, quiet, and open to everybody."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from accessibility import serious_violations
from conftest import Watched
from playwright.sync_api import Page, expect
from small_site import small_site

from autograder.site.build import Site

pytestmark = pytest.mark.browser

SEARCH = "search.html?q=batch+normalisation"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# axe-core takes seconds on a page as long as a lesson: each page is judged once, together in every way.
PAGES = (
    ("index.html", "light", WIDE),
    ("lessons/01_xor_mlp.html", "dark", WIDE),
    ("solved/01_xor_mlp.html", "light", PHONE),
    ("gallery.html", "dark", PHONE),
    (SEARCH, "light", PHONE),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The small site."""
    return small_site(tmp_path_factory.mktemp("small"))


@pytest.fixture
def visit(site: Site, watched: Watched) -> Callable[[str], Page]:
    """A function that opens a page of the site from its folder; in the end nothing went wrong on any of them."""

    def open_page(name: str) -> Page:
        watched.page.goto(f"{site.start.parent.as_uri()}/{name}", wait_until="load")
        return watched.page

    yield open_page
    assert watched.errors == []
    assert watched.strangers == []


@pytest.mark.parametrize(("name", "scheme", "size"), PAGES, ids=lambda value: str(value)[:20])
def test_everybody_can_use_a_page(visit, watched: Watched, name: str, scheme: str, size: dict[str, int]) -> None:
    """axe-core finds nothing serious, and no page is wider than the window."""
    watched.page.emulate_media(color_scheme=scheme)
    watched.page.set_viewport_size(size)
    page = visit(name)
    if name == SEARCH:
        page.locator("#search-results li").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert watched.errors == []
    assert serious_violations(page) == []
    watched.errors.clear()  # axe-core reads style sheets, which a browser forbids in a folder, and says so


def test_look_moves_without_a_kernel(visit) -> None:
    """On the unsolved page a prediction wakes the sliders, and an arrow key moves the line."""
    look = visit("lessons/01_xor_mlp.html").locator(".look").first
    look.get_by_role("button", name="12", exact=True).click()
    slider = look.get_by_role("slider").first
    before = look.locator("svg").first.inner_html()
    slider.press("ArrowRight")
    assert look.locator("svg").first.inner_html() != before


def test_search_works_from_a_folder(visit) -> None:
    """The search box on the start page finds the lesson on batch normalisation, and puts it first."""
    page = visit("index.html")
    page.get_by_placeholder("Search").fill("batch normalisation")
    page.keyboard.press("Enter")
    first = page.locator("#search-results li a").first
    expect(first).to_have_text("Lesson 07 · Batch normalisation")
    first.click()
    expect(page).to_have_title("Lesson 07 · Batch normalisation - Deep-learning course")


def test_views_of_a_lesson_lead_to_each_other(visit) -> None:
    """From a task to its solution and back, to the same place."""
    page = visit("lessons/01_xor_mlp.html")
    page.get_by_role("link", name="Solution of sigmoid").click()
    expect(page).to_have_url(re.compile("solved/01_xor_mlp.html#exercise-sigmoid$"))
    page.get_by_role("link", name="Back to the task sigmoid").click()
    expect(page).to_have_url(re.compile("lessons/01_xor_mlp.html#exercise-sigmoid$"))


def test_hints_open_one_by_one(visit) -> None:
    """The second hint is out of sight until the first is open."""
    page = visit("lessons/01_xor_mlp.html")
    first = page.locator("details", has_text="-np.abs(x)").first
    hints = first.locator("summary")
    expect(hints.nth(1)).to_be_hidden()
    hints.first.press("Enter")
    expect(hints.nth(1)).to_be_visible()
    expect(hints.nth(2)).to_be_hidden()


def test_keyboard_skips_to_the_text(visit) -> None:
    """The first stop of the Tab key is a link that leads past the navigation."""
    page = visit("lessons/01_xor_mlp.html")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className").startswith("skip"):
            break
    page.keyboard.press("Enter")
    assert page.url.endswith("#furo-main-content")


def test_print_is_black_on_white(visit) -> None:
    """On paper there is no navigation, and code is black on white even where the screen is dark."""
    page = visit("lessons/01_xor_mlp.html")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".sidebar-drawer")).to_be_hidden()
    colours = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert page.locator(".highlight pre span").first.evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.locator("body").evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
