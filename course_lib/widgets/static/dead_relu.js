// A 2-16-1 network of ReLU units on 60 fixed points, in float64: plain full-batch gradient descent on the mean of
// bce_with_logits. Python repeats the points and the start weights bit for bit in initialisation.py: change both or neither.
import { randomStream, squash } from "./network.js";

export const UNITS = 16;
export const STEPS = 200;
const EACH = 30;

// Class 1 inside a disc, class 0 in the ring around it.
function toyPoints() {
  const next = randomStream(0);
  const kept = [[], []];
  while (Math.min(kept[0].length, kept[1].length) < EACH) {
    const [x1, x2] = [2 * next() - 1, 2 * next() - 1];
    const square = x1 * x1 + x2 * x2;
    const y = square < 0.25 ? 1 : 0;
    if ((y || (square > 0.49 && square < 1)) && kept[y].length < EACH) kept[y].push([x1, x2, y]);
  }
  return [...kept[0], ...kept[1]];
}

export const POINTS = toyPoints();

// Kaiming's uniform rule, in the order w1 (16, 2), b1, w2 (1, 16), b2.
export function startWeights(seed) {
  const next = randomStream(seed);
  const uniform = (size, scale) => Float64Array.from({ length: size }, () => scale * (2 * next() - 1));
  return {
    w1: uniform(2 * UNITS, Math.sqrt(3)), b1: uniform(UNITS, 1 / Math.sqrt(2)),
    w2: uniform(UNITS, Math.sqrt(6 / UNITS)), b2: uniform(1, 1 / Math.sqrt(UNITS)),
  };
}

const zerosLike = (weights) => Object.fromEntries(Object.entries(weights).map(([name, part]) => [name, new Float64Array(part.length)]));

export class ReluNetwork {
  constructor(weights) {
    this.weights = weights;
    this.gradient = zerosLike(weights);
    this.h = new Float64Array(UNITS);
  }

  // The score of the output; fills this.h on the way.
  score(x1, x2) {
    const { w1, b1, w2, b2 } = this.weights;
    let s = b2[0];
    for (let k = 0; k < UNITS; k += 1) {
      const z = w1[2 * k] * x1 + w1[2 * k + 1] * x2 + b1[k];
      this.h[k] = z > 0 ? z : 0;
      s += w2[k] * this.h[k];
    }
    return s;
  }

  loss() {
    let total = 0;
    for (const [x1, x2, y] of POINTS) {
      const s = this.score(x1, x2);
      total += Math.max(s, 0) - s * y + Math.log1p(Math.exp(-Math.abs(s)));
    }
    return total / POINTS.length;
  }

  // For how many of the points each unit fires.
  fires() {
    const counts = new Array(UNITS).fill(0);
    for (const [x1, x2] of POINTS) {
      this.score(x1, x2);
      for (let k = 0; k < UNITS; k += 1) if (this.h[k] > 0) counts[k] += 1;
    }
    return counts;
  }

  step(rate) {
    const { weights, gradient } = this;
    for (const part of Object.values(gradient)) part.fill(0);
    for (const point of POINTS) this.collect(point);
    for (const name of Object.keys(weights)) {
      const [part, slopes] = [weights[name], gradient[name]];
      for (let k = 0; k < part.length; k += 1) part[k] -= rate * slopes[k];
    }
  }

  collect([x1, x2, y]) {
    const { w2 } = this.weights;
    const { w1: g1, b1: gb, w2: g2, b2: gb2 } = this.gradient;
    const slope = (squash(this.score(x1, x2)) - y) / POINTS.length;
    gb2[0] += slope;
    for (let k = 0; k < UNITS; k += 1) {
      if (this.h[k] === 0) continue;
      const back = slope * w2[k];
      g2[k] += slope * this.h[k];
      gb[k] += back;
      g1[2 * k] += back * x1;
      g1[2 * k + 1] += back * x2;
    }
  }

  train(rate, steps = STEPS) {
    for (let k = 0; k < steps; k += 1) this.step(rate);
    return this;
  }
}

export function deadIn(fires) {
  return fires.filter((count) => count === 0).length;
}
