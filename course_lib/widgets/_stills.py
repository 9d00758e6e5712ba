"""Still pictures in SVG for pages where no script runs: a plane, its ticks, markers that read without colour."""

from __future__ import annotations

from collections.abc import Iterable

SIZE = 420
EDGE = 40

Point = tuple[float, float]


class Plane:
    """A square picture of ``low..high`` in both directions; collects SVG parts.

    Args:
        low: smallest value shown on both axes.
        high: largest value shown on both axes.
        names: names of the horizontal and the vertical axis.
    """

    def __init__(self, low: float, high: float, names: tuple[str, str]) -> None:
        self.low, self.high, self.names = low, high, names
        self.parts: list[str] = []

    def at(self, point: Point) -> Point:
        """Return the place of a point in the picture, in pixels from the top left."""
        scale = (SIZE - 2 * EDGE) / (self.high - self.low)
        return EDGE + scale * (point[0] - self.low), SIZE - EDGE - scale * (point[1] - self.low)

    def path(self, points: Iterable[Point], style: str) -> None:
        """Draw a broken line through the points; ``style`` holds SVG attributes."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))
        self.parts.append(f'<polyline points="{places}" fill="none" {style}/>')

    def area(self, points: Iterable[Point]) -> None:
        """Fill a polygon: the side where the answer is 1."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self.at, points))
        self.parts.append(f'<polygon points="{places}" fill="#dbe9f5"/>')

    def marker(self, point: Point, label: int, size: float = 13) -> None:
        """Draw a dark square with a 1, or a white disc with a 0."""
        x, y = self.at(point)
        shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="#fff" stroke="#1b1f24" stroke-width="2.5"/>'
        if label:
            shape = (
                f'<rect x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}" fill="#0b4f8a"/>'
            )
        ink = "#fff" if label else "#1b1f24"
        digit = (
            f'<text x="{x:.1f}" y="{y + 0.42 * size:.1f}" fill="{ink}" font-size="{1.2 * size:.0f}" '
            f'font-weight="700">{label}</text>'
        )
        self.parts += [shape, digit]

    def svg(self) -> str:
        """Return the finished picture."""
        frame = f'<rect x="{EDGE}" y="{EDGE}" width="{SIZE - 2 * EDGE}" height="{SIZE - 2 * EDGE}"'
        middle = SIZE / 2
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" font-family="sans-serif" '
            f'text-anchor="middle"><rect width="{SIZE}" height="{SIZE}" fill="#fff"/>'
            f'<clipPath id="inside">{frame}/></clipPath><g clip-path="url(#inside)">{"".join(self.parts)}</g>'
            f'{frame} fill="none" stroke="#565d66"/>'
            f'<text x="{middle}" y="{SIZE - 12}" font-size="16">{self.names[0]}</text>'
            f'<text x="16" y="{middle}" font-size="16" transform="rotate(-90 16 {middle})">{self.names[1]}</text></svg>'
        )


def half_plane(w: Point, b: float, low: float, high: float) -> list[Point]:
    """Return the polygon of the square ``low..high`` where ``w . x + b > 0`` (may be empty)."""
    square = [(low, low), (high, low), (high, high), (low, high)]
    polygon: list[Point] = []
    for start, end in zip(square, square[1:] + square[:1], strict=True):
        z_start, z_end = (w[0] * x + w[1] * y + b for x, y in (start, end))
        if z_start > 0:
            polygon.append(start)
        if (z_start > 0) != (z_end > 0):
            part = z_start / (z_start - z_end)
            polygon.append((start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])))
    return polygon
