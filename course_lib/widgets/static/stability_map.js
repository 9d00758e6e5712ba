// Scale of the first weights against the learning rate, with and without batch normalisation: small real trainings.
import { INK, button, fill, make, number, openFrame, prediction, publisher, slider, uid } from "./kit.js";
import { readDigits } from "./digits.js";
import { LineChart, short } from "./line_chart.js";
import { frameLoop } from "./loop.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, lineKey, pictureOf } from "./panel.js";
import { PASSES, StabilityRun } from "./stability_net.js";
import { MapPicture, cellKey, scaleText } from "./stability_picture.js";

const SLICE = 9;
const CONVERGED = 0.5;
const MARGIN = 0.1;
const STRIDE = 27;
const MAPS = ["plain", "normalised"];
const SIGNS = { converged: "o", slow: "-", diverged: "x" };
const LOOKS = { plain: { colour: INK.zero, width: 2.5, dash: [6, 4] }, normalised: { colour: INK.one, width: 3 } };

const TEXT = {
  title: "Which settings still learn?",
  question: "{cells} settings: scale of the first weights, learning rate. In how many does the network converge with "
    + "batch normalisation, next to without?",
  options: [["fewer", "In fewer, or as many"], ["more", "In up to twice as many"], ["twice", "In more than twice as many"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Start the training: {runs} small networks, ten seconds or a few more.",
  right: "Your prediction was right: {plain} without, {normalised} with batch normalisation.",
  wrong: "{plain} settings converge without, {normalised} with batch normalisation.",
  train: "Train {runs} networks", pause: "Pause", resume: "Continue", finished: "All trained",
  scale: "first weights", rate: "learning rate", seed: "draw",
  heads: { plain: "Without batch normalisation", normalised: "With batch normalisation" },
  progress: "Networks trained", trained: "{done} of {runs} networks trained.", given: "Measured in Python.",
  big: "{plain} against {normalised} converged",
  cell: "Scale {scale}, rate {rate}", cellSays: "{name}: {state}, loss {loss}", cellOpen: "{name}: not trained yet", cellBroken: "{name}: {state}, the loss is no number",
  names: { plain: "Without", normalised: "With" },
  states: { converged: "converged", slow: "slow", diverged: "diverged" },
  stuck: "slow, no better than guessing",
  legend: ["converged: loss of the last pass at most 0.5", "slow, or stuck at guessing (2.30)", "diverged: exploded and never came back"],
  givenLegend: ["converged: final loss at most 0.5", "slow, or stuck at guessing ({guess})", "diverged: worse than guessing, or no number"],
  curveHead: "Loss of the chosen setting", curves: ["without", "with batch normalisation"],
  axes: { pass: "passes over the 256 digits", loss: "loss (log)" },
  rule: "A 64-32-32-32-32-10 ReLU network, {passes} passes over 256 real digits, batches of 32, plain SGD. Scale 1 is "
    + "Kaiming\u2019s rule. Both networks of a cell start from the same draw and see the same batches.",
  goals: [
    "Choose a setting that diverges without and converges with batch normalisation.",
    "Choose a learning rate at which, with batch normalisation, at least {most} of {rows} scales converge.",
  ],
  done: ["Scale {scale}, rate {rate}: loss {loss} with batch normalisation.", "Rate {rate}: {count} of {rows} scales converge with it, {plainCount} without."],
  mapPicture: "{head}. Learning rates from {low} to {high}. {rows}", mapRow: "Scale {scale}: {states}.", mapOpen: "nothing trained yet",
  curvePicture: "Loss over passes for scale {scale} and rate {rate}. {says}",
};

// The word for a run. Whoever fell from far above guessing without exploding is slow, not diverged.
function stateOf({ last, first, peak }, guessing) {
  if (last === null || last > Math.max(first, guessing) + MARGIN) return "diverged";
  if (last <= CONVERGED) return "converged";
  return last > guessing - MARGIN && peak > 2 * Math.max(first, guessing) ? "diverged" : "slow";
}

export const stability = { StabilityRun, readDigits, stateOf };

// All cells of both maps, and the order in which they are trained; draws nothing.
class Maps {
  constructor(model) {
    for (const name of ["scales", "rates", "guessing", "given", "seed"]) this[name] = model.get(name);
    const digits = model.get("digits");
    this.data = digits.pixels ? readDigits(digits.pixels, digits.labels) : null;
    this.size = this.scales.length * this.rates.length;
    const fromOne = this.scales.map((scale) => Math.abs(Math.log(scale)));
    this.chosen = { row: fromOne.indexOf(Math.min(...fromOne)), column: 0 };
    this.clear();
    if (this.given) this.take(model);
  }

  clear() {
    for (const name of MAPS) this[name] = this.scales.map(() => this.rates.map(() => undefined));
    Object.assign(this, { done: 0, run: null });
  }

  take(model) {
    for (const name of MAPS) {
      model.get(name).forEach((row, r) => row.forEach((last, c) => {
        this[name][r][c] = { last, state: stateOf({ last, first: this.guessing, peak: 0 }, this.guessing) };
      }));
    }
    this.done = 2 * this.size;
  }

  get finished() { return this.done === 2 * this.size; }

  // Cell by cell all over the map, so that its shape shows early; both networks of a cell one after the other.
  next() {
    const place = (Math.floor(this.done / 2) * STRIDE) % this.size;
    const [name, row, column] = [MAPS[this.done % 2], Math.floor(place / this.rates.length), place % this.rates.length];
    const settings = { scale: this.scales[row], lr: this.rates[column], normalised: name === "normalised", seed: this.seed };
    return { name, row, column, training: new StabilityRun(settings, this.data) };
  }

  // One step of the present run; says whether a cell was finished.
  work() {
    this.run = this.run || this.next();
    const { name, row, column, training } = this.run;
    if (!training.work.next().done) return false;
    const found = training.result();
    this[name][row][column] = { ...found, state: stateOf(found, this.guessing) };
    Object.assign(this, { done: this.done + 1, run: null });
    return true;
  }

  count(name, rows = this[name]) { return rows.flat().filter((cell) => cell && cell.state === "converged").length; }

  column(name, column) { return this.count(name, this[name].map((row) => [row[column]])); }

  at(name) { return this[name][this.chosen.row][this.chosen.column]; }
}

function lossWords(loss) {
  if (loss === null || loss === undefined) return "";
  return loss < 100 ? number(loss) : short(loss);
}

function cellWords(maps, name) {
  const cell = maps.at(name);
  const values = { name: TEXT.names[name] };
  if (!cell) return fill(TEXT.cellOpen, values);
  const stuck = cell.state === "slow" && Math.abs(cell.last - maps.guessing) < MARGIN;
  Object.assign(values, { state: stuck ? TEXT.stuck : TEXT.states[cell.state], loss: lossWords(cell.last) });
  return fill(cell.last === null ? TEXT.cellBroken : TEXT.cellSays, values);
}

function describeMap(maps, name) {
  const row = (cells, k) => {
    const known = cells.filter(Boolean);
    const parts = Object.keys(SIGNS).map((state) => [state, known.filter((cell) => cell.state === state).length]).filter(([, n]) => n);
    const states = known.length ? parts.map(([state, n]) => `${n} ${TEXT.states[state]}`).join(", ") : TEXT.mapOpen;
    return fill(TEXT.mapRow, { scale: scaleText(maps.scales[k]), states });
  };
  const rates = { low: short(maps.rates[0]), high: short(maps.rates[maps.rates.length - 1]) };
  return fill(TEXT.mapPicture, { head: TEXT.heads[name], ...rates, rows: maps[name].map(row).reverse().join(" ") });
}

function drawCurves(chart, maps) {
  chart.open({ low: 0.5, high: PASSES + 0.5, text: TEXT.axes.pass }, { low: 0.03, high: 30, log: true, text: TEXT.axes.loss });
  chart.level(maps.guessing, "guessing");
  chart.level(CONVERGED, "0.5");
  for (const name of MAPS) {
    const cell = maps.at(name);
    if (!cell || !cell.history || !cell.history.length) continue;
    const passes = cell.history.map((_, k) => k + 1);
    chart.curve(passes, cell.history, LOOKS[name]);
    chart.dots(passes, cell.history, { colour: LOOKS[name].colour, size: 3.5, square: name === "plain", hollow: name === "plain" });
  }
}

function buildMaps(frame, maps) {
  const columns = "grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr))";
  const box = make("div", { style: `display: grid; ${columns}; gap: 20px 28px; margin-bottom: 8px` });
  const pictures = {};
  for (const name of MAPS) {
    const canvas = pictureOf(370);
    canvas.style.cursor = "pointer";
    pictures[name] = new MapPicture(canvas, maps.scales, maps.rates);
    box.append(make("div", {}, make("p", { class: "look-tag", text: TEXT.heads[name] }), canvas));
  }
  const legend = (maps.given ? TEXT.givenLegend : TEXT.legend).map((text, k) => [cellKey(Object.keys(SIGNS)[k]), fill(text, { guess: number(maps.guessing) })]);
  const wide = make("div", { style: "margin-bottom: 26px" }, box, keyList(...legend));
  frame.picture.parentNode.before(wide);
  return pictures;
}

function progressBar(runs) {
  const id = uid("progress");
  const bar = make("progress", { id, max: runs, value: 0, style: "width: 100%; height: 18px; accent-color: #0b4f8a" });
  return { box: make("div", {}, make("label", { for: id, class: "look-tag", text: TEXT.progress }), bar), bar };
}

function buildSide(frame, maps, act) {
  const listed = (labelHtml, list, key, format) => slider({
    labelHtml, min: 0, max: list.length - 1, step: 1, value: maps.chosen[key], format: (k) => format(list[k]), onInput: frame.guard((k) => act.choose({ [key]: k })),
  });
  const parts = {
    scale: listed(TEXT.scale, maps.scales, "row", scaleText), rate: listed(TEXT.rate, maps.rates, "column", short), big: make("p", { class: "look-big" }),
    seed: slider({ labelHtml: TEXT.seed, min: 0, max: 19, step: 1, value: maps.seed, format: String, onInput: frame.guard(act.seed) }),
    train: button(fill(TEXT.train, { runs: 2 * maps.size }), frame.guard(act.toggle), "main"), progress: progressBar(2 * maps.size),
  };
  for (const name of ["status", "where", ...MAPS]) parts[name] = make("p", { class: "look-detail look-steady", style: name === "where" ? "margin-top: 0" : null });
  const training = maps.given ? [] : [make("div", { class: "look-buttons" }, parts.train), parts.progress.box, parts.seed.row];
  frame.side.append(...training, parts.big, parts.status, parts.scale.row, parts.rate.row, parts.where, ...MAPS.map((name) => parts[name]));
  return parts;
}

class StabilityView {
  constructor(model, frame) {
    Object.assign(this, { model, frame, maps: new Maps(model), news: "" });
    this.publisher = publisher(model);
    this.loop = frameLoop(frame, () => this.slice());
    const act = { toggle: () => this.toggle(), choose: (change) => this.choose(change), seed: (seed) => this.restart(seed) };
    this.pictures = buildMaps(frame, this.maps);
    this.parts = buildSide(frame, this.maps, act);
    this.buildPicture();
    this.buildGoals();
    for (const name of MAPS) {
      this.pictures[name].canvas.addEventListener("click", frame.guard((event) => {
        const cell = frame.side.disabled ? null : this.pictures[name].cellAt(event);
        if (cell) this.choose(cell);
      }));
    }
  }

  buildPicture() {
    const { frame, maps } = this;
    const rule = make("p", { class: "look-why", text: maps.given ? this.model.get("network") : fill(TEXT.rule, { passes: PASSES }) });
    if (maps.given) {
      frame.picture.append(rule);
      return;
    }
    this.canvas = pictureOf(280);
    this.chart = new LineChart(this.canvas);
    const keys = keyList(...MAPS.map((name, k) => [lineKey(LOOKS[name]), TEXT.curves[k]]));
    frame.picture.append(make("p", { class: "look-tag", text: TEXT.curveHead }), this.canvas, keys, make("div", { style: "margin-top: 14px" }, rule));
  }

  // A given map may have no cell that meets a goal: then it is not set.
  buildGoals() {
    const { maps, frame, model } = this;
    const rows = maps.scales.length;
    this.most = rows - 1;
    this.marks = milestones(TEXT.goals.map((text) => fill(text, { most: this.most, rows })), [model.get("goal_reached"), model.get("second_reached")]);
    const meets = [
      maps.plain.some((row, r) => row.some((cell, c) => cell && cell.state === "diverged" && maps.normalised[r][c].state === "converged")),
      maps.rates.some((_, c) => maps.column("normalised", c) >= this.most),
    ];
    this.marks.boxes.forEach((box, k) => { box.hidden = maps.given && !meets[k]; });
    frame.picture.append(make("div", { style: "display: grid; gap: 14px; margin-top: 18px" }, ...this.marks.boxes));
  }

  toggle() {
    if (this.maps.finished) return;
    if (this.loop.active()) this.loop.stop();
    else this.loop.start();
    this.rest();
  }

  slice() {
    const end = performance.now() + SLICE;
    let fresh = false;
    while (!this.maps.finished && performance.now() < end) fresh = this.maps.work() || fresh;
    if (fresh) {
      this.judge();
      this.show();
    }
    if (this.maps.finished) {
      this.loop.stop();
      this.rest();
    }
    return !this.maps.finished;
  }

  choose(change) {
    Object.assign(this.maps.chosen, change);
    this.judge();
    this.rest();
  }

  // Another draw: what was trained belongs to the old one.
  restart(seed) {
    if (this.maps.given) return;
    const going = this.loop.active();
    this.loop.stop();
    this.maps.seed = seed;
    this.maps.clear();
    if (going) this.loop.start();
    this.rest();
  }

  judge() {
    const { maps } = this;
    const [plain, normalised] = MAPS.map((name) => maps.at(name));
    const { row, column } = maps.chosen;
    const values = {
      scale: scaleText(maps.scales[row]), rate: short(maps.rates[column]), rows: maps.scales.length, loss: lossWords(normalised && normalised.last),
      count: maps.column("normalised", column), plainCount: maps.column("plain", column),
    };
    const known = MAPS.every((name) => maps[name].every((cells) => cells[column]));
    const met = [plain && normalised && plain.state === "diverged" && normalised.state === "converged", known && values.count >= this.most];
    this.news = this.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : ""))) || this.news;
  }

  show() {
    const { maps, parts, pictures, frame } = this;
    const asleep = frame.side.disabled;
    for (const name of MAPS) {
      pictures[name].draw(asleep ? maps.scales.map(() => []) : maps[name], maps.chosen);
      pictures[name].canvas.setAttribute("aria-label", asleep ? TEXT.wait : describeMap(maps, name));
      parts[name].textContent = `${cellWords(maps, name)}.`;
      parts[name].hidden = asleep;
    }
    const values = { done: maps.done, runs: 2 * maps.size, plain: maps.count("plain"), normalised: maps.count("normalised") };
    parts.big.textContent = fill(TEXT.big, values);
    parts.big.hidden = asleep;
    parts.status.textContent = fill(maps.given ? TEXT.given : TEXT.trained, values);
    parts.progress.bar.value = maps.done;
    const chosen = { scale: scaleText(maps.scales[maps.chosen.row]), rate: short(maps.rates[maps.chosen.column]) };
    parts.where.textContent = fill(TEXT.cell, chosen);
    if (this.canvas) {
      drawCurves(this.chart, maps);
      this.canvas.setAttribute("aria-label", fill(TEXT.curvePicture, { ...chosen, says: MAPS.map((name) => parts[name].textContent).join(" ") }));
    }
    Object.assign(frame.root.dataset, { done: maps.done, playing: this.loop.active(), plain: values.plain, normalised: values.normalised });
    return values;
  }

  // The hand or the training rests: tell screen readers and Python.
  rest() {
    const { maps, parts, frame } = this;
    parts.scale.set(maps.chosen.row);
    parts.rate.set(maps.chosen.column);
    parts.seed.set(maps.seed);
    const values = this.show();
    const begun = maps.done || maps.run;
    parts.train.textContent = maps.finished ? TEXT.finished : this.loop.active() ? TEXT.pause : begun ? TEXT.resume : fill(TEXT.train, values);
    parts.train.setAttribute("aria-disabled", maps.finished);
    if (maps.finished && !frame.side.disabled) this.answerPrediction(values);
    frame.announce(spoken(parts.big.textContent, parts.status.textContent, parts.where.textContent, ...MAPS.map((name) => parts[name].textContent)), this.news);
    this.news = "";
    this.publish();
  }

  answerPrediction(values) {
    const { plain, normalised } = values;
    const truth = normalised <= plain ? "fewer" : normalised <= 2 * plain ? "more" : "twice";
    this.verdict.textContent = fill(this.model.get("prediction") === truth ? TEXT.right : TEXT.wrong, values);
  }

  publish() {
    const { maps, marks } = this;
    const told = { goal_reached: marks.reached[0], second_reached: marks.reached[1], seed: maps.seed };
    if (maps.finished) {
      told.states = Object.fromEntries(MAPS.map((name) => [name, maps[name].map((row) => row.map((cell) => SIGNS[cell.state]).join(""))]));
      if (!maps.given) for (const name of MAPS) told[name] = maps[name].map((row) => row.map((cell) => cell.last));
    }
    this.publisher.publish(told);
  }
}

function render({ model, el }) {
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "7em");
  const view = new StabilityView(model, frame);
  const values = { cells: view.maps.size, runs: 2 * view.maps.size };
  const asked = prediction(frame, {
    question: fill(TEXT.question, values), options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      view.verdict = verdict;
      verdict.textContent = fill(TEXT.guess, values);
      view.publisher.publish({ prediction: guess });
      view.rest();
    },
  });
  view.verdict = asked.verdict;
  const resized = new ResizeObserver(frame.guard(() => { view.show(); }));
  [...MAPS.map((name) => view.pictures[name].canvas), view.canvas].filter(Boolean).forEach((canvas) => resized.observe(canvas));
  view.publisher.listen(["seed"], frame.guard(() => view.restart(model.get("seed"))));
  frame.guard(() => { view.show(); })();
  return () => {
    view.loop.stop();
    view.publisher.close();
    resized.disconnect();
  };
}

export default { render };
