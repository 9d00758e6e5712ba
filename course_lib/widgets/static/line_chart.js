// A chart of lines on canvas: linear or log axes, dashes and markers that read without colour.
import { INK } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";

const POWERS = ["\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074", "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"];
const PLAIN = new Intl.NumberFormat("en", { maximumFractionDigits: 8 }); // made once: making it costs more than its use

export function short(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e5) return PLAIN.format(Number(value.toPrecision(3))).replace("-", "\u2212");
  const power = Math.floor(Math.log10(size) + 1e-9);
  const digits = String(Math.abs(power)).split("").map((digit) => POWERS[digit]).join("");
  const lead = Number((value / 10 ** power).toPrecision(2));
  return `${lead === 1 ? "" : `${lead}\u00b7`}10${power < 0 ? "\u207b" : ""}${digits}`;
}

export function linearTicks(low, high, wanted = 5) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const gap = [1, 2, 5, 10].map((k) => k * power).find((step) => step >= rough * 0.999);
  const first = Math.ceil(low / gap - 1e-9);
  const last = Math.floor(high / gap + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * gap).toPrecision(12)));
}

export function logTicks(low, high) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => Number((10 ** (first + k)).toPrecision(6)));
}

function scale({ low, high, log }, from, to) {
  if (!log) return (v) => from + ((to - from) * (v - low)) / (high - low);
  const [a, b] = [Math.log10(low), Math.log10(high)];
  return (v) => from + ((to - from) * ((v > 0 ? Math.log10(v) : a - 1) - a)) / (b - a);
}

export class LineChart {
  constructor(canvas) {
    this.canvas = canvas;
  }

  // An axis is {low, high, log, text}. Everything drawn afterwards lies inside the box.
  open(xAxis, yAxis) {
    const { pen, width, height } = sizeCanvas(this.canvas);
    const box = { left: 66, top: 16, width: width - 66 - 16, height: height - 16 - 50 };
    Object.assign(this, { pen, box });
    this.x = scale(xAxis, box.left, box.left + box.width);
    this.y = scale(yAxis, box.top + box.height, box.top);
    pen.fillStyle = INK.paper;
    pen.fillRect(0, 0, width, height);
    this.grid(xAxis, yAxis);
  }

  grid(xAxis, yAxis) {
    const { pen, box } = this;
    pen.lineWidth = 1;
    pen.strokeStyle = "#e1e5ea";
    const ticks = (axis, wanted) => (axis.log ? logTicks(axis.low, axis.high) : linearTicks(axis.low, axis.high, wanted));
    for (const value of ticks(yAxis, 4)) {
      this.stroke([[box.left, this.y(value)], [box.left + box.width, this.y(value)]]);
      label(pen, short(value), box.left - 9, this.y(value), { align: "right", colour: INK.muted });
    }
    for (const value of ticks(xAxis, box.width < 380 ? 4 : 6)) {
      this.stroke([[this.x(value), box.top], [this.x(value), box.top + box.height]]);
      label(pen, short(value), this.x(value), box.top + box.height + 16, { colour: INK.muted });
    }
    pen.strokeStyle = INK.muted;
    pen.strokeRect(box.left, box.top, box.width, box.height);
    label(pen, xAxis.text, box.left + box.width / 2, box.top + box.height + 38, { weight: 600 });
    pen.save();
    pen.translate(13, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    label(pen, yAxis.text, 0, 0, { weight: 600 });
    pen.restore();
  }

  stroke(places) {
    this.pen.beginPath();
    places.forEach(([x, y], k) => (k ? this.pen.lineTo(x, y) : this.pen.moveTo(x, y)));
    this.pen.stroke();
  }

  inside(work) {
    const { pen, box } = this;
    pen.save();
    pen.beginPath();
    pen.rect(box.left - 1, box.top - 1, box.width + 2, box.height + 2);
    pen.clip();
    work(pen);
    pen.restore();
  }

  // A curve through points that are numbers; very large ones stop at the edge of what canvas can take.
  curve(xs, ys, { colour = INK.one, width = 3, dash = [] } = {}) {
    const far = 1e5;
    const places = xs.map((x, k) => [this.x(x), Math.max(-far, Math.min(far, this.y(ys[k])))]).filter(([, y]) => !Number.isNaN(y));
    this.inside((pen) => {
      Object.assign(pen, { lineWidth: width, strokeStyle: colour, lineJoin: "round" });
      pen.setLineDash(dash);
      this.stroke(places);
    });
  }

  dots(xs, ys, { square = false, hollow = false, colour = INK.one, size = 4 } = {}) {
    this.inside((pen) => {
      xs.forEach((x, k) => {
        pen.beginPath();
        if (square) pen.rect(this.x(x) - size, this.y(ys[k]) - size, 2 * size, 2 * size);
        else pen.arc(this.x(x), this.y(ys[k]), size, 0, 2 * Math.PI);
        Object.assign(pen, { fillStyle: hollow ? INK.paper : colour, strokeStyle: colour, lineWidth: 2 });
        pen.fill();
        pen.stroke();
      });
    });
  }

  // A vertical line with a word beside it, on the side that has room.
  upright(x, text, { colour = INK.dark, dash = [], width = 2.5, row = 0 } = {}) {
    const { pen, box } = this;
    const place = this.x(x);
    Object.assign(pen, { lineWidth: width, strokeStyle: colour });
    pen.setLineDash(dash);
    this.stroke([[place, box.top], [place, box.top + box.height]]);
    pen.setLineDash([]);
    const leftHalf = place < box.left + box.width - 105;
    label(pen, text, place + (leftHalf ? 7 : -7), box.top + 14 + 20 * row, { align: leftHalf ? "left" : "right", colour, weight: 600, size: 13 });
  }

  level(y, text) {
    const { pen, box } = this;
    Object.assign(pen, { lineWidth: 1.5, strokeStyle: INK.muted });
    pen.setLineDash([2, 4]);
    this.stroke([[box.left, this.y(y)], [box.left + box.width, this.y(y)]]);
    pen.setLineDash([]);
    label(pen, text, box.left + box.width - 8, this.y(y) - 11, { align: "right", colour: INK.muted, size: 13 });
  }
}
