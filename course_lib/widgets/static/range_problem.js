// A small problem for the learning-rate range test: a 1-12-1 tanh network learns a noisy sine, in float64.
// Weights lie in one array: w1 (12), b1 (12), w2 (12), b2 (1).
import { randomStream } from "./network.js";
import { normals } from "./update_rules.js";

export const UNITS = 12;
export const POINTS = 32;
const BATCH = 8;

export function makeProblem(seed) {
  const next = randomStream(seed);
  const noise = normals(next, POINTS);
  const x = Array.from({ length: POINTS }, (_, k) => -2 + (4 * k) / (POINTS - 1));
  const y = x.map((value, k) => Math.sin(2 * value) + 0.1 * noise[k]);
  const spread = [...Array(2 * UNITS).fill(2), ...Array(UNITS).fill(0.5), 0];
  const weights = spread.map((size) => size * (2 * next() - 1));
  const order = Array.from({ length: 64 * BATCH }, () => Math.floor(POINTS * next()));
  return { x, y, weights, order };
}

// Which examples step k sees: drawn with replacement, the same whatever the rate.
export function batchOf(problem, k) {
  const start = (k * BATCH) % problem.order.length;
  return problem.order.slice(start, start + BATCH);
}

export class SineNetwork {
  constructor({ x, y, weights }) {
    Object.assign(this, { x, y, w: Float64Array.from(weights), g: new Float64Array(weights.length), h: new Float64Array(UNITS) });
  }

  answer(x) {
    let out = this.w[3 * UNITS];
    for (let j = 0; j < UNITS; j += 1) {
      this.h[j] = Math.tanh(this.w[j] * x + this.w[UNITS + j]);
      out += this.w[2 * UNITS + j] * this.h[j];
    }
    return out;
  }

  loss() {
    let total = 0;
    for (let k = 0; k < POINTS; k += 1) total += (this.answer(this.x[k]) - this.y[k]) ** 2;
    return total / POINTS;
  }

  step(rows, lr) {
    this.g.fill(0);
    for (const k of rows) this.collect(this.x[k], (2 * (this.answer(this.x[k]) - this.y[k])) / rows.length);
    for (let i = 0; i < this.w.length; i += 1) this.w[i] -= lr * this.g[i];
  }

  collect(x, slope) {
    for (let j = 0; j < UNITS; j += 1) {
      const inner = slope * this.w[2 * UNITS + j] * (1 - this.h[j] * this.h[j]);
      this.g[j] += inner * x;
      this.g[UNITS + j] += inner;
      this.g[2 * UNITS + j] += slope * this.h[j];
    }
    this.g[3 * UNITS] += slope;
  }
}

// Rates from small to large, one step with each, the loss on all points after it. Stops as lr_range_test does.
export function rangeTest(problem, { low, high, count, stop = 4 }) {
  const network = new SineNetwork(problem);
  const [rates, losses] = [[], []];
  let lowest = Infinity;
  for (let i = 0; i < count; i += 1) {
    rates.push(low * (high / low) ** (i / (count - 1)));
    network.step(batchOf(problem, i), rates[i]);
    losses.push(network.loss());
    lowest = Math.min(lowest, losses[i]);
    if (!(losses[i] <= stop * lowest)) break;
  }
  return { rates, losses };
}

// The loss before every step and after the last; ends early once it is no longer a number below a million.
export function train(problem, lr, steps) {
  const network = new SineNetwork(problem);
  const losses = [network.loss()];
  for (let k = 0; k < steps; k += 1) {
    network.step(batchOf(problem, k), lr);
    losses.push(network.loss());
    if (!(losses[k + 1] < 1e6)) break;
  }
  return losses;
}

// The rate before the largest fall between neighbours.
export function steepest({ rates, losses }) {
  let best = 0;
  for (let i = 1; i + 1 < losses.length; i += 1) {
    if (losses[i] - losses[i + 1] > losses[best] - losses[best + 1]) best = i;
  }
  return rates[best];
}
