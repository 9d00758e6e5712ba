// Drawing on canvas: sharp pixels, the two markers, hatching. Shape and digit carry the class, colour only helps.
import { INK } from "./kit.js";

export function sizeCanvas(canvas) {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width: width / ratio, height: height / ratio };
}

// Class 1: filled square with a white 1. Class 0: white disc with a dark 0. A wrong answer gets a dashed ring.
export function drawMarker(pen, x, y, label, right, size = 14) {
  pen.save();
  pen.lineWidth = 2.5;
  pen.fillStyle = label ? INK.one : INK.paper;
  pen.strokeStyle = label ? INK.paper : INK.dark;
  pen.beginPath();
  if (label) pen.rect(x - size, y - size, 2 * size, 2 * size);
  else pen.arc(x, y, size + 1, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.fillStyle = label ? INK.paper : INK.dark;
  pen.font = `700 ${Math.round(1.25 * size)}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(label ? "1" : "0", x, y + 1);
  if (!right) drawRing(pen, x, y, size + 9);
  pen.restore();
}

function drawRing(pen, x, y, radius) {
  pen.setLineDash([]);
  pen.lineWidth = 6;
  pen.strokeStyle = INK.paper;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
  pen.setLineDash([6, 4]);
  pen.lineWidth = 3;
  pen.strokeStyle = INK.alert;
  pen.stroke();
}

export function label(pen, text, x, y, { align = "center", base = "middle", size = 14, colour = INK.dark, weight = 400 } = {}) {
  pen.save();
  pen.font = `${weight} ${size}px system-ui, sans-serif`;
  pen.textAlign = align;
  pen.textBaseline = base;
  pen.lineJoin = "round";
  pen.lineWidth = 4;
  pen.strokeStyle = "rgba(255,255,255,0.9)";
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
  pen.restore();
}

export function hatch(pen) {
  const tile = document.createElement("canvas");
  tile.width = 10;
  tile.height = 10;
  const ink = tile.getContext("2d");
  ink.fillStyle = INK.oneTint;
  ink.fillRect(0, 0, 10, 10);
  ink.strokeStyle = "#8fb3d3";
  ink.lineWidth = 1.4;
  ink.beginPath();
  for (const shift of [-10, 0, 10]) {
    ink.moveTo(shift - 1, 11);
    ink.lineTo(shift + 11, -1);
  }
  ink.stroke();
  return pen.createPattern(tile, "repeat");
}
