// The gain of the first weights and the spread of the activations over thirty layers.
import { INK, choice, fill, make, number, openFrame, prediction, publisher, slider, threeDigits } from "./kit.js";
import { hatch, label, sizeCanvas } from "./drawing.js";
import { LAYERS, Stack, drawStack, layerStatistics } from "./deep_spread.js";
import { milestones } from "./milestones.js";
import { Panel, keyList, lineKey, pictureOf, regionKey } from "./panel.js";

const TEXT = {
  title: "First weights decide the spread",
  question: "30 ReLU layers, weights with variance 1/n (gain 1). What is left of a spread of 1 after layer 30?",
  options: [["same", "about 1"], ["tenth", "about 1/10"], ["tiny", "about 1/30,000"], ["more", "more than 1"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Now choose ReLU, with gain 1, and look at layer 30.",
  right: "You were right: each ReLU halves the mean square, and 2 to the power of 15 is 32,768.",
  wrong: "About 1/30,000: each ReLU halves the mean square, and 2 to the power of 15 is 32,768.",
  activation: "Activation",
  activations: [["relu", "ReLU"], ["tanh", "tanh"], ["linear", "linear (none)"]],
  width: "Units n",
  first: "ReLU: keep the spread between 0.5 and 2 in all 30 layers.",
  firstDone: "Gain {gain}. The square root of 2 makes up for the half that ReLU cuts off: Kaiming\u2019s rule, give or take one draw.",
  second: "tanh: keep the spread above 0.5 in all layers, with at most 10 % of outputs saturated.",
  secondDone: "Gain {gain}. A little above 1 makes up for the bend of tanh; far above 1 the outputs stick to \u22121 and 1.",
  last: "layer 30: {spread}",
  range: "between {low} and {high} over all layers",
  silent: { relu: "{share} of outputs are 0 at layer 30", tanh: "at most {share} of outputs saturated (beyond \u00b10.99)", linear: "no activation: nothing is cut or bent" },
  formula: "w = gain \u00b7 \u221a(3/n) \u00b7 U(\u22121, 1), n = {n}",
  variance: "var(w) = {gain}\u00b2/n",
  picture: "Spread of the activations over 30 layers on a log scale: {last}, {range}. {inside}",
  inside: "All layers lie in the band from 0.5 to 2.",
  outside: "The first layer outside the band from 0.5 to 2 is layer {k}.",
  beyond: "off the scale",
  axes: { x: "layer", y: "spread (standard deviation)" },
  legend: ["this gain", "gain 1, same draw", "0.5 to 2"],
};

const LOW = 0.5;
const HIGH = 2;
const LINES = { now: { colour: INK.one, width: 3 }, plain: { colour: INK.zero, width: 2, dash: [7, 5] } };

export { drawStack, layerStatistics };

export function spreadText(value) {
  if (value >= 0.01 && value < 1000) return number(value, value < 10 ? 2 : 0);
  const [digits, power] = value.toExponential(0).split("e");
  const raised = [...power.replace("+", "")].map((c) => (c === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[Number(c)])).join("");
  return `${digits} \u00d7 10${raised}`;
}

class Session {
  constructor(model) {
    this.read(model);
  }

  read(model) {
    Object.assign(this, { activation: model.get("activation"), gain: model.get("gain"), width: model.get("width"), seed: model.get("seed") });
  }

  // A draw is kept until the width or the seed changes.
  stack() {
    const key = `${this.width}/${this.seed}`;
    if (this.key !== key) Object.assign(this, { key, kept: new Stack(this.width, this.seed) });
    return this.kept;
  }

  measured() {
    const layers = this.stack().statistics(this.activation, this.gain);
    const spreads = layers.map((layer) => layer.spread);
    const silent = layers.map((layer) => layer.silent);
    return {
      spreads, low: Math.min(...spreads), high: Math.max(...spreads), last: spreads[LAYERS - 1],
      silent: this.activation === "tanh" ? Math.max(...silent) : silent[LAYERS - 1],
    };
  }
}

const POWERS = [[1e-6, "10\u207b\u2076"], [1e-3, "10\u207b\u00b3"], [1, "1"], [1e3, "10\u00b3"], [1e6, "10\u2076"]];

function draw(canvas, session, found) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const layers = [1, 5, 10, 15, 20, 25, 30].map((k) => [k, k]);
  const panel = new Panel(pen, { left: 70, top: 10, width: width - 70 - 14, height: height - 10 - 46 },
    { low: 0, high: LAYERS + 1, ticks: layers, name: TEXT.axes.x }, { low: 1e-7, high: 1e7, log: true, ticks: POWERS, name: TEXT.axes.y });
  const places = (spreads) => spreads.map((spread, k) => [k + 1, Math.min(1e300, Math.max(1e-300, spread))]);
  panel.paint(() => {
    pen.fillStyle = hatch(pen);
    pen.fillRect(panel.box.left, panel.y(HIGH), panel.box.width, panel.y(LOW) - panel.y(HIGH));
    panel.curve(places(session.stack().atOne(session.activation).map((layer) => layer.spread)), LINES.plain);
    panel.curve(places(found.spreads), LINES.now);
    places(found.spreads).forEach(([k, spread]) => {
      const inside = spread >= LOW && spread <= HIGH;
      panel.spot(k, spread, inside ? "disc" : "square", { colour: INK.one, fill: inside ? INK.paper : INK.one, size: inside ? 4.5 : 3.5 });
    });
  });
  const [edge, away] = [found.last > 1e7 ? 1e7 : 1e-7, found.last > 1e7 ? 16 : -16];
  if (found.last > 1e7 || found.last < 1e-7) label(pen, TEXT.beyond, panel.x(LAYERS), panel.y(edge) + away, { align: "right", weight: 600 });
}

function words(session, found) {
  const share = `${(100 * found.silent).toFixed(0)} %`;
  const outside = found.spreads.findIndex((spread) => spread < LOW || spread > HIGH);
  const last = fill(TEXT.last, { spread: spreadText(found.last) });
  const range = fill(TEXT.range, { low: spreadText(found.low), high: spreadText(found.high) });
  const inside = outside < 0 ? TEXT.inside : fill(TEXT.outside, { k: outside + 1 });
  return { last, range, inside, silent: fill(TEXT.silent[session.activation], { share }), picture: fill(TEXT.picture, { last, range, inside }) };
}

function controls(frame, session, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const gain = slider({
    labelHtml: "gain", min: -0.5, max: 0.5, step: 0.005, value: Math.log10(session.gain), format: (v) => threeDigits(10 ** v),
    onInput: assign((v) => { session.gain = 10 ** v; }),
  });
  const seed = slider({
    labelHtml: "draw (seed)", min: 0, max: 19, step: 1, value: session.seed, format: String, onInput: assign((v) => { session.seed = v; }),
  });
  const activation = choice({
    label: TEXT.activation, options: TEXT.activations, value: session.activation, onChange: assign((key) => { session.activation = key; }),
  });
  const width = choice({
    label: TEXT.width, options: ["16", "32", "64"].map((n) => [n, n]), value: String(session.width), onChange: assign((n) => { session.width = Number(n); }),
  });
  return { gain, seed, activation, width };
}

function judge(session, found) {
  const values = { gain: number(session.gain, 3) };
  return [
    session.activation === "relu" && found.low >= LOW && found.high <= HIGH ? fill(TEXT.firstDone, values) : "",
    session.activation === "tanh" && found.low >= LOW && found.silent <= 0.1 ? fill(TEXT.secondDone, values) : "",
  ];
}

function buildPage(frame, session, reached, moved) {
  frame.root.classList.add("look-inline-choice");
  const canvas = pictureOf(430);
  const parts = controls(frame, session, moved);
  const nodes = {
    last: make("p", { class: "look-big" }), range: make("p", { class: "look-detail look-steady" }), silent: make("p", { class: "look-detail look-steady" }),
    formula: make("p", { class: "look-formula" }),
  };
  const goals = milestones([TEXT.first, TEXT.second], reached);
  frame.picture.append(canvas, keyList([lineKey(LINES.now), TEXT.legend[0]], [lineKey(LINES.plain), TEXT.legend[1]], [regionKey(), TEXT.legend[2]]));
  frame.side.append(parts.activation.row, parts.width.row, parts.gain.row, parts.seed.row, nodes.last, nodes.range, nodes.silent, nodes.formula, ...goals.boxes);
  return { canvas, ...parts, nodes, goals };
}

function showNumbers(page, session, said) {
  page.nodes.last.textContent = said.last;
  page.nodes.range.textContent = said.range;
  page.nodes.silent.textContent = said.silent;
  const [formula, variance] = [TEXT.formula, TEXT.variance].map((text) => fill(text, { n: session.width, gain: number(session.gain, 2) }));
  page.nodes.formula.replaceChildren(formula, make("br"), variance);
  page.canvas.setAttribute("aria-label", said.picture);
}

function render({ model, el }) {
  const session = new Session(model);
  const reached = [model.get("goal_reached"), model.get("tanh_reached")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      frame.verdict = verdict;
    },
  });
  const page = buildPage(frame, session, reached, moved);

  function show() {
    const found = session.measured();
    const said = words(session, found);
    draw(page.canvas, session, found);
    showNumbers(page, session, said);
    Object.assign(frame.root.dataset, { last: found.last, low: found.low, high: found.high, silent: found.silent });
    return { found, said };
  }

  // Only the experiment of the question answers it.
  function reveal() {
    if (session.activation !== "relu" || Math.abs(session.gain - 1) > 0.02) return;
    frame.verdict.textContent = model.get("prediction") === "tiny" ? TEXT.right : TEXT.wrong;
  }

  function moved() {
    const { found, said } = show();
    const news = page.goals.judge(judge(session, found));
    reveal();
    frame.announce(`${said.last}, ${said.range}. ${said.silent}`, news);
    publish({
      activation: session.activation, gain: session.gain, width: session.width, seed: session.seed, spreads: found.spreads,
      silent: found.silent, goal_reached: reached[0], tanh_reached: reached[1],
    });
  }

  // Python changed a setting: the same as if a hand had moved the control.
  listen(["activation", "gain", "width", "seed"], frame.guard(() => {
    session.read(model);
    page.activation.select.value = session.activation;
    page.width.select.value = String(session.width);
    page.gain.set(Math.log10(session.gain));
    page.seed.set(session.seed);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(show));
  resized.observe(page.canvas);
  frame.guard(() => { show(); })();
  return () => { resized.disconnect(); close(); };
}

export default { render };
