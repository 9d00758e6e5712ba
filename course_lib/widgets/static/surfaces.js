// Loss surfaces over two weights, with their slopes, and the contour lines of each.
// `kappa` is how much steeper a surface is across than along.

const NODES = 161;

function bowl(x, y, kappa) {
  return 0.5 * (x * x + kappa * y * y);
}

// Rosenbrock's valley (1960): the bowl, bent along a parabola.
function ravine(x, y, kappa) {
  const off = y - x * x;
  return 0.5 * ((1 - x) ** 2 + kappa * off * off);
}

// The valley at -1 goes down to 0; the one near 0.82 stops at 0.55, behind a pass at 0.18.
function valleys(x, y, kappa) {
  return 0.5 * ((x + 1) ** 2 * ((x - 1) ** 2 + 0.3) + kappa * y * y);
}

export const SURFACES = {
  bowl: {
    text: "bowl", middle: [0, 0], half: 2.5, start: [-2, 1.5], minima: [[0, 0]], value: bowl,
    slope: (x, y, kappa) => [x, kappa * y],
  },
  ravine: {
    text: "Rosenbrock\u2019s valley", middle: [0, 1], half: 2.2, start: [-1.2, 0.2], minima: [[1, 1]], value: ravine,
    slope: (x, y, kappa) => [x - 1 - 2 * kappa * x * (y - x * x), kappa * (y - x * x)],
  },
  valleys: {
    text: "two valleys", middle: [0, 0], half: 2.2, start: [2, 0.6], minima: [[-1, 0], [(1 + Math.sqrt(0.4)) / 2, 0]], value: valleys,
    slope: (x, y, kappa) => [(x + 1) * (2 * x * x - 2 * x + 0.3), kappa * y],
  },
};

export const LEVELS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300];

export function limits({ middle, half }) {
  return [[middle[0] - half, middle[0] + half], [middle[1] - half, middle[1] + half]];
}

// Square roots of the losses on a grid, top row first: near a minimum they are straight where losses are curved.
export function sample(surface, kappa) {
  const [[left], [, top]] = limits(surface);
  const gap = (2 * surface.half) / (NODES - 1);
  const roots = new Float64Array(NODES * NODES);
  for (let row = 0; row < NODES; row += 1) {
    for (let column = 0; column < NODES; column += 1) {
      roots[row * NODES + column] = Math.sqrt(surface.value(left + gap * column, top - gap * row, kappa));
    }
  }
  return { roots, nodes: NODES };
}

// The cuts of one level through one cell, appended to `pieces`; a, b, c, d are its corners less the level, clockwise.
function cutCell(pieces, column, row, a, b, c, d) {
  if (a > 0 !== b > 0) pieces.push([column + a / (a - b), row]);
  if (b > 0 !== c > 0) pieces.push([column + 1, row + b / (b - c)]);
  if (c > 0 !== d > 0) pieces.push([column + 1 - c / (c - d), row + 1]);
  if (d > 0 !== a > 0) pieces.push([column, row + 1 - d / (d - a)]);
}

// Pieces of contour lines as flat pairs of points, in units of grid cells from the top left. Runs at every move of a
// slider that bends the surface, so nothing is allocated for the many cells that no line crosses.
export function contourPieces({ roots, nodes }) {
  const levels = Float64Array.from(LEVELS, Math.sqrt);
  const pieces = [];
  for (let row = 0; row + 1 < nodes; row += 1) {
    for (let column = 0; column + 1 < nodes; column += 1) {
      const start = row * nodes + column;
      const [a, b, c, d] = [roots[start], roots[start + 1], roots[start + nodes + 1], roots[start + nodes]];
      const [low, high] = [Math.min(a, b, c, d), Math.max(a, b, c, d)];
      for (let k = 0; k < levels.length; k += 1) {
        const level = levels[k];
        if (level >= high) break;
        if (level >= low) cutCell(pieces, column, row, a - level, b - level, c - level, d - level);
      }
    }
  }
  return pieces;
}
