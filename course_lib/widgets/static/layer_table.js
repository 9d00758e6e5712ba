// A table of layers, each with a kernel and a stride to choose; layers are added at the end and taken out anywhere.
import { button, fill, make } from "./kit.js";

const LAYER_TEXT = {
  caption: "Layers, from the input on", heads: ["layer", "kernel", "stride", "cells", ""],
  kernel: "kernel of layer {k}", stride: "stride of layer {k}", remove: "Remove", removeName: "Remove layer {k}", add: "Add a layer", none: "\u2013",
};

function numberChoice(name, [low, high], onChange) {
  const select = make("select", { "aria-label": name, onchange: () => onChange(Number(select.value)) });
  for (let k = low; k <= high; k += 1) select.append(make("option", { value: k, text: String(k) }));
  return select;
}

// All rows are there from the start and hidden as needed, so that a change never takes the focus away.
export function layerTable(frame, { most, ranges, changed }) {
  let layers = [];
  const tell = frame.guard((next) => changed(next));
  const put = (row, column, value) => tell(layers.map((layer, k) => (k === row ? layer.map((v, c) => (c === column ? value : v)) : layer)));
  const remove = (row) => {
    tell(layers.filter((_, k) => k !== row));
    if (row >= layers.length) add.focus();
  };
  const add = button(LAYER_TEXT.add, () => { if (layers.length < most) tell([...layers, [3, 1]]); });
  const rows = Array.from({ length: most }, (_, k) => {
    const names = Object.fromEntries(["kernel", "stride", "removeName"].map((key) => [key, fill(LAYER_TEXT[key], { k: k + 1 })]));
    const selects = ["kernel", "stride"].map((key, column) => numberChoice(names[key], ranges[key], (value) => put(k, column, value)));
    const out = button(LAYER_TEXT.remove, () => remove(k));
    out.setAttribute("aria-label", names.removeName);
    const cells = make("td");
    const row = make("tr", {}, make("th", { scope: "row", text: String(k + 1) }), ...selects.map((node) => make("td", {}, node)), cells, make("td", {}, out));
    return { row, selects, cells };
  });
  const head = make("tr", {}, ...LAYER_TEXT.heads.map((text) => make(text ? "th" : "td", { text, scope: text ? "col" : null })));
  const table = make("table", { class: "look-table" }, make("caption", { text: LAYER_TEXT.caption }), make("thead", {}, head), make("tbody", {}, ...rows.map(({ row }) => row)));
  // `counts` holds the cells of each row that fits, the input's first.
  const show = (next, counts) => {
    layers = next;
    rows.forEach(({ row, selects, cells }, k) => {
      row.hidden = k >= layers.length;
      if (row.hidden) return;
      selects.forEach((select, column) => { select.value = layers[k][column]; });
      cells.textContent = k + 1 < counts.length ? counts[k + 1] : LAYER_TEXT.none;
    });
    add.setAttribute("aria-disabled", layers.length >= most);
  };
  return { box: make("div", {}, table, make("div", { class: "look-buttons look-apart" }, add)), show };
}
