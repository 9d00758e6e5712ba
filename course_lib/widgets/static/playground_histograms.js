// Three small histograms of the playground: weights into the hidden and the output layer, and hidden activations.
import { INK, fill, make, number } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { short } from "./line_chart.js";
import { pictureOf } from "./panel.js";

const HISTOGRAM_TEXT = {
  names: { w1: "Weights into the hidden units", w2: "Weights into the ten outputs", h: "Hidden activations above 0" },
  weights: "Spread {spread}, at the start {start}",
  active: "{zero} % are 0; silent units: {silent} of {hidden}",
  empty: "No number yet.",
  ends: ["\u2264 {value}", "{value}", "\u2265 {value}"],
  weightPicture: "{name}, nearly all from {low} to {high}: a standard deviation of {spread}, at the start {start}.",
  activePicture: "{name}, nearly all up to {high}, on the validation digits: {zero} percent of all are zero, at the start {startZero}. Units that are zero for every digit: {silent} of {hidden}.",
  emptyPicture: "{name}: nothing was measured.",
};
const PARTS = ["w1", "w2", "h"];
const TICKS_BELOW = 22;

function bars(pen, found, { left, width, base, height }) {
  const top = Math.max(...found.now, ...found.start) || 1;
  const gap = width / found.now.length;
  const at = (share) => base - (height * share) / top;
  pen.fillStyle = INK.one;
  found.now.forEach((share, k) => pen.fillRect(left + gap * k + 0.5, at(share), gap - 1, base - at(share)));
  pen.beginPath();
  pen.moveTo(left, base);
  found.start.forEach((share, k) => {
    pen.lineTo(left + gap * k, at(share));
    pen.lineTo(left + gap * (k + 1), at(share));
  });
  pen.lineTo(left + width, base);
  Object.assign(pen, { lineWidth: 2.5, strokeStyle: INK.paper });
  pen.stroke();
  Object.assign(pen, { lineWidth: 1.6, strokeStyle: INK.zero });
  pen.setLineDash([4, 3]);
  pen.stroke();
  pen.setLineDash([]);
}

function drawHistogram(canvas, found) {
  const { pen, width, height } = sizeCanvas(canvas);
  const box = { left: 4, width: width - 8, base: height - TICKS_BELOW, height: height - TICKS_BELOW - 8 };
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  if (found) bars(pen, found, box);
  Object.assign(pen, { lineWidth: 1.2, strokeStyle: INK.muted });
  pen.beginPath();
  pen.moveTo(box.left, box.base);
  pen.lineTo(box.left + box.width, box.base);
  pen.stroke();
  if (!found) return;
  const marks = found.low < 0 ? [found.low, 0, found.high] : [0, found.high / 2, found.high];
  marks.forEach((value, k) => label(pen, fill(HISTOGRAM_TEXT.ends[k === 1 || value === 0 ? 1 : k], { value: short(value) }), box.left + (box.width * k) / 2, height - 9, { align: ["left", "center", "right"][k], size: 13, colour: INK.muted }));
}

export class Histograms {
  constructor() {
    this.canvases = Object.fromEntries(PARTS.map((name) => [name, pictureOf(118)]));
    this.words = Object.fromEntries(PARTS.map((name) => [name, make("p", { class: "look-why look-steady" })]));
    this.box = make("div", { class: "look-trio" }, ...PARTS.map((name) => make("div", {},
      make("p", { class: "look-tag", text: HISTOGRAM_TEXT.names[name] }), this.canvases[name], this.words[name])));
  }

  draw(pictures) {
    this.say(pictures);
    for (const name of PARTS) drawHistogram(this.canvases[name], pictures && pictures[name]);
  }

  say(pictures) {
    for (const name of PARTS) {
      const found = pictures && pictures[name];
      const values = { name: HISTOGRAM_TEXT.names[name], ...(found && (name === "h" ? activeValues(found) : weightValues(found))) };
      const [seen, told] = name === "h" ? [HISTOGRAM_TEXT.active, HISTOGRAM_TEXT.activePicture] : [HISTOGRAM_TEXT.weights, HISTOGRAM_TEXT.weightPicture];
      this.words[name].textContent = found ? fill(seen, values) : HISTOGRAM_TEXT.empty;
      this.canvases[name].setAttribute("aria-label", fill(found ? told : HISTOGRAM_TEXT.emptyPicture, values));
    }
  }
}

function weightValues({ low, high, spread, startSpread }) {
  return { low: short(low), high: short(high), spread: number(spread), start: number(startSpread) };
}

function activeValues({ high, zero, startZero, silent, hidden }) {
  return { high: short(high), zero: number(100 * zero, 0), startZero: number(100 * startZero, 0), silent, hidden };
}
