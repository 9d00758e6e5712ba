// The race without its picture: six rules, one start, the same noise for all.
import { randomStream } from "./network.js";
import { SURFACES } from "./surfaces.js";
import { RULES, normals } from "./update_rules.js";

export const LAST = 300;
export const CLOSE = 0.01;
const OUT = 1e4; // a runner this far away has left for good

export function startOf(setup) {
  return setup.start.length === 2 ? setup.start : SURFACES[setup.surface].start;
}

function run(name, setup, noise) {
  const surface = SURFACES[setup.surface];
  const rule = RULES[name](setup);
  const w = Float64Array.from(startOf(setup));
  const path = { x: [w[0]], y: [w[1]], loss: [surface.value(w[0], w[1], setup.conditioning)], out: null, settled: null };
  for (let k = 1; k <= LAST; k += 1) {
    const g = surface.slope(w[0], w[1], setup.conditioning);
    rule(w, [g[0] + setup.noise * noise[2 * k - 2], g[1] + setup.noise * noise[2 * k - 1]]);
    if (!(Math.hypot(w[0], w[1]) < OUT)) {
      path.out = k;
      break;
    }
    path.x.push(w[0]);
    path.y.push(w[1]);
    path.loss.push(surface.value(w[0], w[1], setup.conditioning));
  }
  if (path.out === null && path.loss[LAST] < CLOSE) path.settled = path.loss.findLastIndex((loss) => loss >= CLOSE) + 1;
  return path;
}

export function noiseOf(seed) {
  return normals(randomStream(seed), 2 * LAST);
}

// All paths at once: 1,800 steps take less time than one frame.
export function runRace(setup) {
  const noise = noiseOf(setup.seed);
  return Object.fromEntries(Object.keys(RULES).map((name) => [name, run(name, setup, noise)]));
}

// Where a runner is at step k: null once it has flown out.
export function placeAt(path, k) {
  return path.out !== null && k >= path.out ? null : { x: path.x[k], y: path.y[k], loss: path.loss[k] };
}
