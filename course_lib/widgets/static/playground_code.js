// Settings of the playground as a short code to pass on, such as lr0.3-p0.5-h64-b32-s0 or adam-lr0.01-p0.5-h64-b32-s0.
import { short } from "./line_chart.js";

export const OPTIMISER_NAMES = [["sgd", "SGD"], ["momentum", "Momentum"], ["rmsprop", "RMSProp"], ["adam", "Adam"], ["adamw", "AdamW"]];
export const WIDTHS = [4, 8, 16, 32, 64, 128, 256];
export const BATCHES = [8, 16, 32, 64, 128, 400];
export const RATES = { low: -4, high: 1, gap: 0.05 };
export const SETTINGS = ["optimiser", "lr", "p", "hidden", "batch", "seed"];
const PATTERN = /^(?:(sgd|momentum|rmsprop|adamw?)-)?lr(\d+(?:\.\d+)?)-p(0(?:\.\d+)?)-h(\d+)-b(\d+)-s(\d+)$/;

// The rate at a mark of the slider, which counts in powers of ten.
export function rateAt(mark) {
  return Number((10 ** mark).toPrecision(2));
}

export function markOf(lr) {
  const mark = Math.round(Math.log10(lr) / RATES.gap) * RATES.gap;
  return Number(Math.min(RATES.high, Math.max(RATES.low, mark)).toFixed(2));
}

function nearest(list, value) {
  return list.reduce((best, item) => (Math.abs(item - value) < Math.abs(best - value) ? item : best));
}

// What the sliders can show: every number moves to its nearest mark.
export function settled({ optimiser, lr, p, hidden, batch, seed }) {
  return {
    optimiser, lr: rateAt(markOf(lr)), p: Math.min(0.9, Math.round(20 * p) / 20), hidden: nearest(WIDTHS, hidden),
    batch: nearest(BATCHES, batch), seed: Math.min(99, Math.max(0, Math.round(seed))),
  };
}

export function codeParts({ optimiser, lr, p, hidden, batch, seed }) {
  return [optimiser, `lr${lr}`, `p${p}`, `h${hidden}`, `b${batch}`, `s${seed}`];
}

// A code without an optimiser means SGD: that is how the first codes were written.
export function codeOf(settings) {
  return codeParts(settings).slice(settings.optimiser === "sgd" ? 1 : 0).join("-");
}

// The settings, or null where the text is no code or leaves the ranges.
export function readCode(text) {
  const found = PATTERN.exec(text.trim().toLowerCase());
  if (!found) return null;
  const [lr, p, hidden, batch, seed] = found.slice(2).map(Number);
  const settings = settled({ optimiser: found[1] || "sgd", lr, p, hidden, batch, seed });
  const kept = p <= 0.9 && lr >= 1e-4 && lr <= 10 && hidden >= 4 && hidden <= 256 && batch >= 8 && batch <= 400 && seed <= 99;
  return kept ? settings : null;
}

export function shownRate(mark) {
  return short(rateAt(mark));
}
