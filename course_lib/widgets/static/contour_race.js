// Six update rules race over one loss surface from one start point.
import { button, choice, fill, goal, make, number, openFrame, prediction, publisher, threeDigits } from "./kit.js";
import { frameLoop, wantsLessMotion } from "./loop.js";
import { LAST, noiseOf, placeAt, runRace, startOf } from "./race.js";
import { LossChart } from "./race_chart.js";
import { lossText, raceSliders, runnerTable } from "./race_controls.js";
import { RUNNERS, RaceMap } from "./race_picture.js";
import { SURFACES, contourPieces, limits, sample } from "./surfaces.js";
import { RULES } from "./update_rules.js";

const SETTINGS = ["surface", "lr", "mu", "conditioning", "noise", "seed", "start", "step", "runners"];

const TEXT = {
  title: "A race down the loss surface",
  question: "In a valley that is much steeper across than along, what limits the learning rate of plain SGD?",
  options: [["steep", "The steep direction"], ["flat", "The flat direction"], ["both", "Both alike"]],
  wait: "Choose, and the runners get ready.",
  guess: "Noted. Press Play, then change the learning rate until SGD flies out.",
  rightGuess: "You said the steep direction: right.",
  wrongGuess: "It is the steep direction.",
  why: "In the bowl a rate above 2/\u03ba makes every step across overshoot further than the one before; the flat direction has to wait for such a small rate.",
  play: "Play", pause: "Pause", step: "Step", reset: "Reset",
  surface: "Loss surface",
  count: "Step {k} of {last}",
  best: "Lowest loss: {name}, {loss}",
  allOut: "All runners have flown out. Lower the learning rate.",
  noisy: "SGD, mean loss of the last 100 steps: {mean}",
  none: "\u2013", out: "flew out",
  otherNoise: "Other noise",
  startHead: "Start point: click in the picture, or move",
  first: "Bowl, conditioning 50, no noise, start at loss 10 or more: bring momentum below loss 0.01 for good within 60 steps.",
  firstDone: "Momentum stays below loss 0.01 from step {k} on.",
  firstMore: " From the first start point plain SGD cannot: with its best rate it takes 69 steps.",
  second: "Two valleys, no noise, start at w\u2081 of 1 or more: after 100 steps momentum lies in the deep valley, SGD still in the shallow one.",
  secondDone: "Momentum rolled over the pass at learning rate {lr} and \u03bc = {mu}; SGD rests at loss {loss}.",
  third: "One more, with gradient noise of 2 or more. Bowl, conditioning 10 or more, start at loss 10 or more: bring the mean loss of SGD over the last 100 steps below 0.035.",
  thirdDone: "Mean loss {mean} at learning rate {lr}. A larger rate dances around the minimum; a smaller one does not arrive.",
  reached: "Goal reached. {text}",
  legend: ["contour lines at losses 0.01, 0.03, 0.1, \u2026 300", "\u00d7 minimum", "the paler, the lower", "a dot every 10 steps"],
  map: "Contour lines of the surface \u201c{surface}\u201d, conditioning {kappa}. Start at ({x}, {y}). After {k} steps: {runners}.",
  at: "{name} at ({x}, {y}), loss {loss}",
  said: "{name} {loss}",
};

export const race = { SURFACES, RULES, runRace, startOf, noiseOf, sample, contourPieces };

class Race {
  constructor(model, frame) {
    Object.assign(this, { model, frame, reached: [model.get("goal_reached"), model.get("second_reached"), model.get("third_reached")] });
    this.state = {};
    this.read();
    this.publisher = publisher(model, () => { frame.root.dataset.sent = this.state.step; });
    this.player = frameLoop(frame, () => this.turn());
    this.build();
  }

  read() {
    for (const name of SETTINGS) this.state[name] = this.model.get(name);
    this.state.shown = new Set(this.state.runners);
    this.paths = null;
  }

  build() {
    const { frame, state } = this;
    const moved = () => this.again();
    this.controls = raceSliders(frame, state, moved);
    this.controls.surface = choice({
      label: TEXT.surface, options: Object.entries(SURFACES).map(([key, { text }]) => [key, text]), value: state.surface,
      onChange: frame.guard(() => this.setSurface(this.controls.surface.select.value)),
    });
    this.table = runnerTable(frame, state, moved);
    this.goals = [goal(TEXT.first), goal(TEXT.second), goal(TEXT.third)];
    this.chart = new LossChart();
    this.canvas = make("canvas", { class: "look-square look-aim", role: "img" });
    this.map = new RaceMap(this.canvas);
    this.canvas.addEventListener("click", frame.guard((event) => this.aim(event)));
    this.lay();
  }

  lay() {
    const { frame, controls } = this;
    const act = (work) => frame.guard(() => work());
    this.play = button(TEXT.play, act(() => this.toggle()), "main");
    const keys = make("div", { class: "look-buttons" }, this.play, button(TEXT.step, act(() => this.single())), button(TEXT.reset, act(() => this.reset())));
    this.count = make("p", { class: "look-big" });
    this.best = make("p", { class: "look-detail look-steady" });
    const legend = make("ul", { class: "look-legend" }, ...TEXT.legend.map((text) => make("li", { text })));
    this.otherNoise = button(TEXT.otherNoise, act(() => { this.state.seed = (this.state.seed + 1) % 100; this.again(); }));
    const start = make("div", { class: "look-start look-race-start look-short-labels", role: "group", "aria-label": TEXT.startHead },
      make("p", { class: "look-tag", text: TEXT.startHead }), make("div", { class: "look-start-pair" }, controls.startX.row, controls.startY.row));
    this.startBox = make("fieldset", { disabled: true }, start);
    frame.picture.append(this.canvas, this.startBox, legend);
    frame.side.append(keys, controls.step.row, controls.surface.row, controls.lr.row, controls.mu.row, controls.conditioning.row, controls.noise.row,
      this.otherNoise, this.count, this.best, ...this.goals.map((item) => item.box));
    this.below = make("fieldset", { class: "look-below look-halves", disabled: true }, make("div", { class: "look-wide" }, this.table.table), this.chart.canvas);
    frame.root.append(this.below);
  }

  // A setting has changed: the race is run anew, the step stays.
  again() {
    this.paths = null;
    this.rest();
  }

  setSurface(name) {
    Object.assign(this.state, { surface: name, start: [], step: 0 });
    this.showControls();
    this.again();
  }

  aim(event) {
    if (this.below.disabled) return;
    const box = this.canvas.getBoundingClientRect();
    const place = this.map.view.back(event.clientX - box.left, event.clientY - box.top);
    this.state.start = limits(SURFACES[this.state.surface]).map(([low, high], k) => Number(Math.min(high, Math.max(low, place[k])).toFixed(2)));
    this.showControls();
    this.again();
  }

  toggle() {
    if (this.player.active()) {
      this.player.stop();
      this.rest();
      return;
    }
    if (this.state.step === LAST) this.state.step = 0;
    if (wantsLessMotion()) {
      this.state.step = LAST;
      this.rest();
      return;
    }
    this.player.start();
    this.play.textContent = TEXT.pause;
  }

  turn() {
    this.state.step = Math.min(LAST, this.state.step + 1);
    const more = this.state.step < LAST;
    if (more) this.show();
    else { this.player.stop(); this.rest(); }
    return more;
  }

  single() {
    this.player.stop();
    this.state.step = Math.min(LAST, this.state.step + 1);
    this.rest();
  }

  reset() {
    this.player.stop();
    this.state.step = 0;
    this.rest();
  }

  show() {
    const { state } = this;
    this.paths = this.paths || runRace(state);
    const surface = SURFACES[state.surface];
    this.map.draw({ surface, name: state.surface, kappa: state.conditioning, paths: this.paths, shown: state.shown, step: state.step, start: startOf(state) });
    this.table.show(this.paths, state.step);
    this.chart.draw(this.paths, state.shown, state.step);
    this.otherNoise.hidden = state.noise === 0;
    this.goals[2].box.hidden = !(this.reached[0] && this.reached[1]);
    this.controls.step.set(state.step);
    this.count.textContent = fill(TEXT.count, { k: state.step, last: LAST });
    this.best.textContent = this.leader();
    Object.assign(this.frame.root.dataset, { step: state.step, playing: this.player.active() });
    this.judge();
  }

  leader() {
    const places = Object.keys(RUNNERS).map((name) => [name, placeAt(this.paths[name], this.state.step)]).filter(([, place]) => place);
    if (this.state.step === 0) return "";
    if (!places.length) return TEXT.allOut;
    const mean = this.tail();
    if (this.state.noise > 0 && mean !== null) return fill(TEXT.noisy, { mean: lossText(mean) });
    const [name, place] = places.reduce((best, next) => (next[1].loss < best[1].loss ? next : best));
    return fill(TEXT.best, { name: RUNNERS[name].text, loss: lossText(place.loss) });
  }

  // Mean loss of SGD over the last 100 steps, once they are made.
  tail() {
    const { sgd } = this.paths;
    if (this.state.step < 100 || !placeAt(sgd, this.state.step)) return null;
    return sgd.loss.slice(this.state.step - 99, this.state.step + 1).reduce((sum, loss) => sum + loss, 0) / 100;
  }

  judge() {
    const { state, paths } = this;
    const { sgd, momentum } = paths;
    if (this.below.disabled) return;
    if (state.noise > 0) { this.judgeNoise(); return; }
    if (state.surface === "bowl" && sgd.out !== null && state.step >= sgd.out) this.reveal();
    const near = momentum.settled !== null && momentum.settled <= 60 && state.step >= 60;
    if (state.surface === "bowl" && state.conditioning === 50 && momentum.loss[0] >= 10 && near) {
      this.reach(0, fill(TEXT.firstDone, { k: momentum.settled }) + TEXT.firstMore);
    }
    const [fast, slow] = [placeAt(momentum, state.step), placeAt(sgd, state.step)];
    if (state.surface !== "valleys" || state.step < 100 || startOf(state)[0] < 1 || !fast || !slow) return;
    if (fast.loss < 0.1 && fast.x < 0 && slow.x > 0.5 && slow.loss < 0.65) {
      this.reach(1, fill(TEXT.secondDone, { lr: threeDigits(state.lr), mu: number(state.mu), loss: lossText(slow.loss) }));
    }
  }

  judgeNoise() {
    const { state, paths } = this;
    const mean = this.tail();
    const hard = state.surface === "bowl" && state.noise >= 2 && state.conditioning >= 10 && paths.sgd.loss[0] >= 10;
    if (this.goals[2].box.hidden || !hard || state.step < LAST || mean === null || mean >= 0.035) return;
    this.reach(2, fill(TEXT.thirdDone, { mean: lossText(mean), lr: threeDigits(state.lr) }));
  }

  reach(which, text) {
    if (this.reached[which]) return;
    this.reached[which] = true;
    this.goals[which].reach(text);
    if (which === 0) this.reveal();
    this.frame.announce(text, fill(TEXT.reached, { text }));
    this.goals[2].box.hidden = !(this.reached[0] && this.reached[1]);
    this.publisher.publish(this.flags());
  }

  flags() {
    return { goal_reached: this.reached[0], second_reached: this.reached[1], third_reached: this.reached[2] };
  }

  reveal() {
    const right = this.model.get("prediction") === "steep";
    this.verdict.textContent = `${right ? TEXT.rightGuess : TEXT.wrongGuess} ${TEXT.why}`;
  }

  // The hand rests: describe the picture, tell screen readers and Python.
  rest() {
    this.show();
    const { state, paths } = this;
    this.play.textContent = this.player.active() ? TEXT.pause : TEXT.play;
    const shown = Object.keys(RUNNERS).filter((name) => state.shown.has(name));
    this.canvas.setAttribute("aria-label", this.describe(shown));
    this.chart.describe(paths, state.shown, state.step);
    const loss = (name) => { const place = placeAt(paths[name], state.step); return place ? lossText(place.loss) : TEXT.out; };
    const said = shown.map((name) => fill(TEXT.said, { name: RUNNERS[name].text, loss: loss(name) })).join(", ");
    this.frame.announce(`${fill(TEXT.count, { k: state.step, last: LAST })}. ${said}`);
    const losses = Object.fromEntries(Object.keys(RUNNERS).map((name) => [name, placeAt(paths[name], state.step)?.loss ?? null]));
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, state[name]]));
    this.publisher.publish({ ...settings, runners: shown, losses, ...this.flags() });
  }

  describe(shown) {
    const { state, paths } = this;
    const [x, y] = startOf(state);
    const runners = shown.map((name) => {
      const place = placeAt(paths[name], state.step);
      if (!place) return `${RUNNERS[name].text} ${TEXT.out}`;
      return fill(TEXT.at, { name: RUNNERS[name].text, x: number(place.x), y: number(place.y), loss: lossText(place.loss) });
    });
    return fill(TEXT.map, {
      surface: SURFACES[state.surface].text, kappa: state.conditioning, x: number(x), y: number(y), k: state.step, runners: runners.join("; ") || TEXT.none,
    });
  }

  // Sliders say what the state says; those of the start point follow the surface.
  showControls() {
    const { state, controls } = this;
    controls.surface.select.value = state.surface;
    controls.lr.set(Math.log10(state.lr));
    for (const name of ["mu", "conditioning", "noise", "step"]) controls[name].set(state[name]);
    limits(SURFACES[state.surface]).forEach(([low, high], k) => {
      const control = k ? controls.startY : controls.startX;
      Object.assign(control.input, { min: low, max: high });
      control.set(startOf(state)[k]);
      control.input.style.setProperty("--part", `${(100 * (startOf(state)[k] - low)) / (high - low)}%`);
    });
    this.table.rows.forEach(({ name, tick }) => { tick.checked = state.shown.has(name); });
  }

  // Python changed a setting: the same as if a hand had moved the control.
  follow() {
    const before = this.state.shown;
    this.read();
    before.clear();
    this.state.runners.forEach((name) => before.add(name));
    this.state.shown = before;
    this.showControls();
    this.rest();
  }

  close() {
    this.player.stop();
    this.publisher.close();
  }
}

function render({ model, el }) {
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--value", "4.8em");
  frame.root.classList.add("look-inline-choice");
  frame.root.style.setProperty("--label", "8.4em");
  const run = new Race(model, frame);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      run.below.disabled = false;
      run.startBox.disabled = false;
      verdict.textContent = TEXT.guess;
      run.publisher.publish({ prediction: guess });
    },
  });
  run.verdict = asked.verdict;
  const resized = new ResizeObserver(frame.guard(() => { run.show(); }));
  resized.observe(run.canvas);
  resized.observe(run.chart.canvas);
  run.publisher.listen(SETTINGS, frame.guard(() => run.follow()));
  frame.guard(() => run.rest())();
  return () => {
    run.close();
    resized.disconnect();
  };
}

export default { render };
