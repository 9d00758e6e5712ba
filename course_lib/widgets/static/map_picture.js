// Networks as discs over a log axis: the place is two figures, the area of the disc the third. Names avoid each other.
import { INK } from "./kit.js";
import { label, sizeCanvas } from "./drawing.js";
import { linearTicks, short } from "./line_chart.js";
import { Panel } from "./panel.js";

const LARGEST = 26;
const SMALLEST = 3;

// 1, 2 and 5 times the powers of ten within the axis, thinned where there is little room.
function roundTicks(low, high, text, wanted) {
  for (const marks of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k += 1) {
      for (const mark of marks) if (mark * 10 ** k >= low && mark * 10 ** k <= high) ticks.push(mark * 10 ** k);
    }
    if (ticks.length <= wanted || marks.length === 1) return ticks.map((value) => [value, text(value)]);
  }
  return [];
}

const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

export class MapPicture {
  constructor(canvas, rows) {
    Object.assign(this, { canvas, rows, discs: [] });
  }

  // `names` are those of the axes, `text` writes a figure of the x-axis, `guides` are dashed lines with a word.
  draw({ x, third, chosen, names, text, guides }) {
    const { pen, width, height } = sizeCanvas(this.canvas);
    pen.fillStyle = INK.paper;
    pen.fillRect(0, 0, width, height);
    const sizes = this.rows.map((row) => row[x]);
    const marks = this.rows.map((row) => row.accuracy);
    const [low, high] = [Math.min(...sizes) / 2, Math.max(...sizes) * 2.4];
    const gap = Math.max(1, 0.18 * (Math.max(...marks) - Math.min(...marks)));
    const yAxis = { low: Math.min(...marks) - gap, high: Math.max(...marks) + gap, name: names.y };
    yAxis.ticks = linearTicks(yAxis.low, yAxis.high, 5).map((value) => [value, short(value)]);
    const box = { left: 58, top: 10, width: width - 58 - 24, height: height - 10 - 46 };
    const panel = new Panel(pen, box, { low, high, log: true, ticks: roundTicks(low, high, text, box.width / 62), name: names.x }, yAxis);
    const most = Math.max(...this.rows.map((row) => row[third]));
    this.discs = this.rows.map((row) => ({ row, left: panel.x(row[x]), top: panel.y(row.accuracy), size: Math.max(SMALLEST, LARGEST * Math.sqrt(row[third] / most)) }));
    panel.paint(() => {
      for (const { value, along } of guides) panel[along](value, { colour: INK.muted, width: 1.5, dash: [4, 4] });
      [...this.discs].sort((a, b) => b.size - a.size).forEach((disc) => this.disc(pen, disc, disc.row.name === chosen));
    });
    this.names(pen, box, chosen);
    for (const { value, along, word } of guides) {
      if (along === "upright") label(pen, word, panel.x(value) + 6, box.top + box.height - 12, { align: "left", colour: INK.muted, size: 13 });
      else label(pen, word, box.left + box.width - 6, panel.y(value) + 12, { align: "right", colour: INK.muted, size: 13 });
    }
  }

  disc(pen, { left, top, size }, held) {
    pen.beginPath();
    pen.arc(left, top, size, 0, 2 * Math.PI);
    pen.fillStyle = held ? INK.one : "rgba(143, 179, 211, 0.55)";
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = INK.one;
    pen.stroke();
    if (!held) return;
    pen.beginPath();
    pen.arc(left, top, size + 5, 0, 2 * Math.PI);
    pen.lineWidth = 3;
    pen.strokeStyle = INK.dark;
    pen.stroke();
  }

  // The chosen name first; a name that finds no free place is left out, the text beside the picture has it.
  names(pen, box, chosen) {
    const taken = this.discs.map(({ left, top, size }) => ({ left: left - 0.7 * size, right: left + 0.7 * size, top: top - 0.7 * size, bottom: top + 0.7 * size }));
    const order = [...this.discs].sort((a, b) => (b.row.name === chosen) - (a.row.name === chosen));
    for (const { row, left, top, size } of order) {
      const held = row.name === chosen;
      pen.font = `${held ? 650 : 400} 13px system-ui, sans-serif`;
      const width = pen.measureText(row.name).width;
      const away = size + (held ? 10 : 5);
      const places = [[left + away, top], [left - away - width, top], [left - width / 2, top - away - 7], [left - width / 2, top + away + 8]]
        .map(([x, y]) => ({ left: x, right: x + width, top: y - 8, bottom: y + 8, y }));
      const inside = (place) => place.left > box.left + 2 && place.right < box.left + box.width - 2 && place.top > box.top && place.bottom < box.top + box.height;
      const free = places.find((place) => inside(place) && !taken.some((other) => overlap(place, other))) || (held ? places.find(inside) : null);
      if (!free) continue;
      taken.push(free);
      label(pen, row.name, free.left, free.y, { align: "left", size: 13, weight: held ? 650 : 400 });
    }
  }

  // The disc under the pointer, or the nearest one within reach of a finger.
  rowAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const away = ({ left, top, size }) => Math.max(0, Math.hypot(left - x, top - y) - size) + size / 100;
    const nearest = [...this.discs].sort((a, b) => away(a) - away(b))[0];
    return nearest && away(nearest) < 22 ? nearest.row : null;
  }
}
