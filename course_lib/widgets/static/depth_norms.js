// The gradient at every layer of a plain and a residual ReLU network with the same weights: depth and gain.
import { INK, choice, fill, make, number, openFrame, prediction, publisher, slider, threeDigits } from "./kit.js";
import { hatch, label, sizeCanvas } from "./drawing.js";
import { short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { Panel, keyList, lineKey, pictureOf, regionKey } from "./panel.js";
import { DeepPair } from "./residual_flow.js";

const TEXT = {
  title: "What reaches the layers of a deep network?",
  question: "A plain network: 16 ReLU layers, gain 1. Whose weights get the smallest gradient?",
  options: [["first", "those of the first layer"], ["last", "those of the last layer"], ["alike", "about alike in all layers"]],
  wait: "Choose, and the curves appear.",
  asleep: "The gradient at each layer appears once the question is answered.",
  right: "You were right: {low} to {high} with this draw. {why}",
  wrong: "About alike in all layers: {low} to {high} with this draw. {why}",
  why: "What arrives from behind shrinks towards layer 1, and what comes in from the front shrinks towards the last layer; the weights get the product. Depth makes all of them small at once.",
  measure: "Gradient of",
  measures: [["weights", "the weights of each layer"], ["outputs", "the outputs of each layer"]],
  big: "Reaches layer 1: plain {plain}, residual {residual}",
  times: "times what enters at layer {depth}",
  span: "{name}: {low} to {high}",
  first: "64 layers: let the plain network pass on between 0.1 and 10 times the gradient from layer 64 to layer 1.",
  firstDone: "Plain, gain {gain}: near \u221a2, which is Kaiming\u2019s rule. A little less or more, and 64 layers lose or blow up the gradient.",
  second: "64 layers: now the residual network, between 0.1 and 10 as well.",
  secondDone: "Residual, gain {gain}. Any small gain works, for the identity passes everything on; large ones add up. The plain network passes on {plain} here.",
  rules: ["plain: h \u2190 ReLU(h W\u1d40), residual: h \u2190 h + ReLU(h W\u1d40)", "w = gain \u00b7 \u221a(3/n) \u00b7 U(\u22121, 1), n = 32, the same in both", "The gradient that enters at the last layer has norm 1."],
  picture: "Norm of the gradient by {measure}, layers 1 to {depth}, log scale. Plain: {plainFirst} at layer 1, {plainLast} at layer {depth}. Residual: {residualFirst} at layer 1, {residualLast} at layer {depth}.",
  axes: { x: "layer", y: { weights: "norm of dL/dW", outputs: "norm of dL/dh" } },
  legend: ["residual", "plain", "0.1 to 10"],
  names: { plain: "plain", residual: "residual" },
  beyond: "off the scale",
};

const LINES = { residual: { colour: INK.one, width: 3 }, plain: { colour: INK.zero, width: 3, dash: [2, 4] } };
const NETS = ["plain", "residual"];
const REACHES = [4, 8, 16];
const within = (value) => value >= 0.1 && value <= 10;
const ends = (values) => ({ low: Math.min(...values), high: Math.max(...values), first: values[0], last: values[values.length - 1] });
const UP = ["\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074", "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"];
const power = (k) => (k === 0 ? "1" : `10${k < 0 ? "\u207b" : ""}${[...String(Math.abs(k))].map((digit) => UP[digit]).join("")}`);

export { DeepPair };

class Session {
  constructor(model) {
    this.read(model);
  }

  read(model) {
    Object.assign(this, { depth: model.get("depth"), gain: model.get("gain"), measure: model.get("measure"), seed: model.get("seed") });
  }

  pair() {
    if (this.drawn !== this.seed) Object.assign(this, { drawn: this.seed, kept: new DeepPair(this.seed) });
    return this.kept;
  }

  measured() {
    const flows = Object.fromEntries(NETS.map((name) => [name, this.pair().flow(this.depth, this.gain, name === "residual")]));
    const shown = Object.fromEntries(NETS.map((name) => [name, flows[name][this.measure]]));
    return { shown, plain: flows.plain.outputs[0], residual: flows.residual.outputs[0] };
  }
}

function axesFor(session, shown) {
  const gap = session.depth > 40 ? 10 : session.depth > 10 ? 5 : 1;
  const layers = Array.from({ length: session.depth }, (_, k) => k + 1).filter((k) => k === 1 || k % gap === 0);
  const far = Math.max(...Object.values(shown).flat().map((value) => Math.abs(Math.log10(Math.max(value, 1e-300)))));
  const reach = REACHES.find((size) => far <= size) || REACHES[2];
  const powers = [-4, -3, -2, -1, 0, 1, 2, 3, 4].map((k) => (k * reach) / 4);
  return [
    { low: 0.4, high: session.depth + 0.6, ticks: layers.map((k) => [k, k]), name: TEXT.axes.x },
    { low: 10 ** -reach, high: 10 ** reach, log: true, ticks: powers.map((k) => [10 ** k, power(k)]), name: TEXT.axes.y[session.measure] },
  ];
}

function drawNet(panel, name, values) {
  const points = values.map((value, k) => [k + 1, Math.max(value, 1e-300)]);
  panel.curve(points, LINES[name]);
  const size = values.length > 32 ? 2.5 : 4;
  const filled = name === "residual";
  points.forEach(([k, value]) => panel.spot(k, value, filled ? "disc" : "square", { colour: LINES[name].colour, fill: filled ? INK.one : INK.paper, size }));
}

// A curve that leaves the picture is told at the edge where it leaves.
function drawBeyond(panel, values, name) {
  const { low, high } = panel.axes.y;
  const out = values.findIndex((value) => value < low || value > high);
  if (out < 0) return;
  const up = values[out] > high;
  label(panel.pen, `${TEXT.names[name]}: ${TEXT.beyond}`, panel.box.left + 10, panel.y(up ? high : low) + (up ? 16 : -16), { align: "left", weight: 600, colour: LINES[name].colour });
}

function draw(canvas, session, { shown }) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const panel = new Panel(pen, { left: 74, top: 10, width: width - 74 - 12, height: height - 10 - 46 }, ...axesFor(session, shown));
  panel.paint(() => {
    if (session.measure === "outputs") {
      pen.fillStyle = hatch(pen);
      pen.fillRect(panel.box.left, panel.y(10), panel.box.width, panel.y(0.1) - panel.y(10));
    }
    panel.across(1, { colour: INK.muted, width: 1.2 });
    NETS.forEach((name) => drawNet(panel, name, shown[name]));
  });
  NETS.forEach((name) => drawBeyond(panel, shown[name], name));
}

function words(session, found) {
  const { depth, measure } = session;
  const [plain, residual] = NETS.map((name) => ends(found.shown[name]));
  const span = (name, { low, high }) => fill(TEXT.span, { name: TEXT.names[name], low: short(low), high: short(high) });
  const named = TEXT.measures.find(([key]) => key === measure)[1];
  return {
    big: fill(TEXT.big, { plain: short(found.plain), residual: short(found.residual) }), times: fill(TEXT.times, { depth }),
    span: `${TEXT.axes.y[measure]}, ${span("plain", plain)}; ${span("residual", residual)}`,
    picture: fill(TEXT.picture, {
      measure: named, depth, plainFirst: short(plain.first), plainLast: short(plain.last), residualFirst: short(residual.first), residualLast: short(residual.last),
    }),
  };
}

function judge({ depth, gain }, { plain, residual }) {
  const values = { gain: number(gain, 3), plain: short(plain) };
  return [
    depth === 64 && within(plain) ? fill(TEXT.firstDone, values) : "",
    depth === 64 && within(residual) ? fill(TEXT.secondDone, values) : "",
  ];
}

function controls(frame, session, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const depth = slider({ labelHtml: "depth (layers)", min: 4, max: 64, step: 1, value: session.depth, format: String, onInput: assign((v) => { session.depth = v; }) });
  const gain = slider({
    labelHtml: "gain", min: -1.5, max: 0.5, step: 0.01, value: Math.log10(session.gain), format: (v) => threeDigits(10 ** v),
    onInput: assign((v) => { session.gain = 10 ** v; }),
  });
  const seed = slider({ labelHtml: "draw (seed)", min: 0, max: 19, step: 1, value: session.seed, format: String, onInput: assign((v) => { session.seed = v; }) });
  const measure = choice({ label: TEXT.measure, options: TEXT.measures, value: session.measure, onChange: assign((key) => { session.measure = key; }) });
  return { depth, gain, seed, measure };
}

function buildPage(frame, session, reached, moved) {
  frame.root.classList.add("look-inline-choice");
  const canvas = pictureOf(430);
  const parts = controls(frame, session, moved);
  const nodes = { big: make("p", { class: "look-big" }), times: make("p", { class: "look-detail" }), span: make("p", { class: "look-detail look-steady" }) };
  nodes.big.style.fontSize = "21px";
  const goals = milestones([TEXT.first, TEXT.second], reached);
  const region = make("li", {}, regionKey(), TEXT.legend[2]);
  const legend = keyList([lineKey(LINES.residual), TEXT.legend[0]], [lineKey(LINES.plain), TEXT.legend[1]]);
  legend.append(region);
  const rules = make("p", { class: "look-formula look-why" }, ...TEXT.rules.flatMap((rule, k) => (k ? [make("br"), rule] : [rule])));
  frame.picture.append(canvas, legend);
  frame.side.append(parts.depth.row, parts.gain.row, parts.seed.row, parts.measure.row, nodes.big, nodes.times, nodes.span, rules, ...goals.boxes);
  return { canvas, region, ...parts, nodes, goals };
}

// The answer belongs to the question's experiment, whatever the sliders show.
function answerTo(session, guess) {
  const { low, high } = ends(session.pair().flow(16, 1, false).weights);
  return fill(guess === "alike" ? TEXT.right : TEXT.wrong, { low: short(low), high: short(high), why: TEXT.why });
}

function setControls(page, session) {
  page.depth.set(session.depth);
  page.gain.set(Math.log10(session.gain));
  page.seed.set(session.seed);
  page.measure.select.value = session.measure;
}

function render({ model, el }) {
  const session = new Session(model);
  const reached = [model.get("goal_reached"), model.get("second_reached")];
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--value", "4.2em");
  const { publish, listen, close } = publisher(model);
  const show = () => {
    const found = session.measured();
    const said = words(session, found);
    const asleep = frame.side.disabled;
    if (!asleep) draw(page.canvas, session, found);
    for (const name of ["big", "times", "span"]) page.nodes[name].textContent = asleep ? "" : said[name];
    page.region.hidden = session.measure !== "outputs";
    page.canvas.setAttribute("aria-label", asleep ? TEXT.asleep : said.picture);
    Object.assign(frame.root.dataset, { plain: found.plain, residual: found.residual });
    return { found, said };
  };
  const moved = () => {
    const { found, said } = show();
    const news = page.goals.judge(judge(session, found));
    frame.announce(spoken(`${said.big} ${said.times}`, said.span), news);
    publish({
      depth: session.depth, gain: session.gain, measure: session.measure, seed: session.seed, plain: found.shown.plain, residual: found.shown.residual,
      goal_reached: reached[0], second_reached: reached[1],
    });
  };
  const page = buildPage(frame, session, reached, moved);
  prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = answerTo(session, guess);
      publish({ prediction: guess });
      show();
    },
  });
  // Python changed a setting: the same as if a hand had moved the control.
  listen(["depth", "gain", "measure", "seed"], frame.guard(() => {
    session.read(model);
    setControls(page, session);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(page.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
