// One-sided and central difference quotients, every operation rounded to float64 or float32.

const exact = (v) => v;
const ROUND = { float64: exact, float32: Math.fround };

export const CURVES = {
  sin: { text: "sin x", value: Math.sin, slope: Math.cos },
  exp: { text: "exp x", value: Math.exp, slope: Math.exp },
  cubic: { text: "x\u00b3", value: (x, round) => round(x * x) * x, slope: (x) => 3 * x * x },
};
export const EXPONENTS = Array.from({ length: 161 }, (_, k) => (k - 160) / 10);

// Three digits, so that the step is the number that is shown.
export function stepOf(exponent) {
  return Number((10 ** exponent).toPrecision(3));
}

// The slope is that of the rounded x, in float64: what the quotients would be without any error.
export function quotients(name, x, h, precision) {
  const round = ROUND[precision];
  const { value, slope } = CURVES[name];
  const f = (at) => round(value(at, round));
  const [here, step] = [round(x), round(h)];
  const [ahead, behind] = [f(round(here + step)), f(round(here - step))];
  return {
    slope: slope(here),
    oneSided: round(round(ahead - f(here)) / step),
    central: round(round(ahead - behind) / round(2 * step)),
  };
}

export function errorsOf(name, x, h, precision) {
  const { slope, oneSided, central } = quotients(name, x, h, precision);
  return { oneSided: Math.abs(oneSided - slope), central: Math.abs(central - slope) };
}

// Digits on which a number and the right one agree, from the relative error; at most what the format holds.
export function agreeing(value, right, precision) {
  const most = precision === "float32" ? 8 : 16;
  if (value === right) return most;
  return Math.max(0, Math.min(most, Math.floor(-Math.log10(Math.abs(value - right) / Math.abs(right)))));
}
