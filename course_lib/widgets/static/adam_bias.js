// The first steps of Adam, with and without bias correction, in units of the learning rate.
import { INK, fill, goal, make, nearOne, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { LineChart } from "./line_chart.js";
import { randomStream } from "./network.js";
import { RULES, normals } from "./update_rules.js";

const STEPS = 50;

const TEXT = {
  title: "Adam with and without bias correction",
  question: "\u03b2\u2081 = 0.9 and \u03b2\u2082 = 0.999, every gradient is 1. Without the correction, the first step is \u2026",
  options: [["small", "too small"], ["right", "just right"], ["large", "too large"]],
  wait: "Choose, and the steps are drawn.",
  answer: "You said {guess}. It is too large: (1 \u2212 \u03b2\u2081) / \u221a(1 \u2212 \u03b2\u2082) = 0.1 / \u221a0.001 \u2248 3.2 times the learning rate. "
    + "m starts too small, but the root of v starts even smaller.",
  guesses: { small: "too small", right: "just right", large: "too large" },
  beta1: "<i>\u03b2</i><sub>1</sub>", beta2: "<i>\u03b2</i><sub>2</sub>", noise: "gradient noise",
  with: "with correction", without: "without",
  first: "First step: {with} \u03b7 with correction, {without} \u03b7 without.",
  most: "Without it the longest of the first 50 steps is step {k}: {most} \u03b7.",
  small: "Constant gradient: make the first step without correction less than half the learning rate.",
  smallDone: "{size} \u03b7 with \u03b2\u2081 = {beta1}, \u03b2\u2082 = {beta2}: now m is the one that starts too small.",
  even: "Constant gradient, \u03b2\u2081 of 0.5 or more: make the first step without correction right, within 2 %.",
  evenDone: "{size} \u03b7 with \u03b2\u2081 = {beta1}, \u03b2\u2082 = {beta2}: the two errors cancel when 1 \u2212 \u03b2\u2081 = \u221a(1 \u2212 \u03b2\u2082). Look at the later steps: they do not stay right.",
  reached: "Goal reached. {text}",
  legend: ["with correction: line and discs", "without: dashes and squares"],
  axis: { x: "step", y: "step size / \u03b7" },
  level: "the learning rate",
  asleep: "The steps are drawn after your guess.",
  picture: "Sizes of the first {n} steps in units of the learning rate, \u03b2\u2081 = {beta1}, \u03b2\u2082 = {beta2}, noise {noise}. {first} {most}",
};

// What each step subtracts from a weight, divided by the learning rate.
export function stepSizes(gradients, { beta1, beta2, eps = 1e-8 }, corrected) {
  const rule = RULES.adam({ lr: 1, beta1, beta2, eps, corrected });
  const w = new Float64Array(1);
  return gradients.map((g) => {
    w[0] = 0;
    rule(w, [g]);
    return -w[0];
  });
}

export function gradientsOf(noise) {
  const drawn = normals(randomStream(3), STEPS);
  return Array.from(drawn, (z) => 1 + noise * z);
}

// A round top for the axis, so that it does not creep while a slider moves.
function roof(value) {
  return [1.5, 2, 3, 5, 8, 12, 20, 30, 50, 100].find((top) => value <= top * 0.96) || value * 1.1;
}

function buildPage(frame, state, moved) {
  const one = (labelHtml, range, value, format, assign) => slider({
    labelHtml, ...range, value, format, onInput: frame.guard((v) => { assign(v); moved(); }),
  });
  const canvas = make("canvas", { class: "look-chart look-tall", role: "img" });
  const keys = ["now", "stuck"].map((kind, k) => make("li", {}, make("span", { class: `look-key look-key-${kind}`, "aria-hidden": "true" }), TEXT.legend[k]));
  const parts = {
    canvas, chart: new LineChart(canvas), goals: [goal(TEXT.small), goal(TEXT.even)],
    first: make("p", { class: "look-formula" }), most: make("p", { class: "look-formula" }),
    beta1: one(TEXT.beta1, { min: 0, max: 0.99, step: 0.01 }, state.beta1, (v) => number(v), (v) => { state.beta1 = v; }),
    // Right means closer to 1, in equal shares of a decade of 1 - beta2.
    beta2: one(TEXT.beta2, { min: 0.3, max: 4, step: 0.05 }, -Math.log10(1 - state.beta2), nearOne,
      (v) => { state.beta2 = Number((1 - 10 ** -v).toFixed(10)); }),
    noise: one(TEXT.noise, { min: 0, max: 2, step: 0.1 }, state.noise, (v) => number(v, 1), (v) => { state.noise = v; }),
  };
  frame.picture.append(canvas, make("ul", { class: "look-legend" }, ...keys));
  frame.side.append(parts.beta1.row, parts.beta2.row, parts.noise.row, parts.first, parts.most, ...parts.goals.map((item) => item.box));
  return parts;
}

function draw(chart, sizes, awake) {
  const both = awake ? [...sizes.with, ...sizes.without] : [1];
  const low = Math.min(...both) < 0 ? -roof(-Math.min(...both)) : 0;
  chart.open({ low: 0, high: STEPS + 1, text: TEXT.axis.x }, { low, high: roof(Math.max(...both)), text: TEXT.axis.y });
  const steps = sizes.with.map((_, k) => k + 1);
  chart.level(1, TEXT.level);
  if (!awake) return;
  chart.curve(steps, sizes.without, { colour: INK.zero, width: 2, dash: [6, 4] });
  chart.dots(steps, sizes.without, { colour: INK.zero, square: true, size: 3 });
  chart.curve(steps, sizes.with, { colour: INK.one, width: 2 });
  chart.dots(steps, sizes.with, { colour: INK.one, hollow: true, size: 3.5 });
}

function render({ model, el }) {
  const names = ["beta1", "beta2", "noise"];
  const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const reached = [model.get("goal_reached"), model.get("second_reached")];
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--value", "5.4em");
  const { publish, listen, close } = publisher(model);
  const parts = buildPage(frame, state, moved);
  prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = fill(TEXT.answer, { guess: TEXT.guesses[guess] });
      publish({ prediction: guess });
      show();
    },
  });

  function show() {
    const gradients = gradientsOf(state.noise);
    const sizes = { with: stepSizes(gradients, state, true), without: stepSizes(gradients, state, false) };
    const awake = !frame.side.disabled;
    draw(parts.chart, sizes, awake);
    const most = sizes.without.reduce((best, size, k) => (Math.abs(size) > Math.abs(sizes.without[best]) ? k : best), 0);
    const words = {
      with: number(sizes.with[0]), without: number(sizes.without[0]), k: most + 1, most: number(sizes.without[most]), n: STEPS,
      beta1: number(state.beta1), beta2: nearOne(-Math.log10(1 - state.beta2)), noise: number(state.noise, 1), size: number(sizes.without[0]),
    };
    parts.first.textContent = awake ? fill(TEXT.first, words) : "";
    parts.most.textContent = awake ? fill(TEXT.most, words) : "";
    const told = { ...words, first: awake ? fill(TEXT.first, words) : TEXT.asleep, most: parts.most.textContent };
    parts.canvas.setAttribute("aria-label", fill(TEXT.picture, told));
    Object.assign(frame.root.dataset, { first: sizes.without[0], corrected: sizes.with[0] });
    return { words, size: sizes.without[0] };
  }

  function reach(which, text) {
    if (reached[which]) return "";
    reached[which] = true;
    parts.goals[which].reach(text);
    return fill(TEXT.reached, { text });
  }

  function moved() {
    const { words, size } = show();
    let news = "";
    if (state.noise === 0 && size < 0.5) news = reach(0, fill(TEXT.smallDone, words));
    if (state.noise === 0 && state.beta1 >= 0.5 && Math.abs(size - 1) <= 0.02) news = reach(1, fill(TEXT.evenDone, words)) || news;
    frame.announce(parts.first.textContent, news);
    publish({ ...state, goal_reached: reached[0], second_reached: reached[1] });
  }

  listen(names, frame.guard(() => {
    names.forEach((name) => { state[name] = model.get(name); });
    parts.beta1.set(state.beta1);
    parts.beta2.set(-Math.log10(1 - state.beta2));
    parts.noise.set(state.noise);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(parts.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
