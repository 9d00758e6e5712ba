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

function cellCuts(corners, level, place) {
  const [a, b, c, d] = corners.map((root) => root - level);
  const cuts = [];
  if (a > 0 !== b > 0) cuts.push(place(a / (a - b), 0));
  if (b > 0 !== c > 0) cuts.push(place(1, b / (b - c)));
  if (c > 0 !== d > 0) cuts.push(place(1 - c / (c - d), 1));
  if (d > 0 !== a > 0) cuts.push(place(0, 1 - d / (d - a)));
  return cuts;
}

// Pieces of contour lines as flat pairs of points, in units of grid cells from the top left.
export function contourPieces({ roots, nodes }) {
  const levels = LEVELS.map(Math.sqrt);
  const pieces = [];
  for (let row = 0; row + 1 < nodes; row += 1) {
    for (let column = 0; column + 1 < nodes; column += 1) {
      const start = row * nodes + column;
      const corners = [roots[start], roots[start + 1], roots[start + nodes + 1], roots[start + nodes]];
      const [low, high] = [Math.min(...corners), Math.max(...corners)];
      const place = (x, y) => [column + x, row + y];
      for (const level of levels) {
        if (level >= low && level < high) pieces.push(...cellCuts(corners, level, place));
      }
    }
  }
  return pieces;
}
