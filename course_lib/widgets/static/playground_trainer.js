// Trains in pieces and tells what it measured. The same trainer works in a worker and, where there is none, in the page.
import { readDigits } from "./digits.js";
import { DigitRun } from "./playground_network.js";

const BINS = 36;
const SAMPLE = 2000;
const BETWEEN = 120; // milliseconds between two histograms while training goes on

// The next round number at or above a value: histograms keep their axis for a while.
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((k) => k * power).find((top) => top >= value * 0.999999);
}

// Shares of the values in equal bins of low..high; what lies beyond an end counts in the last bin there.
export function binned(values, low, high, bins = BINS) {
  const shares = new Float64Array(bins);
  for (const value of values) {
    const bin = Math.floor((bins * (value - low)) / (high - low));
    shares[Math.min(Math.max(bin, 0), bins - 1)] += 1 / values.length;
  }
  return shares;
}

// A size that about all but one in two hundred values stay below: one large weight shall not squeeze the others.
// A sample decides, because sorting all of them would take longer than a frame.
function nearlyAll(values) {
  const stride = Math.ceil(values.length / SAMPLE);
  const sizes = Float64Array.from({ length: Math.ceil(values.length / stride) }, (_, k) => Math.abs(values[k * stride])).sort();
  return sizes[Math.floor(0.995 * (sizes.length - 1))];
}

function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function weightPicture(now, start) {
  const top = roundUp(Math.max(nearlyAll(now), nearlyAll(start)));
  return { low: -top, high: top, now: binned(now, -top, top), start: binned(start, -top, top), spread: spread(now), startSpread: spread(start) };
}

// Units that are zero for every digit are silent; only activations above zero go into bins.
function activationPicture(now, start, hidden) {
  const positive = (values) => values.filter((value) => value > 0);
  const [above, aboveStart] = [positive(now), positive(start)];
  const top = roundUp(Math.max(nearlyAll(above) || 0, nearlyAll(aboveStart) || 0) || 1);
  const awake = new Uint8Array(hidden);
  now.forEach((value, k) => { if (value > 0) awake[k % hidden] = 1; });
  return {
    low: 0, high: top, now: binned(above, 0, top), start: binned(aboveStart, 0, top),
    zero: 1 - above.length / now.length, startZero: 1 - aboveStart.length / start.length, silent: hidden - awake.reduce((count, unit) => count + unit, 0), hidden,
  };
}

export class Trainer {
  // `tell` gets one plain object per measurement, and one with `resting` whenever the work stops; `turn` is that
  // of the last order heard.
  constructor(digits, tell, clock = () => performance.now()) {
    const { train, train_labels: trainLabels, validation, validation_labels: validationLabels } = digits;
    this.data = { train: readDigits(train, trainLabels), validation: readDigits(validation, validationLabels) };
    Object.assign(this, { tell, clock, run: null, last: 0, turn: 0, working: false, painted: 0 });
  }

  // A new run: measured once before its first step.
  begin({ turn, serial, settings }) {
    Object.assign(this, { turn, serial });
    this.run = new DigitRun(settings, this.data);
    const { network } = this.run;
    this.start = { w1: network.w1.slice(), w2: network.w2.slice(), h: network.activations(this.data.validation) };
    this.run.until("epoch");
    this.working = false;
    this.report(true);
  }

  go({ turn, last }) {
    Object.assign(this, { turn, last });
    this.working = Boolean(this.run) && !this.run.broken && this.run.epochs < last;
    if (!this.working) this.report(true);
  }

  pause({ turn }) {
    Object.assign(this, { turn, working: false });
    this.report(true, false);
  }

  // What a pause left out, because its answer shall not wait for histograms.
  paint() { if (!this.working) this.report(true); }

  // Works for about that long, and says whether there is more to do.
  slice(milliseconds) {
    const { run } = this;
    const end = this.clock() + milliseconds;
    while (this.working && this.clock() < end) {
      if (run.work.next().value !== "epoch") continue;
      this.working = !run.broken && run.epochs < this.last;
      this.report(!this.working);
    }
    return this.working;
  }

  report(resting, painted = resting || this.clock() - this.painted > BETWEEN) {
    const { run, serial, turn } = this;
    const paint = painted && !run.broken;
    this.tell({
      serial, turn, resting, epochs: run.epochs, steps: run.steps, broken: run.broken, point: run.history[run.history.length - 1], wrong: run.wrong,
      pictures: paint ? this.pictures() : null,
    });
    if (paint) this.painted = this.clock();
  }

  pictures() {
    const { network } = this.run;
    return {
      w1: weightPicture(network.w1, this.start.w1), w2: weightPicture(network.w2, this.start.w2),
      h: activationPicture(network.activations(this.data.validation), this.start.h, network.hidden),
    };
  }
}
