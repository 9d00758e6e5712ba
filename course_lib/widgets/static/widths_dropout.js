// Filter widths and dropout against the validation curve, from runs that were recorded.
import { INK, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { LineChart } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, lineKey, pictureOf } from "./panel.js";
import { tableOf } from "./text_parts.js";

const CLOSE = 0.01;
const LOOKS = {
  now: { colour: INK.one, width: 3.5, dash: [] }, train: { colour: INK.zero, width: 2.5, dash: [6, 4] }, past: { colour: "#8d96a3", width: 1.5, dash: [] },
};

const TEXT = {
  title: "Filter widths and dropout",
  question: "Dropout {p}: which widths reach the {kind} {measure} on the validation part?",
  wait: "Choose, and the sliders wake up.",
  guess: "Noted. Visit all widths at dropout {p}.",
  right: "You said {best}: right.", wrong: "You said {guess}; it is {best}.", spread: " The best of each: {all}.",
  widths: "widths", p: "dropout <i>p</i>",
  big: "Best {measure}: {best}", detail: "Widths {widths}, dropout {p}: best in epoch {epoch} of {count}, {last} at the end.{train}", train: " Training at the end: {train}.",
  caption: "Best validation {measure} of the runs you have seen", corner: "widths", column: "p = {p}", hidden: "?",
  legend: ["this run, validation", "this run, training", "seen before"], x: "epoch",
  goals: ["Find the best setting of all {count}.", "Find the shortest filters that come within {close} of the best."],
  done: ["Widths {widths} with dropout {p}: {best}.", "Widths {widths} reach {best} with dropout {p}. Nothing shorter comes that close."],
  points: "one point", loss: "0.01",
  why: "Every curve is a run that was really made. The best of many noisy numbers is a little too good: differences of less than a point may be chance.",
  picture: "Validation {measure} by epoch with widths {widths} and dropout {p}: best {best} in epoch {epoch}, {last} at the end. {seen} of {count} runs seen.",
};

// Best number and epoch of a curve, epochs from 1.
function bestOf(curve, smaller) {
  const best = smaller ? Math.min(...curve) : Math.max(...curve);
  return { best, epoch: curve.indexOf(best) + 1 };
}

// All runs, their best numbers, and the two settings that are searched.
class Grid {
  constructor(runs, measure) {
    this.smaller = measure === "loss";
    this.runs = runs.map((run) => ({ ...run, name: run.widths.join(", "), sum: run.widths.reduce((a, b) => a + b, 0), ...bestOf(run.validation, this.smaller) }));
    this.names = [...new Set(this.runs.map(({ name }) => name))];
    this.drops = [...new Set(this.runs.map(({ p }) => p))].sort((a, b) => a - b);
    this.best = bestOf(this.runs.map(({ best }) => best), this.smaller).best;
    this.close = this.runs.filter(({ best }) => Math.abs(best - this.best) <= CLOSE + 1e-9);
    this.least = Math.min(...this.close.map(({ sum }) => sum));
  }

  at(name, p) { return this.runs.find((run) => run.name === name && run.p === p); }

  plain() { return this.names.map((name) => this.at(name, this.drops[0])); }

  limits() {
    const values = this.runs.flatMap(({ validation, train }) => [...validation, ...train]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = 0.05 * (high - low || 1);
    return this.smaller ? { low: Math.max(0, low - room), high: high + room } : { low: Math.max(0, low - room), high: Math.min(1.01, high + room) };
  }
}

export const grids = { Grid, bestOf };

function buildPage(frame, grid, state, act, { reached, said }) {
  const parts = { canvas: pictureOf(360) };
  const close = grid.smaller ? TEXT.loss : TEXT.points;
  parts.marks = milestones(TEXT.goals.map((text) => fill(text, { count: grid.runs.length, close })), reached);
  parts.chart = new LineChart(parts.canvas);
  parts.widths = slider({ labelHtml: TEXT.widths, min: 0, max: grid.names.length - 1, step: 1, value: grid.names.indexOf(state.name), format: (k) => grid.names[k], onInput: frame.guard((k) => act({ name: grid.names[k] })) });
  parts.p = slider({ labelHtml: TEXT.p, min: 0, max: grid.drops.length - 1, step: 1, value: grid.drops.indexOf(state.p), format: (k) => String(grid.drops[k]), onInput: frame.guard((k) => act({ p: grid.drops[k] })) });
  for (const name of ["big", "detail"]) parts[name] = make("p", { class: `look-${name} look-steady` });
  parts.table = tableOf(fill(TEXT.caption, { measure: said }), [TEXT.corner, ...grid.drops.map((p) => fill(TEXT.column, { p }))]);
  const trained = grid.runs.some(({ train }) => train.length);
  const names = trained ? ["now", "train", "past"] : ["now", "past"];
  const words = trained ? TEXT.legend : [TEXT.legend[0], TEXT.legend[2]];
  frame.picture.append(parts.canvas, keyList(...names.map((name, k) => [lineKey(LOOKS[name]), words[k]])));
  frame.side.append(parts.widths.row, parts.p.row, parts.big, parts.detail, parts.table.table, ...parts.marks.boxes, make("p", { class: "look-why", text: TEXT.why }));
  return parts;
}

function drawRuns(chart, grid, run, seen, measure) {
  const longest = Math.max(...grid.runs.map(({ validation }) => validation.length));
  chart.open({ low: 0.5, high: longest + 0.5, text: TEXT.x }, { ...grid.limits(), text: measure });
  if (!run) return;
  const epochs = (curve) => curve.map((_, k) => k + 1);
  for (const past of seen) chart.curve(epochs(past.validation), past.validation, LOOKS.past);
  if (run.train.length) chart.curve(epochs(run.train), run.train, LOOKS.train);
  chart.curve(epochs(run.validation), run.validation, LOOKS.now);
  chart.dots([run.epoch], [run.best], { size: 6 });
}

function render({ model, el }) {
  const measure = model.get("measure");
  const grid = new Grid(model.get("runs"), measure);
  const state = { name: model.get("widths").join(", "), p: model.get("p") };
  const seen = new Set();
  let touched = false;
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "5.2em");
  frame.root.style.setProperty("--value", "5em");
  const { publish, listen, close } = publisher(model);
  const text = (value) => (grid.smaller ? number(value, 3) : `${number(100 * value, 1)}\u00a0%`);
  const parts = buildPage(frame, grid, state, act, { reached: [model.get("goal_reached"), model.get("second_reached")], said: measure });
  const plainBest = grid.plain().reduce((a, b) => ((grid.smaller ? b.best < a.best : b.best > a.best) ? b : a));
  const asked = prediction(frame, {
    question: fill(TEXT.question, { p: grid.drops[0], kind: grid.smaller ? "lowest" : "highest", measure }), options: grid.names.map((name) => [name, name]),
    chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = fill(TEXT.guess, { p: grid.drops[0] });
      publish({ prediction: guess });
      frame.guard(show)();
    },
  });

  function act(change) {
    touched = true;
    Object.assign(state, change);
    moved();
  }

  function show() {
    const run = grid.at(state.name, state.p);
    const awake = !frame.side.disabled;
    if (awake) seen.add(run);
    parts.widths.set(grid.names.indexOf(state.name));
    parts.p.set(grid.drops.indexOf(state.p));
    drawRuns(parts.chart, grid, awake ? run : null, seen, measure);
    const values = {
      measure, widths: run.name, p: run.p, best: text(run.best), epoch: run.epoch, count: run.validation.length, last: text(run.validation[run.validation.length - 1]),
      train: run.train.length ? fill(TEXT.train, { train: text(run.train[run.train.length - 1]) }) : "", seen: seen.size,
    };
    parts.big.textContent = awake ? fill(TEXT.big, values) : "?";
    parts.detail.textContent = awake ? fill(TEXT.detail, values) : TEXT.wait;
    parts.table.show(grid.names.map((name) => [name, ...grid.drops.map((p) => (seen.has(grid.at(name, p)) ? text(grid.at(name, p).best) : TEXT.hidden))]));
    parts.canvas.setAttribute("aria-label", awake ? fill(TEXT.picture, { ...values, count: grid.runs.length }) : TEXT.wait);
    Object.assign(frame.root.dataset, { best: awake ? run.best : "", seen: seen.size });
    return { run, values };
  }

  function judge({ run, values }) {
    if (grid.plain().every((one) => seen.has(one))) {
      const all = grid.plain().map(({ name, best }) => `${name}: ${text(best)}`).join("; ");
      const guess = model.get("prediction");
      const tied = grid.at(guess, grid.drops[0]);
      const right = tied && tied.best === plainBest.best;
      asked.verdict.textContent = fill(right ? TEXT.right : TEXT.wrong, { guess, best: right ? guess : plainBest.name }) + fill(TEXT.spread, { all });
    }
    const met = [touched && run.best === grid.best, touched && grid.close.includes(run) && run.sum === grid.least];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge(shown));
    publish({ widths: shown.run.widths, p: state.p, best: shown.run.best, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1] });
  }

  listen(["widths", "p"], frame.guard(() => {
    const name = model.get("widths").join(", ");
    if (!grid.at(name, model.get("p"))) return;
    Object.assign(state, { name, p: model.get("p") });
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(parts.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
