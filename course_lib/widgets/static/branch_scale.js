// Residual blocks h + s f(h) in a row: how the scale of the branches decides what grows with depth.
import { INK, fill, make, number, openFrame, prediction, publisher, slider, threeDigits } from "./kit.js";
import { hatch, sizeCanvas } from "./drawing.js";
import { short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { Panel, keyList, lineKey, pictureOf, regionKey } from "./panel.js";
import { BranchStack } from "./residual_flow.js";

const TEXT = {
  title: "How strong may a branch be?",
  question: "32 blocks h + f(h). Each f keeps the variance of what it gets, on average. How large is the variance after the last block?",
  options: [["one", "about as at the start"], ["sum", "about 32 times as large"], ["power", "about 4 billion times as large"]],
  wait: "Choose, and the curves appear.",
  asleep: "Variance and gradient after each block appear once the question is answered.",
  right: "You were right: on average over draws each block doubles it, and 2 to the power of 32 is 4.3 billion. Single draws scatter; this one gives {value}.",
  wrong: "About 4 billion times: on average over draws each block doubles it, and 2 to the power of 32 is 4.3 billion. Single draws scatter; this one gives {value}.",
  first: "32 blocks: keep the variance within a factor of 2 after every block, with s of at least 0.1.",
  firstDone: "s = {scale}: each block adds only s\u00b2 = {square} of the variance.",
  second: "64 blocks: the same, with s of at least 0.07.",
  secondDone: "s = {scale}. Twice as many blocks need about s/\u221a2: the rule is s proportional to 1/\u221ablocks.",
  big: "variance \u00d7 {last}",
  span: "after block {blocks}; between {low} and {high} on the way",
  gradient: "gradient at the input: {first} times that at the output",
  rules: ["h \u2190 h + s \u00b7 f(h), f(h) = ReLU(h W\u2081\u1d40) W\u2082\u1d40, n = 32", "W\u2081: Kaiming\u2019s rule, W\u2082: variance 1/n"],
  picture: "Two charts over {blocks} blocks with s = {scale}, log scales. Variance: {last} times that of the input at the end, between {low} and {high} on the way. Gradient: {first} at the input when 1 enters at the end.",
  axes: { x: "after block", variance: "variance", gradient: "gradient norm" },
  legend: ["this draw", "(1 + s\u00b2) to the power of the block", "half to twice"],
};

const LINES = { now: { colour: INK.one, width: 3 }, expected: { colour: INK.zero, width: 2.5, dash: [2, 4] } };
const SPANS = [2, 4, 11, 21];
const UP = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

export { BranchStack };

class Session {
  constructor(model) {
    this.read(model);
  }

  read(model) {
    Object.assign(this, { scale: model.get("scale"), blocks: model.get("blocks"), seed: model.get("seed") });
  }

  stack() {
    if (this.drawn !== this.seed) Object.assign(this, { drawn: this.seed, kept: new BranchStack(this.seed) });
    return this.kept;
  }

  measured() {
    const flow = this.stack().flow(this.blocks, this.scale);
    const { variances, gradients } = flow;
    return { ...flow, low: Math.min(...variances), high: Math.max(...variances), last: variances[this.blocks], first: gradients[0] };
  }
}

// Powers of ten from 0.1 upwards; a calm picture gets a finer scale.
function logAxis(values, name) {
  const top = Math.log10(Math.max(...values));
  const span = SPANS.find((size) => top <= size - 1) || SPANS[3];
  if (span === 2) return { low: 0.25, high: 10, log: true, ticks: [0.5, 1, 2, 5, 10].map((v) => [v, String(v)]), name };
  const gap = span === 4 ? 1 : (span - 1) / 5;
  const powers = Array.from({ length: 6 }, (_, k) => k * gap).filter((k) => k <= span - 1);
  return { low: 0.1, high: 10 ** (span - 1), log: true, ticks: powers.map((k) => [10 ** k, k === 0 ? "1" : k === 1 ? "10" : `10${[...String(k)].map((d) => UP[d]).join("")}`]), name };
}

function layersOf({ blocks }, name) {
  const gap = blocks > 20 ? 8 : blocks > 8 ? 4 : 1;
  const ticks = Array.from({ length: blocks + 1 }, (_, k) => k).filter((k) => k % gap === 0);
  return { low: -0.4, high: blocks + 0.4, ticks: ticks.map((k) => [k, k]), name };
}

function drawExpected(panel, expected) {
  const { pen, box } = panel;
  pen.fillStyle = hatch(pen);
  pen.fillRect(box.left, panel.y(2), box.width, panel.y(0.5) - panel.y(2));
  panel.curve(expected.map((value, k) => [k, value]), LINES.expected);
}

function drawPart(pen, box, session, values, names, expected = []) {
  const panel = new Panel(pen, box, layersOf(session, names.x), logAxis([...values, ...expected], names.y));
  panel.paint(() => {
    if (expected.length) drawExpected(panel, expected);
    panel.curve(values.map((value, k) => [k, value]), LINES.now);
    values.forEach((value, k) => panel.spot(k, value, "disc", { colour: INK.one, fill: INK.one, size: values.length > 33 ? 2 : 3 }));
  });
}

function draw(canvas, session, found) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const [left, half] = [70, (height - 12 - 46 - 34) / 2];
  const box = (top) => ({ left, top, width: width - left - 12, height: half });
  const expected = found.variances.map((_, k) => (1 + session.scale ** 2) ** k);
  drawPart(pen, box(12), session, found.variances, { x: "", y: TEXT.axes.variance }, expected);
  drawPart(pen, box(12 + half + 34), session, found.gradients, { x: TEXT.axes.x, y: TEXT.axes.gradient });
}

function words({ blocks, scale }, { low, high, last, first }) {
  const values = { blocks, scale: number(scale, 3), low: short(low), high: short(high), last: short(last), first: short(first) };
  return Object.fromEntries(["big", "span", "gradient", "picture"].map((name) => [name, fill(TEXT[name], values)]));
}

// A mark of the slider counts as the round number it shows.
function judge({ blocks, scale }, { low, high }) {
  const calm = low >= 0.5 && high <= 2;
  const values = { scale: number(scale, 3), square: number(scale ** 2, 3) };
  return [
    calm && blocks === 32 && scale > 0.0999 ? fill(TEXT.firstDone, values) : "",
    calm && blocks === 64 && scale > 0.0699 ? fill(TEXT.secondDone, values) : "",
  ];
}

function buildPage(frame, session, reached, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const canvas = pictureOf(500);
  const scale = slider({
    labelHtml: "scale s", min: -2, max: 0, step: 0.01, value: Math.log10(session.scale), format: (v) => threeDigits(10 ** v),
    onInput: assign((v) => { session.scale = 10 ** v; }),
  });
  const blocks = slider({ labelHtml: "blocks", min: 4, max: 64, step: 1, value: session.blocks, format: String, onInput: assign((v) => { session.blocks = v; }) });
  const seed = slider({ labelHtml: "draw (seed)", min: 0, max: 19, step: 1, value: session.seed, format: String, onInput: assign((v) => { session.seed = v; }) });
  const nodes = { big: make("p", { class: "look-big" }), span: make("p", { class: "look-detail look-steady" }), gradient: make("p", { class: "look-detail look-steady" }) };
  const goals = milestones([TEXT.first, TEXT.second], reached);
  const rules = make("p", { class: "look-formula look-why" }, TEXT.rules[0], make("br"), TEXT.rules[1]);
  frame.picture.append(canvas, keyList([lineKey(LINES.now), TEXT.legend[0]], [lineKey(LINES.expected), TEXT.legend[1]], [regionKey(), TEXT.legend[2]]));
  frame.side.append(scale.row, blocks.row, seed.row, nodes.big, nodes.span, nodes.gradient, rules, ...goals.boxes);
  return { canvas, scale, blocks, seed, nodes, goals };
}

// The answer belongs to the question's experiment, whatever the sliders show.
function answerTo(session, guess) {
  const value = short(session.stack().flow(32, 1).variances[32]);
  return fill(guess === "power" ? TEXT.right : TEXT.wrong, { value });
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
    for (const name of ["big", "span", "gradient"]) page.nodes[name].textContent = asleep ? "" : said[name];
    page.canvas.setAttribute("aria-label", asleep ? TEXT.asleep : said.picture);
    Object.assign(frame.root.dataset, { last: found.last, low: found.low, high: found.high, first: found.first });
    return { found, said };
  };
  const moved = () => {
    const { found, said } = show();
    const news = page.goals.judge(judge(session, found));
    frame.announce(spoken(`${said.big} ${said.span}`, said.gradient), news);
    publish({
      scale: session.scale, blocks: session.blocks, seed: session.seed, variances: found.variances, gradients: found.gradients,
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
  listen(["scale", "blocks", "seed"], frame.guard(() => {
    session.read(model);
    page.scale.set(Math.log10(session.scale));
    page.blocks.set(session.blocks);
    page.seed.set(session.seed);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(page.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
