// Learning rate and dropout on real digits: a 64-H-10 network trains beside the page, and runs are compared.
import { fill, number, openFrame, prediction, publisher } from "./kit.js";
import { readDigits } from "./digits.js";
import { short } from "./line_chart.js";
import { wantsLessMotion } from "./loop.js";
import { spoken } from "./milestones.js";
import { SETTINGS, codeOf, readCode, settled } from "./playground_code.js";
import { Engine } from "./playground_engine.js";
import { DigitNetwork, DigitRun } from "./playground_network.js";
import { buildPage } from "./playground_page.js";
import { drawWrong, letterOf, lowest, mostRight } from "./playground_pictures.js";
import { Runs, rowOf } from "./playground_runs.js";
import { Trainer, binned, roundUp } from "./playground_trainer.js";

const EPOCHS = 100;
const GUESSING = Math.log(10); // the loss of ten equal shares
const PATIENCE = 5; // epochs after which a run should be better than that
const GOALS = ["goal_reached", "second_reached", "third_reached", "fourth_reached"];

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
  play: "Play", pause: "Pause",
  big: "{right} % right", fresh: "Press Play",
  ready: "400 digits to train, 300 to validate.",
  status: "Epoch {epoch}. Loss {validation} on validation, {train} in training; {trainRight} % right in training.",
  lost: "Epoch {epoch}. Loss {validation} on validation: pure guessing has {guessing}. Try another rate.",
  broken: "The loss left the range of numbers at epoch {epoch}. Choose a smaller rate.",
  done: [
    "{right} % right at epoch {epoch} with {code}.", "Validation loss {loss} at epoch {epoch} with {code}.",
    "{right} % right with 8 units at epoch {epoch}: {code}.", "{right} % right at epoch {epoch} with {code}.",
  ],
  wrongHead: "Wrong now: {count} of 300 validation digits (\u201c4 as 7\u201d is a 4 taken for a 7)", wrongNone: "Every validation digit is right.", wrongBefore: "Validation digits it gets wrong",
  wrongPicture: "Digits the network gets wrong: {list}.", wrongItem: "{label} taken for {guess}", wrongEmpty: "No digit is shown: nothing was measured, or nothing is wrong.",
  lossPicture: "Losses over {epoch} epochs on a log scale. Validation {validation}, lowest {low}; training {train}. {past}",
  rightPicture: "Share of right digits over {epoch} epochs. Validation {right} percent, at most {most}; training {trainRight} percent. {past}",
  noPicture: "No run yet. Axes for the loss and the share of right digits over {last} epochs. {past}",
  pastPicture: "Run {letter} ({code}): lowest loss {low}, at most {most} percent.",
  kept: "Run kept", let: "Run no longer kept", removed: "Run {letter} removed",
};

export const playground = { DigitNetwork, DigitRun, Trainer, readDigits, binned, roundUp, codeOf, readCode, settled };

function percent(share) {
  return number(100 * share, 1);
}

function three(value) {
  return short(Number(value.toPrecision(3)));
}

class Playground {
  constructor(model, frame) {
    Object.assign(this, { model, frame, runs: new Runs(this.asked(model)), playing: false, resting: false, frameAsked: 0, allAsked: false, lastPicture: 0, chosen: null, news: "" });
    this.publisher = publisher(model);
    this.validation = readDigits(model.get("digits").validation, model.get("digits").validation_labels);
    this.page = buildPage(frame, this.runs.settings, this.actions(), GOALS.map((name) => model.get(name)));
    this.page.code.show(codeOf(this.runs.settings));
    this.engine = new Engine(frame, model.get("digits"), (news) => this.heard(news));
    this.engine.begin(this.runs.serial, this.runs.settings);
  }

  asked(model) { return settled(Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]))); }

  actions() {
    const { frame } = this;
    const told = (work, sentence) => frame.guard((run) => {
      work(run);
      this.curves();
      this.describe();
      this.page.table.show(this.runs);
      this.frame.announce(sentence(run));
      this.publish();
    });
    return {
      toggle: frame.guard(() => this.toggle()), step: frame.guard(() => this.start(this.runs.run.epochs + 1)),
      reset: frame.guard(() => this.restart(this.runs.settings, false)),
      change: (part) => this.restart({ ...this.runs.settings, ...part }, this.playing), take: (settings) => this.restart(settings, false),
      table: {
        use: frame.guard((run) => this.restart(run.settings, false)),
        keep: told((run) => this.runs.keep(run), (run) => (run.kept ? TEXT.kept : TEXT.let)),
        remove: told((run) => { this.runs.remove(run); this.chosen = null; }, (run) => fill(TEXT.removed, { letter: letterOf(run) })),
        choose: frame.guard((run) => { this.chosen = run; this.curves(); }),
      },
    };
  }

  toggle() {
    if (!this.playing) {
      this.start((Math.floor(this.runs.run.epochs / EPOCHS) + 1) * EPOCHS);
      return;
    }
    this.playing = false;
    this.showPlay();
    this.engine.pause();
  }

  start(last) {
    if (this.runs.run.broken) return;
    this.playing = true;
    this.resting = false;
    this.showPlay();
    this.engine.go(last);
  }

  showPlay() {
    this.page.play.textContent = this.playing ? TEXT.pause : TEXT.play;
    Object.assign(this.frame.root.dataset, { playing: this.playing, resting: this.resting });
  }

  // A run never changes its settings: a moved slider starts the next one and keeps the last in the picture.
  restart(settings, going) {
    const { runs, page, engine } = this;
    this.playing = false;
    this.resting = false;
    this.chosen = null;
    runs.settings = settings;
    runs.begin();
    engine.begin(runs.serial, settings);
    for (const [name, value] of Object.entries(settings)) page.sliders[name].follow(value);
    page.code.show(codeOf(settings)); // here and not at rest: a run may end while someone types
    if (going) this.start(EPOCHS);
    this.rest();
  }

  // The engine measured something, or rests.
  heard(news) {
    if (!this.runs.take(news)) return;
    this.judge();
    this.resting = this.engine.rests(news);
    if (this.resting) {
      this.playing = false;
      this.rest();
    } else this.progress();
  }

  // Those who asked for less motion get words once a second, and the picture when the run rests.
  progress() {
    const wait = wantsLessMotion() && performance.now() - this.lastPicture < 1000;
    if (!wait) this.soon(false);
  }

  // Pictures wait for the next frame: there may be more news before it, the engine's answer to a moved slider above all.
  soon(everything) {
    this.allAsked ||= everything;
    this.frameAsked ||= requestAnimationFrame(this.frame.guard(() => {
      const all = this.allAsked;
      Object.assign(this, { frameAsked: 0, allAsked: false });
      if (all) this.drawAtRest();
      else this.drawOnTheWay();
    }));
  }

  drawOnTheWay() {
    const [now, calm] = [performance.now(), wantsLessMotion()];
    const seldom = now - this.lastPicture > 400;
    this.words();
    if (!calm) this.curves();
    if (!calm) this.page.histograms.draw(this.runs.run.pictures);
    if (!calm && seldom) {
      this.wrongWords();
      this.wrongDigits();
    }
    if (seldom) this.lastPicture = now;
  }

  drawAtRest() {
    this.page.table.show(this.runs);
    this.describe();
    this.pictures();
  }

  judge() {
    const { run } = this.runs;
    const point = run.history[run.history.length - 1];
    if (!point || run.epochs === 0) return;
    const { p, hidden } = run.settings;
    const right = point.validationRight;
    const values = { right: percent(right), loss: short(Number(point.validationLoss.toPrecision(2))), epoch: point.epoch, code: codeOf(run.settings) };
    const met = [p > 0.3 && right >= 0.97, point.validationLoss < 0.09, hidden <= 8 && right >= 0.95, point.epoch <= 5 && right >= 0.95];
    const news = this.page.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
    this.news = spoken(this.news, news);
    this.answerPrediction(this.runs.compare());
  }

  answerPrediction(pairs) {
    if (!pairs.length) return;
    const sentence = (pair) => fill(TEXT.pair, { ...pair, without: three(pair.without), with: three(pair.with) });
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
    this.page.loss.draw(run, past, last, this.chosen);
    this.page.right.draw(run, past, last, this.chosen);
  }

  wrongDigits() {
    drawWrong(this.page.canvases.wrong, this.runs.run.wrong, this.validation);
  }

  wrongWords() {
    const { run } = this.runs;
    const { wrongHead } = this.page;
    const known = run.history.length > 0;
    wrongHead.textContent = known ? fill(TEXT.wrongHead, { count: run.wrong.length }) : TEXT.wrongBefore;
    if (known && !run.wrong.length) wrongHead.textContent = TEXT.wrongNone;
  }

  words() {
    const { run } = this.runs;
    const { page, frame } = this;
    const point = run.history[run.history.length - 1];
    const begun = point && run.steps > 0;
    page.big.textContent = begun ? fill(TEXT.big, { right: percent(point.validationRight) }) : TEXT.fresh;
    page.big.hidden = frame.side.disabled;
    page.status.textContent = begun ? this.status(point) : TEXT.ready;
    if (run.broken) page.status.textContent = fill(TEXT.broken, { epoch: run.epochs });
    Object.assign(frame.root.dataset, {
      epochs: run.epochs, steps: run.steps, playing: this.playing, past: this.runs.past.length, engine: this.engine ? this.engine.kind : "",
    });
  }

  status(point) {
    const lost = point.epoch >= PATIENCE && point.validationLoss > GUESSING;
    return fill(lost ? TEXT.lost : TEXT.status, {
      epoch: point.epoch, validation: number(point.validationLoss, 3), train: number(point.trainLoss, 3), trainRight: percent(point.trainRight),
      guessing: number(GUESSING),
    });
  }

  // Words come first: a canvas asks for its size, and every word written after that would mean a second layout.
  pictures() {
    this.wrongWords();
    this.page.histograms.draw(this.runs.run.pictures);
    this.curves();
    this.wrongDigits();
  }

  // The hand rests: tell screen readers and Python at once, also in a tab that paints no frames.
  rest() {
    const { page, frame } = this;
    this.words();
    this.showPlay();
    this.soon(true);
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
        right: percent(point.validationRight), most: percent(mostRight(run)), trainRight: percent(point.trainRight),
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
    this.publisher.publish({
      ...settings, code: codeOf(settings), epochs: run.epochs, runs: past.map(rowOf),
      ...Object.fromEntries(GOALS.map((name, k) => [name, this.page.marks.reached[k]])),
      train_loss: point ? point.trainLoss : null, validation_loss: point ? point.validationLoss : null,
      train_right: point ? point.trainRight : null, validation_right: point ? point.validationRight : null,
    });
  }

  // Python changed a setting: the same as if a hand had moved the slider.
  follow() { this.restart(this.asked(this.model), this.playing); }

  close() {
    cancelAnimationFrame(this.frameAsked);
    this.engine.close();
    this.publisher.close();
  }
}

function render({ model, el }) {
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "8.2em");
  frame.root.style.setProperty("--value", "4.8em");
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
  const resized = new ResizeObserver(frame.guard(() => view.pictures()));
  Object.values(view.page.canvases).forEach((canvas) => resized.observe(canvas));
  view.publisher.listen(SETTINGS, frame.guard(() => view.follow()));
  frame.guard(() => view.rest())();
  return () => {
    view.close();
    resized.disconnect();
  };
}

export default { render };
