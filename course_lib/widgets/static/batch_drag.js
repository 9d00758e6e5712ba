// One sample of a batch is dragged: in training mode every output moves, in evaluation mode only its own.
import { INK, button, choice, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { normalised, statistics } from "./batch_statistics.js";
import { label, sizeCanvas } from "./drawing.js";
import { linearTicks, short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { modeSwitch } from "./mode_switch.js";
import { keyList, pictureOf, spotKey } from "./panel.js";

const REACH = 12;
const STEP = 0.1;
const SEEN = 1e-6;

const TEXT = {
  title: "One sample moves the whole batch",
  question: "Training mode. You drag one sample of {n} to the right. What happens to the outputs of the other {others}?",
  options: [["stay", "They stay"], ["alike", "All move by the same amount"], ["each", "Each moves by its own amount"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Drag sample {who} in the upper row, or move its slider.",
  right: "You said each by its own amount: right.", wrong: "Each moves by its own amount.",
  why: "The mean moves them all alike; the standard deviation changes how far each one stands from 0.",
  sample: "Sample", value: "its <i>x</i>", reset: "Start again",
  mode: "Mode", training: "Training", evaluation: "Evaluation",
  big: "{moved} of {n} outputs moved",
  held: "Sample {who}: x = {x}, output {y}.",
  uses: {
    true: "Mean {mean} and standard deviation {std}: those of this batch.",
    false: "Mean {mean} and standard deviation {std}: fixed, whatever the batch is.",
  },
  rule: "Output = (x \u2212 mean) / \u221a(variance + 0.00001); the variance divides by n. Evaluation uses the statistics "
    + "of the start, as if they were the running ones.",
  goals: [
    "Training: drag one sample so far that another output goes through zero.",
    "Get an output beyond {bound}, the square root of {others}. Only one mode allows it.",
  ],
  done: [
    "The output of {other} changed its sign, and its x stands where it stood.",
    "{y} in evaluation mode. Training mode never gets beyond {bound}: a sample that runs away takes the mean and the deviation along.",
  ],
  rows: ["x", "output"],
  legend: ["x of a sample", "its output", "held", "output at the start"],
  picture: "The batch above, its outputs below. {rows} {uses} {moved} of {n} outputs moved.",
  pictureRow: "{who}: {x} becomes {y}.",
};

export const drag = { normalised, statistics };

function letter(k) { return String.fromCharCode(97 + k); }

// The batch, what is held, and the outputs in both modes; draws nothing.
class Batch {
  constructor(model) {
    this.start = model.get("start");
    this.fixed = statistics(this.start);
    this.first = this.start.map((x) => normalised(x, this.fixed));
    this.bound = Math.sqrt(this.start.length - 1);
    this.follow(model);
  }

  follow(model) {
    Object.assign(this, { values: [...model.get("values")], training: model.get("training"), sample: model.get("sample") });
  }

  put(x) { this.values[this.sample] = Math.min(REACH, Math.max(-REACH, Number(x.toFixed(1)))); }

  figures() {
    const used = this.training ? statistics(this.values) : this.fixed;
    const outputs = this.values.map((x) => normalised(x, used));
    const far = (k) => Math.abs(outputs[k] - this.first[k]) >= SEEN;
    return { used, outputs, moved: outputs.filter((_, k) => far(k)).length };
  }

  // Whose output changed its sign although its x stands still, or -1.
  flipped(outputs) {
    return outputs.findIndex((y, k) => this.values[k] === this.start[k] && y * this.first[k] < 0);
  }
}

// Where the two rows lie; the lower scale holds every output of both modes.
class Rows {
  constructor(batch) {
    const { mean, variance } = batch.fixed;
    this.reach = [1.04 * REACH, Math.max(batch.bound, (REACH + Math.abs(mean)) / Math.sqrt(variance)) + 0.4];
  }

  open(canvas) {
    Object.assign(this, sizeCanvas(canvas));
    const { pen, width, height } = this;
    pen.fillStyle = INK.paper;
    pen.fillRect(0, 0, width, height);
    this.heights = [0.23 * height, 0.73 * height];
  }

  x(row, value) { return this.width / 2 + (0.5 - 14 / this.width) * this.width * (value / this.reach[row]); }

  value(row, x) { return ((x - this.width / 2) / ((0.5 - 14 / this.width) * this.width)) * this.reach[row]; }

  axis(row) {
    const { pen } = this;
    const y = this.heights[row];
    const away = row ? 34 : -34;
    Object.assign(pen, { strokeStyle: INK.muted, lineWidth: 1.2 });
    pen.strokeRect(this.x(row, -this.reach[row]), y, this.x(row, this.reach[row]) - this.x(row, -this.reach[row]), 0);
    for (const tick of linearTicks(-this.reach[row], this.reach[row], 8)) {
      pen.fillStyle = INK.muted;
      pen.fillRect(this.x(row, tick) - 0.6, y - 5, 1.2, 10);
      label(pen, short(tick), this.x(row, tick), y + away, { colour: INK.muted });
    }
    label(pen, TEXT.rows[row], 8, y + (row ? 62 : -60), { align: "left", weight: 600 });
  }

  line(from, to, { colour, width, dash = [] }) {
    const { pen } = this;
    Object.assign(pen, { strokeStyle: colour, lineWidth: width });
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
    pen.setLineDash([]);
  }

  spot(row, value, name, held) {
    const { pen } = this;
    const [x, y, size] = [this.x(row, value), this.heights[row], held ? 11 : 8.5];
    const wide = held ? 8 : 6; // narrow, because outputs crowd together
    pen.beginPath();
    if (row) pen.rect(x - wide, y - 13, 2 * wide, 26);
    else pen.arc(x, y, size, 0, 2 * Math.PI);
    Object.assign(pen, { fillStyle: held ? INK.zero : row ? INK.one : INK.paper, strokeStyle: row || held ? INK.paper : INK.dark, lineWidth: row ? 1 : 2 });
    pen.fill();
    pen.stroke();
    pen.font = `700 ${held ? 14 : 12}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = held || row ? INK.paper : INK.dark;
    pen.fillText(name, x, y + 0.5);
  }
}

function draw(canvas, rows, batch, outputs) {
  rows.open(canvas);
  rows.axis(0);
  rows.axis(1);
  const [top, bottom] = rows.heights;
  const order = batch.values.map((_, k) => k).filter((k) => k !== batch.sample);
  order.push(batch.sample);
  for (const k of order) {
    const held = k === batch.sample;
    const look = { colour: held ? INK.zero : "#8d96a3", width: held ? 2.5 : 1.3, dash: held ? [7, 4] : [] };
    rows.line([rows.x(0, batch.values[k]), top + 10], [rows.x(1, outputs[k]), bottom - 10], look);
    rows.line([rows.x(1, batch.first[k]), bottom + 15], [rows.x(1, batch.first[k]), bottom + 24], { colour: INK.dark, width: 2.5 });
  }
  for (const k of order) {
    rows.spot(0, batch.values[k], letter(k), k === batch.sample);
    rows.spot(1, outputs[k], letter(k), k === batch.sample);
  }
}

// The sample under the pointer in the upper row: the nearest within a finger's width.
function grab(canvas, rows, batch, event) {
  const box = canvas.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  if (Math.abs(y - rows.heights[0]) > 40) return -1;
  const far = batch.values.map((value) => Math.abs(rows.x(0, value) - x));
  const best = far.indexOf(Math.min(...far));
  return far[best] <= 24 ? best : -1;
}

function listenToPointer(frame, canvas, rows, batch, moved) {
  let holding = false;
  const place = (event) => rows.value(0, event.clientX - canvas.getBoundingClientRect().left);
  canvas.style.touchAction = "pan-y";
  canvas.style.cursor = "grab";
  canvas.addEventListener("pointerdown", frame.guard((event) => {
    const found = frame.side.disabled ? -1 : grab(canvas, rows, batch, event);
    if (found < 0) return;
    holding = true;
    batch.sample = found;
    canvas.setPointerCapture(event.pointerId);
    moved();
  }));
  canvas.addEventListener("pointermove", frame.guard((event) => {
    if (!holding) return;
    batch.put(place(event));
    moved();
  }));
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { holding = false; });
}

function buildPage(frame, batch, act, reached) {
  const values = { bound: number(batch.bound), others: batch.start.length - 1 };
  const marks = milestones(TEXT.goals.map((text) => fill(text, values)), reached);
  const parts = { canvas: pictureOf(330), rows: new Rows(batch), marks };
  parts.sample = choice({
    label: TEXT.sample, options: batch.start.map((_, k) => [String(k), letter(k)]), value: String(batch.sample),
    onChange: frame.guard((k) => act.hold(Number(k))),
  });
  parts.value = slider({
    labelHtml: TEXT.value, min: -REACH, max: REACH, step: STEP, value: batch.values[batch.sample], format: (v) => number(v, 1), onInput: frame.guard(act.put),
  });
  parts.mode = modeSwitch(TEXT.mode, [[true, TEXT.training], [false, TEXT.evaluation]], frame.guard(act.mode));
  parts.big = make("p", { class: "look-big" });
  for (const name of ["held", "uses"]) parts[name] = make("p", { class: "look-detail look-steady" });
  const keys = [
    spotKey("disc"), spotKey("rect", { colour: INK.one, fill: INK.one }), spotKey("disc", { colour: INK.zero, fill: INK.zero }),
    make("strong", { text: "|", "aria-hidden": "true" }),
  ];
  frame.picture.append(parts.canvas, keyList(...keys.map((key, k) => [key, TEXT.legend[k]])),
    make("p", { class: "look-why", text: TEXT.rule, style: "margin: 16px 0 0 34px" }));
  frame.side.append(parts.mode.box, parts.sample.row, parts.value.row, make("div", { class: "look-buttons" }, button(TEXT.reset, frame.guard(act.reset))),
    parts.big, parts.held, parts.uses, ...parts.marks.boxes);
  return parts;
}

function words(batch, { used, outputs, moved }) {
  const values = {
    moved, n: batch.values.length, who: letter(batch.sample), x: number(batch.values[batch.sample], 1), y: number(outputs[batch.sample]),
    mean: number(used.mean), std: number(Math.sqrt(used.variance)), bound: number(batch.bound), other: letter(Math.max(0, batch.flipped(outputs))),
  };
  const uses = fill(TEXT.uses[batch.training], values);
  const rows = outputs.map((y, k) => fill(TEXT.pictureRow, { who: letter(k), x: number(batch.values[k], 1), y: number(y) })).join(" ");
  return { values, uses, big: fill(TEXT.big, values), held: fill(TEXT.held, values), picture: fill(TEXT.picture, { ...values, uses, rows }) };
}

function render({ model, el }) {
  const batch = new Batch(model);
  const frame = openFrame(el, TEXT.title);
  frame.root.classList.add("look-inline-choice");
  frame.root.style.setProperty("--label", "4.6em");
  const { publish, listen, close } = publisher(model);
  const act = {
    hold: (k) => { batch.sample = k; moved(); },
    put: (x) => { batch.put(x); moved(); },
    mode: (training) => { batch.training = training; moved(); },
    reset: () => { batch.values = [...batch.start]; moved(); },
  };
  const parts = buildPage(frame, batch, act, [model.get("goal_reached"), model.get("second_reached")]);
  listenToPointer(frame, parts.canvas, parts.rows, batch, () => moved());
  const sizes = { n: batch.start.length, others: batch.start.length - 1 };
  const asked = prediction(frame, {
    question: fill(TEXT.question, sizes), options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = fill(TEXT.guess, { who: letter(batch.sample) });
      publish({ prediction: guess });
    },
  });

  function show() {
    const found = batch.figures();
    const said = words(batch, found);
    draw(parts.canvas, parts.rows, batch, found.outputs);
    parts.sample.select.value = String(batch.sample);
    parts.value.set(batch.values[batch.sample]);
    parts.mode.show(batch.training);
    for (const name of ["big", "held", "uses"]) parts[name].textContent = said[name];
    parts.canvas.setAttribute("aria-label", said.picture);
    Object.assign(frame.root.dataset, { moved: found.moved, output: found.outputs[batch.sample], held: batch.sample });
    return { found, said };
  }

  function judge({ found, said }) {
    const far = Math.max(...batch.values.map((x, k) => Math.abs(x - batch.start[k])));
    if (batch.training && far >= 1) asked.verdict.textContent = `${model.get("prediction") === "each" ? TEXT.right : TEXT.wrong} ${TEXT.why}`;
    const most = found.outputs.reduce((best, y) => (Math.abs(y) > Math.abs(best) ? y : best), 0);
    const met = [batch.training && batch.flipped(found.outputs) >= 0, !batch.training && Math.abs(most) > batch.bound];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], { ...said.values, y: number(most) }) : "")));
  }

  function moved() {
    const shown = show();
    const news = judge(shown);
    frame.announce(spoken(shown.said.held, shown.said.big, shown.said.uses), news);
    publish({
      values: [...batch.values], training: batch.training, sample: batch.sample, outputs: shown.found.outputs, moved: shown.found.moved,
      goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["values", "training", "sample"], frame.guard(() => { batch.follow(model); show(); }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(parts.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
