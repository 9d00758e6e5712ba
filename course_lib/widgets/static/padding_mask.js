// A short sentence with padding behind it: which window of a filter wins, with the mask and without.
import { INK, button, fill, make, makeSvg, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, pictureOf } from "./panel.js";
import { classBars, percent, showText } from "./text_parts.js";
import { answersOf, counts, encode, filterOf, forward, readModel, tokenize } from "./text_reader.js";

const LONGEST = 60;
const SETTINGS = ["length", "mask", "feature"];

const TEXT = {
  title: "What padding does to the maximum",
  question: "The sentence is padded to {length} words. Without the mask, how many of the {count} filters find their maximum in a window that ends in padding?",
  options: [["none", "none"], ["few", "fewer than half"], ["many", "half or more"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Switch the mask off.",
  right: "Right: {won} of {count}, at {length} words.", wrong: "It is {won} of {count}, at {length} words.",
  why: " A window of padding answers the bias plus what the vector of <pad> gives; that beats words that a filter does not like.",
  mask: "Mask: windows that end in padding do not count",
  length: "padded to", feature: "filter", next: "Next filter with another winner",
  head: "The padded sentence; the window that wins has a frame", answersHead: "What filter {number} (width {width}) answers, place by place",
  maximaHead: "Maxima of all {count} filters: without the mask they can only grow",
  noOther: "With these settings no filter has another winner. Switch the mask off or choose a longer padding.",
  big: "Window {place} wins with {value}", nothing: "No answer above 0",
  text: "\u201c{window}\u201d. {other}", same: "The same with and without the mask.", other: "With the mask window {place} wins, with {value}.",
  answer: "The answer is \u201c{answer}\u201d, {chance}; with the mask it is \u201c{truth}\u201d, {before}.", answerOn: "The answer is \u201c{answer}\u201d, {chance}.",
  goals: ["Mask off: find the filter whose maximum grows most.", "Mask on: read the answer at three lengths. What changes?"],
  done: ["Filter {number}: from {before} to {value}, for a window that ends in padding.", "Nothing: \u201c{answer}\u201d, {chance}, at {lengths} words."],
  noGrowth: "None grows: in this sentence a word beats the padding for every filter.",
  legend: ["counts", "ends in padding", "left out by the mask"], growth: ["with the mask", "gained without it"], tick: "Dotted tick: with the mask.",
  place: "place of the window's first word", number: "number of the filter",
  answerPicture: "Answers of filter {number} at {places} places, {ending} of them ending in padding. {said}",
  maximaPicture: "Maxima of {count} filters. {grown} are larger than with the mask.",
};

// Filters that win with a window that ends in padding although the mask would leave it out.
function padded(free, ids) {
  return free.maxima.filter(({ place, width, value }) => value > 0 && !counts(ids, place, width)).length;
}

export const masking = { readModel, padded, answersOf, forward };

function hatchBar(pen, left, top, width, height) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = INK.dark;
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (let x = left - height; x < left + width; x += 6) {
    pen.moveTo(x, top + height);
    pen.lineTo(x + height, top);
  }
  pen.stroke();
  pen.restore();
}

// Ground, frame, scale on the left; returns where values lie.
function openBars(canvas, values, { text }) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const [most, least] = [Math.max(0.1, ...values), Math.min(0, ...values)];
  const [high, low] = [most + 0.18 * (most - least), 1.05 * least];
  const box = { left: 48, right: width - 8, top: 8, bottom: height - 44 };
  const y = (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top);
  pen.strokeStyle = INK.muted;
  pen.lineWidth = 1;
  pen.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  pen.beginPath();
  pen.moveTo(box.left, y(0));
  pen.lineTo(box.right, y(0));
  pen.stroke();
  for (const value of y(0) - y(most) > 16 ? [0, most] : [0]) label(pen, number(value), box.left - 6, y(value), { align: "right", colour: INK.muted, size: 13 });
  label(pen, text, (box.left + box.right) / 2, height - 10, { weight: 600 });
  return { pen, box, y, gap: (box.right - box.left) / values.length };
}

// A bar as the charts draw it.
function barKey(fillColour, kind = "") {
  const lines = { hatched: "M0 10 L10 0 M4 16 L16 4 M12 16 L16 12", "left out": "M4 4 L12 12 M12 4 L4 12" };
  const bar = makeSvg("rect", { x: 0.5, y: 0.5, width: 15, height: 15, fill: fillColour, stroke: INK.dark, "stroke-dasharray": kind === "left out" ? "2 2" : null });
  const marks = makeSvg("path", { d: lines[kind] ?? "", stroke: kind === "hatched" ? INK.dark : INK.alert, "stroke-width": kind === "hatched" ? 1.2 : 2 });
  return makeSvg("svg", { width: 16, height: 16, "aria-hidden": "true" }, bar, marks);
}

function cross(pen, x, y) {
  pen.strokeStyle = INK.alert;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const turn of [-1, 1]) {
    pen.moveTo(x - 4, y - 4 * turn);
    pen.lineTo(x + 4, y + 4 * turn);
  }
  pen.stroke();
}

function drawAnswers(canvas, { answers, counting, ending, place, value }) {
  const { pen, box, y, gap } = openBars(canvas, answers, { text: TEXT.place });
  answers.forEach((answer, k) => {
    const [left, width] = [box.left + gap * k + 1.5, Math.max(gap - 3, 1)];
    const [top, height] = [Math.min(y(answer), y(0)), Math.max(Math.abs(y(answer) - y(0)), 1)];
    const wins = value > 0 && k === place;
    pen.fillStyle = !counting[k] ? INK.paper : wins ? INK.one : "#c4daee";
    pen.strokeStyle = INK.dark;
    pen.lineWidth = wins ? 2.5 : 1;
    pen.setLineDash(counting[k] ? [] : [2, 2]);
    pen.fillRect(left, top, width, height);
    if (ending[k] && !wins) hatchBar(pen, left, top, width, height);
    pen.strokeRect(left, top, width, height);
    pen.setLineDash([]);
    if (!counting[k]) cross(pen, left + width / 2, y(0) - 8);
    if (wins) label(pen, "\u2605", left + width / 2, top - 9, { size: 17, weight: 700 });
    const every = gap < 14 ? 5 : gap < 22 ? 2 : 1;
    if (k % every === 0) label(pen, String(k + 1), left + width / 2, box.bottom + 12, { size: 12, colour: INK.muted });
  });
}

// A line at the maximum with the mask, a bar on top of it for what it gains without.
function drawMaxima(canvas, masked, shown, feature) {
  const { pen, box, y, gap } = openBars(canvas, [...shown.map(({ value }) => value)], { text: TEXT.number });
  shown.forEach(({ value }, k) => {
    const [left, width] = [box.left + gap * k + 0.5, Math.max(gap - 1, 1)];
    const before = masked[k].value;
    pen.fillStyle = "#8fb3d3";
    pen.fillRect(left, y(before), width, y(0) - y(before));
    pen.fillStyle = INK.zero;
    if (value > before) pen.fillRect(left, y(value), width, y(before) - y(value));
    if (k === feature) {
      label(pen, "\u25bc", left + width / 2, Math.max(y(value) - 9, box.top + 8), { size: 13 });
      label(pen, String(k + 1), left + width / 2, box.bottom + 12, { size: 13, weight: 650 });
    }
  });
}

class Padded {
  constructor(traits) {
    this.model = readModel(traits.get("network"));
    this.follow(traits);
    const most = traits.get("length");
    this.tokens = tokenize(traits.get("sentence")).slice(0, most);
    this.words = this.tokens.map(({ word }) => word);
    this.low = Math.max(this.model.widest, this.words.length);
    this.high = Math.max(most, Math.min(LONGEST, this.words.length + 25));
    this.passes = new Map();
  }

  follow(traits) { SETTINGS.forEach((name) => { this[name] = traits.get(name); }); }

  // Both forward passes of a length, made once.
  pass() {
    if (!this.passes.has(this.length)) {
      const ids = encode(this.model, this.words, this.length);
      this.passes.set(this.length, { ids, masked: forward(this.model, ids, true), free: forward(this.model, ids, false) });
    }
    return this.passes.get(this.length);
  }

  figures() {
    const { ids, masked, free } = this.pass();
    const shown = this.mask ? masked : free;
    const { group, m } = filterOf(this.model, this.feature);
    const answers = answersOf(this.model, group, m, ids);
    const ending = answers.map((_, place) => ids[place + group.width - 1] === 0);
    const counting = answers.map((_, place) => !this.mask || counts(ids, place, group.width));
    return { ids, masked, free, shown, group, answers, ending, counting, ...shown.maxima[this.feature] };
  }

  growth({ masked, free }) { return free.maxima.map(({ value }, k) => value - masked.maxima[k].value); }
}

function buildPage(frame, state, act, reached) {
  const { model } = state;
  const parts = { answers: pictureOf(230), maxima: pictureOf(170), reading: make("p", { class: "look-reading" }), bars: classBars(model.classes), marks: milestones(TEXT.goals, reached) };
  parts.mask = make("input", { type: "checkbox", onchange: frame.guard(() => act.set({ mask: parts.mask.checked })) });
  parts.length = slider({ labelHtml: TEXT.length, min: state.low, max: state.high, step: 1, value: state.length, format: (v) => `${v} words`, onInput: frame.guard((v) => act.set({ length: v })) });
  parts.feature = slider({
    labelHtml: TEXT.feature, min: 1, max: model.features, step: 1, value: state.feature + 1,
    format: (v) => `${v}, width ${filterOf(model, v - 1).group.width}`, onInput: frame.guard((v) => act.set({ feature: v - 1 })),
  });
  for (const name of ["big", "detail"]) parts[name] = make("p", { class: `look-${name} look-steady` });
  parts.tick = make("p", { class: "look-why", text: TEXT.tick });
  parts.said = make("p", { class: "look-detail look-steady" });
  for (const name of ["answersHead", "maximaHead"]) parts[name] = make("p", { class: "look-tag" });
  const keys = [barKey("#c4daee"), barKey("#c4daee", "hatched"), barKey(INK.paper, "left out")];
  const legend = keyList(...keys.map((key, k) => [key, TEXT.legend[k]]));
  const growth = keyList([barKey("#8fb3d3"), TEXT.growth[0]], [barKey(INK.zero), TEXT.growth[1]]);
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.head }), parts.reading, make("div", { class: "look-read" }, parts.answersHead), parts.answers, legend,
    make("div", { class: "look-read" }, parts.maximaHead), parts.maxima, growth);
  frame.side.append(make("label", { class: "look-runner" }, parts.mask, make("span", { text: TEXT.mask })), parts.length.row, parts.feature.row,
    make("div", { class: "look-buttons" }, button(TEXT.next, frame.guard(act.next))), parts.big, parts.detail, parts.bars.box, parts.tick, parts.said, ...parts.marks.boxes);
  return parts;
}

function render({ model: traits, el }) {
  const state = new Padded(traits);
  const { model } = state;
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "5.2em");
  frame.root.style.setProperty("--value", "6.8em");
  const { publish, listen, close } = publisher(traits);
  const lengths = new Set();
  const known = (word) => word !== "<pad>" && model.index.has(word);
  const act = { set: (change) => { Object.assign(state, change); moved(); }, next };
  const parts = buildPage(frame, state, act, [traits.get("goal_reached"), traits.get("second_reached")]);
  const asked = prediction(frame, {
    question: fill(TEXT.question, { length: state.length, count: model.features }), options: TEXT.options, chosen: traits.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      if (state.mask) lengths.add(state.length);
    },
  });

  function next() {
    const found = state.figures();
    const changed = state.growth(found).map((gain, k) => (gain > 0 && !state.mask ? k : -1)).filter((k) => k >= 0);
    if (!changed.length) {
      parts.detail.textContent = TEXT.noOther;
      frame.announce(spoken(TEXT.noOther));
      return;
    }
    act.set({ feature: changed.find((k) => k > state.feature) ?? changed[0] });
  }

  function showControls() {
    parts.mask.checked = state.mask;
    parts.length.set(state.length);
    parts.feature.set(state.feature + 1);
  }

  function wordsOf(found) {
    const window = Array.from({ length: found.width }, (_, t) => state.words[found.place + t] ?? "<pad>").join(" ");
    const truth = found.masked.maxima[state.feature];
    const same = state.mask ? found.free.maxima[state.feature].value === found.value : truth.value === found.value;
    const top = found.masked.answer;
    const values = {
      number: state.feature + 1, width: found.width, place: found.place + 1, value: number(found.value), window, count: model.features, length: state.length,
      answer: model.classes[found.shown.answer], chance: percent(found.shown.chances[found.shown.answer], 2), truth: model.classes[top], before: percent(found.masked.chances[top], 2),
      places: found.answers.length, ending: found.ending.filter(Boolean).length, grown: state.growth(found).filter((gain) => gain > 0 && !state.mask).length,
    };
    const masked = fill(TEXT.other, { place: truth.place + 1, value: number(truth.value) });
    values.other = same ? TEXT.same : state.mask ? "" : masked;
    return values;
  }

  function show() {
    const found = state.figures();
    const values = wordsOf(found);
    showControls();
    const all = [...state.tokens, ...Array.from({ length: state.length - state.words.length }, () => ({ word: "<pad>", before: " " }))];
    showText(parts.reading, all, { known, outlined: found.value > 0 ? found : null });
    drawAnswers(parts.answers, found);
    drawMaxima(parts.maxima, found.masked.maxima, found.shown.maxima, state.feature);
    parts.bars.show(found.shown.chances, state.mask ? null : found.masked.chances);
    parts.tick.hidden = state.mask;
    parts.answersHead.textContent = fill(TEXT.answersHead, values);
    parts.maximaHead.textContent = fill(TEXT.maximaHead, values);
    parts.big.textContent = found.value > 0 ? fill(TEXT.big, values) : TEXT.nothing;
    parts.detail.textContent = found.value > 0 ? fill(TEXT.text, values) : "";
    parts.said.textContent = fill(state.mask ? TEXT.answerOn : TEXT.answer, values);
    parts.answers.setAttribute("aria-label", fill(TEXT.answerPicture, { ...values, said: parts.big.textContent }));
    parts.maxima.setAttribute("aria-label", fill(TEXT.maximaPicture, values));
    Object.assign(frame.root.dataset, { place: found.place, value: found.value, chances: found.shown.chances.join() });
    return { found, values };
  }

  function judge({ found, values }) {
    const growth = state.growth(found);
    const most = Math.max(...growth);
    if (state.mask) lengths.add(state.length);
    else {
      const won = padded(found.free, found.ids);
      const kind = won === 0 ? "none" : 2 * won < model.features ? "few" : "many";
      asked.verdict.textContent = fill(traits.get("prediction") === kind ? TEXT.right : TEXT.wrong, { ...values, won }) + (won ? TEXT.why : "");
    }
    const before = number(found.masked.maxima[state.feature].value);
    const best = state.mask || growth[state.feature] < most ? "" : most > 0 ? fill(TEXT.done[0], { ...values, before }) : TEXT.noGrowth;
    const ordered = [...lengths].sort((a, b) => a - b);
    return parts.marks.judge([best, state.mask && ordered.length >= 3 ? fill(TEXT.done[1], { ...values, lengths: ordered.slice(0, 3).join(", ") }) : ""]);
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent, parts.said.textContent), judge(shown));
    publish({
      length: state.length, mask: state.mask, feature: state.feature, winner: shown.found.place, maximum: shown.found.value,
      answer: shown.values.answer, probabilities: shown.found.shown.chances, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(SETTINGS, frame.guard(() => {
    state.follow(traits);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  [parts.answers, parts.maxima].forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
