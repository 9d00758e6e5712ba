// Can one line separate two points from two others? Exactly when the two segments do not touch.

function turn(a, b, c) {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

function inBox(a, b, p) {
  return Math.min(a[0], b[0]) <= p[0] && p[0] <= Math.max(a[0], b[0])
    && Math.min(a[1], b[1]) <= p[1] && p[1] <= Math.max(a[1], b[1]);
}

// Segments may be single points or lie on one line: those cases count as touching only when they share a point.
export function segmentsTouch([a, b], [c, d]) {
  const [abc, abd, cda, cdb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (abc * abd < 0 && cda * cdb < 0) return true;
  return (abc === 0 && inBox(a, b, c)) || (abd === 0 && inBox(a, b, d))
    || (cda === 0 && inBox(c, d, a)) || (cdb === 0 && inBox(c, d, b));
}

function nearest(p, [a, b]) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length));
  return [a[0] + part * dx, a[1] + part * dy];
}

// The widest gap between two segments that do not touch, and the line in its middle: n . x = c, n towards `ones`.
export function widestLine(ones, zeros) {
  if (segmentsTouch(ones, zeros)) return null;
  const pairs = [...ones.map((p) => [p, nearest(p, zeros)]), ...zeros.map((p) => [nearest(p, ones), p])];
  const gap = ([p, q]) => Math.hypot(p[0] - q[0], p[1] - q[1]);
  const [p, q] = pairs.reduce((best, pair) => (gap(pair) < gap(best) ? pair : best));
  const n = [p[0] - q[0], p[1] - q[1]];
  return { gap: gap([p, q]), n, c: (n[0] * (p[0] + q[0]) + n[1] * (p[1] + q[1])) / 2 };
}
