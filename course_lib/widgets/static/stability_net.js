// A 64-32-32-32-32-10 ReLU network that learns digits by plain mini-batch SGD, in float64, with or without batch
// normalisation before each ReLU. A run is a generator, so that the page can rest after every step.
import { EPS } from "./batch_statistics.js";
import { randomStream } from "./network.js";

const SIZES = [64, 32, 32, 32, 32, 10];
const LAYERS = SIZES.length - 1;
const BATCH = 32;
export const PASSES = 15;

// z = h w^T; rows of h and of w lie one after the other.
function multiply(h, w, inner, outer, z) {
  for (let r = 0; r < BATCH; r += 2) {
    for (let j = 0; j < outer; j += 1) {
      let [a, b] = [0, 0];
      for (let i = 0, p = r * inner, q = j * inner; i < inner; i += 1) {
        a += h[p + i] * w[q + i];
        b += h[p + inner + i] * w[q + i];
      }
      z[r * outer + j] = a;
      z[(r + 1) * outer + j] = b;
    }
  }
}

// Adds to the gradient of w and, where `dh` is given, of h. What ReLU cut off is 0 and costs nothing.
function multiplyBack(g, h, w, { inner, outer, dw, dh }) {
  dw.fill(0);
  if (dh) dh.fill(0);
  for (let r = 0; r < BATCH; r += 1) {
    for (let j = 0; j < outer; j += 1) {
      const slope = g[r * outer + j];
      if (slope === 0) continue;
      for (let i = 0, p = r * inner, q = j * inner; i < inner; i += 1) dw[q + i] += slope * h[p + i];
      if (dh) for (let i = 0, p = r * inner, q = j * inner; i < inner; i += 1) dh[p + i] += slope * w[q + i];
    }
  }
}

// Mean of a column, weighted by another one if there is one.
function columnMean(values, units, j, weights = null) {
  let sum = 0;
  for (let k = j; k < values.length; k += units) sum += weights ? values[k] * weights[k] : values[k];
  return sum / BATCH;
}

// Every column gets mean 0 and variance 1, in place; the factors stay for the way back.
function standardise(z, units, factors) {
  for (let j = 0; j < units; j += 1) {
    const mean = columnMean(z, units, j);
    for (let k = j; k < z.length; k += units) z[k] -= mean;
    factors[j] = 1 / Math.sqrt(columnMean(z, units, j, z) + EPS);
    for (let k = j; k < z.length; k += units) z[k] *= factors[j];
  }
}

// Moving a whole column, or stretching it, changes nothing after standardising: both directions leave the gradient.
function unstandardise(g, xHat, units, factors) {
  for (let j = 0; j < units; j += 1) {
    const [shift, stretch] = [columnMean(g, units, j), columnMean(g, units, j, xHat)];
    for (let k = j; k < g.length; k += units) g[k] = factors[j] * (g[k] - shift - stretch * xHat[k]);
  }
}

class Layer {
  constructor(inner, outer, { scale, hidden, normalised, next }) {
    const bound = scale * Math.sqrt(6 / inner);
    Object.assign(this, { inner, outer, hidden, normalised: hidden && normalised });
    this.w = Float64Array.from({ length: outer * inner }, () => bound * (2 * next() - 1));
    this.shift = new Float64Array(outer);
    this.stretch = new Float64Array(outer).fill(1);
    this.dw = new Float64Array(outer * inner);
    this.factors = new Float64Array(outer);
    this.xHat = new Float64Array(BATCH * outer);
    this.out = new Float64Array(BATCH * outer);
    this.dh = new Float64Array(BATCH * inner);
  }

  forward(h) {
    const { outer, xHat, out } = this;
    this.h = h;
    multiply(h, this.w, this.inner, outer, xHat);
    if (this.normalised) standardise(xHat, outer, this.factors);
    for (let k = 0, j = 0; k < out.length; k += 1, j = j + 1 === outer ? 0 : j + 1) {
      const z = this.stretch[j] * xHat[k] + this.shift[j];
      out[k] = this.hidden && !(z > 0) && z === z ? 0 : z; // NaN stays, so that a broken run is seen
    }
    return out;
  }

  // Takes the gradient of `out`, changes the weights, returns that of the input (of the old weights).
  backward(g, lr, first) {
    const { outer, xHat, out, h, w, dw, inner } = this;
    if (this.hidden) for (let k = 0; k < g.length; k += 1) if (out[k] === 0) g[k] = 0;
    for (let j = 0; j < outer; j += 1) {
      this.shift[j] -= lr * BATCH * columnMean(g, outer, j);
      if (this.normalised) this.restretch(g, j, lr);
    }
    if (this.normalised) unstandardise(g, xHat, outer, this.factors);
    multiplyBack(g, h, w, { inner, outer, dw, dh: first ? null : this.dh });
    for (let k = 0; k < w.length; k += 1) w[k] -= lr * dw[k];
    return this.dh;
  }

  restretch(g, j, lr) {
    const slope = BATCH * columnMean(g, this.outer, j, this.xHat);
    for (let k = j; k < g.length; k += this.outer) g[k] *= this.stretch[j];
    this.stretch[j] -= lr * slope;
  }
}

// Mean cross-entropy; `scores` become its gradient.
function crossEntropy(scores, labels, rows) {
  const classes = SIZES[LAYERS];
  let loss = 0;
  for (let r = 0; r < BATCH; r += 1) {
    const part = scores.subarray(r * classes, (r + 1) * classes);
    const top = Math.max(...part);
    const label = labels[rows[r]];
    let total = 0;
    for (const score of part) total += Math.exp(score - top);
    loss += (top + Math.log(total) - part[label]) / BATCH;
    for (let c = 0; c < classes; c += 1) part[c] = (Math.exp(part[c] - top) / total - (c === label)) / BATCH;
  }
  return loss;
}

export class StabilityRun {
  constructor({ scale, lr, normalised, seed }, data) {
    Object.assign(this, { lr, data, losses: [], history: [], seed });
    const next = randomStream(seed);
    this.layers = Array.from({ length: LAYERS }, (_, k) => new Layer(SIZES[k], SIZES[k + 1], { scale, hidden: k + 1 < LAYERS, normalised, next }));
    this.x = new Float64Array(BATCH * SIZES[0]);
    this.work = this.trained();
  }

  // Rests after every step; ends after the last pass, or where a loss is no number.
  * trained() {
    const next = randomStream(1000 + this.seed);
    const order = Array.from({ length: this.data.count }, (_, k) => k);
    for (let pass = 0; pass < PASSES; pass += 1) {
      shuffleRows(order, next);
      for (let from = 0; from < order.length; from += BATCH) {
        this.losses.push(this.step(order.slice(from, from + BATCH)));
        if (!Number.isFinite(this.losses[this.losses.length - 1])) return;
        yield "step";
      }
      const steps = order.length / BATCH;
      this.history.push(this.losses.slice(-steps).reduce((sum, loss) => sum + loss / steps, 0));
    }
  }

  step(rows) {
    const [pixels, { x, layers, lr }] = [SIZES[0], this];
    rows.forEach((row, r) => x.set(this.data.x.subarray(row * pixels, (row + 1) * pixels), r * pixels));
    let h = x;
    for (const layer of layers) h = layer.forward(h);
    const loss = crossEntropy(h, this.data.y, rows);
    let g = h;
    for (let k = LAYERS - 1; k >= 0; k -= 1) g = layers[k].backward(g, lr, k === 0);
    return loss;
  }

  // What the map shows: the mean loss of the last pass, or null where the loss was no number.
  result() {
    const broken = this.history.length < PASSES;
    return { last: broken ? null : this.history[PASSES - 1], first: this.losses[0], peak: Math.max(...this.losses), history: this.history };
  }
}

function shuffleRows(order, next) {
  for (let k = order.length - 1; k > 0; k -= 1) {
    const other = Math.floor((k + 1) * next());
    [order[k], order[other]] = [order[other], order[k]];
  }
}
