// The graph f = w3 ReLU(w1 x1 + w1 x2 + b), walked forward and backward one node at a time, in float64.

export const INPUTS = ["x1", "x2", "w1", "w3", "b"];
export const FORWARD = ["p", "q", "z", "r", "f"];
export const BACKWARD = ["f", "r", "z", "q", "p"];
// No step, five forward, the start at f, five nodes backward, the sum at w1.
export const LAST = FORWARD.length + 1 + BACKWARD.length + 1;

export function valuesOf({ x1, x2, w1, w3, b }) {
  const [p, q] = [w1 * x1, w1 * x2];
  const z = p + q + b;
  const r = Math.max(z, 0);
  return { x1, x2, w1, w3, b, p, q, z, r, f: w3 * r };
}

// For each node: the inputs of its operation, each with the local derivative. The slope of ReLU at 0 is 0.
function localsOf(v) {
  return {
    f: [["w3", v.r], ["r", v.w3]],
    r: [["z", v.z > 0 ? 1 : 0]],
    z: [["p", 1], ["q", 1], ["b", 1]],
    q: [["w1", v.x2], ["x2", v.w1]],
    p: [["x1", v.w1], ["w1", v.x1]],
  };
}

// Every edge with upstream x local = gradient, in the order of the walk, and the sums that arrive at each name.
export function walkBack(v) {
  const locals = localsOf(v);
  const arrived = { f: 1 };
  const edges = BACKWARD.flatMap((node) => locals[node].map(([source, local]) => {
    const upstream = arrived[node];
    const gradient = upstream * local;
    arrived[source] = (arrived[source] || 0) + gradient;
    return { node, source, upstream, local, gradient };
  }));
  return { edges, gradients: arrived };
}

// What is known after a number of steps.
export function known(step) {
  const behind = step - FORWARD.length - 1;
  return {
    values: new Set([...INPUTS, ...FORWARD.slice(0, step)]),
    started: behind >= 0,
    passed: new Set(BACKWARD.slice(0, Math.max(0, behind))),
    now: step <= FORWARD.length ? FORWARD[step - 1] || "" : ["start", ...BACKWARD, "sum"][behind],
    backward: step > FORWARD.length,
    done: step === LAST,
  };
}
