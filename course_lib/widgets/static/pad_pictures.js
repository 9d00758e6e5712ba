// The pictures of the drawing pad: the cells with the frame that is cut out, the 8x8 picture, the bars, the widths.
import { INK } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { CELLS, PEN, SIDE } from "./pen.js";

const DARK = [27, 31, 36];

// Ink cell by cell, so that one sees what the pad really holds.
function tileOf(cells) {
  const tile = document.createElement("canvas");
  tile.width = CELLS;
  tile.height = CELLS;
  const pen = tile.getContext("2d");
  const image = pen.createImageData(CELLS, CELLS);
  cells.forEach((ink, place) => { image.data.set(ink ? [...DARK, 255] : [255, 255, 255, 255], 4 * place); });
  pen.putImageData(image, 0, 0);
  return tile;
}

function lines(pen, places, { colour, width, dash = [] }) {
  Object.assign(pen, { strokeStyle: colour, lineWidth: width });
  pen.setLineDash(dash);
  pen.beginPath();
  for (const [x0, y0, x1, y1] of places) {
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
  }
  pen.stroke();
  pen.setLineDash([]);
}

// The eight by eight blocks of the square that is shrunk.
function blocks(pen, { left, top, side }, cell) {
  const [x, y, size] = [left * cell, top * cell, side * cell];
  const steps = Array.from({ length: SIDE - 1 }, (_, k) => ((k + 1) * size) / SIDE);
  lines(pen, steps.flatMap((at) => [[x + at, y, x + at, y + size], [x, y + at, x + size, y + at]]), { colour: "#9aa3ae", width: 0.8 });
  pen.lineWidth = 4;
  pen.strokeStyle = INK.paper;
  pen.strokeRect(x, y, size, size);
  pen.lineWidth = 2;
  pen.strokeStyle = INK.zero;
  pen.setLineDash([7, 5]);
  pen.strokeRect(x, y, size, size);
  pen.setLineDash([]);
}

// A ring as wide as the pen; full while the pen is down.
function tip(pen, { x, y, down }, radius) {
  for (const [colour, width] of [[INK.paper, 5], [INK.alert, 2.5]]) {
    pen.beginPath();
    pen.arc(x, y, Math.max(radius, 3), 0, 2 * Math.PI);
    Object.assign(pen, { strokeStyle: colour, lineWidth: width });
    pen.stroke();
  }
  pen.beginPath();
  pen.arc(x, y, 3.5, 0, 2 * Math.PI);
  pen.fillStyle = down ? INK.alert : INK.paper;
  pen.fill();
  Object.assign(pen, { strokeStyle: INK.alert, lineWidth: 1.5 });
  pen.stroke();
}

export function drawPad(canvas, cells, { box, point, width: thick, hint }) {
  const { pen, width } = sizeCanvas(canvas);
  const cell = width / CELLS;
  pen.imageSmoothingEnabled = false;
  pen.drawImage(tileOf(cells), 0, 0, width, width);
  if (box) blocks(pen, box, cell);
  else label(pen, hint, width / 2, width / 2, { size: 17, colour: INK.muted });
  if (point) tip(pen, { x: point.x * cell, y: point.y * cell, down: point.down }, (thick * cell) / 2);
  pen.strokeStyle = INK.muted;
  pen.lineWidth = 2;
  pen.strokeRect(0, 0, width, width);
}

export function drawSmall(canvas, pixels) {
  const { pen, width } = sizeCanvas(canvas);
  const cell = width / SIDE;
  pixels.forEach((ink, place) => {
    pen.fillStyle = `rgb(${DARK.map((full) => Math.round(255 - ink * (255 - full))).join()})`;
    pen.fillRect((place % SIDE) * cell, Math.floor(place / SIDE) * cell, cell + 0.5, cell + 0.5);
  });
  pen.strokeStyle = INK.muted;
  pen.lineWidth = 2;
  pen.strokeRect(0, 0, width, width);
}

// One bar per class; the winner is dark, the digit that is meant has an arrow.
export function drawShares(canvas, shares, { classes, meant }) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const [left, right, gap] = [40, width - 72, height / classes];
  const most = Math.max(...shares, 0);
  for (let k = 0; k < classes; k += 1) {
    const [middle, share] = [gap * (k + 0.5), shares[k] || 0];
    const best = share > 0 && share === most;
    if (k === meant) label(pen, "\u25b8", 9, middle, { size: 17, colour: INK.zero, weight: 700 });
    label(pen, String(k), 26, middle, { size: 15, weight: best || k === meant ? 700 : 400 });
    Object.assign(pen, { fillStyle: best ? INK.one : INK.oneTint, strokeStyle: INK.one, lineWidth: 1.5 });
    pen.fillRect(left, middle - 0.34 * gap, share * (right - left) + 1.5, 0.68 * gap);
    pen.strokeRect(left, middle - 0.34 * gap, share * (right - left) + 1.5, 0.68 * gap);
    if (shares.length) label(pen, `${(100 * share).toFixed(1)} %`, width - 4, middle, { align: "right", size: 14, weight: best ? 700 : 400 });
  }
}

// Probability of the digit that is meant, at every width tried so far: discs where it is read right, hollow squares where not.
export function drawWidths(chart, tried, width, axis) {
  chart.open({ low: PEN.min - 1, high: PEN.max + 1, text: axis.x }, { low: -0.05, high: 1.05, text: axis.y });
  const rows = [...tried.entries()].sort((a, b) => a[0] - b[0]);
  chart.curve(rows.map(([at]) => at), rows.map(([, { share }]) => share), { width: 2 });
  for (const right of [true, false]) {
    const some = rows.filter(([, found]) => found.right === right);
    const look = right ? {} : { square: true, hollow: true, colour: INK.zero };
    chart.dots(some.map(([at]) => at), some.map(([, { share }]) => share), { size: 4.5, ...look });
  }
  chart.upright(width, axis.now, { dash: [5, 4], width: 1.5, row: 4 });
}
