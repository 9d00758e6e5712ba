// The hidden space of two sigmoid units: h = sigmoid(gain (w . x - threshold)) carries the plane, t morphs it.
import { INK, button, choice, fill, goal, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { drawMarker, hatch, label, sizeCanvas } from "./drawing.js";
import { CORNERS, squash } from "./network.js";
import { segmentsTouch, widestLine } from "./separable.js";

const TEXT = {
  title: "The hidden layer folds the plane",
  question: "Two sigmoid units move the four corners. Is one line enough after the move?",
  options: [["always", "Always"], ["some", "For some weights"], ["never", "Never"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Now choose what the units look at, and fold.",
  rightGuess: "You said \u201cfor some weights\u201d: right. It depends on what the two units look at.",
  wrongGuess: "It works for some weights only: it depends on what the two units look at.",
  goal: "Fold the plane so that one line separates the two 1s from the two 0s.",
  done: "One line is enough in the hidden space. Widest gap so far: {best}.",
  reached: "Goal reached: one line is enough in the hidden space.",
  again: "Next: can you make the gap 0.70?",
  yes: "One line is enough here",
  no: "No line is enough here",
  gap: "The thick line has a gap of {gap} between the classes.",
  cross: "The segment of the 1s and the segment of the 0s touch.",
  unfolded: "This is the input plane. Fold it to see what the hidden layer sees.",
  fold: "Fold", unfold: "Unfold",
  picture: "The plane carried {percent} % of the way from the inputs to the hidden space. Corners: {corners} {verdict}.",
  corner: "target {y} at ({x}, {h});",
  legend: ["target 1, joined by a full line", "target 0, joined by a dashed line", "the side where the output answers 1"],
};

const PRESETS = {
  apart: { text: "one at x\u2081, one at x\u2082", w: [[1, 0], [0, 1]], thresholds: [0.5, 0.5] },
  sum: { text: "both at x\u2081 + x\u2082", w: [[1, 1], [1, 1]], thresholds: [1, 1] },
  difference: { text: "one at x\u2081 \u2212 \u00bdx\u2082, one at x\u2082 \u2212 \u00bdx\u2081", w: [[1, -0.5], [-0.5, 1]], thresholds: [0, 0] },
};

const GRID = 24;

export function carry(state, x1, x2) {
  const { w } = PRESETS[state.preset];
  const unit = (k) => squash(state.gain * (w[k][0] * x1 + w[k][1] * x2 - state.thresholds[k]));
  return [unit(0), unit(1)];
}

function between(state, [x1, x2]) {
  const [h1, h2] = carry(state, x1, x2);
  return [x1 + state.t * (h1 - x1), x2 + state.t * (h2 - x2)];
}

function segments(points) {
  const ofClass = (y) => points.filter((_, k) => CORNERS[k][2] === y);
  return [ofClass(1), ofClass(0)];
}

// Corners as shown, whether one line separates them as shown, and the line of the hidden space.
export function analyse(state) {
  const hidden = CORNERS.map(([x1, x2]) => carry(state, x1, x2));
  const shown = CORNERS.map((corner) => between(state, corner));
  const [ones, zeros] = segments(shown);
  return { shown, separable: !segmentsTouch(ones, zeros), line: widestLine(ones, zeros), hiddenLine: widestLine(...segments(hidden)) };
}

function viewOf(t, side) {
  const low = -0.5 + 0.3 * t;
  const high = 1.5 - 0.3 * t;
  const margin = 34;
  const span = side - margin - 10;
  return { low, high, x: (v) => margin + (span * (v - low)) / (high - low), y: (v) => 10 + span - (span * (v - low)) / (high - low), margin, span };
}

function gridNodes(state) {
  const at = (k) => -0.5 + (2 * k) / GRID;
  return Array.from({ length: GRID + 1 }, (_, i) => Array.from({ length: GRID + 1 }, (_unused, j) => between(state, [at(i), at(j)])));
}

function pathOf(pen, view, points) {
  points.forEach(([x, y], k) => (k ? pen.lineTo(view.x(x), view.y(y)) : pen.moveTo(view.x(x), view.y(y))));
}

// Nodes of a finer grid: where each is shown, and how far its hidden image lies on the 1 side.
function finerNodes(state, line) {
  const cells = 2 * GRID;
  const at = (k) => -0.5 + (2 * k) / cells;
  return Array.from({ length: cells + 1 }, (_, i) => Array.from({ length: cells + 1 }, (_unused, j) => {
    const [h1, h2] = carry(state, at(i), at(j));
    return { place: between(state, [at(i), at(j)]), side: line.n[0] * h1 + line.n[1] * h2 - line.c };
  }));
}

// The part of one cell on the 1 side: corners inside, and a cut wherever the side changes.
function inside(corners) {
  const kept = [];
  corners.forEach((from, k) => {
    const to = corners[(k + 1) % 4];
    if (from.side > 0) kept.push(from.place);
    if ((from.side > 0) === (to.side > 0)) return;
    const part = from.side / (from.side - to.side);
    kept.push([from.place[0] + part * (to.place[0] - from.place[0]), from.place[1] + part * (to.place[1] - from.place[1])]);
  });
  return kept;
}

// One path for all cells, so no seams.
function drawAnswer(pen, view, state, line) {
  if (!line) return;
  const nodes = finerNodes(state, line);
  pen.beginPath();
  for (let i = 0; i + 1 < nodes.length; i += 1) {
    for (let j = 0; j + 1 < nodes.length; j += 1) {
      const part = inside([nodes[i][j], nodes[i + 1][j], nodes[i + 1][j + 1], nodes[i][j + 1]]);
      if (part.length) pathOf(pen, view, part);
    }
  }
  pen.fillStyle = hatch(pen);
  pen.fill();
}

function drawGrid(pen, view, nodes) {
  pen.beginPath();
  for (let k = 0; k <= GRID; k += 1) {
    pathOf(pen, view, nodes[k]);
    pathOf(pen, view, nodes.map((row) => row[k]));
  }
  pen.lineWidth = 1;
  pen.strokeStyle = "#a3abb6";
  pen.stroke();
}

function drawSegments(pen, view, points) {
  segments(points).forEach((pair, k) => {
    pen.setLineDash(k ? [3, 5] : []);
    pen.lineWidth = 2.5;
    pen.strokeStyle = k ? INK.zero : INK.one;
    pen.beginPath();
    pathOf(pen, view, pair);
    pen.stroke();
  });
  pen.setLineDash([]);
}

function drawLine(pen, view, line) {
  if (!line) return;
  const length = Math.hypot(line.n[0], line.n[1]);
  const [nx, ny] = [line.n[0] / length, line.n[1] / length];
  const foot = [(line.c / length) * nx, (line.c / length) * ny];
  for (const [width, colour] of [[8, INK.paper], [4, INK.dark]]) {
    pen.beginPath();
    pathOf(pen, view, [[foot[0] - 4 * ny, foot[1] + 4 * nx], [foot[0] + 4 * ny, foot[1] - 4 * nx]]);
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}

function drawAxes(pen, view, t, side) {
  pen.lineWidth = 1.2;
  pen.strokeStyle = INK.muted;
  pen.strokeRect(view.margin, 10, view.span, view.span);
  const names = t < 0.5 ? ["x\u2081", "x\u2082"] : ["h\u2081", "h\u2082"];
  for (const value of [0, 1]) {
    label(pen, value, view.x(value), side - view.margin + 22, { colour: INK.muted, size: 15 });
    label(pen, value, view.margin - 14, view.y(value), { colour: INK.muted, size: 15 });
  }
  label(pen, names[0], view.x(0.5), side - view.margin + 22, { size: 17, weight: 600 });
  label(pen, names[1], view.margin - 17, view.y(0.5), { size: 17, weight: 600 });
}

function draw(canvas, state, found) {
  const { pen, width: side } = sizeCanvas(canvas);
  const view = viewOf(state.t, side);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, side, side);
  pen.save();
  pen.beginPath();
  pen.rect(view.margin, 10, view.span, view.span);
  pen.clip();
  drawAnswer(pen, view, state, found.hiddenLine);
  drawGrid(pen, view, gridNodes(state));
  drawSegments(pen, view, found.shown);
  drawLine(pen, view, found.line);
  pen.restore();
  drawAxes(pen, view, state.t, side);
  found.shown.forEach(([x, y], k) => drawMarker(pen, view.x(x), view.y(y), CORNERS[k][2], true, 12));
}

function describe(state, found) {
  const corners = found.shown.map(([x, y], k) => fill(TEXT.corner, { y: CORNERS[k][2], x: number(x), h: number(y) })).join(" ");
  return fill(TEXT.picture, { percent: Math.round(100 * state.t), corners, verdict: found.separable ? TEXT.yes : TEXT.no });
}

function legend() {
  return make("ul", { class: "look-legend" }, ...["one-line", "zero-line", "region"].map((kind, k) => make("li", {},
    make("span", { class: `look-key look-key-${kind}`, "aria-hidden": "true" }), TEXT.legend[k])));
}

function controls(frame, state, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const two = (v) => number(v, 2);
  const threshold = (k, labelHtml) => slider({
    labelHtml, min: -1, max: 2.5, step: 0.05, value: state.thresholds[k], format: two,
    onInput: assign((value) => { state.thresholds[k] = value; }),
  });
  const fold = slider({ labelHtml: "fold <i>t</i>", min: 0, max: 1, step: 0.01, value: state.t, format: two, onInput: assign((v) => { state.t = v; }) });
  const gain = slider({ labelHtml: "steepness", min: 0.5, max: 12, step: 0.1, value: state.gain, format: (v) => number(v, 1), onInput: assign((v) => { state.gain = v; }) });
  const thresholds = [threshold(0, "threshold 1"), threshold(1, "threshold 2")];
  const preset = choice({
    label: "The two units look", options: Object.entries(PRESETS).map(([key, one]) => [key, one.text]), value: state.preset,
    onChange: assign((key) => {
      state.preset = key;
      state.thresholds = [...PRESETS[key].thresholds];
      thresholds.forEach((item, k) => item.set(state.thresholds[k]));
    }),
  });
  return { fold, gain, thresholds, preset };
}

// Moves t to the other end in about a second; at once where the reader asked for less motion.
function folding(frame, state, parts, moved) {
  let running = 0;
  const set = (t) => { state.t = t; parts.fold.set(t); moved(); };
  const stop = () => { cancelAnimationFrame(running); running = 0; };
  const start = frame.guard(() => {
    stop();
    const [from, to] = [state.t, state.t > 0.5 ? 0 : 1];
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) { set(to); return; }
    const begin = performance.now();
    const tick = frame.guard((now) => {
      const part = Math.min(1, Math.max(0, (now - begin) / 900));
      set(from + (to - from) * part * part * (3 - 2 * part));
      running = part < 1 && frame.root.isConnected ? requestAnimationFrame(tick) : 0;
    });
    running = requestAnimationFrame(tick);
  });
  parts.fold.input.addEventListener("pointerdown", stop);
  parts.fold.input.addEventListener("keydown", stop);
  return { start, stop };
}

function showVerdict(nodes, state, found) {
  nodes.verdict.textContent = found.separable ? TEXT.yes : TEXT.no;
  const detail = found.separable ? fill(TEXT.gap, { gap: number(found.line.gap) }) : TEXT.cross;
  nodes.detail.textContent = state.t === 0 ? TEXT.unfolded : detail;
}

function render({ model, el }) {
  const state = {
    preset: model.get("preset"), gain: model.get("gain"), thresholds: [...model.get("thresholds")], t: model.get("t"),
    reached: model.get("goal_reached"), best: model.get("best_gap"),
  };
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const canvas = make("canvas", { class: "look-square", role: "img" });
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (value, verdict) => { verdict.textContent = TEXT.guess; publish({ prediction: value }); },
  });
  const parts = controls(frame, state, moved);
  const motion = folding(frame, state, parts, moved);
  const press = button(TEXT.fold, motion.start, "main");
  const nodes = { verdict: make("p", { class: "look-big" }), detail: make("p", { class: "look-detail" }) };
  const target = goal(TEXT.goal);
  const foldRow = make("div", { class: "look-with-button" }, parts.fold.row, press);
  frame.side.append(parts.preset.row, parts.gain.row, ...parts.thresholds.map((item) => item.row), foldRow, nodes.verdict, nodes.detail, target.box);
  frame.picture.append(canvas, legend());

  function show() {
    const found = analyse(state);
    draw(canvas, state, found);
    canvas.setAttribute("aria-label", describe(state, found));
    press.textContent = state.t > 0.5 ? TEXT.unfold : TEXT.fold;
    showVerdict(nodes, state, found);
    frame.root.dataset.separable = found.separable;
    frame.root.dataset.t = state.t;
    return found;
  }

  function celebrate() {
    state.reached = true;
    target.reach(`${fill(TEXT.done, { best: number(state.best) })} ${TEXT.again}`);
    asked.verdict.textContent = model.get("prediction") === "some" ? TEXT.rightGuess : TEXT.wrongGuess;
  }

  function moved() {
    const found = show();
    const first = !state.reached;
    if (state.t === 1 && found.separable && found.line.gap > state.best) {
      state.best = found.line.gap;
      celebrate();
    }
    frame.announce(`${nodes.verdict.textContent}. ${nodes.detail.textContent}`, first && state.reached ? TEXT.reached : "");
    publish({ preset: state.preset, gain: state.gain, thresholds: [...state.thresholds], t: state.t, goal_reached: state.reached, best_gap: state.best });
  }

  // Python changed a setting: the same as if a hand had moved the control.
  const follow = frame.guard(() => {
    ["preset", "gain", "t"].forEach((name) => { state[name] = model.get(name); });
    state.thresholds = [...model.get("thresholds")];
    parts.preset.select.value = state.preset;
    parts.gain.set(state.gain);
    parts.fold.set(state.t);
    parts.thresholds.forEach((item, k) => item.set(state.thresholds[k]));
    show();
  });
  listen(["preset", "gain", "thresholds", "t"], follow);
  const resized = new ResizeObserver(frame.guard(show));
  resized.observe(canvas);
  frame.guard(() => { show(); if (state.reached) celebrate(); })();
  return () => { motion.stop(); resized.disconnect(); close(); };
}

export default { render };
