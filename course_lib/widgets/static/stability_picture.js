// The two maps of the stability look: a cell is dark, hatched or crossed, so that it reads without colour.
import { INK, make } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { short } from "./line_chart.js";

const LEFT = 58;
const BOTTOM = 50;
const AXES = { x: "learning rate", y: "scale of the first weights" };

// Powers of two below one read better as fractions.
export function scaleText(scale) {
  const under = 1 / scale;
  return scale < 1 && Number.isInteger(under) ? `1/${under}` : short(scale);
}

function lossText(loss) {
  return loss >= 100 ? "" : loss.toFixed(loss < 10 ? 2 : 0);
}

function stripes(pen, x, y, side) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, side.width, side.height);
  pen.clip();
  pen.fillStyle = INK.zeroTint;
  pen.fillRect(x, y, side.width, side.height);
  Object.assign(pen, { strokeStyle: "#c9a878", lineWidth: 1 });
  pen.beginPath();
  for (let at = -side.height; at < side.width; at += 7) {
    pen.moveTo(x + at, y + side.height);
    pen.lineTo(x + at + side.height, y);
  }
  pen.stroke();
  pen.restore();
}

function cross(pen, x, y, side) {
  const arm = 0.24 * Math.min(side.width, side.height);
  const [cx, cy] = [x + side.width / 2, y + side.height / 2];
  Object.assign(pen, { strokeStyle: INK.alert, lineWidth: 2.5 });
  pen.beginPath();
  for (const turn of [-1, 1]) {
    pen.moveTo(cx - arm, cy - turn * arm);
    pen.lineTo(cx + arm, cy + turn * arm);
  }
  pen.stroke();
}

function paintCell(pen, x, y, side, { state, last }) {
  pen.fillStyle = state === "converged" ? INK.one : INK.paper;
  pen.fillRect(x, y, side.width, side.height);
  if (state === "slow") stripes(pen, x, y, side);
  if (state === "diverged") cross(pen, x, y, side);
  if (state === "converged" || state === "slow") {
    const small = side.width < 38;
    pen.font = `600 ${small ? 11 : 13}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = state === "converged" ? INK.paper : INK.dark;
    if (side.width > 26) pen.fillText(lossText(last), x + side.width / 2, y + side.height / 2);
  }
}

export class MapPicture {
  constructor(canvas, scales, rates) {
    Object.assign(this, { canvas, scales, rates });
  }

  open() {
    const { pen, width, height } = sizeCanvas(this.canvas);
    const side = { width: (width - LEFT - 4) / this.rates.length, height: (height - BOTTOM - 4) / this.scales.length };
    Object.assign(this, { pen, width, height, side });
    pen.fillStyle = INK.paper;
    pen.fillRect(0, 0, width, height);
  }

  place(row, column) { return [LEFT + column * this.side.width, 4 + (this.scales.length - 1 - row) * this.side.height]; }

  // `cells[row][column]` is {state, last} or undefined; the chosen one has a frame.
  draw(cells, chosen) {
    this.open();
    const { pen, side } = this;
    this.scales.forEach((_, row) => this.rates.forEach((__, column) => {
      const [x, y] = this.place(row, column);
      if (cells[row][column]) paintCell(pen, x, y, side, cells[row][column]);
      Object.assign(pen, { strokeStyle: "#8d96a3", lineWidth: 1 });
      pen.strokeRect(x, y, side.width, side.height);
    }));
    this.words();
    const [x, y] = this.place(chosen.row, chosen.column);
    for (const [colour, width] of [[INK.paper, 6], [INK.dark, 3]]) {
      Object.assign(pen, { strokeStyle: colour, lineWidth: width });
      pen.strokeRect(x + 1, y + 1, side.width - 2, side.height - 2);
    }
  }

  words() {
    const { pen, height, side } = this;
    this.scales.forEach((scale, row) => {
      const [, y] = this.place(row, 0);
      label(pen, scaleText(scale), LEFT - 6, y + side.height / 2, { align: "right", size: 13, colour: INK.muted });
    });
    this.rates.forEach((rate, column) => {
      const [x] = this.place(0, column);
      label(pen, short(rate), x + side.width / 2, height - BOTTOM + 12, { size: side.width < 38 ? 11 : 13, colour: INK.muted });
    });
    label(pen, AXES.x, LEFT + (this.width - LEFT) / 2, height - 12, { weight: 600 });
    pen.save();
    pen.translate(10, (height - BOTTOM) / 2);
    pen.rotate(-Math.PI / 2);
    label(pen, AXES.y, 0, 0, { weight: 600 });
    pen.restore();
  }

  // The cell under a pointer event, or null.
  cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left - LEFT) / this.side.width);
    const row = this.scales.length - 1 - Math.floor((event.clientY - box.top - 4) / this.side.height);
    const inside = row >= 0 && row < this.scales.length && column >= 0 && column < this.rates.length;
    return inside ? { row, column } : null;
  }
}

// A small cell for the legend, drawn as in the map.
export function cellKey(state) {
  const canvas = make("canvas", { width: 44, height: 32, style: "width: 22px; height: 16px; border: 1px solid #8d96a3", "aria-hidden": "true" });
  const pen = canvas.getContext("2d");
  pen.scale(2, 2);
  paintCell(pen, 0, 0, { width: 22, height: 16 }, { state, last: 0 });
  return canvas;
}
