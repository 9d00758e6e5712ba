// Polynomials with an L2 penalty in closed form: Legendre polynomials as columns, least squares by orthogonal columns.
// The course's conventions: mean squared error plus strength / 2 times the sum of squared weights, without the constant.

const MAX_DEGREE = 15;
const known = new Map();

// Legendre polynomials 0 to 15 at x, by their recursion; the same few x come back at every move of a slider.
function polynomials(x) {
  if (known.has(x)) return known.get(x);
  const values = [1, x];
  for (let k = 1; k < MAX_DEGREE; k += 1) values.push(((2 * k + 1) * x * values[k] - k * values[k - 1]) / (k + 1));
  known.set(x, values);
  return values;
}

export function legendre(x, degree) {
  return polynomials(x).slice(0, degree + 1);
}

// The penalty becomes further rows: minimising |A w - b|^2 with A = [sqrt(2/n) P; sqrt(strength) I].
function rowsOf({ x, y }, degree, strength) {
  const scale = Math.sqrt(2 / x.length);
  const rows = x.map((value, k) => [...legendre(value, degree).map((p) => scale * p), scale * y[k]]);
  for (let k = 1; k <= degree; k += 1) rows.push(Array.from({ length: degree + 2 }, (_, j) => (j === k ? Math.sqrt(strength) : 0)));
  return rows;
}

// Modified Gram-Schmidt with the right side as last column, then back substitution: stable for least squares.
export function fitRidge(data, degree, strength) {
  const rows = rowsOf(data, degree, strength);
  const size = degree + 1;
  const columns = Array.from({ length: size + 1 }, (_, j) => Float64Array.from(rows, (row) => row[j]));
  const r = Array.from({ length: size }, () => new Float64Array(size + 1));
  for (let j = 0; j < size; j += 1) {
    r[j][j] = Math.sqrt(dot(columns[j], columns[j]));
    columns[j].forEach((value, i) => { columns[j][i] = value / r[j][j]; });
    for (let k = j + 1; k <= size; k += 1) {
      r[j][k] = dot(columns[j], columns[k]);
      for (let i = 0; i < rows.length; i += 1) columns[k][i] -= r[j][k] * columns[j][i];
    }
  }
  const w = new Float64Array(size);
  for (let j = size - 1; j >= 0; j -= 1) {
    w[j] = r[j][size];
    for (let k = j + 1; k < size; k += 1) w[j] -= r[j][k] * w[k];
    w[j] /= r[j][j];
  }
  return [...w];
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}

export function predict(w, x) {
  return dot(w, polynomials(x));
}

export function meanError(w, { x, y }) {
  return x.reduce((sum, value, k) => sum + (predict(w, value) - y[k]) ** 2, 0) / x.length;
}

export function norm(w) {
  return Math.sqrt(dot(w, w) - w[0] * w[0]);
}

// Both errors for each strength.
export function errorCurves({ train, validation }, degree, strengths) {
  const fits = strengths.map((strength) => fitRidge(train, degree, strength));
  return { train: fits.map((w) => meanError(w, train)), validation: fits.map((w) => meanError(w, validation)) };
}
