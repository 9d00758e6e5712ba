// The padded input with its window on the left, the cells of the output so far on the right. Patterns carry the meaning.
import { INK, make, makeSvg } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";

const KINDS = {
  input: { fill: "#e1e5ea", edge: INK.muted, line: 1 },
  padding: { fill: INK.paper, edge: "#aab2bc", line: 1, dash: [3, 3] },
  window: { fill: INK.one, edge: INK.dark, line: 2, dot: true },
  output: { fill: "#a9c6df", edge: INK.dark, line: 1 },
};

function paintCell(pen, left, top, side, kind) {
  const look = KINDS[kind];
  Object.assign(pen, { fillStyle: look.fill, strokeStyle: look.edge, lineWidth: look.line });
  pen.setLineDash(side > 13 ? look.dash || [] : []);
  pen.fillRect(left + 1.5, top + 1.5, side - 3, side - 3);
  pen.strokeRect(left + 1.5, top + 1.5, side - 3, side - 3);
  pen.setLineDash([]);
  if (!look.dot) return;
  pen.fillStyle = INK.paper;
  pen.beginPath();
  pen.arc(left + side / 2, top + side / 2, Math.max(1.5, side / 7), 0, 2 * Math.PI);
  pen.fill();
}

function paintCross(pen, left, top, side) {
  Object.assign(pen, { strokeStyle: INK.alert, lineWidth: 2 });
  const [near, far] = [0.28 * side, 0.72 * side];
  pen.beginPath();
  for (const [from, to] of [[near, far], [far, near]]) {
    pen.moveTo(left + from, top + near);
    pen.lineTo(left + to, top + far);
  }
  pen.stroke();
}

function blank(canvas, cells) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  return { pen, side: Math.min(36, (Math.min(width, height) - 2) / cells) };
}

// `rows` and `columns` are the places the window takes now, `missed` the input's cells that no window ever touches.
export function drawInput(canvas, { size, padding }, { rows, columns, missed }) {
  const cells = size + 2 * padding;
  const { pen, side } = blank(canvas, cells);
  for (let i = 0; i < cells; i += 1) {
    for (let j = 0; j < cells; j += 1) {
      const [y, x] = [i - padding, j - padding];
      const inside = [y, x].every((k) => k >= 0 && k < size);
      const kind = rows.includes(i) && columns.includes(j) ? "window" : inside ? "input" : "padding";
      paintCell(pen, side * j, side * i, side, kind);
      if (kind === "padding" && side > 13) label(pen, "0", side * (j + 0.5), side * (i + 0.5) + 1, { size: Math.min(13, 0.6 * side), colour: INK.muted });
      if (inside && (missed.includes(y) || missed.includes(x))) paintCross(pen, side * j, side * i, side);
    }
  }
}

export function drawOutput(canvas, { size, padding }, { across, walked, current }) {
  const { pen, side } = blank(canvas, size + 2 * padding);
  for (let k = 0; k < walked; k += 1) {
    const now = current && k === walked - 1;
    paintCell(pen, side * (k % across), side * Math.floor(k / across), side, now ? "window" : "output");
  }
}

export function cellKey(kind) {
  const { fill, edge, line, dash = [], dot } = KINDS[kind];
  const cell = makeSvg("rect", { x: 2, y: 1, width: 14, height: 14, fill, stroke: edge, "stroke-width": line, "stroke-dasharray": dash.join(" ") || null });
  const spot = dot && makeSvg("circle", { cx: 9, cy: 8, r: 2.5, fill: INK.paper });
  return makeSvg("svg", { width: 18, height: 16, "aria-hidden": "true" }, cell, spot);
}

export function crossKey() {
  const cross = makeSvg("path", { d: "M4 3l10 10M14 3L4 13", stroke: INK.alert, "stroke-width": 2 });
  return makeSvg("svg", { width: 18, height: 16, "aria-hidden": "true" }, cross);
}

export function squareCanvas() {
  return make("canvas", { class: "look-square", role: "img" });
}
