// How much of the gradient is left in the early layers of a deep network: depth, activation, gain.
import { INK, choice, fill, make, number, openFrame, prediction, publisher, slider, threeDigits } from "./kit.js";
import { DeepNetwork, drawLayers } from "./deep_gradients.js";
import { hatch, label, sizeCanvas } from "./drawing.js";
import { short } from "./line_chart.js";
import { milestones } from "./milestones.js";
import { Panel, keyList, pictureOf, regionKey, spotKey } from "./panel.js";

const TEXT = {
  title: "How far does the gradient flow back?",
  question: "10 sigmoid layers, gain 1: how much of the last gradient reaches the first layer?",
  options: [["same", "about all"], ["tenth", "about a tenth"], ["thousandth", "about a thousandth"], ["millionth", "about a millionth"]],
  wait: "Choose, and the bars appear.",
  asleep: "The bars of the gradient at each layer appear once the question is answered.",
  right: "You were right: {ratio} of the last one, with this draw. Now find out what helps.",
  wrong: "It is {ratio} of the last one, with this draw: each sigmoid multiplies by a slope of at most 1/4. Now find out what helps.",
  activation: "Activation",
  activations: [["sigmoid", "sigmoid"], ["tanh", "tanh"], ["relu", "ReLU"]],
  first: "20 layers: keep first/last between 0.1 and 10.",
  firstDone: "{name}, gain {gain}: slope and weights together keep the size. Kaiming\u2019s rule does this for ReLU with gain \u221a2.",
  second: "Sigmoid, 10 layers: get first/last above 0.1 as well.",
  secondDone: "Gain {gain}. The price: {flat} of the hidden slopes are below 0.01. Large weights saturate the units.",
  ratio: "first/last = {ratio}",
  rate: "about \u00d7{rate} per layer on the way back",
  flat: { sigmoid: "{flat} of hidden slopes are below 0.01", tanh: "{flat} of hidden slopes are below 0.01", relu: "{flat} of hidden units are closed (slope 0)" },
  formula: "w = gain \u00b7 \u221a(3/n) \u00b7 U(\u22121, 1), n = 32",
  meaning: "Bar k: norm of dL/dz at layer k, divided by that of the last layer.",
  picture: "Bars of the gradient\u2019s norm at layers 1 to {depth}, relative to the last one, log scale. {ratio}, {rate}. {outside} of {depth} layers lie outside 0.1 to 10.",
  axes: { x: "layer", y: "gradient, relative to the last layer" },
  legend: ["inside 0.1 to 10", "outside", "0.1 to 10"],
};

const LOW = 1e-12;
const HIGH = 1e8;
const INSIDE = [0.1, 10];
const TICKS = [[1e-12, "10\u207b\u00b9\u00b2"], [1e-8, "10\u207b\u2078"], [1e-4, "10\u207b\u2074"], [1, "1"], [1e4, "10\u2074"], [1e8, "10\u2078"]];
const within = (value) => value >= INSIDE[0] && value <= INSIDE[1];

export { DeepNetwork, drawLayers };

class Session {
  constructor(model) {
    this.read(model);
  }

  read(model) {
    Object.assign(this, { activation: model.get("activation"), depth: model.get("depth"), gain: model.get("gain"), seed: model.get("seed") });
  }

  // The draw is kept until the seed changes.
  measured() {
    if (this.drawn !== this.seed) Object.assign(this, { drawn: this.seed, network: new DeepNetwork(this.seed) });
    const { norms, flat } = this.network.flow(this.activation, this.depth, this.gain);
    const shares = norms.map((norm) => norm / norms[norms.length - 1]);
    return { norms, shares, flat, ratio: shares[0], rate: shares[0] ** (1 / (this.depth - 1)) };
  }
}

function axesFor(depth) {
  const gap = depth > 10 ? 5 : 1;
  const layers = Array.from({ length: depth }, (_, k) => k + 1).filter((k) => k === 1 || k % gap === 0);
  return [
    { low: 0.4, high: depth + 0.6, ticks: layers.map((k) => [k, k]), name: TEXT.axes.x },
    { low: LOW, high: HIGH, log: true, ticks: TICKS, name: TEXT.axes.y },
  ];
}

// Bars stand on 1, the last layer. Outside the band they are hollow with a thick edge; an arrow leaves the scale.
function drawBar(panel, k, share) {
  const { pen } = panel;
  const [left, right] = [panel.x(k - 0.36), panel.x(k + 0.36)];
  const [foot, top] = [panel.y(1), panel.y(Math.max(LOW, Math.min(HIGH, share)))];
  const height = Math.abs(top - foot) < 2 ? 2 : top - foot;
  pen.fillStyle = within(share) ? INK.one : INK.zeroTint;
  pen.fillRect(left, foot, right - left, height);
  pen.lineWidth = 2;
  pen.strokeStyle = within(share) ? INK.one : INK.zero;
  pen.strokeRect(left, foot, right - left, height);
}

function drawOff(panel, k, share) {
  if (share >= LOW && share <= HIGH) return;
  const up = share > HIGH;
  label(panel.pen, up ? "\u25b2" : "\u25bc", panel.x(k), panel.y(up ? HIGH : LOW) + (up ? 10 : -10), { colour: INK.zero, size: 13 });
}

function draw(canvas, found) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const panel = new Panel(pen, { left: 74, top: 10, width: width - 74 - 10, height: height - 10 - 46 }, ...axesFor(found.shares.length));
  panel.paint(() => {
    pen.fillStyle = hatch(pen);
    pen.fillRect(panel.box.left, panel.y(INSIDE[1]), panel.box.width, panel.y(INSIDE[0]) - panel.y(INSIDE[1]));
    found.shares.forEach((share, k) => drawBar(panel, k + 1, share));
    panel.across(1, { colour: INK.dark, width: 1.5 });
    found.shares.forEach((share, k) => drawOff(panel, k + 1, share));
  });
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

function words({ activation, depth }, found) {
  const ratio = fill(TEXT.ratio, { ratio: short(found.ratio) });
  const rate = fill(TEXT.rate, { rate: number(found.rate, 2) });
  const outside = found.shares.filter((share) => !within(share)).length;
  return { ratio, rate, flat: fill(TEXT.flat[activation], { flat: percent(found.flat) }), picture: fill(TEXT.picture, { depth, ratio, rate, outside }) };
}

function judge({ activation, depth, gain }, { ratio, flat }) {
  const name = TEXT.activations.find(([key]) => key === activation)[1];
  const values = { name, gain: number(gain, 2), flat: percent(flat) };
  return [
    depth === 20 && within(ratio) ? fill(TEXT.firstDone, values) : "",
    activation === "sigmoid" && depth === 10 && within(ratio) ? fill(TEXT.secondDone, values) : "",
  ];
}

function controls(frame, session, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const depth = slider({ labelHtml: "depth (layers)", min: 2, max: 20, step: 1, value: session.depth, format: String, onInput: assign((v) => { session.depth = v; }) });
  const gain = slider({
    labelHtml: "gain", min: -0.6, max: 0.9, step: 0.01, value: Math.log10(session.gain), format: (v) => threeDigits(10 ** v),
    onInput: assign((v) => { session.gain = 10 ** v; }),
  });
  const seed = slider({ labelHtml: "draw (seed)", min: 0, max: 19, step: 1, value: session.seed, format: String, onInput: assign((v) => { session.seed = v; }) });
  const activation = choice({
    label: TEXT.activation, options: TEXT.activations, value: session.activation, onChange: assign((key) => { session.activation = key; }),
  });
  return { depth, gain, seed, activation };
}

function buildPage(frame, session, reached, moved) {
  frame.root.classList.add("look-inline-choice");
  const canvas = pictureOf(430);
  const parts = controls(frame, session, moved);
  const nodes = { ratio: make("p", { class: "look-big" }), rate: make("p", { class: "look-detail look-steady" }), flat: make("p", { class: "look-detail look-steady" }) };
  const goals = milestones([TEXT.first, TEXT.second], reached);
  const keys = [spotKey("square", { fill: INK.one, colour: INK.one }), spotKey("square", { fill: INK.zeroTint, colour: INK.zero }), regionKey()];
  frame.picture.append(canvas, keyList(...keys.map((key, k) => [key, TEXT.legend[k]])));
  const notes = make("p", { class: "look-formula" }, TEXT.formula, make("br"), TEXT.meaning);
  frame.side.append(parts.activation.row, parts.depth.row, parts.gain.row, parts.seed.row, nodes.ratio, nodes.rate, nodes.flat, notes, ...goals.boxes);
  return { canvas, ...parts, nodes, goals };
}

// The answer belongs to the question's experiment, whatever the sliders show.
function answerTo(session, guess) {
  const { norms } = new DeepNetwork(session.seed).flow("sigmoid", 10, 1);
  return fill(guess === "millionth" ? TEXT.right : TEXT.wrong, { ratio: short(norms[0] / norms[9]) });
}

function render({ model, el }) {
  const session = new Session(model);
  const reached = [model.get("goal_reached"), model.get("sigmoid_reached")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const show = () => {
    const found = session.measured();
    const said = words(session, found);
    if (!frame.side.disabled) draw(page.canvas, found);
    for (const name of ["ratio", "rate", "flat"]) page.nodes[name].textContent = frame.side.disabled ? "" : said[name];
    page.canvas.setAttribute("aria-label", frame.side.disabled ? TEXT.asleep : said.picture);
    Object.assign(frame.root.dataset, { ratio: found.ratio, flat: found.flat });
    return { found, said };
  };
  const moved = () => {
    const { found, said } = show();
    const news = page.goals.judge(judge(session, found));
    frame.announce(`${said.ratio}, ${said.rate}. ${said.flat}`, news);
    publish({
      activation: session.activation, depth: session.depth, gain: session.gain, seed: session.seed, norms: found.norms, ratio: found.ratio,
      goal_reached: reached[0], sigmoid_reached: reached[1],
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
  listen(["activation", "depth", "gain", "seed"], frame.guard(() => {
    session.read(model);
    page.activation.select.value = session.activation;
    page.depth.set(session.depth);
    page.gain.set(Math.log10(session.gain));
    page.seed.set(session.seed);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(show));
  resized.observe(page.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
