// A pad to draw a digit on, the 8x8 picture that a small network sees of it, and what the network reads.
import { button, choice, fill, make, openFrame, prediction, publisher, slider, uid } from "./kit.js";
import { LineChart } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, pictureOf, spotKey } from "./panel.js";
import { CELLS, Ink, PEN, SIDE, inkBox, shrinkPad } from "./pen.js";
import { digitReader } from "./digit_reader.js";
import { penOf } from "./pad_pen.js";
import { drawPad, drawShares, drawSmall, drawWidths } from "./pad_pictures.js";

const CHOICES = ["meant", "width", "fit", "stretch"];
const ASKED = [1, 4, 7];

const TEXT = {
  title: "Draw a digit, and a small network reads it",
  question: "Draw a 1, a 4 and a 7 for it, one after the other. Which one does it mistake?",
  options: [["1", "The 1"], ["4", "The 4"], ["7", "The 7"], ["none", "None of them"]],
  wait: "Choose, and the pad wakes up.",
  guess: "Noted. Say which digit you mean, then draw it or press its button.",
  met: "You said {guess}, and so it was. {answers}", missed: "You said {guess}. {answers}",
  guesses: { 1: "the 1", 4: "the 4", 7: "the 7", none: "none of them" },
  answers: "Your 1 was read as {a}, your 4 as {b}, your 7 as {c}.",
  width: "pen width", all: "All widths",
  meant: "I mean a", unsaid: "not said yet", ready: "Ready-made strokes", readyButton: "Ready-made {digit}",
  undo: "Undo", clear: "Clear",
  fit: "Fit: take the square around the ink", stretch: "Stretch: the fullest block counts as 1",
  hint: "Draw here", asleep: "Predict first, then draw here",
  help: "Draw with mouse, finger or pen. With keys: Tab to the pad, arrows move the pen (with Shift further), Space puts it down and lifts it.",
  small: "What the network sees: 8\u00d78", smallWhy: "Each number is the share of ink in one block of the dashed square.", stretched: "Each number is the share of ink in one block of the dashed square, divided by the largest share.",
  source: "The real digits were counted like that: ink in 4\u00d74 blocks of 32\u00d732 cells, 0 to 16 sixteenths.",
  big: "Reads {reading}", none: "Nothing drawn yet",
  detail: "{share} %; next comes {other} with {second} %.", verdict: { right: "You mean {meant}: right.", wrong: "You mean {meant}: mistaken.", unsaid: "Say which digit you mean." },
  bars: "Probability of each digit; the arrow marks the one you mean",
  widths: "The same strokes with other pens: probability of your digit", widthsWhy: "Move the pen width, or try all of them.", widthsWait: "Say which digit you mean and draw it; then move the pen width.",
  axis: { x: "pen width in cells", y: "probability", now: "pen now" },
  keys: ["read right", "mistaken"],
  goals: ["Have a 1, a 4 and a 7 read.", "Find a width that breaks it: a drawing that is read right with one pen and mistaken with another."],
  done: ["All three were read. The answers stand above; draw one of them in another way.", "Your {meant} is read right with pen {good} and taken for {reading} with pen {bad}. Only the width changed."],
  firm: "Your {meant} is read right at all {count} widths. Try another digit, or another way to write it.",
  padPicture: "Drawing pad, {strokes}; pen {state} at column {x}, row {y} of 128, width {width}",
  smallPicture: "The 8 by 8 picture that the network sees; row by row, ink from 0 to 9: {rows}",
  barPicture: "Bars of ten probabilities: {rows}", widthPicture: "Your digit's probability against the pen width. Right: {right}. Mistaken: {wrong}.",
};

export const pad = { Ink, inkBox, shrinkPad, digitReader };

// The drawing and what the network says about it.
class Sheet {
  constructor(model) {
    this.read = digitReader(model.get("layers"), SIDE);
    this.classes = model.get("classes");
    this.ready = model.get("readymade");
    this.latest = {};
    this.follow(model);
  }

  follow(model) {
    CHOICES.forEach((name) => { this[name] = model.get(name); });
    this.strokes = model.get("strokes").map((stroke) => [...stroke]);
    this.ink = new Ink(this.strokes);
    this.tried = new Map();
  }

  start(point) {
    this.strokes.push([point]);
    this.grow(point, point);
  }

  extend(point) {
    const stroke = this.strokes[this.strokes.length - 1];
    this.grow(stroke[stroke.length - 1], point);
    stroke.push(point);
  }

  grow(from, to) {
    this.ink.segment(from, to);
    this.tried.clear();
  }

  replace(strokes) {
    this.strokes = strokes.map((stroke) => [...stroke]);
    this.ink.redraw(this.strokes);
    this.tried.clear();
  }

  // Everything that follows from the drawing with a pen of this width.
  seen(width) {
    const cells = this.ink.cells(width);
    const picture = shrinkPad(cells, this);
    const box = inkBox(cells);
    const shares = box ? this.read(picture) : [];
    const order = shares.map((_, k) => k).sort((a, b) => shares[b] - shares[a]);
    return { cells, picture, box, shares, reading: box ? order[0] : null, other: order[1] };
  }

  note(width, { shares, reading }) {
    if (reading === null || this.meant === null) return;
    this.tried.set(width, { share: shares[this.meant], right: reading === this.meant, reading });
  }

  tryAll() { for (let width = PEN.min; width <= PEN.max; width += 1) this.note(width, this.seen(width)); }
}

function checkbox(text, checked, act) {
  const box = make("input", { type: "checkbox", checked, onchange: () => act(box.checked) });
  return { box, row: make("label", { class: "look-runner" }, box, make("span", { text })) };
}

// Neighbouring widths as one range: "2 to 9, 12".
function ranges(widths) {
  const groups = [];
  for (const width of widths) {
    const last = groups[groups.length - 1];
    if (last && width === last[1] + 1) last[1] = width;
    else groups.push([width, width]);
  }
  return groups.map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`)).join(", ") || "none";
}

const percent = (share) => (100 * share).toFixed(1);

function buildControls(frame, sheet, act) {
  const parts = {};
  parts.width = slider({ labelHtml: TEXT.width, min: PEN.min, max: PEN.max, step: 1, value: sheet.width, format: String, onInput: frame.guard((width) => act.set({ width })) });
  const digits = Array.from({ length: sheet.classes }, (_, k) => String(k));
  parts.meant = choice({
    label: TEXT.meant, options: [["", TEXT.unsaid], ...digits.map((k) => [k, k])], value: "", onChange: frame.guard((text) => act.set({ meant: text ? Number(text) : null })),
  });
  parts.ready = digits.map((k) => button(k, frame.guard(() => act.pick(Number(k)))));
  parts.ready.forEach((node, k) => { node.style.minWidth = "0"; node.setAttribute("aria-label", fill(TEXT.readyButton, { digit: k })); });
  for (const name of ["fit", "stretch"]) parts[name] = checkbox(TEXT[name], sheet[name], frame.guard((on) => act.set({ [name]: on })));
  parts.tools = [button(TEXT.undo, frame.guard(act.undo)), button(TEXT.clear, frame.guard(act.clear)), button(TEXT.all, frame.guard(act.all))];
  const name = uid("ready");
  parts.readyBox = make("div", {}, make("p", { class: "look-tag", id: name, text: TEXT.ready }),
    make("div", { style: "display: grid; grid-template-columns: repeat(5, 1fr); gap: 8px", role: "group", "aria-labelledby": name }, ...parts.ready));
  parts.meant.row.style.cssText = "grid-template-columns: var(--label, 7.2em) 1fr; align-items: center; gap: 12px";
  return parts;
}

function buildPage(frame, sheet, act, reached) {
  const parts = { ...buildControls(frame, sheet, act), bars: pictureOf(250), widths: pictureOf(250), marks: milestones(TEXT.goals, reached) };
  const help = uid("help");
  parts.pad = make("canvas", { class: "look-square look-pad look-aim", role: "application", tabindex: 0, "aria-describedby": help });
  parts.small = make("canvas", { role: "img", style: "display: block; flex: none; width: 112px; height: 112px" });
  parts.chart = new LineChart(parts.widths);
  parts.big = make("p", { class: "look-big" });
  for (const name of ["detail", "verdict", "firm"]) parts[name] = make("p", { class: "look-detail look-steady", style: "margin: 0" });
  for (const name of ["why", "widthsWhy"]) parts[name] = make("p", { class: "look-why" });
  const seen = make("div", { style: "display: flex; gap: 18px; align-items: center; margin-top: 6px" }, parts.small, parts.why);
  frame.picture.append(parts.pad, make("p", { class: "look-why", id: help, style: "margin: 10px 0 18px", text: TEXT.help }), make("p", { class: "look-tag", text: TEXT.small }), seen);
  frame.side.append(parts.meant.row, parts.readyBox, parts.width.row, make("div", { class: "look-buttons" }, ...parts.tools), parts.fit.row, parts.stretch.row,
    make("div", {}, parts.big, parts.detail, parts.verdict), make("div", {}, make("p", { class: "look-tag", text: TEXT.bars }), parts.bars));
  const keys = keyList([spotKey("disc", { fill: "#0b4f8a", colour: "#0b4f8a" }), TEXT.keys[0]], [spotKey("square", { colour: "#8a4300" }), TEXT.keys[1]]);
  const left = make("div", {}, make("p", { class: "look-tag", text: TEXT.widths }), parts.widthsWhy, parts.widths, keys, parts.firm);
  frame.root.append(make("div", { class: "look-below" }, left, make("div", { style: "display: grid; gap: 14px" }, ...parts.marks.boxes)));
  return parts;
}

const named = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

function words(sheet, found) {
  if (found.reading === null) return { big: TEXT.none, detail: "", verdict: "" };
  const { shares, reading, other } = found;
  const kind = sheet.meant === null ? "unsaid" : reading === sheet.meant ? "right" : "wrong";
  return {
    big: fill(TEXT.big, { reading: named(reading) }), detail: fill(TEXT.detail, { share: percent(shares[reading]), other, second: percent(shares[other]) }),
    verdict: fill(TEXT.verdict[kind], { meant: named(sheet.meant) }),
  };
}

// Screen readers and tests hear the same as the eye sees.
function describe(frame, parts, sheet, found, point) {
  const count = sheet.strokes.length;
  const at = { strokes: `${count} ${count === 1 ? "stroke" : "strokes"}`, state: point.down ? "down" : "up", x: Math.round(point.x), y: Math.round(point.y), width: sheet.width };
  parts.pad.setAttribute("aria-label", fill(TEXT.padPicture, at));
  const rows = Array.from({ length: SIDE }, (_, k) => found.picture.slice(SIDE * k, SIDE * (k + 1)).map((ink) => Math.round(9 * ink)).join(""));
  parts.small.setAttribute("aria-label", fill(TEXT.smallPicture, { rows: rows.join(" ") }));
  parts.bars.setAttribute("aria-label", fill(TEXT.barPicture, { rows: found.shares.map((share, k) => `${k}: ${percent(share)} %`).join(", ") || TEXT.none }));
  const widths = (right) => ranges([...sheet.tried.keys()].filter((width) => sheet.tried.get(width).right === right).sort((a, b) => a - b));
  parts.widths.setAttribute("aria-label", fill(TEXT.widthPicture, { right: widths(true), wrong: widths(false) }));
  Object.assign(frame.root.dataset, {
    reading: found.reading === null ? "" : found.reading, strokes: count, tried: sheet.tried.size, down: point.down, x: point.x, y: point.y,
    picture: JSON.stringify(found.picture), probabilities: JSON.stringify(found.shares),
  });
}

// One width that is read right and one that is not, nearest to each other.
function broken(sheet) {
  const rows = [...sheet.tried.entries()];
  const pairs = rows.filter(([, one]) => one.right).flatMap(([good]) => rows.filter(([, one]) => !one.right).map(([bad, { reading }]) => ({ good, bad, reading })));
  return pairs.sort((a, b) => Math.abs(a.good - a.bad) - Math.abs(b.good - b.bad))[0];
}

function answerOf(sheet, guess) {
  if (!ASKED.every((digit) => digit in sheet.latest)) return TEXT.guess;
  const [a, b, c] = ASKED.map((digit) => sheet.latest[digit]);
  const wrong = ASKED.filter((digit) => sheet.latest[digit] !== digit).map(String);
  const met = guess === "none" ? !wrong.length : wrong.includes(guess);
  return fill(met ? TEXT.met : TEXT.missed, { guess: TEXT.guesses[guess], answers: fill(TEXT.answers, { a, b, c }) });
}

function render({ model, el }) {
  const sheet = new Sheet(model);
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "5.6em");
  const { publish, listen, close } = publisher(model);
  const redrawn = (strokes, change = {}) => { sheet.replace(strokes); Object.assign(sheet, change); moved(true); };
  const act = {
    set: (change) => {
      Object.assign(sheet, change);
      if (!("width" in change)) sheet.tried.clear();
      moved("meant" in change);
    },
    pick: (digit) => redrawn(sheet.ready[digit], { meant: digit }),
    undo: () => redrawn(sheet.strokes.slice(0, -1)),
    clear: () => redrawn([], { meant: null }),
    all: () => { sheet.tryAll(); moved(false); },
  };
  const parts = buildPage(frame, sheet, act, [model.get("goal_reached"), model.get("second_reached")]);
  const hand = penOf(parts.pad, frame, {
    awake: () => !frame.side.disabled, start: (point) => sheet.start(point), extend: (point) => sheet.extend(point), moved: (done) => moved(done), shown: () => { show(); },
  });
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      show();
    },
  });

  function show() {
    const found = sheet.seen(sheet.width);
    sheet.note(sheet.width, found);
    parts.width.set(sheet.width);
    parts.meant.select.value = sheet.meant === null ? "" : String(sheet.meant);
    for (const name of ["fit", "stretch"]) parts[name].box.checked = sheet[name];
    const whole = { left: 0, top: 0, side: CELLS };
    drawPad(parts.pad, found.cells, { box: found.box && (sheet.fit ? found.box : whole), point: hand.visible() ? hand.point : null, width: sheet.width, hint: frame.side.disabled ? TEXT.asleep : TEXT.hint });
    drawSmall(parts.small, found.picture);
    drawShares(parts.bars, found.shares, sheet);
    drawWidths(parts.chart, sheet.tried, sheet.width, TEXT.axis);
    const said = words(sheet, found);
    parts.why.textContent = `${sheet.stretch ? TEXT.stretched : TEXT.smallWhy} ${TEXT.source}`;
    parts.widthsWhy.textContent = sheet.tried.size ? TEXT.widthsWhy : TEXT.widthsWait;
    for (const name of ["big", "detail", "verdict"]) parts[name].textContent = said[name];
    const all = [...sheet.tried.values()];
    parts.firm.textContent = all.length > PEN.max - PEN.min && all.every((one) => one.right) ? fill(TEXT.firm, { meant: sheet.meant, count: all.length }) : "";
    describe(frame, parts, sheet, found, hand.point);
    return { found, said };
  }

  // `done` says that a stroke is finished, so that the answer counts for the prediction.
  function judge(found, done) {
    if (done && found.reading !== null && sheet.meant !== null) {
      sheet.latest[sheet.meant] = found.reading;
      asked.verdict.textContent = answerOf(sheet, model.get("prediction"));
    }
    const pair = broken(sheet);
    const all = ASKED.every((digit) => digit in sheet.latest);
    return parts.marks.judge([all ? TEXT.done[0] : "", pair ? fill(TEXT.done[1], { ...pair, meant: sheet.meant, reading: named(pair.reading) }) : ""]);
  }

  function moved(done) {
    const { found, said } = show();
    frame.announce(spoken(hand.said(), said.big, said.detail, said.verdict, parts.firm.textContent), judge(found, done));
    publish({
      ...Object.fromEntries(CHOICES.map((name) => [name, sheet[name]])), strokes: sheet.strokes.map((stroke) => [...stroke]),
      picture: found.picture, probabilities: found.shares, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen([...CHOICES, "strokes"], frame.guard(() => { sheet.follow(model); show(); }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  [parts.pad, parts.small, parts.bars, parts.widths].forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
