// The activation functions of the course and their slopes, in float64. Conventions: relu'(0) = 0, leaky ReLU leaks at 0.
import { squash } from "./network.js";

const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

// A series whose terms have one sign, so that nothing cancels. Beyond 6, erf rounds to 1.
export function erf(x) {
  const size = Math.abs(x);
  if (size >= 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(total); k += 1) {
    term *= (2 * x * x) / (2 * k + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const below = (z) => 0.5 * (1 + erf(z * Math.SQRT1_2));
const inner = (z) => Math.tanh(SCALE * (z + CUBIC * z ** 3));

function geluTanhSlope(z) {
  const t = inner(z);
  return 0.5 * (1 + t) + z * 0.5 * SCALE * (1 - t * t) * (1 + 3 * CUBIC * z * z);
}

// Not s (1 - s), which is 0 from z = 37 on.
const sigmoidSlope = (z) => squash(z) * squash(-z);

export const ACTIVATIONS = {
  sigmoid: { text: "sigmoid", value: squash, slope: sigmoidSlope },
  tanh: { text: "tanh", value: Math.tanh, slope: (z) => 4 * sigmoidSlope(2 * z) },
  relu: { text: "ReLU", value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  leaky_relu: { text: "leaky ReLU", value: (z, leak) => (z > 0 ? z : leak * z), slope: (z, leak) => (z > 0 ? 1 : leak) },
  gelu: { text: "GELU, erf form", value: (z) => z * below(z), slope: (z) => below(z) + z * 0.5 * SCALE * Math.exp(-0.5 * z * z) },
  gelu_tanh: { text: "GELU, tanh form", value: (z) => 0.5 * z * (1 + inner(z)), slope: geluTanhSlope },
};
