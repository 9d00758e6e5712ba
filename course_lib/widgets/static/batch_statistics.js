// Mean and variance of one feature over a batch, and what batch normalisation makes of a value. Variances divide by n.

export const EPS = 1e-5;

export function statistics(values) {
  const n = values.length;
  let [sum, squares] = [0, 0];
  for (let k = 0; k < n; k += 1) sum += values[k];
  const mean = sum / n;
  for (let k = 0; k < n; k += 1) squares += (values[k] - mean) * (values[k] - mean);
  return { mean, variance: squares / n };
}

export function normalised(value, { mean, variance }) {
  return (value - mean) / Math.sqrt(variance + EPS);
}

// A batch drawn with replacement, into `batch`.
export function drawBatch(values, batch, next) {
  for (let k = 0; k < batch.length; k += 1) batch[k] = values[Math.floor(values.length * next())];
  return batch;
}

// The power of two from 1 to 256 that lies nearest, as its exponent.
export function exponent(size) {
  return Math.min(8, Math.max(0, Math.round(Math.log2(size))));
}
