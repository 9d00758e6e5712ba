"""What looks and Python tell each other: a late answer of the kernel moves no slider back."""

from __future__ import annotations

import pytest
from driving import load
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# A model as anywidget gives it: setting fires an event whoever sets, and `hear` is the kernel's voice.
SPEAK = """async ({ moves, heard, wait }) => {
  const [state, handlers] = [{ lr: 0.1 }, []];
  const set = (name, value) => {
    const changed = state[name] !== value;
    state[name] = value;
    if (changed) handlers.forEach((handler) => handler());
  };
  const saved = [];
  const model = { get: (name) => state[name], set, on: (_, handler) => handlers.push(handler), off: () => {},
    save_changes: () => saved.push(state.lr) };
  const { publish, listen } = part.publisher(model);
  let followed = 0;
  listen(["lr"], () => { followed += 1; });
  publish({ lr: moves[0] });
  if (wait) await new Promise((done) => { const look = () => (saved.length ? done() : setTimeout(look, 5)); look(); });
  if (moves.length > 1) publish({ lr: moves[1] });
  set("lr", heard);
  return { lr: state.lr, followed, saved };
}"""


def speak(page: Page, moves: list[float], heard: float, *, wait: bool = True) -> dict:
    """Move a slider, let Python be told (if asked to wait), move on, then hear a value from the kernel."""
    load(page, "kit.js")
    return page.evaluate(SPEAK, {"moves": moves, "heard": heard, "wait": wait})


@pytest.fixture
def page(watched) -> Page:
    """An empty page."""
    return watched.page


def test_late_echo_moves_nothing_back(page: Page) -> None:
    """What was saved a moment ago comes back while the hand is elsewhere: the hand wins."""
    assert speak(page, [0.2, 0.3], 0.2) == {"lr": 0.3, "followed": 0, "saved": [0.2]}


@pytest.mark.parametrize("moves", [[0.2], [0.2, 0.3]])
def test_python_may_change_what_the_hand_has_moved(moves: list[float], page: Page) -> None:
    """A value that was never saved here is Python's own, and is followed."""
    assert speak(page, moves, 0.7) == {"lr": 0.7, "followed": 1, "saved": [0.2]}


def test_python_may_take_a_saved_value_once_the_hand_rests(page: Page) -> None:
    """With nothing unsaved, an older value is Python's wish."""
    assert speak(page, [0.2], 0.1)["followed"] == 1


def test_nothing_saved_means_no_echo(page: Page) -> None:
    """Before the first save, what comes is Python's."""
    assert speak(page, [0.2], 0.1, wait=False) == {"lr": 0.1, "followed": 1, "saved": []}
