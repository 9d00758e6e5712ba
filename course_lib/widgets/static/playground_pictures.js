// Pictures of the playground: curves of the present and of earlier runs, the digits it gets wrong, the list of runs.
import { INK, button, fill, make } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { LineChart, short } from "./line_chart.js";
import { lineKey } from "./panel.js";

const DASHES = [[2, 4], [11, 5], [11, 4, 2, 4], [5, 3]];
const PAST = { colour: INK.muted, width: 2 };
const VALIDATION = { colour: INK.one, width: 3.5 };
const TRAINING = { colour: INK.zero, width: 2.5, dash: [6, 4] };
const TILE = 44;

const PICTURE_TEXT = {
  axis: { epoch: "epoch", loss: "loss (log)", right: "right, in %" },
  heads: ["run", "settings", "epochs", "lowest loss", "most right"],
  caption: "Validation of your runs",
  now: "now", use: "Use", useName: "Use the settings of run {letter}",
  truth: "{label} as {guess}",
};

export const LINES = { validation: VALIDATION, training: TRAINING, past: { ...PAST, dash: DASHES[0] } };

function dashOf(run) {
  return DASHES[run.serial % DASHES.length];
}

export function letterOf(run) {
  return String.fromCharCode(65 + (run.serial % 26));
}

class CurveChart {
  constructor(canvas) {
    this.canvas = canvas;
    this.chart = new LineChart(canvas);
  }

  // Earlier runs first, thin and with a letter at the end; the present run on top.
  draw(run, past, last) {
    const { chart } = this;
    chart.open({ low: 0, high: 1.03 * last, text: PICTURE_TEXT.axis.epoch }, this.axis(run));
    this.goalLine();
    for (const old of past) {
      const ys = old.history.map((point) => this.value(point, "validation"));
      chart.curve(old.history.map((point) => point.epoch), ys, { ...PAST, dash: dashOf(old) });
      this.sign(old, ys);
    }
    const xs = run.history.map((point) => point.epoch);
    for (const [part, look] of [["train", TRAINING], ["validation", VALIDATION]]) {
      const ys = run.history.map((point) => this.value(point, part));
      chart.curve(xs, ys, look);
      const end = xs.length - 1;
      if (end >= 0) chart.dots([xs[end]], [ys[end]], { colour: look.colour, square: part === "train", hollow: part === "train", size: 5 });
    }
  }

  // Letters stand at different places along their curves, so that they do not cover each other.
  sign(old, ys) {
    const { chart } = this;
    const at = Math.floor((ys.length - 1) * (0.95 - 0.14 * (old.serial % DASHES.length)));
    chart.inside((pen) => label(pen, letterOf(old), chart.x(old.history[at].epoch), chart.y(ys[at]) - 9, { weight: 700, size: 13 }));
  }
}

export class LossCurves extends CurveChart {
  axis() { return { low: 0.002, high: 4, log: true, text: PICTURE_TEXT.axis.loss }; }

  value(point, part) { return Math.max(point[`${part}Loss`], 1e-9); }

  goalLine() { this.chart.level(0.09, "0.09"); }
}

export class RightCurves extends CurveChart {
  // The upper fifth, unless the run never got there.
  axis(run) {
    const best = Math.max(0, ...run.history.map((point) => point.validationRight));
    return { low: run.history.length > 3 && best < 0.8 ? 0 : 80, high: 101, text: PICTURE_TEXT.axis.right };
  }

  value(point, part) { return 100 * point[`${part}Right`]; }

  goalLine() { this.chart.level(97, "97 %"); }
}

// As many wrong digits as fit into a row, as the network sees them, with its answer and the right one.
export function drawWrong(canvas, wrong, data) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const gap = TILE + 34;
  wrong.slice(0, Math.max(0, Math.floor((width + 14) / gap))).forEach(({ row, guess, label: truth }, k) => {
    drawDigit(pen, data.x, row, k * gap + 14, 2);
    label(pen, fill(PICTURE_TEXT.truth, { guess, label: truth }), k * gap + 14 + TILE / 2, TILE + 16, { size: 13, weight: 600 });
  });
}

function drawDigit(pen, x, row, left, top) {
  const side = TILE / 8;
  for (let k = 0; k < 64; k += 1) {
    const light = Math.round(255 * (1 - x[64 * row + k]));
    pen.fillStyle = `rgb(${light},${light},${light})`;
    pen.fillRect(left + (k % 8) * side, top + Math.floor(k / 8) * side, side + 0.3, side + 0.3);
  }
  pen.strokeStyle = INK.muted;
  pen.lineWidth = 1;
  pen.strokeRect(left, top, TILE, TILE);
}

export function lowest(run) {
  return Math.min(...run.history.map((point) => point.validationLoss));
}

export function mostRight(run) {
  return Math.max(...run.history.map((point) => point.validationRight));
}

// A row per run; the settings of an earlier one come back with its button.
export function runTable(use) {
  const body = make("tbody");
  const heads = make("tr", {}, ...PICTURE_TEXT.heads.map((text) => make("th", { scope: "col", text })), make("td"));
  const table = make("table", { class: "look-table" }, make("caption", { text: PICTURE_TEXT.caption }), make("thead", {}, heads), body);
  const row = (run, code, past) => {
    const again = past && button(PICTURE_TEXT.use, () => use(code(run)));
    if (again) again.setAttribute("aria-label", fill(PICTURE_TEXT.useName, { letter: letterOf(run) }));
    const key = lineKey(past ? { ...PAST, dash: dashOf(run) } : VALIDATION);
    const cells = run.history.length ? [run.epochs, short(lowest(run)), `${(100 * mostRight(run)).toFixed(1)} %`] : [0, "", ""];
    return make("tr", {}, make("th", { scope: "row" }, `${past ? letterOf(run) : PICTURE_TEXT.now} `, key),
      make("td", {}, make("code", { text: code(run) })), ...cells.map((text) => make("td", { text })), make("td", {}, again));
  };
  const show = (run, past, code) => body.replaceChildren(row(run, code, false), ...[...past].reverse().map((old) => row(old, code, true)));
  return { table, show };
}
