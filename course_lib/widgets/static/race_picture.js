// The picture of the race: contour lines, paths with their own dashes, end markers with their own shape and letter.
import { INK, makeSvg } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { contourPieces, limits, sample } from "./surfaces.js";

const HEIGHTS = [0.1, 1, 10, 100];
const polygon = (...angles) => angles.map((turns) => [Math.cos(2 * Math.PI * turns), -Math.sin(2 * Math.PI * turns)]);
const ring = (count, from) => polygon(...Array.from({ length: count }, (_, k) => from + k / count));

// Order of drawing and of the table. Corners of a marker are in units of its size.
export const RUNNERS = {
  sgd: { text: "SGD", letter: "S", colour: "#1b1f24", dash: [], width: 2.5, corners: ring(24, 0), size: 10 },
  momentum: { text: "momentum", letter: "M", colour: "#0b4f8a", dash: [], width: 4.5, corners: ring(4, 0.125), size: 13 },
  nesterov: { text: "Nesterov", letter: "N", colour: "#5b3a9e", dash: [12, 5], width: 3, corners: ring(4, 0), size: 14 },
  adagrad: { text: "Adagrad", letter: "G", colour: "#8a4300", dash: [2, 5], width: 3.5, corners: ring(3, 0.25), size: 15 },
  rmsprop: { text: "RMSProp", letter: "R", colour: "#a3195b", dash: [10, 4, 2, 4], width: 3, corners: ring(3, 0.75), size: 15 },
  adam: { text: "Adam", letter: "A", colour: "#00604a", dash: [5, 4], width: 3.5, corners: ring(6, 0), size: 12 },
};

// Line and marker of one runner, for the table.
export function runnerKey(runner) {
  const points = runner.corners.map(([x, y]) => `${(44 + 0.8 * runner.size * x).toFixed(1)},${(13 + 0.8 * runner.size * y).toFixed(1)}`).join(" ");
  return makeSvg("svg", { viewBox: "0 0 58 26", width: 58, height: 26, "aria-hidden": "true" },
    makeSvg("line", { x1: 0, y1: 13, x2: 34, y2: 13, stroke: runner.colour, "stroke-width": runner.width, "stroke-dasharray": runner.dash.join(" ") || null }),
    makeSvg("polygon", { points, fill: runner.colour }),
    makeSvg("text", { x: 44, y: 17, "text-anchor": "middle", "font-size": 11, "font-weight": 700, fill: INK.paper, text: runner.letter }));
}

// Where the contour lines of whole powers of ten cross a ray from the deepest point; none nearer than 30 pixels to that point or to the last.
function heightLabels(surface, kappa, view) {
  const [x0, y0] = surface.minima[0];
  const found = [];
  let [before, last] = [0, [view.x(x0), view.y(y0)]];
  for (let r = 0.02; r < 2 * surface.half; r += 0.02) {
    const [x, y] = [x0 + 0.64 * r, y0 + 0.77 * r];
    const loss = surface.value(x, y, kappa);
    const height = HEIGHTS.find((level) => before < level !== loss < level);
    before = loss;
    const place = [view.x(x), view.y(y)];
    if (!height || Math.hypot(place[0] - last[0], place[1] - last[1]) < 30 || found.some(({ text }) => text === String(height))) continue;
    last = place;
    found.push({ at: [x, y], text: String(height) });
  }
  return found;
}

export class RaceMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.heights = [];
    this.ground = document.createElement("canvas");
    this.groundOf = "";
  }

  draw({ surface, name, kappa, paths, shown, step, start }) {
    const { pen, width } = sizeCanvas(this.canvas);
    this.view = this.scales(surface, width);
    this.prepareGround(surface, `${name}/${kappa}/${this.canvas.width}`, kappa);
    const { margin, span } = this.view;
    pen.clearRect(0, 0, width, width);
    pen.drawImage(this.ground, margin, 10, span, span);
    pen.save();
    pen.beginPath();
    pen.rect(margin, 10, span, span);
    pen.clip();
    for (const { at: [x, y], text } of this.heights) label(pen, text, this.view.x(x), this.view.y(y), { size: 13, colour: INK.muted });
    surface.minima.forEach((place) => this.cross(pen, place));
    const runners = Object.keys(RUNNERS).filter((runner) => shown.has(runner));
    // Thick lines first, so that none hides another.
    const byWidth = [...runners].sort((a, b) => RUNNERS[b].width - RUNNERS[a].width);
    for (const runner of byWidth) this.path(pen, RUNNERS[runner], paths[runner], step);
    this.startRing(pen, start);
    for (const runner of runners) this.marker(pen, RUNNERS[runner], paths[runner], step);
    pen.restore();
    this.axes(pen, surface, width);
  }

  scales(surface, width) {
    const margin = 40;
    const span = width - margin - 10;
    const [[left, right], [low, high]] = limits(surface);
    return {
      margin, span, x: (v) => margin + (span * (v - left)) / (right - left), y: (v) => 10 + (span * (high - v)) / (high - low),
      back: (px, py) => [left + ((px - margin) / span) * (right - left), high - ((py - 10) / span) * (high - low)],
    };
  }

  // Contours change with the surface only, so they are drawn once and kept.
  prepareGround(surface, key, kappa) {
    if (this.groundOf === key) return;
    this.groundOf = key;
    const size = Math.max(1, Math.round((this.view.span * this.canvas.width) / this.canvas.getBoundingClientRect().width));
    this.ground.width = size;
    this.ground.height = size;
    const pen = this.ground.getContext("2d");
    const grid = sample(surface, kappa);
    const cell = size / (grid.nodes - 1);
    this.shade(pen, grid, size);
    pen.beginPath();
    contourPieces(grid).forEach(([x, y], k) => (k % 2 ? pen.lineTo(cell * x, cell * y) : pen.moveTo(cell * x, cell * y)));
    pen.lineWidth = (1.2 * size) / this.view.span;
    pen.strokeStyle = "#8394a6";
    pen.stroke();
    this.heights = heightLabels(surface, kappa, this.view);
  }

  // The lower, the paler: the valley is white.
  shade(pen, { roots, nodes }, size) {
    const tile = document.createElement("canvas");
    tile.width = nodes;
    tile.height = nodes;
    const ink = tile.getContext("2d");
    const image = ink.createImageData(nodes, nodes);
    const pixels = new Uint32Array(image.data.buffer);
    for (let k = 0; k < roots.length; k += 1) {
      const depth = Math.min(1, Math.max(0, (Math.log10(roots[k] + 1e-9) + 1) / 2.3));
      pixels[k] = (255 << 24) | ((255 - 30 * depth) << 16) | ((255 - 57 * depth) << 8) | (255 - 86 * depth);
    }
    ink.putImageData(image, 0, 0);
    pen.drawImage(tile, 0, 0, size, size);
  }

  cross(pen, [x, y]) {
    const [px, py] = [this.view.x(x), this.view.y(y)];
    for (const [width, colour] of [[6, INK.paper], [2.5, INK.dark]]) {
      Object.assign(pen, { lineWidth: width, strokeStyle: colour });
      pen.beginPath();
      for (const side of [1, -1]) {
        pen.moveTo(px - 7, py - 7 * side);
        pen.lineTo(px + 7, py + 7 * side);
      }
      pen.stroke();
    }
  }

  startRing(pen, [x, y]) {
    for (const [width, colour] of [[7, INK.paper], [3, INK.alert]]) {
      Object.assign(pen, { lineWidth: width, strokeStyle: colour });
      pen.beginPath();
      pen.arc(this.view.x(x), this.view.y(y), 9, 0, 2 * Math.PI);
      pen.stroke();
    }
    const right = this.view.margin + this.view.span;
    label(pen, "start", Math.min(right - 24, Math.max(this.view.margin + 24, this.view.x(x))), this.view.y(y) - 22, { weight: 600 });
  }

  path(pen, runner, path, step) {
    const last = Math.min(step, path.x.length - 1);
    pen.beginPath();
    pen.moveTo(this.view.x(path.x[0]), this.view.y(path.y[0]));
    for (let k = 1; k <= last; k += 1) pen.lineTo(this.view.x(path.x[k]), this.view.y(path.y[k]));
    Object.assign(pen, { lineJoin: "round", globalAlpha: 0.9 });
    pen.setLineDash([]);
    Object.assign(pen, { lineWidth: runner.width + 2, strokeStyle: "rgba(255,255,255,0.7)" });
    pen.stroke();
    pen.setLineDash(runner.dash);
    Object.assign(pen, { lineWidth: runner.width, strokeStyle: runner.colour });
    pen.stroke();
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    this.dots(pen, runner, path, last);
  }

  // One dot every ten steps: where they lie close, the runner is slow.
  dots(pen, runner, path, last) {
    pen.beginPath();
    for (let k = 10; k <= last; k += 10) {
      const [x, y] = [this.view.x(path.x[k]), this.view.y(path.y[k])];
      pen.moveTo(x + 3, y);
      pen.arc(x, y, 3, 0, 2 * Math.PI);
    }
    Object.assign(pen, { lineWidth: 1.5, strokeStyle: runner.colour, fillStyle: INK.paper });
    pen.fill();
    pen.stroke();
  }

  marker(pen, runner, path, step) {
    if (step === 0 || (path.out !== null && step >= path.out)) return;
    const [px, py] = [this.view.x(path.x[step]), this.view.y(path.y[step])];
    pen.beginPath();
    runner.corners.forEach(([x, y], k) => {
      const place = [px + runner.size * x, py + runner.size * y];
      if (k) pen.lineTo(...place);
      else pen.moveTo(...place);
    });
    pen.closePath();
    Object.assign(pen, { lineWidth: 3, strokeStyle: INK.paper, fillStyle: runner.colour });
    pen.stroke();
    pen.fill();
    Object.assign(pen, { fillStyle: INK.paper, font: "700 12px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
    pen.fillText(runner.letter, px, py + 1);
  }

  axes(pen, surface, width) {
    const { margin, span, x, y } = this.view;
    Object.assign(pen, { lineWidth: 1.2, strokeStyle: INK.muted });
    pen.strokeRect(margin, 10, span, span);
    const bottom = 10 + span + 17;
    for (const shift of [-2, -1, 1, 2]) {
      const [a, b] = [surface.middle[0] + shift, surface.middle[1] + shift];
      label(pen, String(a).replace("-", "\u2212"), x(a), bottom, { colour: INK.muted, size: 15 });
      label(pen, String(b).replace("-", "\u2212"), margin - 8, y(b), { colour: INK.muted, size: 15, align: "right" });
    }
    label(pen, "w\u2081", x(surface.middle[0]), Math.min(bottom + 4, width - 10), { size: 17, weight: 600 });
    label(pen, "w\u2082", margin - 18, y(surface.middle[1]), { size: 17, weight: 600 });
  }
}
