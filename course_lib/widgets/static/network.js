// A 2-H-1 network of sigmoid units in float64: the same arithmetic as the course's kernels, written as loops.
// Layout as in Python: w1 has H rows of 2, b1 has H, w2 one row of H, b2 one number.

export const CORNERS = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]];

export function squash(z) {
  if (z >= 0) return 1 / (1 + Math.exp(-z));
  const small = Math.exp(z);
  return small / (1 + small);
}

// Marsaglia's xorshift32 (2003). Python repeats it bit for bit in mlp.py: change both or neither.
export function randomStream(seed) {
  const state = Int32Array.of(Math.imul(seed + 1, 0x9e3779b1) || 1); // a plain number would be allocated anew at every draw
  const next = () => {
    let now = state[0];
    now ^= now << 13;
    now ^= now >>> 17;
    now ^= now << 5;
    state[0] = now;
    return (now >>> 0) / 4294967296;
  };
  for (let k = 0; k < 3; k += 1) next();
  return next;
}

// Every weight and bias uniform in (-2, 2), in the order w1, b1, w2, b2.
export function initialWeights(hidden, seed) {
  const next = randomStream(seed);
  const draw = () => 4 * next() - 2;
  const row = (size) => Array.from({ length: size }, draw);
  const w1 = Array.from({ length: hidden }, () => row(2));
  const b1 = row(hidden);
  return { w1, b1, w2: [row(hidden)], b2: row(1) };
}

export class Network {
  constructor({ w1, b1, w2, b2 }) {
    this.hidden = b1.length;
    this.w1 = Float64Array.from(w1.flat());
    this.b1 = Float64Array.from(b1);
    this.w2 = Float64Array.from(w2[0]);
    this.b2 = b2[0];
    this.h = new Float64Array(this.hidden);
    this.gradient = { w1: new Float64Array(2 * this.hidden), b1: new Float64Array(this.hidden), w2: new Float64Array(this.hidden), b2: 0 };
    this.steps = 0;
  }

  // Fills this.h on the way: the backward pass reads it.
  answer(x1, x2) {
    let z = this.b2;
    for (let k = 0; k < this.hidden; k += 1) {
      this.h[k] = squash(this.w1[2 * k] * x1 + this.w1[2 * k + 1] * x2 + this.b1[k]);
      z += this.w2[k] * this.h[k];
    }
    return squash(z);
  }

  // Sum over outputs (there is one), mean over the four corners.
  loss() {
    let total = 0;
    for (const [x1, x2, y] of CORNERS) total += (this.answer(x1, x2) - y) ** 2;
    return total / CORNERS.length;
  }

  right() {
    return CORNERS.filter(([x1, x2, y]) => (this.answer(x1, x2) > 0.5 ? 1 : 0) === y).length;
  }

  // One step of plain gradient descent on all four corners; returns the loss before the step.
  step(lr) {
    const { w1, b1, w2 } = this.gradient;
    w1.fill(0);
    b1.fill(0);
    w2.fill(0);
    this.gradient.b2 = 0;
    let total = 0;
    for (const corner of CORNERS) total += this.collect(corner);
    for (let k = 0; k < w1.length; k += 1) this.w1[k] -= lr * w1[k];
    for (let k = 0; k < this.hidden; k += 1) {
      this.b1[k] -= lr * b1[k];
      this.w2[k] -= lr * w2[k];
    }
    this.b2 -= lr * this.gradient.b2;
    this.steps += 1;
    return total / CORNERS.length;
  }

  collect([x1, x2, y]) {
    const out = this.answer(x1, x2);
    const slopeOut = ((2 * (out - y)) / CORNERS.length) * out * (1 - out);
    const { w1, b1, w2 } = this.gradient;
    for (let k = 0; k < this.hidden; k += 1) {
      const slope = slopeOut * this.w2[k] * this.h[k] * (1 - this.h[k]);
      w2[k] += slopeOut * this.h[k];
      b1[k] += slope;
      w1[2 * k] += slope * x1;
      w1[2 * k + 1] += slope * x2;
    }
    this.gradient.b2 += slopeOut;
    return (out - y) ** 2;
  }

  weights() {
    const w1 = Array.from({ length: this.hidden }, (_, k) => [this.w1[2 * k], this.w1[2 * k + 1]]);
    return { w1, b1: [...this.b1], w2: [[...this.w2]], b2: [this.b2] };
  }
}
