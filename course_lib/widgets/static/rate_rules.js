// Learning-rate schedules as torch.optim.lr_scheduler computes them; steps count from 0.
// Each knows its own formula and the Torch line that makes it.

const START = 1 / 3; // share of the rate at the first step of a warm-up, Torch's default
const text = (value) => String(Number(value.toPrecision(6)));
const lowest = ({ lr, low }) => lr * low;

function cosine(t, period, { lr, low }) {
  return lr * low + (lr * (1 - low) * (1 + Math.cos((Math.PI * t) / period))) / 2;
}

// Steps since the last restart, and the length of the present cycle.
function sinceRestart(t, period, factor) {
  if (factor === 1) return [t % period, period];
  let [rest, length] = [t, period];
  while (rest >= length) {
    rest -= length;
    length *= factor;
  }
  return [rest, length];
}

function triangle(t, { lr, low, period }) {
  const place = t % (2 * period);
  const height = place <= period ? place / period : (2 * period - place) / period;
  return lr * low + lr * (1 - low) * height;
}

const half = (setup, inner) => {
  const low = lowest(setup);
  const wave = `${text((setup.lr - low) / 2)} * (1 + cos(pi * ${inner}))`;
  return low > 0 ? `${text(low)} + ${wave}` : wave;
};

// `uses` names the settings a schedule needs; t is the name of its step in the formula.
export const SCHEDULES = {
  constant: {
    text: "constant", uses: ["lr", "warm"],
    rate: (t, { lr }) => lr,
    formula: (t, { lr }) => text(lr),
    torch: () => "ConstantLR(opt, factor=1.0)",
  },
  step: {
    text: "step", uses: ["lr", "period", "gamma", "warm"],
    rate: (t, { lr, period, gamma }) => lr * gamma ** Math.floor(t / period),
    formula: (t, { lr, period, gamma }) => `${text(lr)} * ${text(gamma)} ** (${t} // ${period})`,
    torch: ({ period, gamma }) => `StepLR(opt, step_size=${period}, gamma=${text(gamma)})`,
  },
  exponential: {
    text: "exponential", uses: ["lr", "decay", "warm"],
    rate: (t, { lr, decay }) => lr * decay ** t,
    formula: (t, { lr, decay }) => `${text(lr)} * ${text(decay)} ** ${t}`,
    torch: ({ decay }) => `ExponentialLR(opt, gamma=${text(decay)})`,
  },
  cosine: {
    text: "cosine", uses: ["lr", "period", "low", "warm"],
    rate: (t, setup) => cosine(t, setup.period, setup),
    formula: (t, setup) => half(setup, `${t} / ${setup.period}`),
    torch: (setup) => `CosineAnnealingLR(opt, T_max=${setup.period}, eta_min=${text(lowest(setup))})`,
  },
  restarts: {
    text: "cosine with warm restarts", uses: ["lr", "period", "factor", "low", "warm"],
    rate: (t, setup) => cosine(...sinceRestart(t, setup.period, setup.factor), setup),
    formula: (t, setup) => half(setup, setup.factor === 1 ? `(${t} % ${setup.period}) / ${setup.period}` : "since / length"),
    torch: (setup) => `CosineAnnealingWarmRestarts(opt, T_0=${setup.period}, T_mult=${setup.factor}, eta_min=${text(lowest(setup))})`,
  },
  cyclic: {
    text: "cyclic", uses: ["lr", "period", "low"],
    rate: triangle,
    formula: (t, setup) => `${text(setup.lr)} - ${text(setup.lr - lowest(setup))} * abs(${t} % ${2 * setup.period} - ${setup.period}) / ${setup.period}`,
    torch: (setup) => `CyclicLR(opt, base_lr=${text(lowest(setup))}, max_lr=${text(setup.lr)}, step_size_up=${setup.period}, cycle_momentum=False)`,
  },
};

function warmSteps(setup) {
  return SCHEDULES[setup.kind].uses.includes("warm") ? setup.warm : 0;
}

// A warm-up comes first; the schedule then counts from its own step 0, as in SequentialLR.
export function rateAt(t, setup) {
  const warm = warmSteps(setup);
  if (t < warm) return setup.lr * (START + ((1 - START) * t) / warm);
  return SCHEDULES[setup.kind].rate(t - warm, setup);
}

// A Python expression in t.
export function formulaOf(setup) {
  const warm = warmSteps(setup);
  const schedule = SCHEDULES[setup.kind];
  if (!warm) return schedule.formula("t", setup);
  return `${text(setup.lr)} * (1 + 2 * t / ${warm}) / 3 if t < ${warm} else ${schedule.formula(`(t - ${warm})`, setup)}`;
}

export function torchOf(setup) {
  const warm = warmSteps(setup);
  const line = SCHEDULES[setup.kind].torch(setup);
  if (!warm) return line;
  return `SequentialLR(opt, [LinearLR(opt, total_iters=${warm}), ${line}], milestones=[${warm}])`;
}

export function restartsOf(setup, last) {
  const found = [];
  if (setup.kind !== "restarts") return found;
  for (let [at, length] = [warmSteps(setup) + setup.period, setup.period]; at <= last; at += length) {
    found.push(at);
    length *= setup.factor;
  }
  return found;
}
