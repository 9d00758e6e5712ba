// Draws the graph: x1, w1, x2 on top, f at the bottom; values go down, gradients come up in dashed tags.
import { INK, makeSvg, number } from "./kit.js";
import { LAST, known } from "./exam_graph.js";

const WIDTH = 470;
const HEIGHT = 590;
// The same places stand in graphs.py: change both or neither.
export const PLACES = {
  x1: [70, 46], w1: [206, 46], x2: [342, 46], b: [400, 320], w3: [400, 510], p: [138, 215], q: [274, 215], z: [206, 320], r: [206, 415], f: [206, 510],
};
const SIGNS = { p: "\u00d7", q: "\u00d7", z: "+", r: "ReLU", f: "\u00d7" };
const NAMES = { x1: "x\u2081", x2: "x\u2082", w1: "w\u2081", w3: "w\u2083", b: "b" };
// Where the gradient of an edge is written, by node and source.
const TAGS = {
  "p-x1": [58, 150], "p-w1": [142, 104], "q-w1": [270, 104], "q-x2": [362, 150], "z-p": [108, 276], "z-q": [304, 276], "z-b": [289, 348],
  "r-z": [141, 368], "f-r": [141, 463], "f-w3": [289, 480],
};
const VALUES = { p: [108, 221, "end"], q: [304, 221, "start"], z: [176, 326, "end"], r: [160, 421, "end"], f: [176, 516, "end"] };

// Up to three decimals, without zeros at the end.
export function plain(value) {
  return number(Number(value.toFixed(3)), 3).replace(/\.?0+$/, "");
}

function text(x, y, words, looks = {}) {
  return makeSvg("text", {
    x, y, "text-anchor": "middle", "font-size": 16, fill: INK.dark, "paint-order": "stroke", stroke: INK.paper, "stroke-width": 4, text: words, ...looks,
  });
}

function box([x, y], [halfX, halfY], looks) {
  return makeSvg("rect", { x: x - halfX, y: y - halfY, width: 2 * halfX, height: 2 * halfY, rx: 8, ...looks });
}

function size(name) {
  if (name === "r") return [38, 19];
  if (name === "w1") return [62, 28];
  return name in SIGNS ? [21, 21] : [54, 28];
}

// The point where the line from one place to another leaves the shape around the first.
function edgeOf(name, [x, y], [toX, toY]) {
  const [dx, dy] = [toX - x, toY - y];
  const [halfX, halfY] = size(name);
  const round = name in SIGNS && name !== "r";
  const part = round ? halfX / Math.hypot(dx, dy) : Math.min(halfX / Math.abs(dx || 1e-9), halfY / Math.abs(dy || 1e-9));
  return [x + part * dx, y + part * dy];
}

function arrow([x1, y1], [x2, y2], looks) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const head = [[x2, y2], [x2 - 12 * ux - 5 * uy, y2 - 12 * uy + 5 * ux], [x2 - 12 * ux + 5 * uy, y2 - 12 * uy - 5 * ux]];
  return makeSvg("g", {},
    makeSvg("line", { x1, y1, x2: x2 - 8 * ux, y2: y2 - 8 * uy, stroke: looks.colour, "stroke-width": looks.width, "stroke-dasharray": looks.dash }),
    makeSvg("polygon", { points: head.map((at) => at.map((v) => v.toFixed(1)).join(",")).join(" "), fill: looks.colour }));
}

// Forward arrows are solid and grey; once a gradient came up, the arrow turns, dashed and brown.
function drawEdge({ node, source }, state) {
  const [from, to] = [PLACES[source], PLACES[node]];
  const [start, end] = [edgeOf(source, from, to), edgeOf(node, to, from)];
  if (state.passed.has(node)) return arrow(end, start, { colour: INK.zero, width: state.now === node ? 4 : 2, dash: "7 4" });
  const fresh = state.now === node && !state.backward;
  return arrow(start, end, { colour: fresh ? INK.one : "#8d96a3", width: fresh ? 4 : 2 });
}

function drawTag({ node, source, upstream, local, gradient }, state) {
  if (!state.passed.has(node)) return null;
  const [x, y] = TAGS[`${node}-${source}`];
  const lines = [`${plain(upstream)} \u00d7 ${plain(local)}`, `= ${plain(gradient)}`];
  const half = 4.2 * Math.max(9, ...lines.map((line) => line.length)) + 6;
  const now = state.now === node;
  const looks = { fill: INK.zero, stroke: "none", "font-size": 15, "font-weight": now ? 700 : 500 };
  return makeSvg("g", {},
    box([x, y], [half, 20], { fill: now ? INK.zeroTint : INK.paper, stroke: INK.zero, "stroke-width": now ? 2.5 : 1.2, "stroke-dasharray": "5 3" }),
    text(x, y - 4, lines[0], looks), text(x, y + 14, lines[1], looks));
}

function inputWords(name, found, state) {
  const parts = found.back.edges.filter(({ node, source }) => source === name && state.passed.has(node)).map(({ gradient }) => plain(gradient));
  if (!parts.length) return "";
  if (name !== "w1") return `d${name} = ${parts[0]}`;
  if (state.done) return `dw1 = ${plain(found.back.gradients.w1)}`;
  return parts.length === 1 ? `${parts[0]} + \u2026` : parts.join(" + ");
}

function drawInput(name, found, state) {
  const [x, y] = PLACES[name];
  const words = inputWords(name, found, state);
  const now = name === "w1" && state.now === "sum";
  return makeSvg("g", {},
    box([x, y], size(name), { fill: now ? INK.zeroTint : INK.oneTint, stroke: now ? INK.zero : INK.one, "stroke-width": now ? 3.5 : 1.8 }),
    text(x, words ? y - 6 : y + 6, `${NAMES[name]} = ${plain(found.v[name])}`, { stroke: "none", "font-weight": 600 }),
    words && text(x, y + 16, words, { stroke: "none", fill: INK.zero, "font-size": words.length > 13 ? 13 : 15, "font-weight": 700 }));
}

function drawNode(name, found, state) {
  const [x, y] = PLACES[name];
  const reached = state.values.has(name);
  const now = state.now === name;
  const looks = { fill: reached ? INK.paper : "#eef1f4", stroke: reached ? INK.dark : "#8d96a3", "stroke-width": now ? 4 : 2 };
  const shape = name === "r" ? box([x, y], size(name), looks) : makeSvg("circle", { cx: x, cy: y, r: size(name)[0], ...looks });
  const words = reached ? `${name} = ${plain(found.v[name])}` : name;
  const [left, base, anchor] = VALUES[name];
  return makeSvg("g", {}, shape,
    text(x, y + (name === "r" ? 6 : 8), SIGNS[name], { stroke: "none", "font-size": name === "r" ? 16 : 24, "font-weight": 600 }),
    text(left, base, words, { "text-anchor": anchor, "font-weight": reached ? 600 : 400, fill: reached ? INK.dark : INK.muted }));
}

// The way out of f, where the backward pass starts with 1.
function drawEnd(state) {
  const [x, y] = PLACES.f;
  const [near, far] = [[x, y + 23], [x, y + 66]];
  if (!state.started) return arrow(near, far, { colour: "#8d96a3", width: 2 });
  const now = state.now === "start";
  return makeSvg("g", {}, arrow(far, near, { colour: INK.zero, width: now ? 4 : 2, dash: "7 4" }),
    text(x + 12, y + 56, "df/df = 1", { "text-anchor": "start", fill: INK.zero, "font-size": 15, "font-weight": now ? 700 : 500 }));
}

export class GraphPicture {
  constructor() {
    this.svg = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "look-svg", style: "margin-top: 14px" });
  }

  draw(found, step) {
    const state = known(Math.min(step, LAST));
    this.svg.replaceChildren(...[
      ...found.back.edges.map((edge) => drawEdge(edge, state)), drawEnd(state),
      ...["p", "q", "z", "r", "f"].map((name) => drawNode(name, found, state)),
      ...["x1", "x2", "w1", "w3", "b"].map((name) => drawInput(name, found, state)),
      ...found.back.edges.map((edge) => drawTag(edge, state)),
    ].filter(Boolean));
  }
}
