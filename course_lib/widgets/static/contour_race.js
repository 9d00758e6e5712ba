// Six update rules race over one loss surface from one start point.
import { button, choice, fill, goal, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { LAST, noiseOf, placeAt, runRace, startOf } from "./race.js";
import { RUNNERS, RaceMap, runnerKey } from "./race_picture.js";
import { SURFACES, contourPieces, limits, sample } from "./surfaces.js";
import { RULES } from "./update_rules.js";

const SETTINGS = ["surface", "lr", "mu", "conditioning", "noise", "start", "step", "runners"];

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
  caption: "All with the same rate, after step {k}",
  heads: ["runner (tick to draw)", "loss", "stays below 0.01 from"],
  fromStep: "step {k}", never: "\u2013", out: "flew out",
  startHead: "Start point: click in the picture, or move",
  first: "Bowl, conditioning 50, no noise, start at loss 10 or more: bring momentum below loss 0.01 for good within 60 steps.",
  firstDone: "Momentum stays below loss 0.01 from step {k} on.",
  firstMore: " From the first start point plain SGD cannot: with its best rate it takes 69 steps.",
  second: "Two valleys, no noise, start at w\u2081 of 1 or more: after 100 steps momentum lies in the deep valley, SGD still in the shallow one.",
  secondDone: "Momentum rolled over the pass at learning rate {lr} and \u03bc = {mu}; SGD rests at loss {loss}.",
  reached: "Goal reached. {text}",
  legend: ["contour lines at losses 0.01, 0.03, 0.1, \u2026 300", "\u00d7 minimum; the darker, the higher"],
  map: "Contour lines of the surface \u201c{surface}\u201d, conditioning {kappa}. Start at ({x}, {y}). After {k} steps: {runners}.",
  at: "{name} at ({x}, {y}), loss {loss}",
  said: "{name} {loss}",
};

export const race = { SURFACES, RULES, runRace, startOf, noiseOf, sample, contourPieces };

export function lossText(loss) {
  if (loss === 0) return "0";
  if (loss < 1e-3 || loss >= 1e4) return loss.toExponential(1).replace("-", "\u2212");
  return String(Number(loss.toPrecision(2)));
}

function rateText(lr) {
  return Number(lr.toPrecision(2)).toString();
}

function sliders(frame, state, moved) {
  const one = (labelHtml, range, value, format, assign) => slider({
    labelHtml, ...range, value, format, onInput: frame.guard((v) => { assign(v); moved(); }),
  });
  const put = (name) => (v) => { state[name] = v; };
  const start = (k) => (v) => { state.start = startOf(state).map((old, i) => (i === k ? v : old)); };
  const plane = (k) => { const [low, high] = limits(SURFACES[state.surface])[k]; return { min: low, max: high, step: 0.05 }; };
  const [x, y] = startOf(state);
  return {
    lr: one("learning rate <i>\u03b7</i>", { min: -3, max: 0.5, step: 0.02 }, Math.log10(state.lr), (v) => rateText(10 ** v),
      (v) => { state.lr = Number((10 ** v).toPrecision(6)); }),
    mu: one("momentum <i>\u03bc</i>", { min: 0, max: 0.99, step: 0.01 }, state.mu, (v) => number(v), put("mu")),
    conditioning: one("conditioning <i>\u03ba</i>", { min: 1, max: 100, step: 1 }, state.conditioning, String, put("conditioning")),
    noise: one("gradient noise", { min: 0, max: 5, step: 0.1 }, state.noise, (v) => number(v, 1), put("noise")),
    step: one("step", { min: 0, max: LAST, step: 1 }, state.step, String, put("step")),
    startX: one("<i>w</i><sub>1</sub>", plane(0), x, (v) => number(v), start(0)),
    startY: one("<i>w</i><sub>2</sub>", plane(1), y, (v) => number(v), start(1)),
  };
}

// One row per runner: a tick to draw it, its line and marker, its loss, and since when it is close.
function runnerTable(frame, state, moved) {
  const caption = make("caption");
  const rows = Object.entries(RUNNERS).map(([name, runner]) => {
    const tick = make("input", { type: "checkbox", checked: state.shown.has(name) });
    tick.addEventListener("change", frame.guard(() => { state.shown[tick.checked ? "add" : "delete"](name); moved(); }));
    const cells = [make("td"), make("td")];
    const head = make("th", { scope: "row" }, make("label", { class: "look-runner" }, tick, runnerKey(runner), runner.text));
    return { name, tick, cells, node: make("tr", {}, head, ...cells) };
  });
  const table = make("table", { class: "look-table" }, caption,
    make("thead", {}, make("tr", {}, ...TEXT.heads.map((text) => make("th", { scope: "col", text })))),
    make("tbody", {}, ...rows.map((row) => row.node)));
  const show = (paths, k) => {
    caption.textContent = fill(TEXT.caption, { k });
    for (const { name, cells } of rows) {
      const [place, { settled }] = [placeAt(paths[name], k), paths[name]];
      cells[0].textContent = place ? lossText(place.loss) : TEXT.out;
      cells[1].textContent = settled !== null && settled <= k ? fill(TEXT.fromStep, { k: settled }) : TEXT.never;
    }
  };
  return { table, rows, show };
}

// Runs only while playing, and dies with the page element.
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

class Race {
  constructor(model, frame) {
    Object.assign(this, { model, frame, reached: [model.get("goal_reached"), model.get("second_reached")] });
    this.state = { seed: 0 };
    this.read();
    this.publisher = publisher(model, () => { frame.root.dataset.sent = this.state.step; });
    this.player = player(frame, () => this.turn());
    this.build();
  }

  read() {
    for (const name of SETTINGS) this.state[name] = this.model.get(name);
    this.state.shown = new Set(this.state.runners);
    this.paths = null;
  }

  build() {
    const { frame, state } = this;
    const moved = () => { this.paths = null; this.rest(); };
    this.controls = sliders(frame, state, moved);
    this.controls.surface = choice({
      label: TEXT.surface, options: Object.entries(SURFACES).map(([key, { text }]) => [key, text]), value: state.surface,
      onChange: frame.guard(() => this.setSurface(this.controls.surface.select.value)),
    });
    this.table = runnerTable(frame, state, moved);
    this.goals = [goal(TEXT.first), goal(TEXT.second)];
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
    frame.picture.append(this.canvas, legend, make("div", { class: "look-caption" }, this.count, this.best));
    frame.side.append(keys, controls.step.row, controls.surface.row, controls.lr.row, controls.mu.row, controls.conditioning.row, controls.noise.row,
      ...this.goals.map((item) => item.box));
    const start = make("div", { class: "look-start look-short-labels", role: "group", "aria-label": TEXT.startHead },
      make("p", { class: "look-tag", text: TEXT.startHead }), controls.startX.row, controls.startY.row);
    this.below = make("fieldset", { class: "look-below", disabled: true }, make("div", { class: "look-wide" }, this.table.table), start);
    frame.root.append(this.below);
  }

  setSurface(name) {
    Object.assign(this.state, { surface: name, start: [], step: 0 });
    this.showControls();
    this.paths = null;
    this.rest();
  }

  aim(event) {
    if (this.below.disabled) return;
    const box = this.canvas.getBoundingClientRect();
    const place = this.map.view.back(event.clientX - box.left, event.clientY - box.top);
    this.state.start = limits(SURFACES[this.state.surface]).map(([low, high], k) => Number(Math.min(high, Math.max(low, place[k])).toFixed(2)));
    this.showControls();
    this.paths = null;
    this.rest();
  }

  toggle() {
    if (this.player.active()) {
      this.player.stop();
      this.rest();
      return;
    }
    if (this.state.step === LAST) this.state.step = 0;
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
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
    const [name, place] = places.reduce((best, next) => (next[1].loss < best[1].loss ? next : best));
    return fill(TEXT.best, { name: RUNNERS[name].text, loss: lossText(place.loss) });
  }

  judge() {
    const { state, paths } = this;
    const { sgd, momentum } = paths;
    if (this.below.disabled || state.noise > 0) return;
    if (state.surface === "bowl" && sgd.out !== null && state.step >= sgd.out) this.reveal();
    const near = momentum.settled !== null && momentum.settled <= 60 && state.step >= 60;
    if (state.surface === "bowl" && state.conditioning === 50 && momentum.loss[0] >= 10 && near) {
      this.reach(0, fill(TEXT.firstDone, { k: momentum.settled }) + TEXT.firstMore);
    }
    const [fast, slow] = [placeAt(momentum, state.step), placeAt(sgd, state.step)];
    if (state.surface !== "valleys" || state.step < 100 || startOf(state)[0] < 1 || !fast || !slow) return;
    if (fast.loss < 0.1 && fast.x < 0 && slow.x > 0.5 && slow.loss < 0.65) {
      this.reach(1, fill(TEXT.secondDone, { lr: rateText(state.lr), mu: number(state.mu), loss: lossText(slow.loss) }));
    }
  }

  reach(which, text) {
    if (this.reached[which]) return;
    this.reached[which] = true;
    this.goals[which].reach(text);
    if (which === 0) this.reveal();
    this.frame.announce(text, fill(TEXT.reached, { text }));
    this.publisher.publish({ goal_reached: this.reached[0], second_reached: this.reached[1] });
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
    const loss = (name) => { const place = placeAt(paths[name], state.step); return place ? lossText(place.loss) : TEXT.out; };
    const said = shown.map((name) => fill(TEXT.said, { name: RUNNERS[name].text, loss: loss(name) })).join(", ");
    this.frame.announce(`${fill(TEXT.count, { k: state.step, last: LAST })}. ${said}`);
    const losses = Object.fromEntries(Object.keys(RUNNERS).map((name) => [name, placeAt(paths[name], state.step)?.loss ?? null]));
    const settings = Object.fromEntries(SETTINGS.map((name) => [name, state[name]]));
    this.publisher.publish({ ...settings, runners: shown, losses, goal_reached: this.reached[0], second_reached: this.reached[1] });
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
      surface: SURFACES[state.surface].text, kappa: state.conditioning, x: number(x), y: number(y), k: state.step, runners: runners.join("; ") || TEXT.never,
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
  frame.root.classList.add("look-inline-choice");
  frame.root.style.setProperty("--label", "8.4em");
  const run = new Race(model, frame);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      run.below.disabled = false;
      verdict.textContent = TEXT.guess;
      run.publisher.publish({ prediction: guess });
    },
  });
  run.verdict = asked.verdict;
  const resized = new ResizeObserver(frame.guard(() => { run.show(); }));
  resized.observe(run.canvas);
  run.publisher.listen(SETTINGS, frame.guard(() => run.follow()));
  frame.guard(() => run.rest())();
  return () => {
    run.close();
    resized.disconnect();
  };
}

export default { render };
