// Batch size and momentum against the gap between training mode and evaluation mode, batch after batch.
import { INK, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { exponent, statistics } from "./batch_statistics.js";
import { LineChart, short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, lineKey, pictureOf } from "./panel.js";
import { LATE, UPDATES, distance, gathered, late } from "./running_statistics.js";

const SIZES = [2, 4, 8, 16, 32, 64, 128, 256];
const MOMENTA = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1];
const EARLY = 10;
const LOOKS = {
  gap: { colour: INK.one, width: 2 }, error: { colour: INK.zero, width: 3, dash: [8, 4] },
  mean: { colour: INK.dark, width: 2.5 }, variance: { colour: INK.muted, width: 2.5, dash: [3, 3] },
};

const TEXT = {
  title: "How far evaluation lies from training",
  question: "Running statistics start at mean 0 and variance 1. The data have mean {mean} and variance {variance}. "
    + "Which momentum has the smaller gap after {early} batches?",
  options: [["small", "0.01"], ["large", "0.5"], ["alike", "About the same"]],
  wait: "Choose, and the sliders wake up.",
  guess: "Noted. Try 0.01 and 0.5.",
  pair: "Gap at batch {early}: {small} with 0.01, {large} with 0.5.",
  right: "You said 0.5: right.", wrong: "It is smaller with 0.5.",
  why: "What is left of the start shrinks by the factor 1 \u2212 momentum per batch. But 0.5 also follows the noise of every "
    + "batch: look at the dashed curve at the end.",
  size: "batch size <i>n</i>", momentum: "momentum", seed: "draw",
  big: "Gap {gap}, distance {error}",
  lateSays: "Averages of the last {late} of {updates} batches.",
  early: "At batch {early} the gap is {first}; {left} % of the start is left.",
  running: "Running mean {mean} (all data: {allMean}), running variance {variance} ({allVariance}).",
  rule: "Gap: training mode against evaluation mode, on the batch just seen. Distance: evaluation with running statistics "
    + "against evaluation with those of all data. Both are root mean squares of differences of outputs. Data: {name}.",
  goals: [
    "Bring the gap below 0.1 while the distance is below 0.05.",
    "Batches of 8: bring the distance below 0.065.",
  ],
  done: [
    "Gap {gap}, distance {error} with n = {n} and momentum {momentum}. A large momentum alone copies the last batch: "
      + "a small gap, and poor statistics.",
    "Distance {error} with momentum {momentum}: slow enough to average the noise away, fast enough to forget the start.",
  ],
  gapHead: "Gap and distance after each batch", runningHead: "Running statistics, divided by those of all data",
  axes: { batch: "batches seen", gap: "difference (log)", running: "running / all data" },
  legend: ["gap", "distance", "running mean", "running variance"],
  gapPicture: "Gap and distance over {updates} batches on a log scale. Gap: {first} at batch {early}, {gap} on average at the end. Distance: {error} at the end.",
  runningPicture: "Running mean and variance over {updates} batches as shares of those of all data; at the end {meanShare} and {varianceShare}.",
};

export const gap = { gathered, distance, late, statistics };

function nearest(list, value) {
  return list.reduce((best, item, k) => (Math.abs(item - value) < Math.abs(list[best] - value) ? k : best), 0);
}

class Gathering {
  constructor(model) {
    this.values = model.get("values");
    this.whole = statistics(this.values);
    this.follow(model);
  }

  follow(model) {
    this.size = SIZES[Math.max(0, exponent(model.get("batch_size")) - 1)];
    this.momentum = MOMENTA[nearest(MOMENTA, model.get("momentum"))];
    this.seed = model.get("seed");
  }

  figures() {
    const entries = gathered(this.values, this);
    return { entries, gap: late(entries, "gap"), error: late(entries, "error"), first: entries[EARLY - 1].gap, end: entries[UPDATES - 1] };
  }
}

function draw(charts, { entries }, whole) {
  const xs = entries.map((_, k) => k + 1);
  const axis = { low: 0, high: UPDATES, text: TEXT.axes.batch };
  charts.gap.open(axis, { low: 0.003, high: 40, log: true, text: TEXT.axes.gap });
  charts.gap.level(0.1, "");
  charts.gap.curve(xs, entries.map((entry) => entry.gap), LOOKS.gap);
  charts.gap.curve(xs, entries.map((entry) => entry.error), LOOKS.error);
  charts.running.open(axis, { low: 0, high: 2, text: TEXT.axes.running });
  charts.running.level(1, "");
  charts.running.curve(xs, entries.map((entry) => entry.variance / whole.variance), LOOKS.variance);
  charts.running.curve(xs, entries.map((entry) => entry.mean / whole.mean), LOOKS.mean);
}

function words({ whole, size, momentum }, found) {
  return {
    n: size, momentum: short(momentum), gap: number(found.gap, 3), error: number(found.error, 3), first: short(Number(found.first.toPrecision(3))),
    late: LATE, updates: UPDATES, early: EARLY, left: short(Number((100 * (1 - momentum) ** EARLY).toPrecision(2))),
    mean: short(found.end.mean), variance: short(found.end.variance), allMean: short(whole.mean), allVariance: short(whole.variance),
    meanShare: number(found.end.mean / whole.mean, 3), varianceShare: number(found.end.variance / whole.variance, 3),
  };
}

function buildPage(frame, state, name, act, reached) {
  const canvases = { gap: pictureOf(290), running: pictureOf(230) };
  const parts = { canvases, charts: { gap: new LineChart(canvases.gap), running: new LineChart(canvases.running) }, marks: milestones(TEXT.goals, reached) };
  const set = (key, read) => frame.guard((v) => act({ [key]: read(v) }));
  const listed = (list, k, key) => ({ min: 0, max: list.length - 1, step: 1, value: k, format: (v) => short(list[v]), onInput: set(key, (v) => list[v]) });
  parts.size = slider({ labelHtml: TEXT.size, ...listed(SIZES, SIZES.indexOf(state.size), "size") });
  parts.momentum = slider({ labelHtml: TEXT.momentum, ...listed(MOMENTA, MOMENTA.indexOf(state.momentum), "momentum") });
  parts.seed = slider({ labelHtml: TEXT.seed, min: 0, max: 99, step: 1, value: state.seed, format: String, onInput: set("seed", (v) => v) });
  parts.big = make("p", { class: "look-big" });
  parts.said = ["lateSays", "early", "running"].map((key) => ({ key, node: make("p", { class: "look-detail look-steady" }) }));
  const keys = Object.values(LOOKS).map((look, k) => [lineKey(look), TEXT.legend[k]]);
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.gapHead }), canvases.gap, keyList(...keys.slice(0, 2)),
    make("p", { class: "look-tag", text: TEXT.runningHead, style: "margin-top: 18px" }), canvases.running, keyList(...keys.slice(2)));
  frame.side.append(parts.size.row, parts.momentum.row, parts.seed.row, parts.big, ...parts.said.map(({ node }) => node), ...parts.marks.boxes,
    make("p", { class: "look-why", text: fill(TEXT.rule, { name }) }));
  return parts;
}

function render({ model, el }) {
  const state = new Gathering(model);
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const tried = new Map();
  const act = (change) => { Object.assign(state, change); moved(); };
  const parts = buildPage(frame, state, model.get("name"), act, [model.get("goal_reached"), model.get("second_reached")]);
  const facts = { mean: short(state.whole.mean), variance: short(state.whole.variance), early: EARLY };
  const asked = prediction(frame, {
    question: fill(TEXT.question, facts), options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      show();
    },
  });

  function show() {
    const found = state.figures();
    const values = words(state, found);
    const asleep = frame.side.disabled;
    if (!asleep) draw(parts.charts, found, state.whole);
    parts.size.set(SIZES.indexOf(state.size));
    parts.momentum.set(MOMENTA.indexOf(state.momentum));
    parts.seed.set(state.seed);
    parts.big.textContent = fill(TEXT.big, values);
    parts.said.forEach(({ key, node }) => { node.textContent = fill(TEXT[key], values); });
    [parts.big, ...parts.said.map(({ node }) => node)].forEach((node) => { node.hidden = asleep; });
    parts.canvases.gap.setAttribute("aria-label", asleep ? TEXT.wait : fill(TEXT.gapPicture, values));
    parts.canvases.running.setAttribute("aria-label", asleep ? TEXT.wait : fill(TEXT.runningPicture, values));
    Object.assign(frame.root.dataset, { gap: found.gap, error: found.error, first: found.first });
    return { found, values };
  }

  // Both momenta of the question, with one batch size and draw, answer it.
  function answerPrediction(found) {
    tried.set(`${state.size}/${state.seed}/${state.momentum}`, found.first);
    const [small, large] = [0.01, 0.5].map((m) => tried.get(`${state.size}/${state.seed}/${m}`));
    if (small === undefined || large === undefined) return;
    const pair = fill(TEXT.pair, { early: EARLY, small: short(Number(small.toPrecision(3))), large: short(Number(large.toPrecision(3))) });
    const verdict = model.get("prediction") === "large" ? TEXT.right : TEXT.wrong;
    asked.verdict.textContent = (large < small ? [verdict, pair, TEXT.why] : [pair]).join(" ");
  }

  function moved() {
    const { found, values } = show();
    answerPrediction(found);
    const met = [found.gap < 0.1 && found.error < 0.05, state.size === 8 && found.error < 0.065];
    const news = parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
    frame.announce(spoken(parts.big.textContent, ...parts.said.map(({ node }) => node.textContent)), news);
    publish({
      batch_size: state.size, momentum: state.momentum, seed: state.seed, running_mean: found.end.mean, running_var: found.end.variance,
      late_gap: found.gap, late_error: found.error, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["batch_size", "momentum", "seed"], frame.guard(() => { state.follow(model); show(); }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  Object.values(parts.canvases).forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
