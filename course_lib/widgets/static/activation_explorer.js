// One activation function and its slope: move the score, see the tangent.
import { INK, choice, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { sizeCanvas } from "./drawing.js";
import { ACTIVATIONS } from "./functions.js";
import { milestones, spoken } from "./milestones.js";
import { Panel, keyList, lineKey, pictureOf, spotKey } from "./panel.js";

const TEXT = {
  title: "Activations and their slopes",
  question: "How far from 0 must the score be before the sigmoid\u2019s slope falls below 0.01?",
  options: [["1.6", "1.6"], ["4.6", "4.6"], ["10", "10"], ["100", "100"]],
  wait: "Choose, and the controls wake up.",
  guess: "You said {guess}. Now move the score z and see.",
  right: "You said {guess}: right.",
  wrong: "You said {guess}; it is 4.6.",
  functions: "Activation function",
  first: "Sigmoid: find the score nearest to 0 where the slope is below 0.01.",
  firstDone: "At {z} the slope is {slope}. A unit further out passes back less than a hundredth of its gradient.",
  second: "One function here falls somewhere although its score rises. Find a negative slope.",
  secondDone: "{name} falls at z = {z}: its slope there is {slope}.",
  slope: "slope {slope}",
  value: "value {value}",
  plain: "at score z = {z}",
  corner: "At 0 there is a corner; the course takes the slope {slope}.",
  beyond: "Below 0.01. Is there a score nearer to 0?",
  forms: "The two forms of GELU differ by {gap} here.",
  picture: "{name} and its slope for scores from \u22128 to 8. At z = {z} the value is {value} and the slope {slope}.",
  axes: { z: "score z", value: "value f(z)", slope: "slope f\u2032(z)" },
  legend: ["function", "tangent", "slope"],
};

const REACH = 8;
const NEAREST = 4.6;
const LINES = {
  value: { colour: INK.one, width: 3.5 },
  tangent: { colour: INK.dark, width: 2.5, dash: [2, 5] },
  slope: { colour: INK.zero, width: 3, dash: [9, 5] },
};
const SQUASHING = new Set(["sigmoid", "tanh"]);
const SCORES = Array.from({ length: 641 }, (_, k) => (k - 320) / 40);

export { ACTIVATIONS };

const ticks = (...values) => values.map((v) => [v, number(v, Number.isInteger(v) ? 0 : 1)]);

function measured({ name, z, leak }) {
  return { value: ACTIVATIONS[name].value(z, leak), slope: ACTIVATIONS[name].slope(z, leak) };
}

// Equal slopes look equally steep only within one range, so the lower panel is the same for all functions.
function panels(pen, width, height, name) {
  const left = 68;
  const wide = width - left - 12;
  const upper = Math.round(0.52 * (height - 70));
  const x = { low: -REACH, high: REACH, ticks: ticks(-8, -4, 0, 4, 8) };
  const values = SQUASHING.has(name) ? { low: -1.25, high: 1.25, ticks: ticks(-1, -0.5, 0, 0.5, 1) } : { low: -2, high: 8, ticks: ticks(-2, 0, 2, 4, 6, 8) };
  const slopes = { low: -0.2, high: 1.2, ticks: ticks(0, 0.5, 1), name: TEXT.axes.slope };
  const lower = { left, top: upper + 36, width: wide, height: height - upper - 36 - 46 };
  return [
    new Panel(pen, { left, top: 8, width: wide, height: upper }, x, { ...values, name: TEXT.axes.value }),
    new Panel(pen, lower, { ...x, name: TEXT.axes.z }, slopes),
  ];
}

function draw(canvas, state, { value, slope }) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const { name, z, leak } = state;
  const one = ACTIVATIONS[name];
  const [above, under] = panels(pen, width, height, name);
  const here = { colour: INK.muted, width: 1.5, dash: [1, 4] };
  above.paint(() => {
    above.upright(z, here);
    above.curve(SCORES.map((at) => [at, one.value(at, leak)]), LINES.value);
    above.curve([[z - 20, value - 20 * slope], [z + 20, value + 20 * slope]], LINES.tangent);
    above.spot(z, value, "disc", { colour: INK.one });
  });
  under.paint(() => {
    under.upright(z, here);
    under.curve(SCORES.map((at) => [at, one.slope(at, leak)]), LINES.slope);
    under.spot(z, slope, "square", { colour: INK.zero });
  });
}

function remark({ name, z, leak }, { slope }) {
  if (z === 0 && name.endsWith("relu")) return fill(TEXT.corner, { slope: number(slope) });
  if (name === "sigmoid" && slope < 0.01 && Math.abs(z) > NEAREST) return TEXT.beyond;
  if (!name.startsWith("gelu")) return "";
  const gap = Math.abs(ACTIVATIONS.gelu.value(z, leak) - ACTIVATIONS.gelu_tanh.value(z, leak));
  return fill(TEXT.forms, { gap: number(gap, 5) });
}

// What a change may have reached: the sentence for each goal, or an empty one.
function judge({ name, z }, { slope }) {
  const values = { z: number(z, 1), slope: number(slope, 4), name: ACTIVATIONS[name].text };
  return [
    name === "sigmoid" && Math.abs(z) === NEAREST ? fill(TEXT.firstDone, values) : "",
    slope < -1e-3 ? fill(TEXT.secondDone, values) : "",
  ];
}

function controls(frame, state, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const z = slider({
    labelHtml: "score <i>z</i>", min: -REACH, max: REACH, step: 0.1, value: state.z, format: (v) => number(v, 1),
    onInput: assign((v) => { state.z = v; }),
  });
  const leak = slider({
    labelHtml: "slope of the leak", min: 0, max: 0.5, step: 0.01, value: state.leak, format: (v) => number(v, 2),
    onInput: assign((v) => { state.leak = v; }),
  });
  const name = choice({
    label: TEXT.functions, options: Object.entries(ACTIVATIONS).map(([key, one]) => [key, one.text]), value: state.name,
    onChange: assign((key) => { state.name = key; }),
  });
  return { z, leak, name };
}

function buildPage(frame, state, reached, moved) {
  const canvas = pictureOf(440);
  const parts = controls(frame, state, moved);
  const nodes = { slope: make("p", { class: "look-big" }), value: make("p", { class: "look-detail look-steady" }), remark: make("p", { class: "look-detail" }) };
  const goals = milestones([TEXT.first, TEXT.second], reached);
  frame.picture.append(canvas, keyList([lineKey(LINES.value), TEXT.legend[0]], [lineKey(LINES.tangent), TEXT.legend[1]],
    [lineKey(LINES.slope), TEXT.legend[2]]));
  frame.side.append(parts.name.row, parts.z.row, parts.leak.row, nodes.slope, nodes.value, nodes.remark, ...goals.boxes);
  return { canvas, ...parts, nodes, goals };
}

function showNumbers(page, state, found) {
  const values = { z: number(state.z, 1), value: number(found.value, 4), slope: number(found.slope, 4), name: ACTIVATIONS[state.name].text };
  page.leak.row.hidden = state.name !== "leaky_relu";
  page.nodes.slope.textContent = fill(TEXT.slope, values);
  page.nodes.value.textContent = `${fill(TEXT.value, values)} ${fill(TEXT.plain, values)}`;
  page.nodes.remark.textContent = remark(state, found);
  page.canvas.setAttribute("aria-label", fill(TEXT.picture, values));
}

function render({ model, el }) {
  const state = { name: model.get("function"), z: model.get("z"), leak: model.get("leak") };
  const reached = [model.get("goal_reached"), model.get("falling_found")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => { verdict.textContent = fill(TEXT.guess, { guess }); publish({ prediction: guess }); },
  });
  const page = buildPage(frame, state, reached, moved);

  function show() {
    const found = measured(state);
    draw(page.canvas, state, found);
    showNumbers(page, state, found);
    Object.assign(frame.root.dataset, { value: found.value, slope: found.slope });
    return found;
  }

  function reveal() {
    const guess = model.get("prediction");
    asked.verdict.textContent = fill(Number(guess) === NEAREST ? TEXT.right : TEXT.wrong, { guess });
  }

  function moved() {
    const found = show();
    const waiting = !reached[0];
    const news = page.goals.judge(judge(state, found));
    if (waiting && reached[0]) reveal();
    frame.announce(spoken(page.nodes.slope.textContent, page.nodes.value.textContent, page.nodes.remark.textContent), news);
    publish({ function: state.name, z: state.z, leak: state.leak, ...found, goal_reached: reached[0], falling_found: reached[1] });
  }

  // Python changed a setting: the same as if a hand had moved the control.
  listen(["function", "z", "leak"], frame.guard(() => {
    Object.assign(state, { name: model.get("function"), z: model.get("z"), leak: model.get("leak") });
    page.name.select.value = state.name;
    page.z.set(state.z);
    page.leak.set(state.leak);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(show));
  resized.observe(page.canvas);
  frame.guard(() => { show(); if (reached[0]) reveal(); })();
  return () => { resized.disconnect(); close(); };
}

export default { render };
