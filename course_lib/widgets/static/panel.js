// A panel with two axes on a canvas, and a legend whose keys are drawn like the lines they name.
import { INK, make, makeSvg } from "./kit.js";
import { label } from "./drawing.js";

// An axis is {low, high, ticks: [[value, text], ...], name} and, for a log scale, log: true.
function share(axis, value) {
  const place = axis.log ? Math.log10 : (v) => v;
  return (place(value) - place(axis.low)) / (place(axis.high) - place(axis.low));
}

export class Panel {
  constructor(pen, box, x, y) {
    Object.assign(this, { pen, box, axes: { x, y } });
  }

  x(value) { return this.box.left + this.box.width * share(this.axes.x, value); }

  y(value) { return this.box.top + this.box.height * (1 - share(this.axes.y, value)); }

  // The grid first, what `draw` adds inside the frame next, the frame and the words last.
  paint(draw) {
    const { pen, box } = this;
    this.grid();
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, box.width, box.height);
    pen.clip();
    draw();
    pen.restore();
    pen.setLineDash([]);
    pen.lineWidth = 1.2;
    pen.strokeStyle = INK.muted;
    pen.strokeRect(box.left, box.top, box.width, box.height);
    this.words();
  }

  grid() {
    const { axes, box } = this;
    const line = (from, to) => this.path([from, to], { colour: "#e1e5ea", width: 1 });
    for (const [value] of axes.x.ticks) line([this.x(value), box.top], [this.x(value), box.top + box.height]);
    for (const [value] of axes.y.ticks) line([box.left, this.y(value)], [box.left + box.width, this.y(value)]);
  }

  words() {
    const { pen, axes, box } = this;
    const bottom = box.top + box.height;
    for (const [value, text] of axes.x.ticks) label(pen, text, this.x(value), bottom + 15, { colour: INK.muted });
    for (const [value, text] of axes.y.ticks) label(pen, text, box.left - 8, this.y(value), { align: "right", colour: INK.muted });
    if (axes.x.name) label(pen, axes.x.name, box.left + box.width / 2, bottom + 36, { weight: 600 });
    pen.save();
    pen.translate(13, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    label(pen, axes.y.name, 0, 0, { weight: 600 });
    pen.restore();
  }

  path(places, { colour = INK.dark, width = 2, dash = [] } = {}) {
    const { pen } = this;
    pen.beginPath();
    places.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.setLineDash(dash);
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.strokeStyle = colour;
    pen.stroke();
    pen.setLineDash([]);
  }

  curve(points, look) { this.path(points.map(([x, y]) => [this.x(x), this.y(y)]), look); }

  across(value, look) { this.path([[this.box.left, this.y(value)], [this.box.left + this.box.width, this.y(value)]], look); }

  upright(value, look) { this.path([[this.x(value), this.box.top], [this.x(value), this.box.top + this.box.height]], look); }

  spot(x, y, shape = "disc", { fill = INK.paper, colour = INK.dark, size = 7 } = {}) {
    const { pen } = this;
    const [left, top] = [this.x(x), this.y(y)];
    pen.beginPath();
    if (shape === "disc") pen.arc(left, top, size, 0, 2 * Math.PI);
    else pen.rect(left - size, top - size, 2 * size, 2 * size);
    pen.fillStyle = fill;
    pen.fill();
    pen.lineWidth = 2.5;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}

// Keys of a legend: a line as it is drawn, or a small shape.
export function lineKey({ colour, width, dash = [] }) {
  const line = makeSvg("line", { x1: 0, y1: 8, x2: 30, y2: 8, stroke: colour, "stroke-width": width, "stroke-dasharray": dash.join(" ") || null });
  return makeSvg("svg", { width: 30, height: 16, "aria-hidden": "true" }, line);
}

export function spotKey(shape, { fill = INK.paper, colour = INK.dark } = {}) {
  const looks = { fill, stroke: colour, "stroke-width": 2.5 };
  const node = shape === "disc" ? makeSvg("circle", { cx: 9, cy: 8, r: 6, ...looks }) : makeSvg("rect", { x: 3, y: 2, width: 12, height: 12, ...looks });
  return makeSvg("svg", { width: 18, height: 16, "aria-hidden": "true" }, node);
}

export function regionKey() {
  return make("span", { class: "look-key look-key-region", "aria-hidden": "true" });
}

export function keyList(...items) {
  return make("ul", { class: "look-legend" }, ...items.map(([key, text]) => make("li", {}, key, text)));
}

// A canvas of a given height that says "img" to screen readers.
export function pictureOf(height) {
  return make("canvas", { class: "look-chart", role: "img", style: `height: ${height}px` });
}
