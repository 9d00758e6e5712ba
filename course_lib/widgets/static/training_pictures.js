// The two pictures of a training run: what the network answers on the plane, and its loss on a log scale.
import { INK } from "./kit.js";
import { drawMarker, label, sizeCanvas } from "./drawing.js";
import { CORNERS } from "./network.js";

const NODES = 65;
const LOW = -0.5;
const HIGH = 1.5;

// Light for 0, dark for 1: the order survives a grey printer.
function shades() {
  const from = [255, 244, 224];
  const to = [11, 79, 138];
  const table = new Uint32Array(256);
  const bytes = new Uint8ClampedArray(table.buffer);
  for (let k = 0; k < 256; k += 1) {
    for (let c = 0; c < 3; c += 1) bytes[4 * k + c] = from[c] + ((to[c] - from[c]) * k) / 255;
    bytes[4 * k + 3] = 255;
  }
  return table;
}

export class AnswerMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.values = new Float64Array(NODES * NODES);
    this.tile = document.createElement("canvas");
    this.tile.width = NODES;
    this.tile.height = NODES;
    this.image = this.tile.getContext("2d").createImageData(NODES, NODES);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.shades = shades();
  }

  draw(network) {
    const { pen, width } = sizeCanvas(this.canvas);
    const margin = 34;
    const span = width - margin - 10;
    const at = { x: (v) => margin + (span * (v - LOW)) / (HIGH - LOW), y: (v) => 10 + (span * (HIGH - v)) / (HIGH - LOW) };
    this.evaluate(network);
    pen.clearRect(0, 0, width, width);
    pen.save();
    pen.beginPath();
    pen.rect(margin, 10, span, span);
    pen.clip();
    const half = span / (NODES - 1) / 2;
    pen.drawImage(this.tile, margin - half, 10 - half, span + 2 * half, span + 2 * half);
    this.contour(pen, margin, span);
    pen.restore();
    this.axes(pen, at, margin, span);
    for (const [x1, x2, y] of CORNERS) drawMarker(pen, at.x(x1), at.y(x2), y, (network.answer(x1, x2) > 0.5 ? 1 : 0) === y, 13);
  }

  evaluate(network) {
    const step = (HIGH - LOW) / (NODES - 1);
    for (let row = 0; row < NODES; row += 1) {
      for (let column = 0; column < NODES; column += 1) {
        const value = network.answer(LOW + step * column, HIGH - step * row);
        this.values[row * NODES + column] = value;
        this.pixels[row * NODES + column] = this.shades[Math.round(255 * value)];
      }
    }
    this.tile.getContext("2d").putImageData(this.image, 0, 0);
  }

  // Where the answer is one half: each cell of the grid is crossed by none, one or two pieces.
  contour(pen, margin, span) {
    const cell = span / (NODES - 1);
    pen.beginPath();
    for (let row = 0; row < NODES - 1; row += 1) {
      for (let column = 0; column < NODES - 1; column += 1) {
        this.crossings(row, column).forEach(([x, y], k) => {
          const [px, py] = [margin + cell * (column + x), 10 + cell * (row + y)];
          if (k % 2) pen.lineTo(px, py);
          else pen.moveTo(px, py);
        });
      }
    }
    pen.lineCap = "round";
    for (const [width, colour] of [[6, INK.paper], [3, INK.dark]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.stroke();
    }
  }

  crossings(row, column) {
    const start = row * NODES + column;
    const [a, b, c, d] = [start, start + 1, start + NODES + 1, start + NODES].map((k) => this.values[k] - 0.5);
    if (a > 0 === b > 0 && b > 0 === c > 0 && c > 0 === d > 0) return [];
    const cuts = [];
    if (a > 0 !== b > 0) cuts.push([a / (a - b), 0]);
    if (b > 0 !== c > 0) cuts.push([1, b / (b - c)]);
    if (c > 0 !== d > 0) cuts.push([1 - c / (c - d), 1]);
    if (d > 0 !== a > 0) cuts.push([0, 1 - d / (d - a)]);
    return cuts;
  }

  axes(pen, at, margin, span) {
    pen.lineWidth = 1.2;
    pen.strokeStyle = INK.muted;
    pen.strokeRect(margin, 10, span, span);
    const bottom = span + 10 + 18;
    for (const value of [0, 1]) {
      label(pen, value, at.x(value), bottom, { colour: INK.muted, size: 15 });
      label(pen, value, margin - 14, at.y(value), { colour: INK.muted, size: 15 });
    }
    label(pen, "x\u2081", at.x(0.5), bottom, { size: 17, weight: 600 });
    label(pen, "x\u2082", margin - 17, at.y(0.5), { size: 17, weight: 600 });
  }
}

const DECADES = [1, 0.1, 0.01, 0.001, 0.0001];
const FLAT = 0.25;

export class LossChart {
  constructor(canvas, texts) {
    this.canvas = canvas;
    this.texts = texts;
  }

  // `past` holds earlier runs as {losses, right}, `losses` the present run.
  draw(losses, past, lastStep) {
    const { pen, width, height } = sizeCanvas(this.canvas);
    const box = { left: 62, top: 14, width: width - 62 - 14, height: height - 14 - 48 };
    const at = {
      x: (k) => box.left + (box.width * k) / lastStep,
      y: (loss) => box.top + (box.height * -Math.log10(Math.min(1, Math.max(loss, 1e-4)))) / 4,
    };
    pen.fillStyle = INK.paper;
    pen.fillRect(0, 0, width, height);
    this.axes(pen, box, at, lastStep);
    for (const run of past) this.curve(pen, at, run.losses, run.right ? { colour: "#8d96a3", width: 1.3, points: 150 } : { colour: INK.zero, width: 1.6, dash: [6, 4], points: 150 });
    this.curve(pen, at, losses, { colour: INK.one, width: 3.5 });
    label(pen, this.texts.flat, box.left + box.width - 8, at.y(FLAT) - 11, { align: "right", colour: INK.muted, size: 13 });
  }

  axes(pen, box, at, lastStep) {
    pen.lineWidth = 1;
    for (const loss of DECADES) {
      pen.strokeStyle = "#e1e5ea";
      this.rule(pen, box, at.y(loss));
      label(pen, loss, box.left - 10, at.y(loss), { align: "right", colour: INK.muted });
    }
    pen.setLineDash([2, 4]);
    pen.strokeStyle = INK.muted;
    this.rule(pen, box, at.y(FLAT));
    pen.setLineDash([]);
    pen.strokeRect(box.left, box.top, box.width, box.height);
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const align = { 0: "left", 1: "right" }[part] || "center";
      label(pen, Math.round(part * lastStep).toLocaleString("en"), at.x(part * lastStep), box.top + box.height + 16, { align, colour: INK.muted });
    }
    label(pen, this.texts.x, box.left + box.width / 2, box.top + box.height + 36, { weight: 600 });
    pen.save();
    pen.translate(13, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    label(pen, this.texts.y, 0, 0, { weight: 600 });
    pen.restore();
  }

  rule(pen, box, y) {
    pen.beginPath();
    pen.moveTo(box.left, y);
    pen.lineTo(box.left + box.width, y);
    pen.stroke();
  }

  curve(pen, at, losses, { colour, width, dash = [], points = 400 }) {
    const stride = Math.max(1, Math.floor(losses.length / points));
    pen.beginPath();
    for (let k = 0; k < losses.length; k += stride) {
      if (k) pen.lineTo(at.x(k), at.y(losses[k]));
      else pen.moveTo(at.x(k), at.y(losses[k]));
    }
    if (losses.length) pen.lineTo(at.x(losses.length - 1), at.y(losses[losses.length - 1]));
    pen.setLineDash(dash);
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.strokeStyle = colour;
    pen.stroke();
    pen.setLineDash([]);
  }
}
