// Learning rate and dropout on real digits: a 64-H-10 network trains in the page, in slices shorter than a frame.
import { button, fill, make, number, openFrame, prediction, publisher, slider, uid } from "./kit.js";
import { DigitNetwork, DigitRun, readDigits } from "./digit_network.js";
import { short } from "./line_chart.js";
import { frameLoop, wantsLessMotion } from "./loop.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, lineKey, pictureOf } from "./panel.js";
import { LINES, LossCurves, RightCurves, drawWrong, letterOf, lowest, mostRight, runTable } from "./playground_pictures.js";
import { BATCHES, WIDTHS, codeOf, markOf, rateAt, readCode, settled, shownRate } from "./settings_code.js";

const EPOCHS = 100;
const SLICE = 9;
const KEPT = 4;
const ENOUGH = 50;
const REMEMBERED = 20;
const SETTINGS = ["lr", "p", "hidden", "batch", "seed"];

const TEXT = {
  title: "Learning rate and dropout on real digits",
  question: "Dropout at 0.5 silences half of the hidden units at every training step. What does it do to the validation loss?",
  options: [["lower", "Always lowers it"], ["higher", "Always raises it"], ["depends", "Depends on the learning rate"]],
  wait: "Choose, and the controls wake up.",
  guess: "Noted. Press Play. Then set dropout to 0.5 and play again: the first run stays in the picture. Do the same with a larger rate.",
  pair: "Rate {lr}: lowest validation loss {without} without dropout, {with} with dropout {p}.",
  next: "Compare at another rate, far from {lr}.",
  right: "You said it depends on the learning rate: right.",
  wrong: "It depends on the learning rate.",
  why: "Where the network still learns slowly, dropout slows it further. Where it learns fast and memorises, dropout helps.",
  play: "Play", pause: "Pause", step: "One epoch", reset: "Reset",
  names: { lr: "learning rate <i>\u03b7</i>", p: "dropout <i>p</i>", hidden: "hidden units", batch: "batch size", seed: "seed" },
  whole: "all 400",
  big: "{right} % right", fresh: "Press Play",
  ready: "400 digits to train, 300 to validate.",
  status: "Epoch {epoch}, validation loss {validation}, training loss {train}",
  broken: "The loss left the range of numbers at epoch {epoch}. Choose a smaller rate.",
  goals: [
    "97 % right or more on validation, with dropout above 0.3.",
    "Validation loss below 0.09. (Without dropout the lowest of our 60 runs was 0.10.)",
  ],
  done: ["{right} % right at epoch {epoch} with {code}.", "Validation loss {loss} at epoch {epoch} with {code}."],
  legend: ["validation, this run", "training, this run", "validation, earlier runs"],
  wrongHead: "Wrong now: {count} of 300 validation digits (\u201c4 as 7\u201d is a 4 taken for a 7)", wrongNone: "Every validation digit is right.", wrongBefore: "Validation digits it gets wrong",
  wrongPicture: "Digits the network gets wrong: {list}.", wrongItem: "{label} taken for {guess}", wrongEmpty: "No digit is shown: nothing was measured, or nothing is wrong.",
  code: "Settings as a code", use: "Use this code",
  codeHelp: "Copy it to share your settings, or paste another one and press Enter.",
  codeTaken: "Settings taken.", codeBad: "This is no code of these settings. It looks like lr0.3-p0.5-h64-b32-s0.",
  lossPicture: "Losses over {epoch} epochs on a log scale. Validation {validation}, lowest {low}; training {train}. {past}",
  rightPicture: "Share of right digits over {epoch} epochs. Validation {right} percent, at most {most}. {past}",
  noPicture: "No run yet. Axes for the loss and the share of right digits over {last} epochs. {past}",
  pastPicture: "Run {letter} ({code}): lowest loss {low}, at most {most} percent.",
};

export const playground = { DigitNetwork, DigitRun, readDigits, codeOf, readCode, settled };

function percent(share) {
  return number(100 * share, 1);
}

// The run in progress and the earlier ones; draws nothing.
class Runs {
  constructor(model) {
    const { train, train_labels: trainLabels, validation, validation_labels: validationLabels } = model.get("digits");
    this.data = { train: readDigits(train, trainLabels), validation: readDigits(validation, validationLabels) };
    this.past = [];
    this.pairs = new Map();
    this.count = 0;
    this.settings = settled(Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)])));
    this.begin();
  }

  begin() {
    if (this.run && this.run.epochs >= REMEMBERED) {
      this.run.serial = this.count;
      this.count += 1;
      this.past = [...this.past, this.run].slice(-KEPT);
      this.run.network = null;
    }
    this.run = new DigitRun(this.settings, this.data);
  }

  // With and without dropout, all else equal: what the prediction is about.
  compare() {
    const { run } = this;
    for (const other of this.past) {
      const [without, dropped] = run.settings.p === 0 ? [run, other] : [other, run];
      const alike = ["lr", "hidden", "batch", "seed"].every((name) => run.settings[name] === other.settings[name]);
      const epochs = Math.min(run.epochs, other.epochs);
      if (!alike || epochs < ENOUGH || without.settings.p !== 0 || dropped.settings.p < 0.3) continue;
      const low = (one) => lowest({ history: one.history.slice(0, epochs + 1) });
      this.pairs.set(run.settings.lr, { lr: run.settings.lr, p: dropped.settings.p, without: low(without), with: low(dropped) });
    }
    return [...this.pairs.values()];
  }
}

function controls(frame, runs, changed) {
  const { settings } = runs;
  const set = (name, read) => frame.guard((v) => { runs.settings = { ...runs.settings, [name]: read(v) }; changed(); });
  const listed = (list) => ({ min: 0, max: list.length - 1, step: 1, put: (v) => list.indexOf(v), read: (k) => list[k] });
  const rows = {
    lr: { min: -3, max: 1, step: 0.05, put: markOf, read: rateAt, format: shownRate },
    p: { min: 0, max: 0.9, step: 0.05, put: (v) => v, read: (v) => v, format: (v) => number(v) },
    hidden: { ...listed(WIDTHS), format: (k) => String(WIDTHS[k]) },
    batch: { ...listed(BATCHES), format: (k) => (BATCHES[k] === 400 ? TEXT.whole : String(BATCHES[k])) },
    seed: { min: 0, max: 99, step: 1, put: (v) => v, read: (v) => v, format: String },
  };
  return Object.fromEntries(Object.entries(rows).map(([name, { put, read, ...rest }]) => {
    const item = slider({ labelHtml: TEXT.names[name], value: put(settings[name]), onInput: set(name, read), ...rest });
    return [name, { row: item.row, follow: (value) => item.set(put(value)) }];
  }));
}

function codeField(frame, take) {
  const id = uid("code");
  const said = make("p", { class: "look-why", text: TEXT.codeHelp, id: `${id}-said` });
  const input = make("input", { type: "text", id, class: "look-code-input", spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-said` });
  const enter = frame.guard(() => {
    const settings = readCode(input.value);
    said.textContent = settings ? TEXT.codeTaken : TEXT.codeBad;
    input.setAttribute("aria-invalid", !settings);
    frame.announce(said.textContent.replace(/\.$/, ""));
    if (settings) take(settings);
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") enter(); });
  const row = make("div", { class: "look-code-row" }, input, button(TEXT.use, enter));
  return { box: make("div", {}, make("label", { for: id, class: "look-tag", text: TEXT.code }), row, said), input };
}

function buildPage(frame, runs, act, reached) {
  const canvases = { loss: pictureOf(300), right: pictureOf(230), wrong: pictureOf(72) };
  const sliders = controls(frame, runs, act.changed);
  const play = button(TEXT.play, act.toggle, "main");
  const page = {
    canvases, sliders, play, big: make("p", { class: "look-big" }), status: make("p", { class: "look-detail look-steady" }),
    marks: milestones(TEXT.goals, reached), table: runTable(frame.guard((code) => act.take(readCode(code)))),
    code: codeField(frame, act.take), wrongHead: make("p", { class: "look-tag" }),
    loss: new LossCurves(canvases.loss), right: new RightCurves(canvases.right),
  };
  const keys = [LINES.validation, LINES.training, LINES.past].map((look, k) => [lineKey(look), TEXT.legend[k]]);
  frame.picture.append(canvases.loss, canvases.right, keyList(...keys));
  frame.side.append(make("div", { class: "look-buttons" }, play, button(TEXT.step, act.step), button(TEXT.reset, act.reset)),
    ...Object.values(sliders).map((item) => item.row), page.big, page.status, ...page.marks.boxes);
  page.below = make("fieldset", { class: "look-stack" }, make("div", {}, page.wrongHead, canvases.wrong), page.table.table, page.code.box);
  frame.root.append(page.below);
  return page;
}

class Playground {
  constructor(model, frame) {
    Object.assign(this, { model, frame, runs: new Runs(model), lastPicture: 0 });
    this.publisher = publisher(model);
    this.loop = frameLoop(frame, () => this.slice());
    const act = {
      toggle: frame.guard(() => this.toggle()), step: frame.guard(() => this.single()), reset: frame.guard(() => this.restart(false)),
      changed: () => this.restart(this.loop.active()), take: (settings) => { this.runs.settings = settings; this.restart(false); },
    };
    this.page = buildPage(frame, this.runs, act, [model.get("goal_reached"), model.get("second_reached")]);
  }

  toggle() {
    if (this.loop.active()) {
      this.loop.stop();
      this.rest();
    } else this.start();
  }

  start(last = (Math.floor(this.runs.run.epochs / EPOCHS) + 1) * EPOCHS) {
    if (this.runs.run.broken) return;
    this.last = last;
    this.loop.start();
    this.page.play.textContent = TEXT.pause;
    this.frame.root.dataset.playing = true;
  }

  // Whatever fits into one slice; the picture follows once an epoch is over.
  slice() {
    const { run } = this.runs;
    const end = performance.now() + SLICE;
    const measured = run.history.length;
    let more = true;
    while (more && performance.now() < end) {
      const { done, value } = run.work.next();
      more = !done && !run.broken;
      if (value === "epoch" && run.epochs >= this.last) more = false;
      if (value === "epoch") this.judge();
    }
    this.frame.root.dataset.worked = Number(this.frame.root.dataset.worked || 0) + 1;
    if (!more) { this.loop.stop(); this.rest(); }
    else if (run.history.length > measured) this.progress();
    return more;
  }

  // Those who asked for less motion get words once a second, and the picture when the run rests.
  progress() {
    const now = performance.now();
    const calm = wantsLessMotion();
    const seldom = now - this.lastPicture > (calm ? 1000 : 500);
    if (seldom) this.lastPicture = now;
    if (!calm) this.curves();
    if (!calm && seldom) this.wrongDigits();
    if (!calm || seldom) this.words();
  }

  // One epoch, in slices as well: with many units it takes longer than a frame.
  single() {
    this.loop.stop();
    this.start(this.runs.run.epochs + 1);
  }

  // A run never changes its settings: a moved slider starts the next one and keeps the last in the picture.
  restart(going) {
    this.loop.stop();
    this.runs.begin();
    const { sliders } = this.page;
    for (const [name, value] of Object.entries(this.runs.settings)) sliders[name].follow(value);
    if (going) this.start();
    this.rest();
  }

  judge() {
    const { run } = this.runs;
    const point = run.history[run.history.length - 1];
    if (!point || run.epochs === 0) return;
    const values = { right: percent(point.validationRight), loss: short(Number(point.validationLoss.toPrecision(2))), epoch: point.epoch, code: codeOf(run.settings) };
    const met = [run.settings.p > 0.3 && point.validationRight >= 0.97, point.validationLoss < 0.09];
    const news = this.page.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
    if (news) this.news = news;
    if (run.epochs >= ENOUGH) this.answerPrediction(this.runs.compare());
  }

  answerPrediction(pairs) {
    if (!pairs.length) return;
    const sentence = (pair) => fill(TEXT.pair, { ...pair, without: short(Number(pair.without.toPrecision(3))), with: short(Number(pair.with.toPrecision(3))) });
    const [helps, harms] = [pairs.find((pair) => pair.with < pair.without), pairs.find((pair) => pair.with >= pair.without)];
    const newest = pairs[pairs.length - 1];
    if (helps && harms) {
      const said = this.model.get("prediction") === "depends" ? TEXT.right : TEXT.wrong;
      this.verdict.textContent = [said, sentence(harms), sentence(helps), TEXT.why].join(" ");
    } else this.verdict.textContent = [sentence(newest), fill(TEXT.next, newest)].join(" ");
  }

  curves() {
    const { run, past } = this.runs;
    const last = Math.max(EPOCHS, Math.ceil(run.epochs / EPOCHS) * EPOCHS, ...past.map((old) => old.epochs));
    this.page.loss.draw(run, past, last);
    this.page.right.draw(run, past, last);
  }

  wrongDigits() {
    const { run, data } = this.runs;
    const { wrongHead, canvases } = this.page;
    const known = run.history.length > 0;
    wrongHead.textContent = known ? fill(TEXT.wrongHead, { count: run.wrong.length }) : TEXT.wrongBefore;
    if (known && !run.wrong.length) wrongHead.textContent = TEXT.wrongNone;
    drawWrong(canvases.wrong, run.wrong, data.validation);
  }

  words() {
    const { run } = this.runs;
    const { page, frame } = this;
    const point = run.history[run.history.length - 1];
    page.big.textContent = point ? fill(TEXT.big, { right: percent(point.validationRight) }) : TEXT.fresh;
    page.big.hidden = frame.side.disabled;
    page.status.textContent = point
      ? fill(TEXT.status, { epoch: point.epoch, validation: number(point.validationLoss, 3), train: number(point.trainLoss, 3) }) : TEXT.ready;
    if (run.broken) page.status.textContent = fill(TEXT.broken, { epoch: run.epochs });
    Object.assign(frame.root.dataset, { epochs: run.epochs, steps: run.steps, playing: this.loop.active(), past: this.runs.past.length });
  }

  // The hand rests: describe the pictures, tell screen readers and Python.
  rest() {
    const { page, runs, frame } = this;
    this.curves();
    this.wrongDigits();
    this.words();
    page.play.textContent = this.loop.active() ? TEXT.pause : TEXT.play;
    page.table.show(runs.run, runs.past, (run) => codeOf(run.settings));
    page.code.input.value = codeOf(runs.settings);
    page.code.input.setAttribute("aria-invalid", false);
    this.describe();
    frame.announce(spoken(page.big.textContent, page.status.textContent), this.news);
    this.news = "";
    this.publish();
  }

  describe() {
    const { run, past } = this.runs;
    const { canvases } = this.page;
    const tell = (old) => fill(TEXT.pastPicture, { letter: letterOf(old), code: codeOf(old.settings), low: short(lowest(old)), most: percent(mostRight(old)) });
    const point = run.history[run.history.length - 1];
    const values = { past: past.map(tell).join(" "), last: EPOCHS };
    if (point) {
      Object.assign(values, {
        epoch: point.epoch, validation: short(point.validationLoss), train: short(point.trainLoss), low: short(lowest(run)),
        right: percent(point.validationRight), most: percent(mostRight(run)),
      });
    }
    canvases.loss.setAttribute("aria-label", fill(point ? TEXT.lossPicture : TEXT.noPicture, values).trim());
    canvases.right.setAttribute("aria-label", fill(point ? TEXT.rightPicture : TEXT.noPicture, values).trim());
    const list = run.wrong.slice(0, 12).map((item) => fill(TEXT.wrongItem, item)).join(", ");
    canvases.wrong.setAttribute("aria-label", list ? fill(TEXT.wrongPicture, { list }) : TEXT.wrongEmpty);
  }

  publish() {
    const { run, past, settings } = this.runs;
    const point = run.history[run.history.length - 1];
    const row = (one) => ({ code: codeOf(one.settings), epochs: one.epochs, lowest_loss: lowest(one), most_right: mostRight(one) });
    this.publisher.publish({
      ...settings, code: codeOf(settings), epochs: run.epochs, runs: past.map(row), goal_reached: this.page.marks.reached[0],
      second_reached: this.page.marks.reached[1], train_loss: point ? point.trainLoss : null, validation_loss: point ? point.validationLoss : null,
      validation_right: point ? point.validationRight : null,
    });
  }

  // Python changed a setting: the same as if a hand had moved the slider.
  follow() {
    this.runs.settings = settled(Object.fromEntries(SETTINGS.map((name) => [name, this.model.get(name)])));
    this.restart(this.loop.active());
  }

  close() {
    this.loop.stop();
    this.publisher.close();
  }
}

function render({ model, el }) {
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "8.2em");
  const view = new Playground(model, frame);
  view.page.below.disabled = true;
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      view.page.below.disabled = false;
      verdict.textContent = TEXT.guess;
      view.publisher.publish({ prediction: guess });
      view.rest();
    },
  });
  view.verdict = asked.verdict;
  const resized = new ResizeObserver(frame.guard(() => { view.curves(); view.wrongDigits(); }));
  Object.values(view.page.canvases).forEach((canvas) => resized.observe(canvas));
  view.publisher.listen(SETTINGS, frame.guard(() => view.follow()));
  frame.guard(() => view.rest())();
  return () => {
    view.close();
    resized.disconnect();
  };
}

export default { render };
