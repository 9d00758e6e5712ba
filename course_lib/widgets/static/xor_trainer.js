// Trains a 2-H-1 network on XOR in the page: play, pause, step, reset, twenty seeds at once.
import { button, choice, fill, goal, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { Network, initialWeights, randomStream } from "./network.js";
import { AnswerMap, LossChart } from "./training_pictures.js";

const BUDGET = 2000;
const MANY = 20;
const KEPT = 40;

const TEXT = {
  title: "Train a small network on XOR",
  question: "How many hidden units are enough?",
  options: [["1", "1"], ["2", "2"], ["4", "4"], ["8", "8"]],
  wait: "Choose, and the network wakes up.",
  guess: "You said {guess}. Now train, and watch the line bend.",
  answer: "You said {guess}. Two can do it from a lucky start; four and more nearly always do.",
  play: "Play", pause: "Pause", step: "Step", reset: "Reset", many: "Try 20 seeds",
  count: "{k} of 4 right",
  status: "step {steps}, loss {loss}",
  first: "All four corners right with 2 hidden units, within 2,000 steps.",
  firstDone: "4 of 4 with 2 hidden units after {steps} steps.",
  second: "Find a seed where 2 hidden units are still wrong after 2,000 steps.",
  secondDone: "Seed {seed}: still {k} of 4 after 2,000 steps. Same network, other start.",
  reached: "Goal reached: {text}",
  speed: "Speed",
  speeds: [["1", "1 step a frame"], ["5", "5 steps a frame"], ["20", "20 steps a frame"], ["100", "100 steps a frame"]],
  map: "Answers of the network on the plane: light is 0, dark is 1, the thick line is one half. {k} of 4 corners right after {steps} steps.",
  chart: "Loss on a log scale over {steps} steps; it is {loss} now.",
  tally: "Seeds that got 4 of 4 in 2,000 steps",
  heads: ["hidden units", "tried", "4 of 4"],
  noTally: "No run has come to 2,000 steps yet.",
  legend: ["this run", "earlier run, 4 of 4", "earlier run, stuck"],
  axis: { x: "step", y: "loss", flat: "0.25: always answers one half" },
};

export const training = { Network, initialWeights, randomStream };

// The run in progress and everything remembered about earlier ones; draws nothing.
class Session {
  constructor(model) {
    this.hidden = model.get("hidden");
    this.lr = model.get("lr");
    this.seed = model.get("seed");
    this.given = model.get("initial");
    this.past = [];
    this.seen = new Map();
    this.reset();
  }

  reset() {
    this.remember(this.losses, this.network);
    const fits = this.given && this.given.b1 && this.given.b1.length === this.hidden;
    this.network = new Network(fits ? this.given : initialWeights(this.hidden, this.seed));
    this.losses = [];
    this.steady = true;
    this.loss = this.network.loss();
  }

  remember(losses, network) {
    if (!losses || losses.length < 50) return;
    this.past.push({ losses: losses.slice(0, BUDGET), right: network.right() === 4 });
    if (this.past.length > KEPT) this.past.shift();
  }

  step() {
    this.losses.push(this.network.step(this.lr));
    if (this.network.steps === BUDGET && this.steady) this.tally(this.seed, this.network);
  }

  tally(seed, network) {
    this.seen.set(`${this.hidden}/${this.lr}/${seed}`, { hidden: this.hidden, right: network.right() === 4 });
  }

  rows() {
    const rows = new Map();
    for (const { hidden, right } of this.seen.values()) {
      const [tried, done] = rows.get(hidden) || [0, 0];
      rows.set(hidden, [tried + 1, done + right]);
    }
    return [...rows].sort((a, b) => a[0] - b[0]);
  }

  // One whole run from another seed, kept as an earlier run.
  trial(seed) {
    const network = new Network(initialWeights(this.hidden, seed));
    const losses = Array.from({ length: BUDGET }, () => network.step(this.lr));
    this.remember(losses, network);
    this.tally(seed, network);
    return network.right();
  }
}

function controls(frame, session, act) {
  const assign = (put) => frame.guard((value) => { put(value); });
  const lr = slider({
    labelHtml: "learning rate", min: -2, max: 1.5, step: 0.05, value: Math.log10(session.lr), format: (v) => number(10 ** v, v < -1 ? 3 : 2),
    onInput: assign((v) => { session.lr = Number((10 ** v).toPrecision(6)); session.steady = session.network.steps === 0; act.shown(); }),
  });
  const hidden = slider({
    labelHtml: "hidden units", min: 1, max: 16, step: 1, value: session.hidden, format: (v) => String(v),
    onInput: assign((v) => { session.hidden = v; act.reset(); }),
  });
  const seed = slider({
    labelHtml: "seed", min: 0, max: 99, step: 1, value: session.seed, format: (v) => String(v),
    onInput: assign((v) => { session.given = null; session.seed = v; act.reset(); }),
  });
  const speed = choice({ label: TEXT.speed, options: TEXT.speeds, value: "5", onChange: () => {} });
  return { lr, hidden, seed, speed };
}

function buttons(act) {
  const play = button(TEXT.play, act.toggle, "main");
  const row = make("div", { class: "look-buttons" }, play, button(TEXT.step, act.step), button(TEXT.reset, act.reset));
  return { play, row, many: button(TEXT.many, act.many) };
}

function legend() {
  return make("ul", { class: "look-legend" }, ...["now", "past", "stuck"].map((kind, k) => make("li", {},
    make("span", { class: `look-key look-key-${kind}`, "aria-hidden": "true" }), TEXT.legend[k])));
}

function tallyTable() {
  const body = make("tbody");
  const heads = make("tr", {}, ...TEXT.heads.map((text) => make("th", { scope: "col", text })));
  const table = make("table", { class: "look-table" }, make("caption", { text: TEXT.tally }), make("thead", {}, heads), body);
  const empty = make("p", { class: "look-detail", text: TEXT.noTally });
  table.hidden = true;
  const show = (rows) => {
    table.hidden = rows.length === 0;
    empty.hidden = !table.hidden;
    body.replaceChildren(...rows.map(([hidden, [tried, done]]) => make("tr", {},
      make("th", { scope: "row", text: hidden }), make("td", { text: tried }), make("td", { text: done }))));
  };
  return { box: make("div", { class: "look-tally" }, table, empty), show };
}

function lossText(loss) {
  return loss < 0.001 ? loss.toExponential(1) : number(loss, 4);
}

function buildPage(frame, session, act) {
  const map = make("canvas", { class: "look-square", role: "img" });
  const chart = make("canvas", { class: "look-chart", role: "img" });
  const parts = controls(frame, session, act);
  const keys = buttons(act);
  const nodes = { count: make("p", { class: "look-big" }), status: make("p", { class: "look-detail look-steady" }) };
  const goals = [goal(TEXT.first), goal(TEXT.second)];
  const tally = tallyTable();
  frame.picture.append(map, make("div", { class: "look-caption" }, nodes.count, nodes.status));
  frame.side.append(keys.row, parts.lr.row, parts.hidden.row, parts.seed.row, parts.speed.row, ...goals.map((item) => item.box));
  const below = make("fieldset", { class: "look-below" }, make("div", { class: "look-wide" }, chart, legend()),
    make("div", { class: "look-aside" }, keys.many, tally.box));
  frame.root.append(below);
  return { ...parts, ...keys, ...nodes, goals, tally, below, map, chart, answers: new AnswerMap(map), losses: new LossChart(chart, TEXT.axis) };
}

// The loop: runs only while playing, and dies with the page element.
function player(frame, tick) {
  let running = 0;
  const stop = () => { cancelAnimationFrame(running); running = 0; };
  const turn = frame.guard(() => {
    if (!frame.root.isConnected) { stop(); return; }
    running = requestAnimationFrame(turn);
    if (!tick()) stop();
  });
  return { start: () => { if (!running) running = requestAnimationFrame(turn); }, stop, active: () => running !== 0 };
}

class Trainer {
  constructor(model, frame) {
    this.model = model;
    this.frame = frame;
    this.session = new Session(model);
    this.reached = [model.get("goal_reached"), model.get("stuck_found")];
    this.publisher = publisher(model, () => { frame.root.dataset.sent = model.get("steps"); });
    this.queue = [];
    this.training = player(frame, () => this.frameOfTraining());
    this.trials = player(frame, () => this.frameOfTrials());
    const act = {
      toggle: frame.guard(() => this.toggle()), step: frame.guard(() => this.single()), reset: frame.guard(() => this.reset()),
      many: frame.guard(() => this.many()), shown: () => this.rest(),
    };
    this.page = buildPage(frame, this.session, act);
  }

  toggle() {
    if (this.training.active()) {
      this.training.stop();
      this.rest();
      return;
    }
    this.until = (Math.floor(this.session.network.steps / BUDGET) + 1) * BUDGET;
    this.training.start();
    this.page.play.textContent = TEXT.pause;
  }

  frameOfTraining() {
    const { session } = this;
    for (let k = Number(this.page.speed.select.value); k > 0 && session.network.steps < this.until; k -= 1) {
      session.step();
      if (!this.reached[0]) this.judge();
    }
    const more = session.network.steps < this.until;
    this.judge();
    if (more) this.show();
    else { this.training.stop(); this.rest(); }
    return more;
  }

  single() {
    this.training.stop();
    this.session.step();
    this.judge();
    this.rest();
  }

  reset() {
    this.training.stop();
    this.session.reset();
    this.rest();
  }

  many() {
    this.training.stop();
    this.queue = Array.from({ length: MANY }, (_, seed) => seed);
    this.trials.start();
    this.rest();
  }

  // As many whole runs as fit into a part of the frame: the curves appear one after another.
  frameOfTrials() {
    const deadline = performance.now() + 8;
    while (this.queue.length && performance.now() < deadline) {
      const seed = this.queue.shift();
      const right = this.session.trial(seed);
      if (this.session.hidden === 2 && right < 4) this.reach(1, fill(TEXT.secondDone, { seed, k: right }));
    }
    this.show();
    if (!this.queue.length) this.rest();
    return this.queue.length > 0;
  }

  judge() {
    const { network, hidden, seed, steady } = this.session;
    if (hidden !== 2 || network.steps === 0 || network.steps > BUDGET) return;
    const right = network.right();
    if (right === 4) this.reach(0, fill(TEXT.firstDone, { steps: network.steps.toLocaleString("en") }));
    else if (network.steps === BUDGET && steady) this.reach(1, fill(TEXT.secondDone, { seed, k: right }));
  }

  reach(which, text) {
    if (this.reached[which]) return;
    this.reached[which] = true;
    this.page.goals[which].reach(text);
    this.reveal();
    this.frame.announce(text, fill(TEXT.reached, { text }));
  }

  reveal() {
    this.verdict.textContent = fill(TEXT.answer, { guess: this.model.get("prediction") });
  }

  show() {
    const { session, page } = this;
    const { network } = session;
    session.loss = network.loss();
    const right = network.right();
    const values = { k: right, steps: network.steps.toLocaleString("en"), loss: lossText(session.loss) };
    page.answers.draw(network);
    page.losses.draw([...session.losses, session.loss], session.past, Math.max(BUDGET, network.steps));
    page.count.textContent = fill(TEXT.count, values);
    page.status.textContent = fill(TEXT.status, values);
    Object.assign(this.frame.root.dataset, { steps: network.steps, loss: session.loss, right, playing: this.training.active() });
    return values;
  }

  // The hand rests: describe the pictures, tell screen readers and Python.
  rest() {
    const values = this.show();
    const { session, page } = this;
    page.play.textContent = this.training.active() ? TEXT.pause : TEXT.play;
    page.map.setAttribute("aria-label", fill(TEXT.map, values));
    page.chart.setAttribute("aria-label", fill(TEXT.chart, values));
    page.tally.show(session.rows());
    this.frame.announce(`${fill(TEXT.count, values)}, ${fill(TEXT.status, values)}`);
    this.publisher.publish({
      hidden: session.hidden, lr: session.lr, seed: session.seed, steps: session.network.steps, loss: session.loss,
      correct: session.network.right(), weights: session.network.weights(), goal_reached: this.reached[0], stuck_found: this.reached[1],
    });
  }

  // Python changed a setting: the same as if a hand had moved the slider.
  follow() {
    const { session, page, model } = this;
    const changed = session.hidden !== model.get("hidden") || session.seed !== model.get("seed");
    session.hidden = model.get("hidden");
    session.seed = model.get("seed");
    session.lr = model.get("lr");
    page.hidden.set(session.hidden);
    page.seed.set(session.seed);
    page.lr.set(Math.log10(session.lr));
    if (changed) this.reset();
  }

  close() {
    this.training.stop();
    this.trials.stop();
    this.publisher.close();
  }
}

function render({ model, el }) {
  const frame = openFrame(el, TEXT.title);
  frame.root.classList.add("look-inline-choice");
  const trainer = new Trainer(model, frame);
  trainer.page.below.disabled = true;
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      trainer.page.below.disabled = false;
      verdict.textContent = fill(TEXT.guess, { guess });
      trainer.publisher.publish({ prediction: guess });
    },
  });
  trainer.verdict = asked.verdict;
  const resized = new ResizeObserver(frame.guard(() => { trainer.show(); }));
  [trainer.page.map, trainer.page.chart].forEach((canvas) => resized.observe(canvas));
  trainer.publisher.listen(["hidden", "lr", "seed"], frame.guard(() => trainer.follow()));
  frame.guard(() => trainer.rest())();
  return () => {
    trainer.close();
    resized.disconnect();
  };
}

export default { render };
