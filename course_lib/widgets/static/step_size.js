// The step of a difference quotient: too large bends, too small rounds. Errors on log-log axes.
import { INK, choice, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { CURVES, EXPONENTS, agreeing, errorsOf, quotients, stepOf } from "./difference_quotients.js";
import { label, sizeCanvas } from "./drawing.js";
import { short } from "./line_chart.js";
import { milestones } from "./milestones.js";
import { Panel, keyList, lineKey, pictureOf, spotKey } from "./panel.js";

const TEXT = {
  title: "Which step h for a difference?",
  question: "Central difference of sin at x = 1, in float64: which h gives the smallest error?",
  options: [["1e-16", "10\u207b\u00b9\u2076"], ["1e-10", "10\u207b\u00b9\u2070"], ["1e-5", "10\u207b\u2075"], ["1e-1", "10\u207b\u00b9"]],
  wait: "Choose, and the curves appear.",
  asleep: "The errors of both differences appear once the question is answered.",
  guess: "You said {guess}. Move h and watch the two markers.",
  right: "You said {guess}: right. At 10\u207b\u2075 both errors, bend and rounding, are small.",
  wrong: "You said {guess}; it is 10\u207b\u2075. Far above it the bend of f counts, far below it rounding.",
  curve: "Function",
  precision: "Numbers",
  precisions: [["float64", "float64"], ["float32", "float32"]],
  first: "float64: a central error below 10\u207b\u00b9\u2070. No luck, please: one key press to either side must do too.",
  firstDone: "h = {h}: error {error}. Ten digits from two calls of f.",
  second: "float32: a central error below 10\u207b\u2074, again with both neighbours.",
  secondDone: "h = {h}: error {error}. With fewer digits, rounding asks for a larger step.",
  big: "central error {error}",
  side: "one-sided error {error}",
  digits: "about {central} digits agree (central), {one} (one-sided)",
  remarks: {
    lost: "x + h rounds to x: nothing is left of the step.", best: "Near the bottom of the central curve.",
    small: "Left of the bottom: rounding wins. A larger h helps.", large: "Right of the bottom: the bend of f wins. A smaller h helps.",
  },
  rows: { right: "f\u2032(x)", central: "central", oneSided: "one-sided" },
  formulas: ["central: (f(x + h) \u2212 f(x \u2212 h)) / (2h)", "one-sided: (f(x + h) \u2212 f(x)) / h"],
  picture: "Errors of the central and one-sided difference of {curve} at x = {x}, {precision}, log axes. At h = {h}: {central} and {one}. The central curve is lowest near h = {best}.",
  axes: { x: "step h", y: "error of the derivative" },
  legend: ["central", "one-sided"],
  goal: "goal",
  zones: ["rounding", "bend of f"],
  zero: "0",
};

const LOW = 1e-16;
const HIGH = 100;
const GOALS = [["float64", 1e-10], ["float32", 1e-4]];
const LINES = { central: { colour: INK.one, width: 3 }, oneSided: { colour: INK.zero, width: 2.5, dash: [7, 4] } };
const TICKS = [[1e-16, "10\u207b\u00b9\u2076"], [1e-12, "10\u207b\u00b9\u00b2"], [1e-8, "10\u207b\u2078"], [1e-4, "10\u207b\u2074"], [1, "1"]];
const AXES = [
  { low: 1e-16, high: 1, log: true, ticks: TICKS, name: TEXT.axes.x },
  { low: LOW, high: HIGH, log: true, ticks: TICKS, name: TEXT.axes.y },
];
const HELD = { float64: 16, float32: 9 };

export { agreeing, errorsOf, quotients, stepOf };

const inRange = (error) => Math.max(LOW, Math.min(HIGH, error));
const errorText = (error) => (error === 0 ? TEXT.zero : short(Number(error.toPrecision(2))));

class Session {
  constructor(model) {
    this.read(model);
  }

  read(model) {
    Object.assign(this, { curve: model.get("function"), x: model.get("x"), h: model.get("h"), precision: model.get("precision") });
  }

  // Both curves, kept until function, x or precision changes; the lowest point after taking the worst of three neighbours.
  curves() {
    const key = `${this.curve}/${this.x}/${this.precision}`;
    if (this.key === key) return this.kept;
    const errors = EXPONENTS.map((exponent) => errorsOf(this.curve, this.x, stepOf(exponent), this.precision));
    const worst = errors.map((_, k) => Math.max(...errors.slice(Math.max(0, k - 1), k + 2).map((pair) => pair.central)));
    Object.assign(this, { key, kept: { errors, worst, best: worst.indexOf(Math.min(...worst)) } });
    return this.kept;
  }

  place() {
    return Math.max(0, Math.min(EXPONENTS.length - 1, Math.round(10 * Math.log10(this.h)) + EXPONENTS.length - 1));
  }

  measured() {
    return { ...quotients(this.curve, this.x, this.h, this.precision), errors: errorsOf(this.curve, this.x, this.h, this.precision), ...this.marks() };
  }

  marks() {
    const { worst, best } = this.curves();
    return { worst: worst[this.place()], best: stepOf(EXPONENTS[best]), away: this.place() - best };
  }
}

function draw(canvas, session, found) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const panel = new Panel(pen, { left: 76, top: 10, width: width - 76 - 18, height: height - 10 - 46 }, ...AXES);
  const { errors } = session.curves();
  const points = (name) => errors.map((pair, k) => [stepOf(EXPONENTS[k]), inRange(pair[name])]);
  const limit = GOALS.find(([precision]) => precision === session.precision)[1];
  panel.paint(() => {
    panel.across(limit, { colour: INK.muted, width: 1.5, dash: [2, 4] });
    panel.upright(session.h, { colour: INK.muted, width: 1.5, dash: [2, 4] });
    panel.curve(points("oneSided"), LINES.oneSided);
    panel.curve(points("central"), LINES.central);
    panel.spot(session.h, inRange(found.errors.oneSided), "square", { colour: INK.zero, size: 6.5 });
    panel.spot(session.h, inRange(found.errors.central), "disc", { colour: INK.one, fill: INK.one, size: 7.5 });
  });
  label(pen, TEXT.goal, panel.box.left + 8, panel.y(limit) - 11, { align: "left", colour: INK.muted, size: 13 });
  const base = panel.y(LOW) - 14;
  label(pen, `\u2190 ${TEXT.zones[0]}`, panel.x(found.best) - 14, base, { align: "right", colour: INK.muted, size: 13 });
  const right = panel.box.left + panel.box.width - 6;
  const tight = right - panel.x(found.best) < 90;
  const [from, up, align] = tight ? [right, 20, "right"] : [panel.x(found.best) + 14, 0, "left"];
  label(pen, `${TEXT.zones[1]} \u2192`, from, base - up, { align, colour: INK.muted, size: 13 });
}

function remark(session, { away }) {
  const round = session.precision === "float32" ? Math.fround : (v) => v;
  if (round(round(session.x) + round(session.h)) === round(session.x)) return TEXT.remarks.lost;
  if (Math.abs(away) <= 3) return TEXT.remarks.best;
  return away < 0 ? TEXT.remarks.small : TEXT.remarks.large;
}

function words(session, found) {
  const { precision, x, h } = session;
  const [central, one] = [errorText(found.errors.central), errorText(found.errors.oneSided)];
  const [good, fair] = [agreeing(found.central, found.slope, precision), agreeing(found.oneSided, found.slope, precision)];
  return {
    big: fill(TEXT.big, { error: central }), side: fill(TEXT.side, { error: one }), digits: fill(TEXT.digits, { central: good, one: fair }), good, fair,
    remark: remark(session, found),
    picture: fill(TEXT.picture, { curve: CURVES[session.curve].text, x: number(x, 1), precision, h: short(h), central, one, best: short(found.best) }),
  };
}

// A number with its digits; those that agree with the right one are bold and underlined.
function digitRow(name, value, good, precision) {
  const text = number(value, 0) === "NaN" ? "NaN" : value.toPrecision(HELD[precision]).replace("-", "\u2212");
  let [count, cut] = [0, 0];
  const lead = text.search(/[1-9]/);
  while (cut < text.length && count < good) {
    if (cut >= lead && text[cut] !== ".") count += 1;
    cut += 1;
  }
  const looks = "font-weight: 700; text-decoration: underline; text-underline-offset: 4px";
  return make("tr", {}, make("th", { scope: "row", text: name }),
    make("td", {}, make("span", { style: looks, text: text.slice(0, cut) }), text.slice(cut)));
}

function judge(session, { worst, errors }) {
  const values = { h: short(session.h), error: errorText(errors.central) };
  const reachedAt = ([precision, limit]) => session.precision === precision && worst < limit;
  return [reachedAt(GOALS[0]) ? fill(TEXT.firstDone, values) : "", reachedAt(GOALS[1]) ? fill(TEXT.secondDone, values) : ""];
}

function controls(frame, session, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const h = slider({
    labelHtml: "step <i>h</i>", min: -16, max: 0, step: 0.1, value: Math.log10(session.h), format: (v) => short(stepOf(v)),
    onInput: assign((v) => { session.h = stepOf(v); }),
  });
  const x = slider({ labelHtml: "point <i>x</i>", min: 0.5, max: 2.5, step: 0.1, value: session.x, format: (v) => number(v, 1), onInput: assign((v) => { session.x = v; }) });
  const curve = choice({
    label: TEXT.curve, options: Object.entries(CURVES).map(([key, one]) => [key, one.text]), value: session.curve, onChange: assign((key) => { session.curve = key; }),
  });
  const precision = choice({ label: TEXT.precision, options: TEXT.precisions, value: session.precision, onChange: assign((key) => { session.precision = key; }) });
  return { h, x, curve, precision };
}

function buildPage(frame, session, reached, moved) {
  frame.root.classList.add("look-inline-choice");
  frame.root.style.setProperty("--label", "5em");
  frame.root.style.setProperty("--value", "5.4em");
  const canvas = pictureOf(430);
  const parts = controls(frame, session, moved);
  const nodes = {
    big: make("p", { class: "look-big" }), side: make("p", { class: "look-detail look-steady" }), digits: make("p", { class: "look-detail look-steady" }),
    remark: make("p", { class: "look-detail" }),
  };
  const body = make("tbody");
  const table = make("table", { class: "look-table" }, body);
  const goals = milestones([TEXT.first, TEXT.second], reached);
  const formulas = make("p", { class: "look-formula" }, TEXT.formulas[0], make("br"), TEXT.formulas[1]);
  const keys = ["central", "oneSided"].map((name) => lineKey(LINES[name]));
  const spots = [spotKey("disc", { fill: INK.one, colour: INK.one }), spotKey("square", { colour: INK.zero })];
  const key = (k) => make("span", { style: "display: inline-flex" }, spots[k], keys[k]);
  frame.picture.append(canvas, keyList([key(0), TEXT.legend[0]], [key(1), TEXT.legend[1]]), formulas);
  formulas.style.marginLeft = "34px";
  frame.side.append(parts.curve.row, parts.precision.row, parts.h.row, parts.x.row, nodes.big, nodes.side, table, nodes.digits, nodes.remark, ...goals.boxes);
  return { canvas, ...parts, nodes, body, table, goals };
}

function showNumbers(page, session, found, said) {
  for (const name of ["big", "side", "digits", "remark"]) page.nodes[name].textContent = said[name];
  const { precision } = session;
  page.body.replaceChildren(
    digitRow(TEXT.rows.right, found.slope, 0, precision), digitRow(TEXT.rows.central, found.central, said.good, precision),
    digitRow(TEXT.rows.oneSided, found.oneSided, said.fair, precision));
  page.canvas.setAttribute("aria-label", said.picture);
}

function render({ model, el }) {
  const session = new Session(model);
  const reached = [model.get("goal_reached"), model.get("single_reached")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const page = buildPage(frame, session, reached, moved);
  page.canvas.setAttribute("aria-label", TEXT.asleep);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = fill(TEXT.guess, { guess: written(guess) });
      publish({ prediction: guess });
      show();
    },
  });

  function written(guess) {
    return TEXT.options.find(([key]) => key === guess)[1];
  }

  function show() {
    if (frame.side.disabled) return null;
    const found = session.measured();
    const said = words(session, found);
    draw(page.canvas, session, found);
    showNumbers(page, session, found, said);
    Object.assign(frame.root.dataset, { central: found.errors.central, oneSided: found.errors.oneSided, best: found.best });
    return { found, said };
  }

  function reveal() {
    const guess = model.get("prediction");
    asked.verdict.textContent = fill(guess === "1e-5" ? TEXT.right : TEXT.wrong, { guess: written(guess) });
  }

  function moved() {
    const { found, said } = show();
    const news = page.goals.judge(judge(session, found));
    if (reached[0]) reveal();
    frame.announce(`${said.big}, ${said.side}. ${said.digits}. ${said.remark}`, news);
    publish({
      function: session.curve, x: session.x, h: session.h, precision: session.precision, central_error: found.errors.central,
      one_sided_error: found.errors.oneSided, goal_reached: reached[0], single_reached: reached[1],
    });
  }

  // Python changed a setting: the same as if a hand had moved the control.
  listen(["function", "x", "h", "precision"], frame.guard(() => {
    session.read(model);
    page.curve.select.value = session.curve;
    page.precision.select.value = session.precision;
    page.h.set(Math.log10(session.h));
    page.x.set(session.x);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(show));
  resized.observe(page.canvas);
  frame.guard(() => { show(); if (reached[0] && model.get("prediction")) reveal(); })();
  return () => { resized.disconnect(); close(); };
}

export default { render };
