// Rows of cells, the input at the bottom: what the chosen cell sees is dark with a dot, and bars count the paths.
import { INK, makeSvg } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";

const LEFT = 62;
const BARS = 64;
const MOST_GAP = 100;

function place(width, size) {
  const side = (width - LEFT - 4) / size;
  return { side, at: (middle) => LEFT + side * (middle + 0.5) };
}

export function cellUnder(canvas, event, { size, top }) {
  const box = canvas.getBoundingClientRect();
  const { at } = place(box.width, size);
  const away = top.map((middle) => Math.abs(at(middle) - (event.clientX - box.left)));
  return away.indexOf(Math.min(...away));
}

function paintCell(pen, middle, y, side, seen) {
  const [width, height] = [Math.max(3, side - 2), 22];
  Object.assign(pen, { fillStyle: seen ? INK.one : INK.paper, strokeStyle: seen ? INK.dark : "#8d96a3", lineWidth: 1 });
  pen.fillRect(middle - width / 2, y - height / 2, width, height);
  pen.strokeRect(middle - width / 2, y - height / 2, width, height);
  if (!seen) return;
  pen.fillStyle = INK.paper;
  pen.beginPath();
  pen.arc(middle, y, Math.min(3, width / 4), 0, 2 * Math.PI);
  pen.fill();
}

// From a cell to the first and the last cell that it takes from the row below.
function paintFunnel(pen, [x, y], [first, last], below, half) {
  pen.fillStyle = INK.oneTint;
  pen.beginPath();
  pen.moveTo(x - half, y);
  pen.lineTo(first - half, below);
  pen.lineTo(last + half, below);
  pen.lineTo(x + half, y);
  pen.fill();
  Object.assign(pen, { strokeStyle: INK.one, lineWidth: 1.2 });
  pen.beginPath();
  pen.moveTo(x - half, y);
  pen.lineTo(first - half, below);
  pen.moveTo(x + half, y);
  pen.lineTo(last + half, below);
  pen.stroke();
}

function midOf(cells) {
  return cells.sort((a, b) => a - b)[Math.floor((cells.length - 1) / 2)];
}

function paintBars(pen, paths, { at, side }, base, words) {
  const most = Math.max(...paths.values());
  for (const [cell, times] of paths) {
    const height = Math.max(1.5, (0.78 * BARS * times) / most);
    pen.fillStyle = INK.zero;
    pen.fillRect(at(cell) - Math.max(2, side - 4) / 2, base - height, Math.max(2, side - 4), height);
  }
  label(pen, words.paths, LEFT - 10, base - 0.4 * BARS, { align: "right", size: 13, colour: INK.muted });
  label(pen, String(most), at(midOf([...paths.keys()].filter((cell) => paths.get(cell) === most))), base - 0.78 * BARS - 9, { size: 13, weight: 600, colour: INK.zero });
}

// `rows` holds the middles of all cells, `paths` the maps of `pathsTo`, or nothing while the picture sleeps.
export function drawReach(canvas, { rows, paths, layers, words }) {
  const { pen, width, height } = sizeCanvas(canvas);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  const room = place(width, rows[0].length);
  const ground = height - BARS - 22;
  const gap = Math.min(MOST_GAP, (ground - 14) / Math.max(1, rows.length - 1));
  const yOf = (level) => ground - gap * level;
  for (let level = rows.length - 1; paths && level > 0; level -= 1) {
    const [kernel, stride] = layers[level - 1];
    for (const cell of paths[level].keys()) {
      const [first, last] = [rows[level - 1][cell * stride], rows[level - 1][cell * stride + kernel - 1]].map(room.at);
      paintFunnel(pen, [room.at(rows[level][cell]), yOf(level)], [first, last], yOf(level - 1), room.side / 2 - 1);
    }
  }
  rows.forEach((row, level) => {
    row.forEach((middle, k) => paintCell(pen, room.at(middle), yOf(level), room.side, Boolean(paths) && paths[level].has(k)));
    label(pen, level ? `${words.layer} ${level}` : words.input, LEFT - 10, yOf(level), { align: "right", size: 13, weight: level === rows.length - 1 ? 700 : 400 });
  });
  if (paths) paintBars(pen, paths[0], room, height - 2, words);
}

export function seenKey(seen) {
  const cell = makeSvg("rect", { x: 3, y: 1, width: 10, height: 14, fill: seen ? INK.one : INK.paper, stroke: seen ? INK.dark : "#8d96a3" });
  const dot = seen && makeSvg("circle", { cx: 8, cy: 8, r: 2.5, fill: INK.paper });
  return makeSvg("svg", { width: 16, height: 16, "aria-hidden": "true" }, cell, dot);
}

export function barKey() {
  return makeSvg("svg", { width: 18, height: 16, "aria-hidden": "true" }, makeSvg("path", { d: "M1 15v-5h4v5zM7 15v-12h4v12zM13 15v-5h4v5z", fill: INK.zero }));
}
