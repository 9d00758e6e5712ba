// Padding, stride and dilation: guess the size of the output, then let the window walk and the output grow.
import { button, fill, make, openFrame, prediction, publisher, slider } from "./kit.js";
import { frameLoop, wantsLessMotion } from "./loop.js";
import { milestones, spoken } from "./milestones.js";
import { keyList } from "./panel.js";
import { cellKey, crossKey, drawInput, drawOutput, squareCanvas } from "./window_picture.js";
import { neverSeen, windowsAlong } from "./window_walk.js";

const SETTINGS = ["padding", "stride", "dilation"];
const RANGES = { padding: [0, 4], stride: [1, 4], dilation: [1, 3] };
const ASKED = { padding: 1, stride: 2, dilation: 1 };
const WALK_MS = 5000;
const CELL_MS = 160;

const TEXT = {
  title: "A window walks over {size} \u00d7 {size} cells",
  question: "A window of {kernel} \u00d7 {kernel}, padding 1, stride 2, dilation 1. How many columns has the output?",
  wait: "Choose, and the window wakes up.",
  guess: "Noted. Set padding 1, stride 2 and dilation 1, and let the window walk.",
  right: "You said {guess}: right.", wrong: "You said {guess}; it is {count}.",
  padding: "padding", stride: "stride", dilation: "dilation", own: "guess",
  walk: "Walk", pause: "Pause", step: "Step", end: "To the end", again: "Walk again",
  keys: "On a button, the right arrow key walks one step and the left one goes back.",
  bigUnknown: "Output: ? \u00d7 ?", bigSome: "Output: {walked} {cells} so far", bigDone: "Output: {count} \u00d7 {count}", bigNone: "Output: none",
  start: "Set your guess for one side of the output, then walk. 0 means that no window fits.",
  at: "Output row {row}, column {column}: the window takes rows {rows} and columns {columns} of the padded input, from 0.",
  none: "No window fits: it spans {span} cells, and the padded input has {cells}.",
  verdict: { right: "Your guess, {guess}: right.", wrong: "Your guess was {guess}, it is {count}.", seen: "You had seen this walk before, so it does not count." },
  hint: " Count again where the last window starts.",
  streak: " {streak} in a row with stride 2 or more.",
  missed: " Crosses mark cells that no window touches: the output knows nothing of them.",
  goals: ["Three right guesses in a row, each with other settings and a stride of 2 or more.", "An output as large as the input, {size} \u00d7 {size}, although the dilation is 2 or more."],
  done: ["Three in a row. The last: padding {padding}, stride {stride}, dilation {dilation} gives {count} \u00d7 {count}.", "Padding {padding} makes up for what a window that spans {span} cells loses."],
  inputHead: "Input with padding", outputHead: "Output", legend: ["input", "padding", "window, and what it writes", "never touched"],
  inputPicture: "Input of {size} by {size} cells with padding {padding}. {where}",
  windowAt: "The window, {kernel} by {kernel} with dilation {dilation}, takes rows {rows} and columns {columns}.",
  outputPicture: "Output of {walked} {cells} so far, row by row.", outputWhole: "The whole output, {count} by {count} cells.",
};

export const walking = { windowsAlong, neverSeen };

class Walk {
  constructor(model) {
    this.tried = new Set();
    this.follow(model);
    Object.assign(this, { guess: this.size, streak: model.get("right_in_a_row") || 0 });
  }

  follow(model) {
    for (const name of ["size", "kernel", ...SETTINGS]) this[name] = model.get(name);
    this.restart();
  }

  restart() {
    this.windows = windowsAlong(this);
    this.missed = neverSeen(this, this.windows);
    Object.assign(this, { walked: 0, said: "" });
  }

  get count() { return this.windows.length; }

  get total() { return this.count ** 2; }

  get done() { return this.said !== ""; }

  // The first step fixes the guess; the last one judges it, once for each setting.
  to(walked) {
    const key = SETTINGS.map((name) => this[name]).join();
    if (this.walked === 0 && !this.done) {
      this.counts = !this.tried.has(key);
      this.tried.add(key);
    }
    this.walked = Math.max(this.total ? 1 : 0, Math.min(this.total, walked));
    if (this.walked === this.total && !this.done) this.settle();
  }

  settle() {
    const right = this.guess === this.count;
    this.said = !this.counts ? "seen" : right ? "right" : "wrong";
    if (this.said === "wrong") this.streak = 0;
    if (this.said === "right" && this.stride >= 2) this.streak += 1;
  }

  // The places the window takes now: the first ones before the walk, none where no window fits.
  now() {
    if (!this.count) return { rows: [], columns: [] };
    const last = Math.max(0, this.walked - 1);
    return { rows: this.windows[Math.floor(last / this.count)], columns: this.windows[last % this.count] };
  }
}

function optionsFor(walk) {
  const count = windowsAlong({ ...walk, ...ASKED }).length;
  const sizes = [...new Set([count - 1, count, count + 1, walk.size])].filter((size) => size > 0).sort((a, b) => a - b);
  return { count, options: sizes.map((size) => [String(size), String(size)]) };
}

function wording(walk) {
  const { rows, columns } = walk.now();
  const last = walk.walked - 1;
  return {
    ...Object.fromEntries(["size", "kernel", ...SETTINGS, "guess", "walked", "count", "streak"].map((name) => [name, walk[name]])),
    cells: walk.walked === 1 ? "cell" : "cells", rows: rows.join(", "), columns: columns.join(", "),
    row: Math.floor(last / (walk.count || 1)), column: last % (walk.count || 1), span: (walk.kernel - 1) * walk.dilation + 1,
  };
}

function bigLine(walk) {
  if (walk.done) return walk.count ? TEXT.bigDone : TEXT.bigNone;
  return walk.walked ? TEXT.bigSome : TEXT.bigUnknown;
}

function detailLine(walk, values) {
  if (!walk.done) return fill(walk.walked ? TEXT.at : TEXT.start, values);
  const none = walk.count ? "" : `${fill(TEXT.none, { ...values, cells: walk.size + 2 * walk.padding })} `;
  const streak = walk.said !== "seen" && walk.streak ? fill(TEXT.streak, values) : "";
  const hint = walk.count && walk.said === "wrong" ? TEXT.hint : "";
  return none + fill(TEXT.verdict[walk.said], values) + hint + streak + (walk.count && walk.missed.length ? TEXT.missed : "");
}

function walkButtons(frame, act) {
  const keys = { walk: button(TEXT.walk, frame.guard(act.walk), "main"), step: button(TEXT.step, frame.guard(() => act.by(1))), end: button(TEXT.end, frame.guard(act.end)) };
  const row = make("div", { class: "look-buttons" }, keys.walk, keys.step, keys.end);
  row.addEventListener("keydown", frame.guard((event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    act.by(way);
  }));
  return { row, ...keys };
}

function buildPage(frame, walk, act, reached) {
  const parts = { input: squareCanvas(), output: squareCanvas(), keys: walkButtons(frame, act) };
  parts.marks = milestones(TEXT.goals.map((text) => fill(text, { size: walk.size })), reached);
  parts.sliders = SETTINGS.map((name) => slider({
    labelHtml: TEXT[name], min: RANGES[name][0], max: RANGES[name][1], step: 1, value: walk[name], format: String, onInput: frame.guard((v) => act.set({ [name]: v })),
  }));
  parts.guess = slider({ labelHtml: TEXT.own, min: 0, max: walk.size + 2 * RANGES.padding[1], step: 1, value: walk.guess, format: String, onInput: frame.guard((v) => act.set({ guess: v })) });
  for (const name of ["big", "detail"]) parts[name] = make("p", { class: `look-${name} look-steady` });
  const boxes = [[TEXT.inputHead, parts.input], [TEXT.outputHead, parts.output]].map(([head, canvas]) => make("div", {}, make("p", { class: "look-tag", text: head }), canvas));
  const keys = [cellKey("input"), cellKey("padding"), cellKey("window"), crossKey()].map((key, k) => [key, TEXT.legend[k]]);
  frame.picture.append(make("div", { class: "look-pair" }, ...boxes), keyList(...keys), make("div", { class: "look-start look-apart" }, ...parts.marks.boxes));
  frame.side.append(...parts.sliders.map((item) => item.row), parts.guess.row, parts.keys.row, parts.big, parts.detail, make("p", { class: "look-why", text: TEXT.keys }));
  return parts;
}

function render({ model, el }) {
  const walk = new Walk(model);
  const frame = openFrame(el, fill(TEXT.title, { size: walk.size }));
  frame.root.style.setProperty("--label", "5.4em");
  const { publish, listen, close } = publisher(model);
  let begun = { at: 0, from: 0 };
  const loop = frameLoop(frame, tick);
  const act = {
    walk: () => {
      if (loop.active()) { loop.stop(); show(); return; }
      if (walk.done) walk.restart();
      if (wantsLessMotion() || !walk.total) { act.end(); return; }
      begun = { at: performance.now(), from: walk.walked };
      loop.start();
      show();
    },
    by: (way) => { loop.stop(); if (walk.walked || way > 0) { walk.to(walk.walked + way); moved(); } },
    end: () => { loop.stop(); walk.to(walk.total); moved(); },
    set: (change) => { loop.stop(); Object.assign(walk, change); walk.restart(); moved(); },
  };
  const parts = buildPage(frame, walk, act, [model.get("goal_reached"), model.get("second_reached")]);
  const { count: answer, options } = optionsFor(walk);
  const asked = prediction(frame, {
    question: fill(TEXT.question, walk), options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
    },
  });

  // One cell after the other, faster where there are many; ends with the whole output.
  function tick() {
    const pace = Math.min(CELL_MS, WALK_MS / walk.total);
    const next = begun.from + 1 + Math.floor((performance.now() - begun.at) / pace);
    if (next !== walk.walked) walk.to(next);
    if (walk.done) { loop.stop(); moved(); return false; }
    show();
    return true;
  }

  function show() {
    const values = wording(walk);
    const { rows, columns } = walk.now();
    drawInput(parts.input, walk, { rows, columns, missed: walk.done && walk.count ? walk.missed : [] });
    drawOutput(parts.output, walk, { across: walk.count, walked: walk.walked, current: walk.walked > 0 });
    parts.big.textContent = fill(bigLine(walk), values);
    parts.detail.textContent = detailLine(walk, values);
    parts.keys.walk.textContent = loop.active() ? TEXT.pause : walk.done ? TEXT.again : TEXT.walk;
    parts.input.setAttribute("aria-label", fill(TEXT.inputPicture, { ...values, where: walk.walked ? fill(TEXT.windowAt, values) : TEXT.start }));
    parts.output.setAttribute("aria-label", fill(walk.done && walk.count ? TEXT.outputWhole : TEXT.outputPicture, values));
    Object.assign(frame.root.dataset, { walked: walk.walked, done: walk.done, playing: loop.active(), streak: walk.streak });
    return values;
  }

  function judge(values) {
    const askedNow = SETTINGS.every((name) => walk[name] === ASKED[name]);
    const guess = model.get("prediction");
    if (walk.done && askedNow) asked.verdict.textContent = fill(guess === String(answer) ? TEXT.right : TEXT.wrong, { guess, count: answer });
    const met = [walk.done && walk.streak >= 3, walk.done && walk.dilation >= 2 && walk.count === walk.size];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const values = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge(values));
    publish({
      ...Object.fromEntries(SETTINGS.map((name) => [name, walk[name]])), guess: walk.guess, output_size: walk.done ? walk.count : null, right_in_a_row: walk.streak,
      goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(SETTINGS, frame.guard(() => {
    loop.stop();
    walk.follow(model);
    parts.sliders.forEach((item, k) => item.set(walk[SETTINGS[k]]));
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  [parts.input, parts.output].forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { loop.stop(); resized.disconnect(); close(); };
}

export default { render };
