// How much the mean and the variance of a batch scatter: 1,000 batches of real numbers for every batch size.
import { INK, button, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { drawBatch, exponent, statistics } from "./batch_statistics.js";
import { LineChart, short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { randomStream } from "./network.js";
import { keyList, lineKey, pictureOf, spotKey } from "./panel.js";

const BATCHES = 1000;
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const BINS = 72;
const LOOKS = { mean: { colour: INK.one, width: 3 }, variance: { colour: INK.zero, width: 2, dash: [6, 4] } };

const TEXT = {
  title: "The smaller the batch, the noisier its statistics",
  question: "Batches of 16 instead of 4, four times as large. The spread of their means becomes \u2026",
  options: [["same", "the same"], ["half", "half as large"], ["quarter", "a quarter"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Compare batches of 4 and of 16.",
  compare: "Spread {four} for 4, {sixteen} for 16.",
  right: "You said half: right.", wrong: "It is half as large.",
  why: "It falls with the root of n.",
  size: "batch size <i>n</i>", seed: "draw", again: "Draw again",
  big: "Means spread by {spread}",
  theory: "\u03c3/\u221an = {sigma}/\u221a{n} = {expected}.",
  variance: "Variances: {average} on average, {part} of \u03c3\u00b2 = {square}; they spread by {scatter}.",
  rule: "Data: {name}. Every size gets 1,000 batches, drawn with replacement. Spread means standard deviation. Here the variance of a batch divides by n.",
  goals: [
    "Find the smallest batch size whose means spread by less than a tenth of \u03c3.",
    "On average the variance of a batch is too small. Find the size at which it is half of \u03c3\u00b2.",
  ],
  done: [
    "n = {n}: {share} of \u03c3. With {before} it is {larger}.",
    "n = {n}: {part} of \u03c3\u00b2, near (n \u2212 1)/n. This is why the running estimate divides by n \u2212 1.",
  ],
  meanHead: "Means of 1,000 batches of {n}", varianceHead: "Variances of 1,000 batches of {n}", curveHead: "Spread at every batch size",
  axes: { mean: "mean of a batch", variance: "variance of a batch", count: "batches", size: "batch size n (log)", spread: "spread (log)" },
  legend: ["means, in \u03c3, and 1/\u221an", "variances, in \u03c3\u00b2", "mean or variance of all numbers", "average of the batches"],
  meanPicture: "Histogram of the means of 1,000 batches of {n}: centre {centre}, spread {spread}, between {low} and {high}.",
  variancePicture: "Histogram of the variances of 1,000 batches of {n}: average {average}, spread {scatter}; the variance of all numbers is {square}.",
  curvePicture: "Spread on log scales. Means: {means} of sigma. Variances: {variances} of sigma squared. For batches of 1 to 256.",
  whole: "all",
};

// Means and variances of many batches of one size.
function measure(values, size, seed) {
  const next = randomStream(100 * seed + size);
  const batch = new Float64Array(size);
  const [means, variances] = [new Float64Array(BATCHES), new Float64Array(BATCHES)];
  for (let k = 0; k < BATCHES; k += 1) {
    const found = statistics(drawBatch(values, batch, next));
    means[k] = found.mean;
    variances[k] = found.variance;
  }
  const [ofMeans, ofVariances] = [statistics(means), statistics(variances)];
  return {
    size, means, variances, centre: ofMeans.mean, spread: Math.sqrt(ofMeans.variance), average: ofVariances.mean, scatter: Math.sqrt(ofVariances.variance),
  };
}

export const noise = { measure, statistics, drawBatch, randomStream };

// All sizes of one draw; computed when the draw changes.
class Draws {
  constructor(model) {
    const values = model.get("values");
    const { mean, variance } = statistics(values);
    Object.assign(this, { values, mean, variance, sigma: Math.sqrt(variance), name: model.get("name"), low: Math.min(...values), high: Math.max(...values) });
    this.follow(model);
  }

  follow(model) {
    this.k = exponent(model.get("batch_size"));
    this.take(model.get("seed"));
  }

  take(seed) {
    if (seed === this.seed) return;
    this.seed = seed;
    this.all = SIZES.map((size) => measure(this.values, size, seed));
  }

  now() { return this.all[this.k]; }
}

function counts(values, low, high) {
  const found = new Array(BINS).fill(0);
  for (const value of values) found[Math.min(BINS - 1, Math.max(0, Math.floor((BINS * (value - low)) / (high - low))))] += 1;
  return found;
}

function drawHistogram(chart, values, { low, high, text, truth, centre, look }) {
  const found = counts(values, low, high);
  const top = 1.15 * Math.max(...found);
  chart.open({ low, high, text }, { low: 0, high: top, text: TEXT.axes.count });
  chart.inside((pen) => {
    pen.fillStyle = look.colour === INK.one ? INK.oneTint : INK.zeroTint;
    Object.assign(pen, { strokeStyle: look.colour, lineWidth: 1.2 });
    found.forEach((count, k) => {
      if (!count) return;
      const [left, right] = [chart.x(low + ((high - low) * k) / BINS), chart.x(low + ((high - low) * (k + 1)) / BINS)];
      pen.fillRect(left, chart.y(count), right - left, chart.y(0) - chart.y(count));
      pen.strokeRect(left, chart.y(count), right - left, chart.y(0) - chart.y(count));
    });
  });
  chart.upright(truth, TEXT.whole, { dash: [6, 4], width: 2 });
  chart.curve([centre, centre], [0, top], { colour: INK.alert, width: 2.5, dash: [2, 3] });
}

function drawPictures(charts, draws) {
  const now = draws.now();
  drawHistogram(charts.means, now.means, { low: draws.low, high: draws.high, text: TEXT.axes.mean, truth: draws.mean, centre: now.centre, look: LOOKS.mean });
  const most = 4 * draws.variance;
  drawHistogram(charts.variances, now.variances, { low: 0, high: most, text: TEXT.axes.variance, truth: draws.variance, centre: now.average, look: LOOKS.variance });
  const { curve } = charts;
  curve.open({ low: 0.8, high: 320, log: true, text: TEXT.axes.size }, { low: 0.03, high: 2.5, log: true, text: TEXT.axes.spread });
  curve.level(0.1, "1/10");
  curve.curve([1, 256], [1, 1 / 16], { colour: INK.one, width: 2 });
  curve.curve(SIZES.slice(1), draws.all.slice(1).map((one) => one.scatter / draws.variance), LOOKS.variance);
  curve.dots(SIZES, draws.all.map((one) => one.spread / draws.sigma), { size: 5 });
  curve.dots(SIZES.slice(1), draws.all.slice(1).map((one) => one.scatter / draws.variance), { size: 4, square: true, hollow: true, colour: INK.zero });
  curve.upright(now.size, `n = ${now.size}`, { width: 1.5, dash: [5, 4] });
}

function words(draws) {
  const now = draws.now();
  const values = {
    n: now.size, name: draws.name, spread: short(now.spread), sigma: short(draws.sigma), expected: short(draws.sigma / Math.sqrt(now.size)), average: short(now.average),
    part: number(now.average / draws.variance, 3), square: short(draws.variance), scatter: short(now.scatter), centre: short(now.centre),
    low: short(Math.min(...now.means)), high: short(Math.max(...now.means)), share: number(now.spread / draws.sigma, 3),
    means: draws.all.map((one) => number(one.spread / draws.sigma, 3)).join(", "),
    variances: draws.all.map((one) => number(one.scatter / draws.variance, 3)).join(", "),
  };
  if (draws.k) Object.assign(values, { before: SIZES[draws.k - 1], larger: number(draws.all[draws.k - 1].spread / draws.sigma, 3) });
  return values;
}

function buildPage(frame, draws, act, reached) {
  const canvases = { means: pictureOf(210), variances: pictureOf(210), curve: pictureOf(250) };
  const parts = { canvases, charts: {}, heads: {}, marks: milestones(TEXT.goals, reached) };
  for (const [name, canvas] of Object.entries(canvases)) {
    parts.charts[name] = new LineChart(canvas);
    parts.heads[name] = make("p", { class: "look-tag", text: TEXT.curveHead, style: "margin-top: 8px" });
    frame.picture.append(parts.heads[name], canvas);
  }
  parts.size = slider({ labelHtml: TEXT.size, min: 0, max: 8, step: 1, value: draws.k, format: (k) => String(SIZES[k]), onInput: frame.guard(act.size) });
  parts.seed = slider({ labelHtml: TEXT.seed, min: 0, max: 99, step: 1, value: draws.seed, format: String, onInput: frame.guard(act.seed) });
  parts.big = make("p", { class: "look-big" });
  for (const name of ["theory", "variance"]) parts[name] = make("p", { class: "look-detail look-steady" });
  const keys = [
    spotKey("disc", { colour: INK.one, fill: INK.one }), spotKey("rect", { colour: INK.zero }),
    lineKey({ colour: INK.dark, width: 2, dash: [6, 4] }), lineKey({ colour: INK.alert, width: 2.5, dash: [2, 3] }),
  ];
  frame.picture.append(keyList(...keys.map((key, k) => [key, TEXT.legend[k]])));
  frame.side.append(parts.size.row, parts.seed.row, make("div", { class: "look-buttons" }, button(TEXT.again, frame.guard(act.again))),
    parts.big, parts.theory, parts.variance, ...parts.marks.boxes, make("p", { class: "look-why", text: fill(TEXT.rule, { name: draws.name }) }));
  return parts;
}

function render({ model, el }) {
  const draws = new Draws(model);
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const act = {
    size: (k) => { draws.k = k; moved(); },
    seed: (seed) => { draws.take(seed); moved(); },
    again: () => { draws.take((draws.seed + 1) % 100); moved(); },
  };
  const parts = buildPage(frame, draws, act, [model.get("goal_reached"), model.get("second_reached")]);
  const seen = new Set();
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      seen.add(SIZES[draws.k]);
      show();
    },
  });

  // Until the question is answered the pictures stay empty.
  function show() {
    const values = words(draws);
    if (!frame.side.disabled) drawPictures(parts.charts, draws);
    parts.size.set(draws.k);
    parts.seed.set(draws.seed);
    parts.big.textContent = fill(TEXT.big, values);
    parts.theory.textContent = fill(TEXT.theory, values);
    parts.variance.textContent = fill(TEXT.variance, values);
    parts.heads.means.textContent = fill(TEXT.meanHead, values);
    parts.heads.variances.textContent = fill(TEXT.varianceHead, values);
    for (const [name, text] of [["means", TEXT.meanPicture], ["variances", TEXT.variancePicture], ["curve", TEXT.curvePicture]]) {
      parts.canvases[name].setAttribute("aria-label", frame.side.disabled ? TEXT.wait : fill(text, values));
    }
    [parts.big, parts.theory, parts.variance].forEach((node) => { node.hidden = frame.side.disabled; });
    const now = draws.now();
    Object.assign(frame.root.dataset, { size: now.size, spread: now.spread, average: now.average, scatter: now.scatter });
    return values;
  }

  function judge(values) {
    const now = draws.now();
    seen.add(now.size);
    if (seen.has(4) && seen.has(16)) {
      const pair = fill(TEXT.compare, { four: short(draws.all[2].spread), sixteen: short(draws.all[4].spread) });
      asked.verdict.textContent = [model.get("prediction") === "half" ? TEXT.right : TEXT.wrong, pair, TEXT.why].join(" ");
    }
    const tenth = (one) => one.spread < draws.sigma / 10;
    const met = [tenth(now) && !tenth(draws.all[Math.max(0, draws.k - 1)]), Math.abs(now.average / draws.variance - 0.5) < 0.05];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const values = show();
    const now = draws.now();
    frame.announce(spoken(parts.big.textContent, parts.theory.textContent, parts.variance.textContent), judge(values));
    publish({
      batch_size: now.size, seed: draws.seed, mean_spread: now.spread, expected_spread: draws.sigma / Math.sqrt(now.size), mean_variance: now.average,
      variance_spread: now.scatter, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["batch_size", "seed"], frame.guard(() => { draws.follow(model); show(); }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  Object.values(parts.canvases).forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
