// Pictures of the playground: curves of the present and of earlier runs, and the digits it gets wrong.
import { INK, fill } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { LineChart } from "./line_chart.js";

const DASHES = [[2, 4], [11, 5], [11, 4, 2, 4], [5, 3], [1, 3, 1, 8], [16, 4], [7, 3, 7, 3, 2, 3], [3, 9]];
const PAST = { colour: INK.muted, width: 2 };
const CHOSEN = { colour: INK.dark, width: 3.5 };
export const VALIDATION = { colour: INK.one, width: 3.5 };
const TRAINING = { colour: INK.zero, width: 2.5, dash: [6, 4] };
const TILE = 44;

const PICTURE_TEXT = {
  axis: { epoch: "epoch", loss: "loss (log)", right: "right, in %" },
  truth: "{label} as {guess}",
};

export const LINES = { validation: VALIDATION, training: TRAINING, past: { ...PAST, dash: DASHES[1] } };

// How an earlier run is drawn: its letter and its dashes stay with it.
export function pastLook(run) {
  return { ...PAST, dash: DASHES[run.place % DASHES.length] };
}

export function letterOf(run) {
  return String.fromCharCode(65 + (run.place % 26));
}

class CurveChart {
  constructor(canvas) {
    this.canvas = canvas;
    this.chart = new LineChart(canvas);
  }

  // Earlier runs first, thin and with a letter; the one under the hand stands out, with its training curve.
  draw(run, past, last, chosen) {
    const { chart } = this;
    chart.open({ low: 0, high: 1.03 * last, text: PICTURE_TEXT.axis.epoch }, this.axis(run));
    this.goalLine();
    for (const old of past) this.drawPast(old, old === chosen ? { ...pastLook(old), ...CHOSEN } : pastLook(old), old === chosen);
    const xs = run.history.map((point) => point.epoch);
    for (const [part, look] of [["train", TRAINING], ["validation", VALIDATION]]) {
      const ys = run.history.map((point) => this.value(point, part));
      chart.curve(xs, ys, look);
      const end = xs.length - 1;
      if (end >= 0) chart.dots([xs[end]], [ys[end]], { colour: look.colour, square: part === "train", hollow: part === "train", size: 5 });
    }
  }

  // The goal, named at the left, where no curve comes near it.
  level(y, text, shift) {
    const { chart } = this;
    chart.level(y, "");
    label(chart.pen, text, chart.box.left + 8, chart.y(y) + shift, { align: "left", colour: INK.muted, size: 13 });
  }

  drawPast(old, look, whole) {
    const xs = old.history.map((point) => point.epoch);
    const ys = old.history.map((point) => this.value(point, "validation"));
    if (whole) this.chart.curve(xs, old.history.map((point) => this.value(point, "train")), { ...look, width: 1.5 });
    this.chart.curve(xs, ys, look);
    this.sign(old, ys);
  }

  // Letters stand at different places along their curves, so that they do not cover each other.
  sign(old, ys) {
    const { chart } = this;
    const at = Math.floor((ys.length - 1) * (0.96 - 0.11 * (old.place % DASHES.length)));
    chart.inside((pen) => label(pen, letterOf(old), chart.x(old.history[at].epoch), chart.y(ys[at]) - 9, { weight: 700, size: 13 }));
  }
}

export class LossCurves extends CurveChart {
  // From 0.01 to 4, lower where training goes below it, or higher where the run flies away.
  axis(run) {
    const top = run.history.reduce((most, point) => Math.max(most, point.validationLoss), 4);
    const low = run.history.some((point) => point.trainLoss < 0.01) ? 0.001 : 0.01;
    return { low, high: top > 4 ? 10 ** Math.ceil(Math.log10(top)) : 4, log: true, text: PICTURE_TEXT.axis.loss };
  }

  value(point, part) { return Math.max(point[`${part}Loss`], 1e-9); }

  goalLine() { this.level(0.09, "0.09", 11); }
}

export class RightCurves extends CurveChart {
  // The upper fifth, unless the run never got there.
  axis(run) {
    const best = Math.max(0, ...run.history.map((point) => point.validationRight));
    return { low: run.history.length > 3 && best < 0.8 ? 0 : 80, high: 101, text: PICTURE_TEXT.axis.right };
  }

  value(point, part) { return 100 * point[`${part}Right`]; }

  goalLine() { this.level(97, "97 %", -10); }
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
