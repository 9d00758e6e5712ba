// Parts of the looks at a text: bars of the classes, the text with its marks, a text field.
import { make, number, uid } from "./kit.js";

export function percent(share, digits = 1) {
  return `${number(100 * share, digits)}\u00a0%`;
}

// One row per class: name, bar, number. A tick can stay where the bar was at the start.
export function classBars(classes) {
  const rows = classes.map((name) => {
    const bar = make("span", { class: "look-bar-fill" });
    const tick = make("span", { class: "look-bar-tick", hidden: true });
    const value = make("span", { class: "look-number" });
    const row = make("li", {}, make("span", { class: "look-bar-name", text: name }), make("span", { class: "look-bar", "aria-hidden": "true" }, bar, tick), value);
    return { row, bar, tick, value };
  });
  const show = (chances, start = null) => rows.forEach(({ row, bar, tick, value }, k) => {
    const asleep = !chances;
    bar.style.width = asleep ? "0" : `${100 * chances[k]}%`;
    value.textContent = asleep ? "?" : percent(chances[k]);
    row.classList.toggle("look-bar-top", !asleep && chances[k] === Math.max(...chances));
    tick.hidden = asleep || !start;
    if (start) tick.style.left = `${100 * start[k]}%`;
  });
  return { box: make("ul", { class: "look-bars" }, ...rows.map(({ row }) => row)), show };
}

// Three strengths of each side. Underlines carry the side without colour: solid for, dashed against.
function markOf(pull, most) {
  const part = Math.abs(pull) / most;
  if (!(part > 0.08)) return "";
  return `look-${pull > 0 ? "for" : "against"}-${part > 0.66 ? 3 : part > 0.33 ? 2 : 1}`;
}

// The text itself: words with a mark by their pull, unknown ones in italics, what is cut off struck through.
export function showText(box, tokens, { pulls = null, known, read = Infinity, outlined = null }) {
  const most = pulls ? Math.max(...pulls.map(Math.abs), 1e-12) : 1;
  const frame = make("span", { class: "look-outlined" });
  box.replaceChildren();
  tokens.forEach(({ word, before }, k) => {
    const classes = ["look-word", known(word) ? "" : "look-unknown", k >= read ? "look-cut" : "", pulls && k < read ? markOf(pulls[k], most) : ""];
    const inside = outlined && k >= outlined.place && k < outlined.place + outlined.width;
    const opens = inside && k === outlined.place;
    const home = inside && !opens ? frame : box;
    home.append(before);
    if (opens) box.append(frame);
    (inside ? frame : box).append(make("span", { class: classes.filter(Boolean).join(" "), text: word }));
  });
}

export function textField({ label, value, rows, onInput, onEnter }) {
  const id = uid("text");
  const field = make(rows ? "textarea" : "input", { id, rows, type: rows ? null : "text", class: "look-text-input", autocomplete: "off", spellcheck: "false" });
  field.value = value;
  if (onInput) field.addEventListener("input", () => onInput(field.value));
  if (onEnter) field.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); onEnter(); } });
  return { row: make("div", { class: "look-choice" }, make("label", { for: id, text: label }), field), field };
}

export function tableOf(caption, heads) {
  const body = make("tbody");
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })));
  const table = make("table", { class: "look-table" }, make("caption", { text: caption }), make("thead", {}, head), body);
  const show = (rows) => body.replaceChildren(...rows.map((cells) => make("tr", {}, ...cells.map((cell, k) => {
    const node = make(k ? "td" : "th", k ? {} : { scope: "row" });
    node.append(cell);
    return node;
  }))));
  return { table, body, show };
}
