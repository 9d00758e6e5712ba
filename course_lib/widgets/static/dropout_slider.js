// Forty activations under dropout: the mask, what is kept, and the mean over masks against the mean of x.
import { INK, button, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { LineChart } from "./line_chart.js";
import { factors, mean, running } from "./masks.js";
import { milestones, spoken } from "./milestones.js";
import { pictureOf } from "./panel.js";
import { randomStream } from "./network.js";

const MANY = 100;
const MOST = 2000;
const SETTINGS = ["p", "training", "form", "forgets"];

const TEXT = {
  title: "Dropout, mask by mask",
  question: "Classic dropout drops half of the units in training. Evaluation forgets to scale. Next to training, its mean is \u2026",
  options: [["half", "half as large"], ["same", "the same"], ["twice", "twice as large"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Set classic dropout and evaluation, and let it forget to scale.",
  right: "You said twice as large: right.", wrong: "It is twice as large.",
  why: "Training kept half of the sum, evaluation keeps all of it. In general it is 1 / (1 \u2212 p) times too large. Inverted dropout scales in training and has nothing to forget.",
  p: "drop <i>p</i>",
  mode: "Mode", training: "Training", evaluation: "Evaluation",
  form: "Scaling", inverted: "Inverted", classic: "Classic",
  forgets: "Evaluation forgets to scale",
  fresh: "New mask", many: "100 masks",
  head: "x above, y below: a cross stands where the mask drops", meansHead: "Average of mean(y) over the masks so far",
  big: "mean(y) = {y}",
  kept: "mean(x) = {x}. Kept {kept} of 40 ({share} %); y = {formula}.",
  expected: "E[y] over {count} {masks}: {average}, that is {part} of mean(x).",
  evaluationSays: "Evaluation draws no mask. What the next layer learned to expect in training is {target}; it gets {y}, {part} times as much.",
  formulas: { inverted: "x \u00b7 mask / (1 \u2212 p)", classic: "x \u00b7 mask", whole: "x", scaled: "x \u00b7 (1 \u2212 p)" },
  goals: [
    "Inverted, p at 0.5 or more: bring the average over 100 masks or more within 1 % of mean(x).",
    "Classic: find the p at which a forgetful evaluation is four times too large.",
  ],
  done: ["{part} of mean(x) after {count} masks with p = {p}. One mask alone may be far off.", "p = {p}: evaluation gives {part} times what training gave."],
  axis: { x: "masks drawn", y: "average" }, xMean: "mean(x)", target: "(1 \u2212 p) mean(x)",
  barPicture: "Forty activations and what dropout makes of them in {mode}: {kept} kept, mean {x} before and {y} after.",
  meanPicture: "Average of mean(y) over {count} masks: {average}. The mean of x is {x}.",
};

export const slider40 = { factors, running };

// Two buttons of which one is pressed.
function pair(name, options, act) {
  const buttons = options.map(([value, text]) => button(text, () => act(value)));
  const row = make("div", { class: "look-options", role: "group", "aria-label": name }, ...buttons);
  const show = (value) => buttons.forEach((node, k) => node.setAttribute("aria-pressed", options[k][0] === value));
  return { box: make("div", {}, make("p", { class: "look-tag", text: name }), row), show };
}

function bar(pen, left, base, width, height, { fill: colour, edge, dash = [] }) {
  pen.fillStyle = colour;
  pen.strokeStyle = edge;
  pen.lineWidth = 1.5;
  pen.setLineDash(dash);
  pen.fillRect(left, base - height, width, height);
  pen.strokeRect(left, base - height, width, height);
  pen.setLineDash([]);
}

function cross(pen, x, y, size) {
  pen.strokeStyle = INK.alert;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const turn of [-1, 1]) {
    pen.moveTo(x - size, y - turn * size);
    pen.lineTo(x + size, y + turn * size);
  }
  pen.stroke();
}

// A dashed line across a row of bars, with its name at the right.
function meanLine(pen, left, right, y, text, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.setLineDash([6, 4]);
  pen.beginPath();
  pen.moveTo(left, y);
  pen.lineTo(right, y);
  pen.stroke();
  pen.setLineDash([]);
  label(pen, text, right + 6, y, { align: "left", size: 13, weight: 600, colour });
}

function drawBars(canvas, x, factor) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const y = x.map((value, k) => value * factor[k]);
  const [left, right] = [26, width - 48];
  const gap = (right - left) / x.length;
  const top = Math.max(2.6, ...y) * 1.05;
  const rows = [["x", x, 0.34 * height, (0.3 * height) / 2.6], ["y", y, height - 8, (0.52 * height) / top]];
  for (const [name, values, base, scale] of rows) {
    label(pen, name, 10, base - 12, { weight: 700, size: 16 });
    values.forEach((value, k) => {
      const place = left + gap * k + 1;
      const dropped = factor[k] === 0;
      const look = dropped ? { fill: INK.paper, edge: "#8d96a3", dash: [2, 2] } : { fill: name === "x" ? "#8fb3d3" : INK.one, edge: INK.dark };
      bar(pen, place, base, gap - 2.5, scale * (dropped ? x[k] : value), look);
      if (dropped && name === "y") cross(pen, place + (gap - 2.5) / 2, base - 8, Math.min(5, gap / 2 - 2));
    });
    meanLine(pen, left, right, base - scale * mean(values), mean(values).toFixed(2), INK.dark);
  }
}

function drawMeans(chart, averages, { xMean, target, top }) {
  chart.open({ low: 0.8, high: Math.max(100, averages.length) * 1.1, log: true, text: TEXT.axis.x }, { low: 0, high: top, text: TEXT.axis.y });
  chart.level(xMean, TEXT.xMean);
  if (Math.abs(target - xMean) > 0.12 * xMean) chart.level(target, TEXT.target);
  const counts = averages.map((_, k) => k + 1);
  chart.curve(counts, averages);
  const last = averages.length - 1;
  chart.dots([counts[last]], [averages[last]], { size: 5 });
}

class Masks {
  constructor(model) {
    this.x = model.get("x");
    this.next = randomStream(model.get("seed"));
    this.follow(model);
    this.draws = this.x.map(() => this.next());
    this.restart();
  }

  follow(model) { SETTINGS.forEach((name) => { this[name] = model.get(name); }); }

  factor(training = this.training) { return factors(this.draws, { p: this.p, form: this.form, training, forgets: this.forgets }); }

  output(factor) { return mean(this.x.map((value, k) => value * factor[k])); }

  // Another p or scaling is another experiment: the count starts again, with the mask at hand.
  restart() { this.means = [this.output(this.factor(true))]; }

  draw(times) {
    for (let k = 0; k < times && this.means.length < MOST; k += 1) {
      this.draws = this.x.map(() => this.next());
      this.means.push(this.output(this.factor(true)));
    }
  }

  figures() {
    const factor = this.factor();
    const averages = running(this.means);
    const xMean = mean(this.x);
    const target = this.form === "inverted" ? xMean : (1 - this.p) * xMean;
    const kept = factor.filter((value) => value > 0).length;
    return { factor, averages, xMean, target, kept, yMean: this.output(factor), average: averages[averages.length - 1], count: averages.length };
  }

  formula() {
    if (this.training) return this.form;
    return this.form === "classic" && !this.forgets ? "scaled" : "whole";
  }
}

function buildPage(frame, masks, act, reached) {
  const parts = { bars: pictureOf(300), means: pictureOf(220), marks: milestones(TEXT.goals, reached) };
  parts.chart = new LineChart(parts.means);
  parts.p = slider({ labelHtml: TEXT.p, min: 0, max: 0.9, step: 0.01, value: masks.p, format: (v) => number(v), onInput: frame.guard((v) => act.set({ p: v })) });
  parts.mode = pair(TEXT.mode, [[true, TEXT.training], [false, TEXT.evaluation]], frame.guard((v) => act.set({ training: v })));
  parts.form = pair(TEXT.form, [["inverted", TEXT.inverted], ["classic", TEXT.classic]], frame.guard((v) => act.set({ form: v })));
  parts.forgets = make("input", { type: "checkbox", onchange: frame.guard(() => act.set({ forgets: parts.forgets.checked })) });
  parts.forgetsRow = make("label", { class: "look-runner" }, parts.forgets, make("span", { text: TEXT.forgets }));
  parts.draws = [button(TEXT.fresh, frame.guard(() => act.draw(1)), "main"), button(TEXT.many, frame.guard(() => act.draw(MANY)))];
  for (const name of ["kept", "expected"]) parts[name] = make("p", { class: "look-detail look-steady" });
  parts.big = make("p", { class: "look-big" });
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.head }), parts.bars, make("p", { class: "look-tag", text: TEXT.meansHead }), parts.means);
  frame.side.append(make("div", { class: "look-buttons" }, ...parts.draws), parts.p.row, parts.mode.box, parts.form.box, parts.forgetsRow,
    parts.big, parts.kept, parts.expected, ...parts.marks.boxes);
  return parts;
}

function render({ model, el }) {
  const masks = new Masks(model);
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "4em");
  const { publish, listen, close } = publisher(model);
  const act = {
    set: (change) => {
      Object.assign(masks, change);
      if ("p" in change || "form" in change) masks.restart();
      moved();
    },
    draw: (times) => { if (masks.training) { masks.draw(times); moved(); } },
  };
  const parts = buildPage(frame, masks, act, [model.get("goal_reached"), model.get("second_reached")]);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
    },
  });

  function showControls() {
    parts.p.set(masks.p);
    parts.mode.show(masks.training);
    parts.form.show(masks.form);
    parts.forgets.checked = masks.forgets;
    parts.forgetsRow.style.visibility = masks.form === "classic" ? "visible" : "hidden";
    parts.draws.forEach((node) => node.setAttribute("aria-disabled", !masks.training));
  }

  function show() {
    const found = masks.figures();
    showControls();
    drawBars(parts.bars, masks.x, found.factor);
    drawMeans(parts.chart, found.averages, { xMean: found.xMean, target: found.target, top: 2 * found.xMean });
    const values = {
      x: number(found.xMean), y: number(found.yMean), kept: found.kept, share: number(2.5 * found.kept, 1), formula: TEXT.formulas[masks.formula()],
      count: found.count, masks: found.count === 1 ? "mask" : "masks", average: number(found.average, 3), mode: masks.training ? "training" : "evaluation",
      part: number(masks.training ? found.average / found.xMean : found.yMean / found.target, 3), target: number(found.target), p: number(masks.p),
    };
    parts.big.textContent = fill(TEXT.big, values);
    parts.kept.textContent = fill(TEXT.kept, values);
    parts.expected.textContent = fill(masks.training ? TEXT.expected : TEXT.evaluationSays, values);
    parts.bars.setAttribute("aria-label", fill(TEXT.barPicture, values));
    parts.means.setAttribute("aria-label", fill(TEXT.meanPicture, values));
    Object.assign(frame.root.dataset, { kept: found.kept, count: found.count, mean: found.yMean, average: found.average });
    return { found, values };
  }

  function judge({ found, values }) {
    const near = Math.abs(found.average / found.xMean - 1) <= 0.01;
    const forgetful = masks.form === "classic" && !masks.training && masks.forgets;
    if (forgetful && masks.p >= 0.3) asked.verdict.textContent = `${model.get("prediction") === "twice" ? TEXT.right : TEXT.wrong} ${TEXT.why}`;
    const met = [
      masks.training && masks.form === "inverted" && masks.p >= 0.5 && found.count >= MANY && near,
      forgetful && Math.abs(found.yMean / found.target - 4) < 0.05,
    ];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.kept.textContent, parts.expected.textContent), judge(shown));
    publish({
      ...Object.fromEntries(SETTINGS.map((name) => [name, masks[name]])), kept: shown.found.kept / masks.x.length, masks: shown.found.count,
      mean: shown.found.average, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(SETTINGS, frame.guard(() => {
    const before = [masks.p, masks.form];
    masks.follow(model);
    if (before[0] !== masks.p || before[1] !== masks.form) masks.restart();
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  [parts.bars, parts.means].forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
