// Design a learning-rate schedule: choose, tune, read the rate at any step, the formula and the Torch line.
import { button, choice, fill, goal, make, nearOne, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { LineChart, short } from "./line_chart.js";
import { SCHEDULES, formulaOf, rateAt, restartsOf, torchOf } from "./rate_rules.js";

const LAST = 1200;
const SETTINGS = ["kind", "lr", "period", "gamma", "decay", "factor", "low", "warm", "at", "log_axis"];

const TEXT = {
  title: "Design a learning-rate schedule",
  question: "A cosine falls from the top to 0 in 500 steps, without restarts. Where is the rate at step 1,000?",
  options: [["bottom", "Still at 0"], ["half", "Half way up"], ["top", "Back at the top"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Choose the cosine, set its period to 500 and read the rate at step 1,000.",
  rightGuess: "You said back at the top: right. The formula is a whole wave, and Torch does the same. End the training at the bottom.",
  wrongGuess: "It is back at the top: the formula is a whole wave, and Torch does the same. End the training at the bottom.",
  kind: "Schedule",
  names: {
    lr: "base rate <i>\u03b7</i>", gamma: "factor <i>\u03b3</i>", decay: "factor <i>\u03b3</i>", factor: "times as long",
    low: "lowest / <i>\u03b7</i>", warm: "warm-up steps", at: "read at step",
  },
  periods: { step: "steps between", cosine: "period", restarts: "first period", cyclic: "steps up" },
  logAxis: "Log axis",
  big: "{rate} at step {t}",
  formula: "Rate at step t:", torch: "The same in Torch:",
  since: "since: steps since the last restart; length: {list}, \u2026",
  first: "Warm up for 100 steps, then never rise, and be at a tenth of the top rate at step 1,000 (within 5 %).",
  firstDone: "{rate} at step 1,000, {part} of the top, with the schedule \u201c{kind}\u201d. Others can do it too: try.",
  second: "Warm restarts, each period twice as long as the one before: let the second restart come at step 600.",
  secondDone: "Restarts at steps {list}.",
  reached: "Goal reached. {text}",
  axis: { x: "step t", y: "learning rate" },
  picture: "Learning rate over {last} steps, schedule {kind}{warm}. It is {start} at step 0, {middle} at step 600 and {end} at step {last}. {logged}",
  warmed: " after {warm} steps of warm-up",
  logged: "The axis of the rate is logarithmic.", plain: "The axis of the rate is linear.",
};

export const schedules = { SCHEDULES, rateAt, formulaOf, torchOf, restartsOf };

const RANGES = {
  lr: { min: -4, max: 0, step: 0.05, shown: (v) => short(Number((10 ** v).toPrecision(2))), read: (v) => Number((10 ** v).toPrecision(2)), put: Math.log10 },
  period: { min: 10, max: 1200, step: 10, shown: String },
  gamma: { min: 0.05, max: 1, step: 0.01, shown: (v) => number(v) },
  // Right means closer to 1, in equal shares of a decade of 1 - gamma.
  decay: {
    min: 1, max: 4, step: 0.01, shown: nearOne, read: (v) => Number((1 - 10 ** -v).toFixed(6)), put: (v) => -Math.log10(1 - v),
  },
  factor: { min: 1, max: 4, step: 1, shown: String },
  low: { min: 0, max: 0.5, step: 0.01, shown: (v) => number(v) },
  warm: { min: 0, max: 300, step: 10, shown: String },
  at: { min: 0, max: LAST, step: 10, shown: String },
};
const SAME = (v) => v;

function sliders(frame, state, moved) {
  return Object.fromEntries(Object.entries(RANGES).map(([name, { min, max, step, shown, read = SAME, put = SAME }]) => [name, slider({
    labelHtml: TEXT.names[name] || TEXT.periods.cosine, min, max, step, value: put(state[name]), format: shown,
    onInput: frame.guard((v) => { state[name] = read(v); moved(); }),
  })]));
}

function buildPage(frame, state, moved) {
  const canvas = make("canvas", { class: "look-chart look-tall", role: "img" });
  const parts = { canvas, chart: new LineChart(canvas), sliders: sliders(frame, state, moved), goals: [goal(TEXT.first), goal(TEXT.second)] };
  parts.kind = choice({
    label: TEXT.kind, options: Object.entries(SCHEDULES).map(([key, { text }]) => [key, text]), value: state.kind,
    onChange: frame.guard((kind) => { state.kind = kind; moved(); }),
  });
  parts.log = button(TEXT.logAxis, frame.guard(() => { state.log_axis = !state.log_axis; moved(); }));
  parts.big = make("p", { class: "look-big" });
  parts.formula = make("code", { class: "look-code" });
  parts.torch = make("code", { class: "look-code" });
  parts.since = make("p", { class: "look-why" });
  const { at, ...rest } = parts.sliders;
  frame.picture.append(canvas, make("div", { class: "look-caption" }, parts.big),
    make("div", { class: "look-said" }, make("p", { class: "look-tag", text: TEXT.formula }), parts.formula, parts.since,
      make("p", { class: "look-tag", text: TEXT.torch }), parts.torch));
  frame.side.append(parts.kind.row, ...Object.values(rest).map((item) => item.row), at.row,
    make("div", { class: "look-buttons" }, parts.log), ...parts.goals.map((item) => item.box));
  return parts;
}

// Only what the schedule uses is shown; the period is called what it is there.
function showControls(parts, state) {
  const { uses } = SCHEDULES[state.kind];
  for (const [name, item] of Object.entries(parts.sliders)) item.row.hidden = name !== "at" && !uses.includes(name);
  parts.sliders.period.row.querySelector("label").textContent = TEXT.periods[state.kind] || TEXT.periods.cosine;
  parts.log.setAttribute("aria-pressed", state.log_axis);
  parts.kind.select.value = state.kind;
}

function draw(chart, state, rates) {
  const top = Math.max(...rates);
  const floor = Math.max(top * 1e-4, Math.min(...rates) * 0.8);
  const yAxis = state.log_axis ? { low: Math.min(floor, top / 12), high: top * 1.4, log: true } : { low: 0, high: top * 1.15 };
  chart.open({ low: 0, high: LAST, text: TEXT.axis.x }, { ...yAxis, text: TEXT.axis.y });
  chart.curve(rates.map((_, t) => t), rates, { width: 3.5 });
  chart.upright(state.at, fill("{rate}", { rate: short(rates[state.at]) }), { width: 1.5, dash: [5, 4] });
  chart.dots([state.at], [rates[state.at]], { size: 6, hollow: true });
}

function warmedWell(state, rates) {
  const after = rates.slice(100, 1001);
  const part = rates[1000] / rates[100];
  const falls = after.every((rate, k) => k === 0 || rate <= after[k - 1] * (1 + 1e-12));
  return state.warm === 100 && SCHEDULES[state.kind].uses.includes("warm") && falls && part >= 0.095 && part <= 0.105;
}

function render({ model, el }) {
  const state = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const reached = [model.get("goal_reached"), model.get("second_reached")];
  const frame = openFrame(el, TEXT.title);
  frame.root.classList.add("look-inline-choice");
  frame.root.style.setProperty("--label", "7.8em");
  frame.root.style.setProperty("--value", "5.4em");
  const { publish, listen, close } = publisher(model);
  const parts = buildPage(frame, state, moved);
  let waiting = true;
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
    },
  });

  function show() {
    const rates = Array.from({ length: LAST + 1 }, (_, t) => rateAt(t, state));
    showControls(parts, state);
    draw(parts.chart, state, rates);
    parts.big.textContent = fill(TEXT.big, { rate: short(rates[state.at]), t: state.at.toLocaleString("en") });
    parts.formula.textContent = formulaOf(state);
    parts.torch.textContent = torchOf(state);
    const growing = state.kind === "restarts" && state.factor > 1;
    parts.since.hidden = !growing;
    parts.since.textContent = growing ? fill(TEXT.since, { list: [0, 1, 2].map((k) => state.period * state.factor ** k).join(", ") }) : "";
    parts.canvas.setAttribute("aria-label", describe(rates));
    Object.assign(frame.root.dataset, { rate: rates[state.at], kind: state.kind });
    return rates;
  }

  function describe(rates) {
    const warmed = state.warm > 0 && SCHEDULES[state.kind].uses.includes("warm");
    return fill(TEXT.picture, {
      last: LAST.toLocaleString("en"), kind: SCHEDULES[state.kind].text, warm: warmed ? fill(TEXT.warmed, { warm: state.warm }) : "",
      start: short(rates[0]), middle: short(rates[600]), end: short(rates[LAST]), logged: state.log_axis ? TEXT.logged : TEXT.plain,
    });
  }

  function reach(which, text) {
    if (reached[which]) return "";
    reached[which] = true;
    parts.goals[which].reach(text);
    return fill(TEXT.reached, { text });
  }

  function judge(rates) {
    if (waiting && state.kind === "cosine" && state.warm + 2 * state.period <= LAST) {
      waiting = false;
      asked.verdict.textContent = model.get("prediction") === "top" ? TEXT.rightGuess : TEXT.wrongGuess;
    }
    let news = "";
    if (warmedWell(state, rates)) {
      const values = { rate: short(rates[1000]), part: number(rates[1000] / rates[100], 3), kind: SCHEDULES[state.kind].text };
      news = reach(0, fill(TEXT.firstDone, values));
    }
    const restarts = restartsOf(state, LAST);
    if (state.factor === 2 && restarts[1] === 600) news = reach(1, fill(TEXT.secondDone, { list: restarts.join(", ") })) || news;
    return news;
  }

  function moved() {
    const news = judge(show());
    frame.announce(parts.big.textContent, news);
    publish({ ...state, goal_reached: reached[0], second_reached: reached[1] });
  }

  listen(SETTINGS, frame.guard(() => {
    SETTINGS.forEach((name) => { state[name] = model.get(name); });
    for (const [name, { put = SAME }] of Object.entries(RANGES)) parts.sliders[name].set(put(state[name]));
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(parts.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
