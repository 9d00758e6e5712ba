// Deep random networks of dense ReLU layers, plain and residual, and the gradients in them, in float64; no biases.
import { randomStream } from "./network.js";

export const WIDTH = 32;
export const BATCH = 8;
export const DEEPEST = 64;
const SIZE = BATCH * WIDTH;
const SQUARE = WIDTH * WIDTH;

const empty = () => new Float64Array(SIZE);

function uniforms(next, count, scale) {
  const drawn = new Float64Array(count);
  for (let k = 0; k < count; k += 1) drawn[k] = scale * (2 * next() - 1);
  return drawn;
}

function dot(a, from, b, start) {
  let total = 0;
  for (let j = 0; j < WIDTH; j += 1) total += a[from + j] * b[start + j];
  return total;
}

export function norm(values) {
  let total = 0;
  for (let k = 0; k < values.length; k += 1) total += values[k] * values[k];
  return Math.sqrt(total);
}

// Inputs, then a gradient of norm 1 that enters at the end; every widget goes on with its weights in the same stream.
function drawEnds(next) {
  const x = uniforms(next, SIZE, Math.sqrt(3));
  const end = uniforms(next, SIZE, Math.sqrt(3));
  const size = norm(end);
  return { x, end: end.map((value) => value / size) };
}

function forward(h, w, gain, z) {
  for (let row = 0; row < SIZE; row += WIDTH) {
    for (let k = 0; k < WIDTH; k += 1) z[row + k] = gain * dot(h, row, w, k * WIDTH);
  }
}

// Adds the gradient that goes back through w.
function addBackward(delta, w, gain, into) {
  for (let row = 0; row < SIZE; row += WIDTH) {
    for (let k = 0; k < WIDTH; k += 1) {
      const upstream = gain * delta[row + k];
      if (upstream === 0) continue;
      const from = k * WIDTH;
      for (let j = 0; j < WIDTH; j += 1) into[row + j] += upstream * w[from + j];
    }
  }
}

// The norm of a layer's weight gradient from pairs of examples: no matrix is built.
function weightNorm(delta, h) {
  let total = 0;
  for (let m = 0; m < SIZE; m += WIDTH) {
    total += dot(delta, m, delta, m) * dot(h, m, h, m);
    for (let n = 0; n < m; n += WIDTH) total += 2 * dot(delta, m, delta, n) * dot(h, m, h, n);
  }
  return Math.sqrt(Math.max(0, total));
}

// w = gain * sqrt(3 / n) * U(-1, 1), so that gain 1 has var(w) = 1 / n. Python repeats it bit for bit.
export class DeepPair {
  constructor(seed) {
    const next = randomStream(seed);
    Object.assign(this, drawEnds(next));
    this.w = Array.from({ length: DEEPEST }, () => uniforms(next, SQUARE, Math.sqrt(3 / WIDTH)));
    this.h = Array.from({ length: DEEPEST + 1 }, empty);
    this.z = Array.from({ length: DEEPEST }, empty);
    this.h[0].set(this.x);
  }

  // Norms of the gradients by the weights and by the outputs of layers 1 to depth.
  flow(depth, gain, past) {
    const { w, h, z } = this;
    for (let k = 0; k < depth; k += 1) {
      forward(h[k], w[k], gain, z[k]);
      for (let i = 0; i < SIZE; i += 1) h[k + 1][i] = (past ? h[k][i] : 0) + Math.max(0, z[k][i]);
    }
    const upstream = Float64Array.from(this.end);
    const delta = empty();
    const [weights, outputs] = [[], []];
    for (let k = depth - 1; k >= 0; k -= 1) {
      for (let i = 0; i < SIZE; i += 1) delta[i] = z[k][i] > 0 ? upstream[i] : 0;
      weights.unshift(weightNorm(delta, h[k]));
      outputs.unshift(norm(upstream));
      if (!past) upstream.fill(0);
      addBackward(delta, w[k], gain, upstream);
    }
    return { weights, outputs };
  }
}

function variance(values) {
  let total = 0;
  for (let k = 0; k < values.length; k += 1) total += values[k];
  const mean = total / values.length;
  let squares = 0;
  for (let k = 0; k < values.length; k += 1) squares += (values[k] - mean) ** 2;
  return squares / values.length;
}

// Blocks h + s f(h) with f(h) = w2 relu(w1 h), which keeps the mean square on average. Python repeats it bit for bit.
export class BranchStack {
  constructor(seed) {
    const next = randomStream(seed);
    Object.assign(this, drawEnds(next));
    this.w = Array.from({ length: DEEPEST }, () => [6, 3].map((square) => uniforms(next, SQUARE, Math.sqrt(square / WIDTH))));
    this.z = Array.from({ length: DEEPEST }, empty);
  }

  // Variances relative to the input's, and gradient norms; entry k is after block k, entry 0 at the input.
  flow(blocks, scale) {
    const h = Float64Array.from(this.x);
    const upstream = Float64Array.from(this.end);
    const [a, b] = [empty(), empty()];
    const [variances, gradients, start] = [[1], [norm(upstream)], variance(h)];
    for (let k = 0; k < blocks; k += 1) {
      forward(h, this.w[k][0], 1, this.z[k]);
      for (let i = 0; i < SIZE; i += 1) a[i] = Math.max(0, this.z[k][i]);
      forward(a, this.w[k][1], scale, b);
      for (let i = 0; i < SIZE; i += 1) h[i] += b[i];
      variances.push(variance(h) / start);
    }
    for (let k = blocks - 1; k >= 0; k -= 1) {
      a.fill(0);
      addBackward(upstream, this.w[k][1], scale, a);
      for (let i = 0; i < SIZE; i += 1) if (this.z[k][i] <= 0) a[i] = 0;
      addBackward(a, this.w[k][0], 1, upstream);
      gradients.unshift(norm(upstream));
    }
    return { variances, gradients };
  }
}
