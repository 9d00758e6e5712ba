// Thirty layers of random weights: w = gain * sqrt(3 / n) * U(-1, 1), so that gain 1 has var(w) = 1 / n.
import { randomStream } from "./network.js";

export const LAYERS = 30;
export const BATCH = 64;

const BENT = {
  relu: (z) => (z > 0 ? z : 0),
  tanh: Math.tanh,
  linear: (z) => z,
};
// What is worth counting besides the spread: zeros of ReLU, outputs of tanh with almost no slope left.
const SILENT = { relu: (h) => h === 0, tanh: (h) => Math.abs(h) > 0.99, linear: () => false };

// Inputs with spread 1, then the weights of all layers before the gain, in one stream. Python repeats it bit for bit.
export function drawStack(width, seed) {
  const next = randomStream(seed);
  const uniform = (size, scale) => {
    const drawn = new Float64Array(size);
    for (let k = 0; k < size; k += 1) drawn[k] = scale * (2 * next() - 1); // Float64Array.from is many times slower
    return drawn;
  };
  const x = uniform(BATCH * width, Math.sqrt(3));
  return { width, x, w: Array.from({ length: LAYERS }, () => uniform(width * width, Math.sqrt(3 / width))) };
}

// z = h w^T, two examples and two units at a time: each number that is loaded serves two products.
function multiply(h, w, width, z) {
  for (let row = 0; row < BATCH * width; row += 2 * width) {
    for (let k = 0; k < width; k += 2) multiplyBlock(h, w, width, z, row, k);
  }
}

function multiplyBlock(h, w, width, z, row, k) {
  const from = k * width;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let j = 0; j < width; j += 1) {
    const h1 = h[row + j];
    const h2 = h[row + width + j];
    const w1 = w[from + j];
    const w2 = w[from + width + j];
    a += h1 * w1;
    b += h1 * w2;
    c += h2 * w1;
    d += h2 * w2;
  }
  z[row + k] = a;
  z[row + k + 1] = b;
  z[row + width + k] = c;
  z[row + width + k + 1] = d;
}

function statistics(h, silent) {
  let [total, count] = [0, 0];
  for (let k = 0; k < h.length; k += 1) {
    total += h[k];
    if (silent(h[k])) count += 1;
  }
  const mean = total / h.length;
  let squares = 0;
  for (let k = 0; k < h.length; k += 1) squares += (h[k] - mean) ** 2;
  return { spread: Math.sqrt(squares / h.length), silent: count / h.length };
}

// Standard deviation (over the whole batch and layer) and the silent share after each layer. Widths are even.
export function layerStatistics({ width, x, w }, activation, gain) {
  const bend = BENT[activation];
  let h = x;
  let z = new Float64Array(x.length);
  let spare = new Float64Array(x.length);
  return w.map((layer) => {
    multiply(h, layer, width, z);
    for (let k = 0; k < z.length; k += 1) z[k] = bend(gain * z[k]);
    [h, z, spare] = [z, spare, z];
    return statistics(h, SILENT[activation]);
  });
}

// ReLU and the identity pass a positive factor through, so one pass at gain 1 serves every gain.
export class Stack {
  constructor(width, seed) {
    this.drawn = drawStack(width, seed);
    this.plain = {};
  }

  atOne(activation) {
    this.plain[activation] = this.plain[activation] || layerStatistics(this.drawn, activation, 1);
    return this.plain[activation];
  }

  statistics(activation, gain) {
    if (activation === "tanh") return layerStatistics(this.drawn, activation, gain);
    return this.atOne(activation).map((layer, k) => ({ ...layer, spread: layer.spread * gain ** (k + 1) }));
  }
}
