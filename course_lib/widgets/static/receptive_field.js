// Which input cells one output cell sees through layers of windows, and over how many paths.
import { fill, make, openFrame, prediction, publisher, slider } from "./kit.js";
import { layerTable } from "./layer_table.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, pictureOf } from "./panel.js";
import { pathsTo, rowsOf } from "./reach.js";
import { barKey, cellUnder, drawReach, seenKey } from "./reach_picture.js";

const MOST = 6;
const RANGES = { kernel: [1, 7], stride: [1, 4] };
const ASKED = [[3, 1], [3, 1]];
const ANSWER = "5";

const TEXT = {
  title: "What one output cell sees",
  question: "Two layers, each with a kernel of 3 and stride 1. How many input cells in a row does one cell of the second layer see?",
  options: [["3", "3"], ["5", "5"], ["6", "6"], ["9", "9"]],
  wait: "Choose, and the layers wake up.",
  guess: "Noted. Leave two layers with kernel 3 and stride 1, and count.",
  right: "You said {guess}: right.", wrong: "You said {guess}; it is 5.",
  why: "Neighbouring windows overlap: with stride 1 each further window adds one cell.",
  cell: "output cell",
  head: "Input at the bottom, last layer on top",
  big: "It sees {seen} of {size} cells", bigNone: "Layer {layer} does not fit",
  detail: "Cells {first} to {last}{gaps}, counted from 0; in an image {seen} \u00d7 {seen} pixels. {step}At most {most} {paths} here from one cell, {edge} from the first.",
  gaps: " with gaps", step: "Neighbouring output cells start {jump} {cells} apart. ",
  none: "It gets {given} {cells}, and its kernel needs {kernel}. Remove a layer, or choose a smaller kernel or stride.",
  goals: [
    "See exactly 7 cells, as one kernel of 7 does, with kernels of 3 and stride 1 only.",
    "See 15 cells or more with three layers and no kernel above 3.",
  ],
  done: [
    "Three layers see as far as one kernel of 7. In an image they need 3 \u00b7 9 = 27 weights instead of 49, from one channel to one channel.",
    "{seen} cells. After a stride, every later layer reaches further.",
  ],
  legend: ["seen", "not seen", "paths to the chosen cell"],
  words: { layer: "layer", input: "input", paths: "paths" },
  picture: "Rows of cells: {counts}, from the input up. Output cell {cell} sees input cells {first} to {last}, {seen} in all.",
};

export const reaching = { rowsOf, pathsTo };

// What the chosen cell of the last row that fits sees.
function measured({ size, layers, cell }) {
  const rows = rowsOf(size, layers);
  const used = layers.slice(0, rows.length - 1);
  const top = rows[rows.length - 1];
  const chosen = Math.min(cell, top.length - 1);
  const paths = pathsTo(chosen, used);
  const places = [...paths[0].keys()].sort((a, b) => a - b);
  const beside = chosen + 1 < top.length ? chosen + 1 : chosen - 1;
  const apart = beside < 0 ? null : Math.abs(Math.min(...pathsTo(beside, used)[0].keys()) - places[0]);
  return { rows, used, top, chosen, paths, places, apart, fits: used.length === layers.length };
}

function plural(count, one) {
  return count === 1 ? one : `${one}s`;
}

function wording(state, found) {
  const [first, last] = [found.places[0], found.places[found.places.length - 1]];
  const times = [...found.paths[0].values()];
  const most = Math.max(...times);
  const step = found.apart === null ? "" : fill(TEXT.step, { jump: found.apart, cells: plural(found.apart, "cell") });
  return {
    size: state.size, cell: found.chosen, first, last, seen: found.places.length, most, paths: most === 1 ? "path leads" : "paths lead", edge: found.paths[0].get(first), step,
    gaps: last - first + 1 > found.places.length ? TEXT.gaps : "",
    counts: found.rows.map((row) => row.length).join(", "),
  };
}

function misfit(state, { used, top }) {
  return { layer: used.length + 1, given: top.length, cells: plural(top.length, "cell"), kernel: state.layers[used.length][0] };
}

function buildPage(frame, state, act, reached) {
  const parts = { canvas: pictureOf(400), marks: milestones(TEXT.goals, reached) };
  parts.canvas.classList.add("look-aim");
  parts.canvas.addEventListener("pointerdown", act.pick);
  parts.table = layerTable(frame, { most: MOST, ranges: RANGES, changed: act.layers });
  parts.cell = slider({ labelHtml: TEXT.cell, min: 0, max: state.size - 1, step: 1, value: state.cell, format: String, onInput: frame.guard((v) => act.cell(v)) });
  for (const name of ["big", "detail"]) parts[name] = make("p", { class: `look-${name} look-steady` });
  const keys = [seenKey(true), seenKey(false), barKey()].map((key, k) => [key, TEXT.legend[k]]);
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.head }), parts.canvas, keyList(...keys));
  frame.side.append(parts.cell.row, parts.table.box, parts.big, parts.detail);
  frame.root.append(make("div", { class: "look-pair look-apart" }, ...parts.marks.boxes));
  return parts;
}

// The slider ends at the last cell of the top row, which changes with the layers.
function showCell(control, cell, last) {
  control.input.max = last;
  control.set(cell);
  control.input.style.setProperty("--part", `${last ? (100 * cell) / last : 0}%`);
}

function render({ model, el }) {
  const read = () => ({ size: model.get("size"), layers: model.get("layers"), cell: model.get("cell") });
  const state = read();
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "5.8em");
  frame.root.style.setProperty("--value", "2em");
  const { publish, listen, close } = publisher(model);
  const act = {
    cell: (cell) => { state.cell = cell; moved(); },
    layers: (layers) => { state.layers = layers; moved(); },
    pick: frame.guard((event) => { if (!frame.side.disabled) act.cell(cellUnder(parts.canvas, event, { size: state.size, top: measured(state).top })); }),
  };
  const parts = buildPage(frame, state, act, [model.get("goal_reached"), model.get("second_reached")]);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      show();
    },
  });

  function show() {
    const found = measured(state);
    const values = wording(state, found);
    const asleep = frame.side.disabled;
    state.cell = found.chosen;
    drawReach(parts.canvas, { rows: found.rows, paths: asleep ? null : found.paths, layers: found.used, words: TEXT.words });
    showCell(parts.cell, found.chosen, found.top.length - 1);
    parts.table.show(state.layers, found.rows.map((row) => row.length));
    parts.big.textContent = asleep ? "" : found.fits ? fill(TEXT.big, values) : fill(TEXT.bigNone, misfit(state, found));
    parts.detail.textContent = asleep ? "" : found.fits ? fill(TEXT.detail, values) : fill(TEXT.none, misfit(state, found));
    parts.canvas.setAttribute("aria-label", asleep ? TEXT.wait : fill(TEXT.picture, values));
    Object.assign(frame.root.dataset, asleep ? {} : { first: values.first, last: values.last, seen: values.seen, fits: found.fits });
    return { found, values };
  }

  function judge({ found, values }) {
    if (!found.fits) return "";
    const { layers } = state;
    const guess = model.get("prediction");
    if (JSON.stringify(layers) === JSON.stringify(ASKED)) asked.verdict.textContent = `${fill(guess === ANSWER ? TEXT.right : TEXT.wrong, { guess })} ${TEXT.why}`;
    const met = [
      layers.every(([kernel, stride]) => kernel === 3 && stride === 1) && values.seen === 7,
      layers.length === 3 && layers.every(([kernel]) => kernel <= 3) && values.seen >= 15,
    ];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const shown = show();
    const { first, last, seen } = shown.found.fits ? shown.values : { first: null, last: null, seen: null };
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge(shown));
    publish({ layers: state.layers, cell: state.cell, first, last, seen, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1] });
  }

  listen(["layers", "cell"], frame.guard(() => { Object.assign(state, read()); show(); }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(parts.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
