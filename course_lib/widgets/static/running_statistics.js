// Running statistics over many batches, as Torch gathers them, and how far two ways to normalise lie apart.
import { EPS, drawBatch, statistics } from "./batch_statistics.js";
import { randomStream } from "./network.js";

export const UPDATES = 200;
export const LATE = 100;

// Root mean square of the difference of both outputs over numbers with this mean and variance. Both outputs are
// straight lines in x, so is their difference: its slope counts with the variance, its value at the mean as it is.
export function distance(one, other, { mean, variance }) {
  const [a, b] = [one, other].map((used) => 1 / Math.sqrt(used.variance + EPS));
  const offset = (mean - one.mean) * a - (mean - other.mean) * b;
  return Math.sqrt((a - b) ** 2 * variance + offset ** 2);
}

// One entry per batch: the running statistics after it, the gap on this batch, and the error on all numbers.
export function gathered(values, { size, momentum, seed }) {
  const whole = statistics(values);
  const next = randomStream(100 * seed + size);
  const batch = new Float64Array(size);
  const running = { mean: 0, variance: 1 };
  return Array.from({ length: UPDATES }, () => {
    const found = statistics(drawBatch(values, batch, next));
    running.mean += momentum * (found.mean - running.mean);
    running.variance += momentum * ((found.variance * size) / (size - 1) - running.variance);
    return { ...running, gap: distance(found, running, found), error: distance(whole, running, whole) };
  });
}

export function late(entries, name) {
  return entries.slice(-LATE).reduce((sum, entry) => sum + entry[name] / LATE, 0);
}
