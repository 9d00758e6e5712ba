// Nine entries to edit, and the image they filter: what stands under the window, and what comes out.
import { INK, choice, fill, make, openFrame, prediction, publisher, slider } from "./kit.js";
import { hatch, sizeCanvas } from "./drawing.js";
import { filtered, greyScale, isZero, movesLeft, onlyUpright, pictureFrom, rangeOf, sums } from "./filtering.js";
import { milestones, spoken } from "./milestones.js";

const LIMIT = 9;
const PRESETS = {
  copy: [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
  blur: [[1, 1, 1], [1, 1, 1], [1, 1, 1]].map((row) => row.map((v) => v / 9)),
  edge: [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
  sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
};

const TEXT = {
  title: "A kernel over an image",
  question: "The nine entries of a kernel add up to 0. What comes out where all pixels of the image are alike?",
  options: [["zero", "0"], ["same", "the same grey"], ["grey", "it depends on the grey"]],
  wait: "Choose, and the kernel wakes up.",
  guess: "Noted. Choose the kernel All edges, or edit the entries until they add up to 0.",
  right: "You said 0: right.", wrong: "It is 0.",
  why: "Where all nine pixels are alike, the output is their grey times the sum of the entries.",
  preset: "Start from a kernel",
  presets: [["copy", "Copy"], ["blur", "Blur"], ["edge", "All edges"], ["sharpen", "Sharpen"], ["own", "My own"]],
  kernel: "Kernel", entry: "row {row}, column {column}", chosen: "entry",
  row: "row", column: "column",
  place: "Window, by its top left corner",
  image: "Image, {height} \u00d7 {width}", output: "Output, {rows} \u00d7 {columns}",
  imageScale: "black {low}, white {high}",
  scales: {
    middle: "black {low}, middle grey 0, white {high}", whole: "black {low}, white {high}: its lowest and highest",
    image: "black {low}, white {high}, as in the image",
  },
  border: "Without padding one pixel is lost on each side: the hatched border.",
  beyond: "; {beyond} pixels lie beyond",
  under: "Under the window: pixel \u00d7 entry",
  big: "Output here: {value}",
  detail: "The nine products add up to {value}. The whole output lies between {lowest} and {highest}. The nine entries add up to {sum}.",
  goals: [
    "Move the picture one pixel to the left, and change nothing else.",
    "Find edges that run from top to bottom. Plain areas and edges that run from left to right must give exactly 0.",
  ],
  done: [
    "The only 1 stands to the right of the middle: every output pixel takes what lies on its right. The kernel is not flipped.",
    "Each row adds up to 0, so what is alike from left to right gives 0. The columns add up to {columns}: they compare left with right.",
  ],
  imagePicture: "The image, {height} by {width} pixels. The window lies at row {row}, column {column}.",
  outputPicture: "The filtered image, {rows} by {columns} pixels, from {lowest} to {highest}. At row {row}, column {column} it is {value}.",
};

export const filtering = { filtered, greyScale, movesLeft, onlyUpright, pictureFrom, sums };

function written(value) {
  const rounded = Number(value.toPrecision(3));
  return isZero(value) ? "0" : String(rounded).replace("-", "\u2212");
}

function sameKernel(a, b) {
  return a.flat().every((entry, k) => isZero(entry - b.flat()[k]));
}

// The picture in greys, then the window. The output keeps its place: one pixel is lost on each side.
function drawGreys(canvas, picture, { scale, whole, marked }) {
  const { pen, width } = sizeCanvas(canvas);
  const side = width / whole.width;
  const edge = (whole.width - picture.width) / 2;
  const still = make("canvas", { width: picture.width, height: picture.height });
  const small = still.getContext("2d");
  const data = small.createImageData(picture.width, picture.height);
  picture.values.forEach((value, k) => {
    const grey = 255 * Math.max(0, Math.min(1, (value - scale.low) / (scale.high - scale.low || 1)));
    data.data.set([grey, grey, grey, 255], 4 * k);
  });
  small.putImageData(data, 0, 0);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, side * whole.height);
  if (edge) {
    pen.fillStyle = hatch(pen);
    pen.fillRect(0, 0, width, side * whole.height);
  }
  pen.imageSmoothingEnabled = false;
  pen.drawImage(still, side * edge, side * edge, side * picture.width, side * picture.height);
  outline(pen, marked.map((v) => v * side));
}

// Two lines around a place, so that it shows on black, on white and on grey; the place itself stays free.
function outline(pen, [left, top, width, height]) {
  for (const [colour, line, out] of [[INK.dark, 5, 2.5], [INK.paper, 2, 2.5]]) {
    Object.assign(pen, { strokeStyle: colour, lineWidth: line });
    pen.strokeRect(left - out, top - out, width + 2 * out, height + 2 * out);
  }
}

function greyCanvas(image, pick) {
  const canvas = make("canvas", { class: "look-pixels look-aim", role: "img", style: `aspect-ratio: ${image.width} / ${image.height}` });
  canvas.addEventListener("pointerdown", (event) => {
    const box = canvas.getBoundingClientRect();
    const at = (part, cells) => Math.floor(part * cells) - 1;
    pick(at((event.clientY - box.top) / box.height, image.height), at((event.clientX - box.left) / box.width, image.width));
  });
  return canvas;
}

function pictureBox(canvas) {
  const [head, scale] = ["look-tag", "look-why look-steady"].map((name) => make("p", { class: name }));
  return { box: make("div", {}, head, canvas, scale), canvas, head, scale };
}

// Nine fields; whoever enters one chooses it for the slider.
function kernelFields(frame, act) {
  return [0, 1, 2, 3, 4, 5, 6, 7, 8].map((k) => {
    const name = fill(TEXT.entry, { row: Math.floor(k / 3) + 1, column: (k % 3) + 1 });
    const field = make("input", { type: "number", class: "look-entry", min: -LIMIT, max: LIMIT, step: "any", "aria-label": name });
    field.addEventListener("focus", frame.guard(() => act.choose(k)));
    field.addEventListener("input", frame.guard(() => {
      const good = field.value.trim() !== "" && field.validity.valid;
      field.setAttribute("aria-invalid", !good);
      if (good) act.edit(k, Number(field.value));
    }));
    field.addEventListener("change", frame.guard(() => act.tidy()));
    field.addEventListener("keydown", frame.guard((event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      act.by(k, way);
    }));
    return field;
  });
}

function productTable() {
  const cells = Array.from({ length: 9 }, () => make("td"));
  const rows = [0, 3, 6].map((k) => make("tr", {}, ...cells.slice(k, k + 3)));
  return { cells, table: make("table", { class: "look-table look-products" }, make("caption", { text: TEXT.under }), make("tbody", {}, ...rows)) };
}

function buildPage(frame, state, act, reached) {
  const { image } = state;
  const [shown, output] = [greyCanvas(image, act.pick), greyCanvas(image, act.pick)].map(pictureBox);
  const parts = { image: shown, output, products: productTable(), marks: milestones(TEXT.goals, reached) };
  parts.preset = choice({ label: TEXT.preset, options: TEXT.presets, value: "own", onChange: frame.guard(act.preset) });
  parts.fields = kernelFields(frame, act);
  const name = make("p", { class: "look-tag", text: TEXT.kernel });
  const grid = make("div", { class: "look-kernel", role: "group", "aria-label": TEXT.kernel }, ...parts.fields);
  const entry = () => written(state.kernel[Math.floor(state.chosen / 3)][state.chosen % 3]);
  parts.entry = slider({ labelHtml: TEXT.chosen, min: -LIMIT, max: LIMIT, step: 0.25, value: 0, format: entry, onInput: frame.guard((v) => act.edit(state.chosen, v)) });
  const place = (key, last) => slider({ labelHtml: TEXT[key], min: 0, max: last, step: 1, value: state[key], format: String, onInput: frame.guard((v) => act.move({ [key]: v })) });
  parts.row = place("row", image.height - 3);
  parts.column = place("column", image.width - 3);
  for (const key of ["big", "detail"]) parts[key] = make("p", { class: `look-${key} look-steady` });
  frame.picture.append(make("div", { class: "look-pair" }, shown.box, output.box), make("p", { class: "look-why", text: TEXT.border }),
    parts.products.table, make("div", { class: "look-start" }, ...parts.marks.boxes));
  frame.side.append(parts.preset.row, make("div", {}, name, grid), parts.entry.row, make("p", { class: "look-tag", text: TEXT.place }), parts.row.row, parts.column.row,
    parts.big, parts.detail);
  return parts;
}

function readState(model) {
  return { image: pictureFrom(model.get("image")), kernel: model.get("kernel").map((row) => [...row]), row: model.get("row"), column: model.get("column") };
}

// Every number a sentence may name, as it is written.
function wording({ image, kernel, row, column }, output, scale) {
  const [found, own] = [rangeOf(output), rangeOf(image)];
  return {
    height: image.height, width: image.width, rows: output.height, columns: output.width, row, column,
    value: written(output.values[row * output.width + column]), lowest: written(found.low), highest: written(found.high), sum: written(sums(kernel).all),
    low: written(scale.low), high: written(scale.high), ownLow: written(own.low), ownHigh: written(own.high), beyond: scale.beyond,
  };
}

function showWords(parts, scale, values) {
  parts.image.head.textContent = fill(TEXT.image, values);
  parts.output.head.textContent = fill(TEXT.output, values);
  parts.image.scale.textContent = fill(TEXT.imageScale, { low: values.ownLow, high: values.ownHigh });
  parts.output.scale.textContent = fill(TEXT.scales[scale.name] + (scale.beyond ? TEXT.beyond : ""), values);
  parts.big.textContent = fill(TEXT.big, values);
  parts.detail.textContent = fill(TEXT.detail, values);
  parts.image.canvas.setAttribute("aria-label", fill(TEXT.imagePicture, values));
  parts.output.canvas.setAttribute("aria-label", fill(TEXT.outputPicture, values));
}

function showProducts(cells, { image, kernel, row, column }) {
  cells.forEach((cell, k) => {
    const [i, j] = [Math.floor(k / 3), k % 3];
    cell.textContent = `${written(image.values[(row + i) * image.width + column + j])} \u00d7 ${written(kernel[i][j])}`;
  });
}

function showKernel(parts, state) {
  const preset = Object.keys(PRESETS).find((name) => sameKernel(PRESETS[name], state.kernel)) || "own";
  parts.preset.select.value = preset;
  parts.fields.forEach((field, k) => {
    const entry = state.kernel[Math.floor(k / 3)][k % 3];
    field.classList.toggle("look-entry-chosen", k === state.chosen);
    const typing = field === document.activeElement && field.value.trim() !== "" && Number(field.value) === entry;
    if (!typing) field.value = Number(entry.toFixed(3));
  });
  parts.entry.set(state.kernel[Math.floor(state.chosen / 3)][state.chosen % 3]);
}

function render({ model, el }) {
  const state = { ...readState(model), chosen: 4 };
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "4.4em");
  const { publish, listen, close } = publisher(model);
  const inside = (value, last) => Math.max(0, Math.min(last, value));
  const act = {
    choose: (k) => { state.chosen = k; showKernel(parts, state); },
    edit: (k, value) => { state.kernel[Math.floor(k / 3)][k % 3] = value; moved(); },
    by: (k, way) => act.edit(k, Math.max(-LIMIT, Math.min(LIMIT, state.kernel[Math.floor(k / 3)][k % 3] + way))),
    tidy: () => { parts.fields.forEach((field) => field.removeAttribute("aria-invalid")); showKernel(parts, state); },
    preset: (name) => { if (PRESETS[name]) state.kernel = PRESETS[name].map((row) => [...row]); moved(); },
    move: (change) => { Object.assign(state, change); moved(); },
    pick: frame.guard((row, column) => {
      if (!frame.side.disabled) act.move({ row: inside(row, state.image.height - 3), column: inside(column, state.image.width - 3) });
    }),
  };
  const parts = buildPage(frame, state, act, [model.get("goal_reached"), model.get("second_reached")]);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
    },
  });

  function show() {
    const { image, kernel, row, column } = state;
    const output = filtered(image, kernel);
    const scale = greyScale(output, image, kernel);
    const values = wording(state, output, scale);
    drawGreys(parts.image.canvas, image, { scale: rangeOf(image), whole: image, marked: [column, row, 3, 3] });
    drawGreys(parts.output.canvas, output, { scale, whole: image, marked: [column + 1, row + 1, 1, 1] });
    showKernel(parts, state);
    showProducts(parts.products.cells, state);
    showWords(parts, scale, values);
    parts.row.set(row);
    parts.column.set(column);
    const found = { value: output.values[row * output.width + column], ...rangeOf(output) };
    Object.assign(frame.root.dataset, { ...found, scale: scale.name });
    return { found, values };
  }

  function judge() {
    const { all, columns } = sums(state.kernel);
    const empty = state.kernel.flat().every(isZero);
    if (isZero(all) && !empty) asked.verdict.textContent = `${model.get("prediction") === "zero" ? TEXT.right : TEXT.wrong} ${TEXT.why}`;
    const met = [movesLeft(state.kernel), onlyUpright(state.kernel)];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], { columns: columns.map(written).join(", ") }) : "")));
  }

  function moved() {
    const { found } = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge());
    publish({
      kernel: state.kernel.map((row) => [...row]), row: state.row, column: state.column, ...found,
      goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["image", "kernel", "row", "column"], frame.guard(() => { Object.assign(state, readState(model)); show(); }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  [parts.image.canvas, parts.output.canvas].forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
