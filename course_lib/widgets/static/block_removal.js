// One block is taken out of a trained residual and a trained plain network: what accuracy is left. Figures from Python.
import { INK, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { hatch, label, sizeCanvas } from "./drawing.js";
import { milestones, spoken } from "./milestones.js";
import { Panel, keyList, lineKey, pictureOf, spotKey } from "./panel.js";

const TEXT = {
  title: "Take one block out",
  question: "Two trained networks of {count} blocks, one residual, one plain. One block is taken out of each. Which one loses more accuracy, on average over the blocks?",
  options: [["residual", "the residual one"], ["plain", "the plain one"], ["alike", "both about alike"]],
  wait: "Choose, and the slider wakes up.",
  guess: "Noted. Now take out one block after the other; each leaves its two bars.",
  right: "You were right: {truth}",
  wrong: "{truth}",
  truth: {
    residual: "the residual network loses {a} points on average, the plain one {b}.",
    plain: "the plain network loses {b} points on average, the residual one {a}.",
    alike: "they lose about the same, {a} points (residual) and {b} points (plain) on average.",
  },
  block: "block that is out",
  none: "none",
  whole: "Nothing is out",
  out: "Block {block} is out",
  left: { residual: "residual: {value} %, whole {whole} %", plain: "plain: {value} %, whole {whole} %" },
  seen: "{seen} of {count} blocks were out.",
  first: "Take out every block. Then go back to the one that the residual network misses most.",
  firstDone: "Block {block}: without it {value} % are left. All other paths through the network stay open, so even this loss may be small.",
  second: "Every block again: now the one that the plain network misses least.",
  secondDone: "Block {block}: without it {value} % are left. In the plain network every later layer gets inputs it was never trained on.",
  picture: "Bars of the accuracy left without each block. Whole: residual {a} %, plain {b} %. {bars}",
  bar: "Block {block}: residual {a} %, plain {b} %.",
  axes: { x: "block that is out", y: "accuracy (%)" },
  legend: ["residual", "plain", "whole residual", "whole plain", "guessing"],
};

const NETS = ["residual", "plain"];
const BARS = { residual: { fill: INK.one, edge: INK.one, from: -0.4, to: 0 }, plain: { fill: INK.zeroTint, edge: INK.zero, from: 0, to: 0.4 } };
const LINES = {
  residual: { colour: INK.one, width: 2 }, plain: { colour: INK.zero, width: 2, dash: [7, 4] }, chance: { colour: INK.muted, width: 1.8, dash: [2, 4] },
};
const percent = (share) => number(100 * share, 1);
const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;

class Session {
  constructor(model) {
    for (const name of ["residual", "plain", "chance", "block"]) this[name] = model.get(name);
    this.count = this.plain.length;
    const [a, b] = model.get("whole");
    this.whole = { residual: a, plain: b };
    this.seen = new Set(model.get("seen"));
    if (this.block) this.seen.add(this.block);
  }

  // A hand that pulls the slider passes every block on the way.
  go(block) {
    const step = block > this.block ? 1 : -1;
    for (let k = this.block; k !== block; k += step) if (k) this.seen.add(k);
    if (block) this.seen.add(block);
    this.block = block;
  }

  left(name) { return this.block ? this[name][this.block - 1] : this.whole[name]; }

  loss(name) { return this.whole[name] - mean(this[name]); }

  get complete() { return this.seen.size === this.count; }
}

function drawBar(panel, name, block, value, held) {
  const { pen } = panel;
  const { fill: paint, edge, from, to } = BARS[name];
  const [left, right, top, foot] = [panel.x(block + from), panel.x(block + to), panel.y(100 * value), panel.y(0)];
  pen.fillStyle = paint;
  pen.fillRect(left, top, right - left, foot - top);
  pen.lineWidth = 2;
  pen.strokeStyle = edge;
  pen.strokeRect(left, top, right - left, foot - top);
  if (held) label(pen, String(Math.round(100 * value)), (left + right) / 2, top - 9, { weight: 650, size: 13 });
}

function axesFor({ count }) {
  const gap = count > 20 ? 5 : count > 12 ? 2 : 1;
  const blocks = Array.from({ length: count }, (_, k) => k + 1).filter((k) => k === 1 || k % gap === 0);
  return [
    { low: 0.4, high: count + 0.6, ticks: blocks.map((k) => [k, k]), name: TEXT.axes.x },
    { low: 0, high: 108, ticks: [0, 25, 50, 75, 100].map((v) => [v, v]), name: TEXT.axes.y },
  ];
}

function draw(canvas, session) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const panel = new Panel(pen, { left: 62, top: 10, width: width - 62 - 12, height: height - 10 - 46 }, ...axesFor(session));
  panel.paint(() => {
    if (session.block) {
      const [left, right] = [panel.x(session.block - 0.5), panel.x(session.block + 0.5)];
      pen.fillStyle = hatch(pen);
      pen.fillRect(left, panel.box.top, right - left, panel.box.height);
    }
    for (const block of session.seen) NETS.forEach((name) => drawBar(panel, name, block, session[name][block - 1], block === session.block));
    NETS.forEach((name) => panel.across(100 * session.whole[name], LINES[name]));
    panel.across(100 * session.chance, LINES.chance);
  });
}

function words(session) {
  const { block, seen, count, whole } = session;
  const bars = [...seen].sort((a, b) => a - b).map((k) => fill(TEXT.bar, { block: k, a: percent(session.residual[k - 1]), b: percent(session.plain[k - 1]) }));
  const left = Object.fromEntries(NETS.map((name) => [name, fill(TEXT.left[name], { value: percent(session.left(name)), whole: percent(whole[name]) })]));
  return {
    big: block ? fill(TEXT.out, { block }) : TEXT.whole, ...left, seen: fill(TEXT.seen, { seen: seen.size, count }),
    picture: fill(TEXT.picture, { a: percent(whole.residual), b: percent(whole.plain), bars: bars.join(" ") }),
  };
}

function judge(session) {
  if (!session.complete || !session.block) return ["", ""];
  const done = (name, best, text) => {
    const value = session.left(name);
    return value === best(...session[name]) ? fill(text, { block: session.block, value: percent(value) }) : "";
  };
  return [done("residual", Math.min, TEXT.firstDone), done("plain", Math.max, TEXT.secondDone)];
}

// Two points of accuracy are no difference worth a verdict.
function verdictOf(session, guess) {
  const [a, b] = NETS.map((name) => session.loss(name));
  const truth = Math.abs(a - b) < 0.02 ? "alike" : a > b ? "residual" : "plain";
  const told = fill(TEXT.truth[truth], { a: percent(a), b: percent(b) });
  return guess === truth ? fill(TEXT.right, { truth: told }) : fill(TEXT.wrong, { truth: told[0].toUpperCase() + told.slice(1) });
}

function buildPage(frame, session, reached, moved) {
  const canvas = pictureOf(400);
  const block = slider({
    labelHtml: TEXT.block, min: 0, max: session.count, step: 1, value: session.block, format: (v) => (v ? String(v) : TEXT.none),
    onInput: frame.guard((v) => { session.go(v); moved(); }),
  });
  frame.root.style.setProperty("--label", "8.4em");
  const nodes = { big: make("p", { class: "look-big" }) };
  for (const name of [...NETS, "seen"]) nodes[name] = make("p", { class: "look-detail look-steady" });
  const goals = milestones([TEXT.first, TEXT.second], reached);
  const keys = [
    spotKey("square", { fill: INK.one, colour: INK.one }), spotKey("square", { fill: INK.zeroTint, colour: INK.zero }),
    lineKey(LINES.residual), lineKey(LINES.plain), lineKey(LINES.chance),
  ];
  frame.picture.append(canvas, keyList(...keys.map((key, k) => [key, TEXT.legend[k]])));
  frame.side.append(block.row, nodes.big, nodes.residual, nodes.plain, nodes.seen, ...goals.boxes);
  return { canvas, block, nodes, goals };
}

function render({ model, el }) {
  const session = new Session(model);
  const reached = [model.get("goal_reached"), model.get("second_reached")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const show = () => {
    const said = words(session);
    draw(page.canvas, session);
    for (const [name, node] of Object.entries(page.nodes)) node.textContent = said[name];
    page.canvas.setAttribute("aria-label", said.picture);
    if (session.complete && !frame.side.disabled) frame.verdict.textContent = verdictOf(session, frame.guess);
    Object.assign(frame.root.dataset, { block: session.block, seen: session.seen.size });
    return said;
  };
  const moved = () => {
    const said = show();
    const news = page.goals.judge(judge(session));
    frame.announce(spoken(said.big, said.residual, said.plain, said.seen), news);
    publish({ block: session.block, seen: [...session.seen], goal_reached: reached[0], second_reached: reached[1] });
  };
  const page = buildPage(frame, session, reached, moved);
  prediction(frame, {
    question: fill(TEXT.question, { count: session.count }), options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      Object.assign(frame, { verdict, guess });
      publish({ prediction: guess });
      show();
    },
  });
  // Python took a block out: the same as if a hand had moved the slider.
  listen(["block"], frame.guard(() => {
    session.go(model.get("block"));
    page.block.set(session.block);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(page.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
