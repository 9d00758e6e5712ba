// The learning-rate range test of a small network, and the training that follows from the rate one chooses.
import { INK, fill, goal, make, openFrame, prediction, publisher, slider } from "./kit.js";
import { LineChart, short } from "./line_chart.js";
import { POINTS, SineNetwork, UNITS, batchOf, makeProblem, rangeTest, steepest, train } from "./range_problem.js";

const TEST = { low: 1e-4, high: 10, count: 61, stop: 4 };
const STEPS = 150;
const WANTED = 0.08;

const TEXT = {
  title: "The learning-rate range test",
  question: "A range test raises the rate at every step. Where on its curve would you set the rate for the training?",
  options: [["left", "Far left, where nothing happens"], ["fall", "Where the loss falls"], ["rise", "Where it shoots up"]],
  wait: "Choose, and the slider wakes up.",
  guess: "Noted. Move the rate along the test and watch the training below.",
  rightGuess: "You said where it falls: right.",
  wrongGuess: "Where it falls is the place.",
  why: "Far left the training crawls; where the curve shoots up, it flies out. The steepest single fall, which lr_range_test picks, shakes with the batches: "
    + "look at the whole curve.",
  lr: "rate <i>\u03b7</i>", seed: "seed",
  big: "Loss {loss} after {steps} steps",
  out: "Flew out at step {k}",
  first: "Choose a rate that brings the loss below 0.08 after 150 steps.",
  firstDone: "Loss {loss} with rate {lr}.",
  second: "One rate for three problems: keep it, change the seed, and stay below 0.08 with three seeds.",
  secondDone: "Rate {lr} does it for seeds {list}.",
  secondOpen: "So far rate {lr} does it for seeds {list}.",
  reached: "Goal reached. {text}",
  test: "Test: loss after each step while the rate rises", training: "Training: loss with the rate you chose",
  testAxis: { x: "learning rate (log)", y: "loss (log)" }, trainAxis: { x: "step", y: "loss (log)" },
  chosen: "your rate", fall: "steepest fall", wanted: "0.08",
  testPicture: "Range test, seed {seed}: the loss starts at {start}, is lowest, {low}, at rate {best}, and the test stops at rate {last}. Steepest fall at {steep}. Your rate is {lr}.",
  trainPicture: "Training with rate {lr} on a log scale: {result}.",
};

export const problem = { makeProblem, batchOf, SineNetwork, rangeTest, steepest, train, POINTS, UNITS, TEST, STEPS };

function lossText(loss) {
  return short(Number(loss.toPrecision(2)));
}

function buildPage(frame, state, moved) {
  const canvases = [0, 1].map(() => make("canvas", { class: "look-chart look-range", role: "img" }));
  const parts = { canvases, charts: canvases.map((canvas) => new LineChart(canvas)), goals: [goal(TEXT.first), goal(TEXT.second)] };
  parts.lr = slider({
    labelHtml: TEXT.lr, min: -4, max: 0.5, step: 0.05, value: Math.log10(state.lr), format: (v) => short(Number((10 ** v).toPrecision(2))),
    onInput: frame.guard((v) => { state.lr = Number((10 ** v).toPrecision(2)); state.kept.clear(); moved(); }),
  });
  parts.seed = slider({
    labelHtml: TEXT.seed, min: 0, max: 9, step: 1, value: state.seed, format: String,
    onInput: frame.guard((v) => { state.seed = v; moved(); }),
  });
  parts.big = make("p", { class: "look-big" });
  parts.kept = make("p", { class: "look-why" });
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.test }), canvases[0], make("p", { class: "look-tag", text: TEXT.training }), canvases[1]);
  frame.side.append(parts.lr.row, parts.seed.row, parts.big, ...parts.goals.map((item) => item.box), parts.kept);
  return parts;
}

function drawTest(chart, test, lr, awake) {
  chart.open({ low: 8e-5, high: 3.2, log: true, text: TEXT.testAxis.x }, { low: 0.2, high: 12, log: true, text: TEXT.testAxis.y });
  if (awake) chart.upright(steepest(test), TEXT.fall, { colour: INK.muted, dash: [2, 4], width: 2, row: 1 });
  chart.curve(test.rates, test.losses);
  chart.dots(test.rates, test.losses, { size: 2.5 });
  if (awake) chart.upright(lr, TEXT.chosen);
}

function drawTraining(chart, losses) {
  chart.open({ low: 0, high: STEPS * 1.03, text: TEXT.trainAxis.x }, { low: 0.005, high: 12, log: true, text: TEXT.trainAxis.y });
  chart.level(WANTED, TEXT.wanted);
  chart.curve(losses.map((_, k) => k), losses, { colour: INK.dark });
  const last = losses.length - 1;
  if (last === STEPS) chart.dots([last], [losses[last]], { colour: INK.dark, size: 6 });
}

function render({ model, el }) {
  const state = { lr: model.get("lr"), seed: model.get("seed"), kept: new Set() };
  const reached = [model.get("goal_reached"), model.get("second_reached")];
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--value", "4.8em");
  frame.root.style.setProperty("--label", "3.4em");
  const { publish, listen, close } = publisher(model);
  const parts = buildPage(frame, state, moved);
  let seen = { seed: null };
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      show();
    },
  });

  function prepare() {
    if (seen.seed === state.seed) return;
    const made = makeProblem(state.seed);
    seen = { seed: state.seed, made, test: rangeTest(made, TEST) };
  }

  function show() {
    prepare();
    const losses = train(seen.made, state.lr, STEPS);
    const flew = losses.length <= STEPS;
    const awake = !frame.side.disabled;
    drawTest(parts.charts[0], seen.test, state.lr, awake);
    drawTraining(parts.charts[1], awake ? losses : []);
    const loss = flew ? null : losses[STEPS];
    parts.big.textContent = flew ? fill(TEXT.out, { k: losses.length - 1 }) : fill(TEXT.big, { loss: lossText(loss), steps: STEPS });
    if (!awake) parts.big.textContent = "";
    describe(parts.big.textContent || TEXT.wait);
    frame.root.dataset.loss = loss;
    return loss;
  }

  function describe(result) {
    const { rates, losses } = seen.test;
    const best = losses.indexOf(Math.min(...losses));
    const values = {
      seed: state.seed, start: short(losses[0]), low: short(losses[best]), best: short(rates[best]), last: short(rates[rates.length - 1]),
      steep: short(steepest(seen.test)), lr: short(state.lr), result,
    };
    parts.canvases[0].setAttribute("aria-label", fill(TEXT.testPicture, values));
    parts.canvases[1].setAttribute("aria-label", fill(TEXT.trainPicture, values));
  }

  function reach(which, text) {
    if (reached[which]) return "";
    reached[which] = true;
    parts.goals[which].reach(text);
    return fill(TEXT.reached, { text });
  }

  function moved() {
    const loss = show();
    let news = "";
    if (loss !== null && loss < WANTED) {
      state.kept.add(state.seed);
      news = reach(0, fill(TEXT.firstDone, { loss: lossText(loss), lr: short(state.lr) }));
      asked.verdict.textContent = `${model.get("prediction") === "fall" ? TEXT.rightGuess : TEXT.wrongGuess} ${TEXT.why}`;
    }
    const list = [...state.kept].sort().join(", ");
    if (state.kept.size >= 3) news = reach(1, fill(TEXT.secondDone, { lr: short(state.lr), list })) || news;
    parts.kept.textContent = state.kept.size && !reached[1] ? fill(TEXT.secondOpen, { lr: short(state.lr), list }) : "";
    frame.announce(parts.big.textContent, news);
    publish({ lr: state.lr, seed: state.seed, loss, goal_reached: reached[0], second_reached: reached[1] });
  }

  listen(["lr", "seed"], frame.guard(() => {
    Object.assign(state, { lr: model.get("lr"), seed: model.get("seed") });
    state.kept.clear();
    parts.lr.set(Math.log10(state.lr));
    parts.seed.set(state.seed);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  parts.canvases.forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
