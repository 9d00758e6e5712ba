// The controls of the race: sliders for settings and start point, and the table in which runners are ticked.
import { fill, make, number, slider, threeDigits } from "./kit.js";
import { LAST, placeAt, startOf } from "./race.js";
import { RUNNERS, runnerKey } from "./race_picture.js";
import { SURFACES, limits } from "./surfaces.js";

const TABLE_TEXT = {
  caption: "All with the same rate, after step {k}",
  heads: ["runner (tick to draw)", "loss", "below 0.01 from"],
  fromStep: "step {k}", never: "\u2013", out: "flew out",
};

export function lossText(loss) {
  if (loss === 0) return "0";
  if (loss < 1e-3 || loss >= 1e4) return loss.toExponential(1).replace("-", "\u2212");
  return String(Number(loss.toPrecision(2)));
}

export function raceSliders(frame, state, moved) {
  const one = (labelHtml, range, value, format, assign) => slider({
    labelHtml, ...range, value, format, onInput: frame.guard((v) => { assign(v); moved(); }),
  });
  const put = (name) => (v) => { state[name] = v; };
  const start = (k) => (v) => { state.start = startOf(state).map((old, i) => (i === k ? v : old)); };
  const plane = (k) => { const [low, high] = limits(SURFACES[state.surface])[k]; return { min: low, max: high, step: 0.05 }; };
  const [x, y] = startOf(state);
  return {
    lr: one("learning rate <i>\u03b7</i>", { min: -3, max: 0.5, step: 0.02 }, Math.log10(state.lr), (v) => threeDigits(10 ** v),
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
export function runnerTable(frame, state, moved) {
  const caption = make("caption");
  const rows = Object.entries(RUNNERS).map(([name, runner]) => {
    const tick = make("input", { type: "checkbox", checked: state.shown.has(name) });
    tick.addEventListener("change", frame.guard(() => { state.shown[tick.checked ? "add" : "delete"](name); moved(); }));
    const cells = [make("td"), make("td")];
    const head = make("th", { scope: "row" }, make("label", { class: "look-runner" }, tick, runnerKey(runner), runner.text));
    return { name, tick, cells, node: make("tr", {}, head, ...cells) };
  });
  const table = make("table", { class: "look-table" }, caption,
    make("thead", {}, make("tr", {}, ...TABLE_TEXT.heads.map((text) => make("th", { scope: "col", text })))),
    make("tbody", {}, ...rows.map((row) => row.node)));
  const show = (paths, k) => {
    caption.textContent = fill(TABLE_TEXT.caption, { k });
    for (const { name, cells } of rows) {
      const [place, { settled }] = [placeAt(paths[name], k), paths[name]];
      cells[0].textContent = place ? lossText(place.loss) : TABLE_TEXT.out;
      cells[1].textContent = settled !== null && settled <= k ? fill(TABLE_TEXT.fromStep, { k: settled }) : TABLE_TEXT.never;
    }
  };
  return { table, rows, show };
}
