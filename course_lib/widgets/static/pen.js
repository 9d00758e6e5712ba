// A pen on a pad of 128x128 cells: distances to the strokes, ink, and the 8x8 picture a network sees.
// The arithmetic of course_lib/strokes.py, in the same order, so that every cell agrees.

export const CELLS = 128;
export const SIDE = 8;
export const PEN = { min: 2, max: 32 };
const REACH = PEN.max / 2 + 1;

const within = (value) => Math.min(CELLS, Math.max(0, value));

// Squared distance from the middle of each cell to the nearest stroke; infinite where no pen reaches.
export class Ink {
  constructor(strokes = []) { this.redraw(strokes); }

  redraw(strokes) {
    this.squared = new Float64Array(CELLS * CELLS).fill(Infinity);
    for (const stroke of strokes) {
      if (stroke.length === 1) this.segment(stroke[0], stroke[0]);
      for (let k = 1; k < stroke.length; k += 1) this.segment(stroke[k - 1], stroke[k]);
    }
  }

  segment([x0, y0], [x1, y1]) {
    const [left, right] = [within(Math.floor(Math.min(x0, x1)) - REACH), within(Math.ceil(Math.max(x0, x1)) + REACH)];
    const [top, bottom] = [within(Math.floor(Math.min(y0, y1)) - REACH), within(Math.ceil(Math.max(y0, y1)) + REACH)];
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length = dx * dx + dy * dy;
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) {
        const [fx, fy] = [column + 0.5 - x0, row + 0.5 - y0];
        const part = length > 0 ? Math.min(1, Math.max(0, (fx * dx + fy * dy) / length)) : 0;
        const [ex, ey] = [fx - part * dx, fy - part * dy];
        const found = ex * ex + ey * ey;
        if (found < this.squared[row * CELLS + column]) this.squared[row * CELLS + column] = found;
      }
    }
  }

  // One number per cell, 1 where a round pen of this width leaves ink.
  cells(width) { return Uint8Array.from(this.squared, (value) => (Math.sqrt(value) <= width / 2 ? 1 : 0)); }
}

// Left, top and side of the smallest square around the ink, with the ink in its middle; null without ink.
export function inkBox(cells) {
  let [left, right, top, bottom] = [CELLS, -1, CELLS, -1];
  cells.forEach((ink, place) => {
    if (!ink) return;
    const [row, column] = [Math.floor(place / CELLS), place % CELLS];
    [left, right, top, bottom] = [Math.min(left, column), Math.max(right, column), Math.min(top, row), Math.max(bottom, row)];
  });
  if (right < 0) return null;
  const side = Math.max(right + 1 - left, bottom + 1 - top);
  return { left: (left + right + 1 - side) / 2, top: (top + bottom + 1 - side) / 2, side };
}

// Which part of block k of eight in a row is covered by each cell, as [cell, part] pairs.
function coverage(start, side) {
  const block = side / SIDE;
  return Array.from({ length: SIDE }, (_, k) => {
    const [low, high] = [start + block * k, start + block * (k + 1)];
    const pairs = [];
    for (let cell = Math.max(0, Math.floor(low)); cell < Math.min(CELLS, Math.ceil(high)); cell += 1) {
      pairs.push([cell, (Math.min(high, cell + 1) - Math.max(low, cell)) / block]);
    }
    return pairs;
  });
}

// The shares of ink in 8x8 blocks, 0 to 1, of the whole pad or of the square around the ink.
export function shrinkPad(cells, { fit, stretch }) {
  const box = (fit && inkBox(cells)) || { left: 0, top: 0, side: CELLS };
  const [rows, columns] = [coverage(box.top, box.side), coverage(box.left, box.side)];
  const shares = rows.flatMap((high) => columns.map((wide) => {
    let share = 0;
    for (const [row, a] of high) for (const [column, b] of wide) share += a * b * cells[row * CELLS + column];
    return share;
  }));
  const most = Math.max(...shares);
  return stretch && most > 0 ? shares.map((share) => share / most) : shares;
}
