// A deep network of random weights and the gradient that arrives at each layer's scores, in float64.
// w = gain * sqrt(3 / n) * U(-1, 1); no biases; the last layer is linear; loss: squares summed over outputs, mean over the batch.
import { squash, randomStream } from "./network.js";

export const WIDTH = 32;
export const BATCH = 32;
export const DEEPEST = 20;
const SIZE = BATCH * WIDTH;

// The value, and the slope computed from the value.
const BENDS = {
  sigmoid: [squash, (h) => h * (1 - h)],
  tanh: [Math.tanh, (h) => 1 - h * h],
  relu: [(z) => (z > 0 ? z : 0), (h) => (h > 0 ? 1 : 0)],
};

// Inputs, targets, then the weights of all layers at gain 1, in one stream. Python repeats it bit for bit.
export function drawLayers(seed) {
  const next = randomStream(seed);
  const uniform = (count, scale) => Float64Array.from({ length: count }, () => scale * (2 * next() - 1));
  const [x, y] = [uniform(SIZE, Math.sqrt(3)), uniform(SIZE, Math.sqrt(3))];
  return { x, y, w: Array.from({ length: DEEPEST }, () => uniform(WIDTH * WIDTH, Math.sqrt(3 / WIDTH))) };
}

// z = gain * h w^T; four sums at a time, because one sum waits for itself.
function scores(h, w, gain, z) {
  for (let row = 0; row < SIZE; row += WIDTH) {
    for (let k = 0; k < WIDTH; k += 1) {
      const from = k * WIDTH;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let j = 0; j < WIDTH; j += 4) {
        a += h[row + j] * w[from + j];
        b += h[row + j + 1] * w[from + j + 1];
        c += h[row + j + 2] * w[from + j + 2];
        d += h[row + j + 3] * w[from + j + 3];
      }
      z[row + k] = gain * (a + b + (c + d));
    }
  }
}

// dh = gain * delta w
function passBack(delta, w, gain, dh) {
  dh.fill(0);
  for (let row = 0; row < SIZE; row += WIDTH) {
    for (let k = 0; k < WIDTH; k += 1) {
      const upstream = gain * delta[row + k];
      const from = k * WIDTH;
      for (let j = 0; j < WIDTH; j += 1) dh[row + j] += upstream * w[from + j];
    }
  }
}

function norm(values) {
  let total = 0;
  for (let k = 0; k < values.length; k += 1) total += values[k] * values[k];
  return Math.sqrt(total);
}

const empty = () => new Float64Array(SIZE);

export class DeepNetwork {
  constructor(seed) {
    Object.assign(this, drawLayers(seed), { h: Array.from({ length: DEEPEST }, empty), delta: empty(), dh: empty() });
  }

  // Norms of the gradient by the scores of layers 1 to depth, and the share of hidden slopes below 0.01.
  flow(activation, depth, gain) {
    const [bend, slope] = BENDS[activation];
    const { x, y, w, h, delta, dh } = this;
    for (let k = 0; k < depth; k += 1) {
      scores(k ? h[k - 1] : x, w[k], gain, h[k]);
      if (k < depth - 1) for (let i = 0; i < SIZE; i += 1) h[k][i] = bend(h[k][i]);
    }
    for (let i = 0; i < SIZE; i += 1) delta[i] = (2 * (h[depth - 1][i] - y[i])) / BATCH;
    const norms = [norm(delta)];
    let flat = 0;
    for (let k = depth - 2; k >= 0; k -= 1) {
      passBack(delta, w[k + 1], gain, dh);
      for (let i = 0; i < SIZE; i += 1) {
        const local = slope(h[k][i]);
        if (local < 0.01) flat += 1;
        delta[i] = dh[i] * local;
      }
      norms.unshift(norm(delta));
    }
    return { norms, flat: flat / ((depth - 1) * SIZE) };
  }
}
