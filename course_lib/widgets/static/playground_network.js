// A 64-H-10 network with ReLU and inverted dropout on its hidden units, in float64, and a run of its training.
// The run is a generator: it can rest after a few examples, so that whoever waits is answered in time.
import { randomStream } from "./network.js";
import { OPTIMISERS } from "./playground_rules.js";

export const PIXELS = 64;
const CLASSES = 10;
const CHUNK = 16;

export class DigitNetwork {
  // Kaiming's uniform start, as in the course: weights within sqrt(6 / n), biases within 1 / sqrt(n).
  constructor(hidden, seed) {
    const next = randomStream(seed);
    const draw = (size, bound) => Float64Array.from({ length: size }, () => bound * (2 * next() - 1));
    this.hidden = hidden;
    this.w1 = draw(hidden * PIXELS, Math.sqrt(6 / PIXELS));
    this.b1 = draw(hidden, 1 / Math.sqrt(PIXELS));
    this.w2 = draw(CLASSES * hidden, Math.sqrt(6 / hidden));
    this.b2 = draw(CLASSES, 1 / Math.sqrt(hidden));
    this.parts = ["w1", "b1", "w2", "b2"];
    this.gradient = Object.fromEntries(this.parts.map((name) => [name, new Float64Array(this[name].length)]));
    this.h = new Float64Array(hidden);
    this.q = new Float64Array(CLASSES);
  }

  // Fills h and the probabilities q; `mask` is null in evaluation, otherwise row `turn` of it says what is kept.
  answer(x, row, mask, turn, scale) {
    const { hidden, w1, b1, h } = this;
    const from = row * PIXELS;
    for (let j = 0; j < hidden; j += 1) {
      h[j] = 0;
      if (mask && !mask[turn * hidden + j]) continue;
      let z = b1[j];
      for (let i = 0, at = j * PIXELS; i < PIXELS; i += 1) z += w1[at + i] * x[from + i];
      if (z > 0) h[j] = z * scale;
    }
    this.classify();
  }

  classify() {
    const { hidden, w2, b2, h, q } = this;
    let top = -Infinity;
    for (let c = 0; c < CLASSES; c += 1) {
      let score = b2[c];
      for (let j = 0, at = c * hidden; j < hidden; j += 1) score += w2[at + j] * h[j];
      q[c] = score;
      top = Math.max(top, score);
    }
    let total = 0;
    for (let c = 0; c < CLASSES; c += 1) total += Math.exp(q[c] - top);
    this.logTotal = top + Math.log(total);
  }

  // The loss of the example answered last; q still holds its scores.
  loss(label) { return this.logTotal - this.q[label]; }

  guess() {
    let best = 0;
    for (let c = 1; c < CLASSES; c += 1) if (this.q[c] > this.q[best]) best = c;
    return best;
  }

  // Adds one example's gradient, weighted by `share`; returns its loss.
  collect(data, row, mask, turn, { scale, share }) {
    this.answer(data.x, row, mask, turn, scale);
    const { hidden, w2, h, q, gradient } = this;
    const label = data.y[row];
    const loss = this.loss(label);
    for (let c = 0; c < CLASSES; c += 1) {
      q[c] = share * (Math.exp(q[c] - this.logTotal) - (c === label));
      gradient.b2[c] += q[c];
      for (let j = 0, at = c * hidden; j < hidden; j += 1) gradient.w2[at + j] += q[c] * h[j];
    }
    for (let j = 0; j < hidden; j += 1) {
      if (h[j] === 0) continue;
      let slope = 0;
      for (let c = 0; c < CLASSES; c += 1) slope += q[c] * w2[c * hidden + j];
      this.collectUnit(j, slope * scale, data.x, row * PIXELS);
    }
    return loss;
  }

  collectUnit(j, slope, x, from) {
    const { w1, b1 } = this.gradient;
    b1[j] += slope;
    for (let i = 0, at = j * PIXELS; i < PIXELS; i += 1) w1[at + i] += slope * x[from + i];
  }

  // One rule for each part: a rule remembers what it has seen of it.
  update(rules) {
    for (const name of this.parts) {
      rules[name](this[name], this.gradient[name]);
      this.gradient[name].fill(0);
    }
  }

  // The hidden units on all digits of a part, in evaluation: row after row.
  activations(data) {
    const all = new Float64Array(data.count * this.hidden);
    for (let row = 0; row < data.count; row += 1) {
      this.answer(data.x, row, null, 0, 1);
      all.set(this.h, row * this.hidden);
    }
    return all;
  }
}

// One training: the settings never change. Epochs are passes over the training digits in a new order.
export class DigitRun {
  constructor(settings, data) {
    Object.assign(this, { settings, data, steps: 0, epochs: 0, history: [], wrong: [], rows: [], broken: false });
    this.network = new DigitNetwork(settings.hidden, settings.seed);
    this.rules = Object.fromEntries(this.network.parts.map((name) => [name, OPTIMISERS[settings.optimiser]({ lr: settings.lr })]));
    this.mask = new Uint8Array(Math.min(settings.batch, data.train.count) * settings.hidden);
    this.work = this.trained();
  }

  // Says "part" where it may rest, "step" after an update and "epoch" after a measurement.
  * trained() {
    const orders = randomStream(1000 + this.settings.seed);
    const masks = randomStream(2000 + this.settings.seed);
    const order = Array.from({ length: this.data.train.count }, (_, k) => k);
    yield* this.measured();
    while (!this.broken) {
      shuffle(order, orders);
      for (let from = 0; from < order.length; from += this.settings.batch) {
        this.rows = order.slice(from, from + this.settings.batch);
        yield* this.stepped(masks);
      }
      this.epochs += 1;
      yield* this.measured();
    }
  }

  * stepped(masks) {
    const { p, hidden } = this.settings;
    for (let k = 0; k < this.rows.length * hidden; k += 1) this.mask[k] = p === 0 || masks() >= p ? 1 : 0;
    const weights = { scale: 1 / (1 - p), share: 1 / this.rows.length };
    for (let turn = 0; turn < this.rows.length; turn += 1) {
      this.network.collect(this.data.train, this.rows[turn], this.mask, turn, weights);
      if (turn % CHUNK === CHUNK - 1) yield "part";
    }
    this.network.update(this.rules);
    this.steps += 1;
    yield "step";
  }

  * measured() {
    const found = {};
    for (const part of ["train", "validation"]) found[part] = yield* this.measure(this.data[part]);
    this.wrong = found.validation.wrong;
    const [train, validation] = [found.train, found.validation];
    this.broken = !Number.isFinite(train.loss + validation.loss);
    if (!this.broken) {
      this.history.push({
        epoch: this.epochs, trainLoss: train.loss, validationLoss: validation.loss, trainRight: train.right, validationRight: validation.right,
      });
    }
    yield "epoch";
  }

  * measure(data) {
    let loss = 0;
    const wrong = [];
    for (let row = 0; row < data.count; row += 1) {
      this.network.answer(data.x, row, null, 0, 1);
      loss += this.network.loss(data.y[row]) / data.count;
      const guess = this.network.guess();
      if (guess !== data.y[row]) wrong.push({ row, guess, label: data.y[row] });
      if (row % CHUNK === CHUNK - 1) yield "part";
    }
    return { loss, wrong, right: 1 - wrong.length / data.count };
  }

  // Works until the next measurement or update, whatever comes first of those named.
  until(...signs) {
    let next = this.work.next();
    while (!next.done && !signs.includes(next.value)) next = this.work.next();
    return !next.done;
  }
}

function shuffle(order, next) {
  for (let k = order.length - 1; k > 0; k -= 1) {
    const other = Math.floor((k + 1) * next());
    [order[k], order[other]] = [order[other], order[k]];
  }
}
