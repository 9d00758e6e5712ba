// How many ReLU units die at which learning rate: a small network is trained anew at every move of the slider.
import { INK, button, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { hatch, label, sizeCanvas } from "./drawing.js";
import { POINTS, ReluNetwork, STEPS, UNITS, deadIn, startWeights } from "./dead_relu.js";
import { milestones, spoken } from "./milestones.js";
import { Panel, keyList, pictureOf, regionKey, spotKey } from "./panel.js";

const TEXT = {
  title: "The learning rate and dead ReLU units",
  question: "The learning rate goes up from 0.01 to 100. What happens to the 16 ReLU units?",
  options: [["fire", "All keep firing"], ["back", "Some die, and come back"], ["dead", "Some die, and stay dead"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Now raise the rate, and press \u201cTrain on\u201d when units have died.",
  right: "You were right: a unit that fires for no point has gradient 0 and cannot come back.",
  wrong: "They die and stay dead: a unit that fires for no point has gradient 0 and cannot come back.",
  setting: "2-16-1 network, 60 points (a disc in a ring), 200 steps of gradient descent on all points.",
  first: "Loss below 0.02 and no dead unit.",
  firstDone: "Loss {loss} at rate {rate}, and all 16 units fire.",
  second: "Loss below 0.02 although at least half of the units are dead.",
  secondDone: "Loss {loss} at rate {rate} with {dead} dead units: a low loss does not show what was lost.",
  dead: "{dead} of 16 dead",
  loss: "loss {loss} after 200 steps at rate {rate}",
  lossMore: "loss {loss} after going on at rate 0.1",
  born: "{start} of them fired for no point before training. Another seed may start whole.",
  back: "200 more steps at rate 0.1: {back} of {dead} dead units came back.",
  more: "Train on at rate 0.1", sweep: "Try all rates",
  swept: "{n} rates tried; the points show the share of dead units and the loss",
  picture: "Top: for how many of the 60 points each of the 16 units fires; {dead} fire for none. Middle and bottom: share of dead units and loss at the {n} rates tried so far; at rate {rate} the loss is {loss}.",
  legend: ["after training", "before", "fires for no point: dead"],
  axes: { unit: "unit", fires: "share of points", rate: "learning rate", dead: "dead", loss: "loss" },
};

const GOOD = 0.02;
const LOW = -2;
const HIGH = 2;
const STEP = 0.05;

export const meter = { POINTS, ReluNetwork, startWeights, deadIn };

function rateText(rate) {
  return number(rate, rate < 0.1 ? 3 : rate < 10 ? 2 : 0);
}

function lossText(loss) {
  return loss < 10 ? number(loss, 3) : number(loss, 0);
}

class Session {
  constructor(model) {
    this.tried = new Map();
    this.read(model);
  }

  read(model) {
    if (this.seed !== model.get("seed")) this.reseed(model.get("seed"));
    this.rate = model.get("lr");
  }

  reseed(seed) {
    this.seed = seed;
    this.tried.clear();
    this.before = new ReluNetwork(startWeights(seed)).fires();
  }

  train(rate) {
    const network = new ReluNetwork(startWeights(this.seed)).train(rate);
    const fires = network.fires();
    const run = { network, rate, fires, dead: deadIn(fires), loss: network.loss(), more: false, back: 0 };
    this.tried.set(Math.round(Math.log10(rate) / STEP), { rate, dead: run.dead, loss: run.loss });
    return run;
  }

  now() {
    this.run = this.train(this.rate);
    return this.run;
  }

  trainOn() {
    const { run } = this;
    run.network.train(0.1);
    const fires = run.network.fires();
    const back = fires.filter((count, k) => count > 0 && run.fires[k] === 0).length;
    this.run = { ...run, was: run.dead, fires, dead: deadIn(fires), loss: run.network.loss(), more: true, back };
    return this.run;
  }
}

const RATES = [[0.01, "0.01"], [0.1, "0.1"], [1, "1"], [10, "10"], [100, "100"]];
const SHARES = [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]];

function panels(pen, width, height) {
  const [left, wide] = [66, width - 66 - 16];
  const rates = { low: 0.008, high: 125, log: true, ticks: RATES };
  const third = (height - 118) / 3;
  const units = { low: 0, high: UNITS + 1, ticks: [1, 4, 8, 12, 16].map((k) => [k, k]), name: TEXT.axes.unit };
  const losses = { low: 0.001, high: 100, log: true, ticks: [[0.01, "0.01"], [1, "1"], [100, "100"]], name: TEXT.axes.loss };
  return [
    new Panel(pen, { left, top: 10, width: wide, height: third }, units, { low: 0, high: 1.05, ticks: SHARES, name: TEXT.axes.fires }),
    new Panel(pen, { left, top: third + 64, width: wide, height: third - 8 }, { ...rates, ticks: RATES.map(([v]) => [v, ""]) },
      { low: -0.08, high: 1.08, ticks: SHARES, name: TEXT.axes.dead }),
    new Panel(pen, { left, top: 2 * third + 68, width: wide, height: third }, { ...rates, name: TEXT.axes.rate }, losses),
  ];
}

function drawUnits(panel, session) {
  const { pen } = panel;
  const bar = (k, share, half) => [panel.x(k + 1 - half), panel.y(share), panel.x(k + 1 + half) - panel.x(k + 1 - half), panel.y(0) - panel.y(share)];
  const pattern = hatch(pen);
  panel.paint(() => {
    session.run.fires.forEach((count, k) => {
      pen.fillStyle = pattern;
      pen.fillRect(...bar(k, session.before[k] / POINTS.length, 0.4));
      pen.fillStyle = INK.one;
      pen.fillRect(...bar(k, count / POINTS.length, 0.22));
      if (count === 0) cross(pen, panel.x(k + 1), panel.y(0.12));
    });
  });
}

function cross(pen, x, y) {
  for (const [width, colour] of [[7, INK.paper], [3.5, INK.alert]]) {
    pen.beginPath();
    for (const side of [-1, 1]) {
      pen.moveTo(x - 6, y - 6 * side);
      pen.lineTo(x + 6, y + 6 * side);
    }
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}

function drawTrace(panel, session, pick, shape) {
  const tried = [...session.tried.values()].sort((a, b) => a.rate - b.rate);
  panel.paint(() => {
    if (shape === "square") panel.across(GOOD, { colour: INK.muted, width: 1.5, dash: [5, 4] });
    panel.upright(session.rate, { colour: INK.muted, width: 1.5, dash: [1, 4] });
    for (const one of tried) panel.spot(one.rate, pick(one), shape, { size: 3, colour: "#7a8490", fill: "#7a8490" });
    const now = session.tried.get(Math.round(Math.log10(session.rate) / STEP));
    panel.spot(session.rate, pick(now), shape, { colour: INK.one, size: 6 });
  });
}

function draw(canvas, session) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const [units, dead, loss] = panels(pen, width, height);
  drawUnits(units, session);
  drawTrace(dead, session, (one) => one.dead / UNITS, "disc");
  drawTrace(loss, session, (one) => Math.min(100, Math.max(0.001, one.loss)), "square");
  label(pen, String(GOOD), loss.box.left + 8, loss.y(GOOD) - 10, { align: "left", colour: INK.muted, size: 13 });
}

function words(session) {
  const { run, before } = session;
  const values = { dead: run.dead, loss: lossText(run.loss), rate: rateText(run.rate), start: deadIn(before), n: session.tried.size, back: run.back };
  const back = run.more ? fill(TEXT.back, { back: run.back, dead: run.was }) : "";
  return {
    dead: fill(TEXT.dead, values), loss: fill(run.more ? TEXT.lossMore : TEXT.loss, values),
    remark: back || (values.start ? fill(TEXT.born, values) : ""), picture: fill(TEXT.picture, values),
  };
}

function judge({ run }) {
  const values = { loss: lossText(run.loss), rate: rateText(run.rate), dead: run.dead };
  if (run.more || !(run.loss < GOOD)) return ["", ""];
  return [run.dead === 0 ? fill(TEXT.firstDone, values) : "", run.dead >= UNITS / 2 ? fill(TEXT.secondDone, values) : ""];
}

function buildPage(frame, session, reached, act) {
  const canvas = pictureOf(560);
  const rate = slider({
    labelHtml: "learning rate", min: LOW, max: HIGH, step: STEP, value: Math.log10(session.rate), format: (v) => rateText(10 ** v),
    onInput: frame.guard((v) => { session.rate = 10 ** v; act.moved(); }),
  });
  const seed = slider({
    labelHtml: "seed", min: 0, max: 19, step: 1, value: session.seed, format: String, onInput: frame.guard((v) => { session.reseed(v); act.moved(); }),
  });
  const keys = make("div", { class: "look-buttons" }, button(TEXT.sweep, frame.guard(act.sweep)), button(TEXT.more, frame.guard(act.more)));
  const nodes = { dead: make("p", { class: "look-big" }), loss: make("p", { class: "look-detail look-steady" }), remark: make("p", { class: "look-detail" }) };
  const goals = milestones([TEXT.first, TEXT.second], reached);
  frame.picture.append(canvas, keyList([spotKey("square", { fill: INK.one, colour: INK.one }), TEXT.legend[0]], [regionKey(), TEXT.legend[1]],
    [make("span", { text: "\u2715", "aria-hidden": "true" }), TEXT.legend[2]]));
  frame.side.append(make("p", { class: "look-why", text: TEXT.setting }), rate.row, seed.row, keys, nodes.dead, nodes.loss, nodes.remark, ...goals.boxes);
  return { canvas, rate, seed, nodes, goals };
}

// All rates of the slider, a few per frame; stops when the page element goes away.
function sweeper(frame, session, show, done) {
  let [running, queue] = [0, []];
  const stop = () => { cancelAnimationFrame(running); running = 0; queue = []; };
  const turn = frame.guard(() => {
    running = 0;
    if (!frame.root.isConnected) { stop(); return; }
    const deadline = performance.now() + 8;
    while (queue.length && performance.now() < deadline) session.train(queue.shift());
    show();
    if (queue.length) running = requestAnimationFrame(turn);
    else done();
  });
  const start = () => {
    stop();
    queue = Array.from({ length: Math.round((HIGH - LOW) / STEP) + 1 }, (_, k) => 10 ** (LOW + k * STEP));
    running = requestAnimationFrame(turn);
  };
  return { start, stop };
}

function render({ model, el }) {
  const session = new Session(model);
  session.now();
  const reached = [model.get("goal_reached"), model.get("waste_found")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => { verdict.textContent = TEXT.guess; publish({ prediction: guess }); },
  });
  const sweep = sweeper(frame, session, () => { show(); }, () => { frame.announce(fill(TEXT.swept, { n: session.tried.size })); });
  const page = buildPage(frame, session, reached, { moved, sweep: sweep.start, more });

  function show() {
    const said = words(session);
    const { run } = session;
    draw(page.canvas, session);
    for (const name of ["dead", "loss", "remark"]) page.nodes[name].textContent = said[name];
    page.canvas.setAttribute("aria-label", said.picture);
    Object.assign(frame.root.dataset, { dead: run.dead, loss: run.loss, tried: session.tried.size, fires: JSON.stringify(run.fires) });
    return said;
  }

  function tell() {
    const said = show();
    const { run } = session;
    const news = page.goals.judge(judge(session));
    frame.announce(spoken(said.dead, said.loss, said.remark), news);
    publish({
      lr: session.rate, seed: session.seed, loss: run.loss, dead: run.dead, fires: run.fires, goal_reached: reached[0], waste_found: reached[1],
    });
  }

  function moved() {
    sweep.stop();
    session.now();
    tell();
  }

  // Only now has the learner seen that the dead stay dead.
  function more() {
    session.trainOn();
    if (session.run.was) asked.verdict.textContent = model.get("prediction") === "dead" ? TEXT.right : TEXT.wrong;
    tell();
  }

  // Python changed a setting: the same as if a hand had moved the slider.
  listen(["lr", "seed"], frame.guard(() => {
    session.read(model);
    page.rate.set(Math.log10(session.rate));
    page.seed.set(session.seed);
    session.now();
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(page.canvas);
  frame.guard(show)();
  return () => { sweep.stop(); resized.disconnect(); close(); };
}

export default { render };
