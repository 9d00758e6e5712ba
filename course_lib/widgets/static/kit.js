// What the look widgets share: elements, controls, the prediction, goals, and a place for errors.
// No imports from outside and no build step: Python joins these files into one module.

export const INK = {
  dark: "#1b1f24", muted: "#565d66", line: "#c9ced6", paper: "#ffffff",
  one: "#0b4f8a", oneTint: "#dbe9f5", zero: "#8a4300", zeroTint: "#fdf1df", alert: "#b3261e",
};

const KIT_TEXT = {
  predict: "Predict first",
  goal: "Goal",
  open: "not yet",
  reached: "reached",
  broken: "This picture stopped: {reason}. Run the cell again; if it stops again, tell your instructor this sentence.",
};

let serial = 0;
const page = Math.random().toString(36).slice(2, 8);

export function uid(stem) {
  serial += 1;
  return `look-${page}-${stem}-${serial}`;
}

export function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// A true minus sign keeps columns of numbers aligned and is read as "minus".
export function number(value, digits = 2) {
  const text = value.toFixed(digits);
  return Number(text) < 0 ? text.replace("-", "\u2212") : text.replace("-", "");
}

// For logarithmic sliders: a step changes the third digit at the latest, so each is read out.
export function threeDigits(value) {
  return String(Number(value.toPrecision(3)));
}

// The number 1 - 10^-v for sliders that close in on 1: three digits of its distance from 1, nine in all.
export function nearOne(v) {
  return String(Number((1 - 10 ** -v).toFixed(3 + Math.floor(Math.min(v, 6)))));
}

function setProperty(node, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "text") node.textContent = value;
  else if (name === "html") node.innerHTML = value; // only for our own constant formulas, never for data
  else node.setAttribute(name, value === true ? "" : value);
}

export function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) setProperty(node, name, value);
  node.append(...children.filter(Boolean));
  return node;
}

export function makeSvg(tag, properties = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) setProperty(node, name, value);
  node.append(...children.filter(Boolean));
  return node;
}

// JupyterLab listens for keys on the document and would take the arrows away from the sliders,
// and "d d" would delete the cell. Combinations with Ctrl, Cmd or Shift+Enter still reach it.
function keepKeys(root) {
  root.addEventListener("keydown", (event) => {
    const forTheLab = event.ctrlKey || event.metaKey || event.key === "Escape";
    if (!forTheLab && !(event.shiftKey && event.key === "Enter")) event.stopPropagation();
  });
}

// The frame of a widget: title, prediction, picture on the left, controls on the right.
export function openFrame(el, title) {
  const titleId = uid("title");
  const root = make("div", { class: "look", role: "group", "aria-labelledby": titleId });
  const live = make("p", { class: "look-live", "aria-live": "polite" });
  const error = make("p", { class: "look-error", role: "alert", hidden: true });
  const top = make("div", { class: "look-top" });
  const picture = make("div", { class: "look-picture" });
  const side = make("fieldset", { class: "look-side" });
  root.append(make("p", { class: "look-title", id: titleId, text: title }), top, error,
    make("div", { class: "look-columns" }, picture, side), live);
  keepKeys(root);
  el.replaceChildren(root);
  const frame = { root, top, picture, side, live, error, announceTimer: 0, news: "" };
  frame.guard = (work) => guarded(frame, work);
  frame.announce = (text, news) => announce(frame, text, news);
  return frame;
}

function guarded(frame, work) {
  return (...values) => {
    try {
      return work(...values);
    } catch (reason) {
      frame.error.textContent = fill(KIT_TEXT.broken, { reason: reason && reason.message ? reason.message : reason });
      frame.error.hidden = false;
      return undefined;
    }
  };
}

// Screen readers get the last sentence once the hand rests, not every step of a drag. News, such as a goal
// reached on the way, waits for that moment too and is never overwritten.
function announce(frame, text, news = "") {
  clearTimeout(frame.announceTimer);
  frame.news = news || frame.news;
  frame.announceTimer = setTimeout(() => {
    frame.live.textContent = frame.news ? `${text}. ${frame.news}` : text;
    frame.news = "";
  }, 350);
}

// labelHtml is one of our own constants, such as "w<sub>1</sub>".
export function slider({ labelHtml, min, max, step, value, format, onInput, onChange }) {
  const id = uid("slider");
  const input = make("input", { type: "range", id, min, max, step, value });
  const output = make("output", { for: id, class: "look-number" });
  const show = () => {
    output.textContent = format(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    const part = (Number(input.value) - min) / (max - min);
    input.style.setProperty("--part", `${100 * part}%`);
  };
  input.addEventListener("input", () => { show(); onInput(Number(input.value)); });
  if (onChange) input.addEventListener("change", () => onChange(Number(input.value)));
  show();
  const row = make("div", { class: "look-slider" }, make("label", { for: id, html: labelHtml }), input, output);
  const set = (next) => { input.value = next; show(); };
  return { row, input, set };
}

export function choice({ label, options, value, onChange }) {
  const id = uid("choice");
  const select = make("select", { id, onchange: () => onChange(select.value) });
  for (const [key, text] of options) select.append(make("option", { value: key, text, selected: key === value }));
  return { row: make("div", { class: "look-choice" }, make("label", { for: id, text: label }), select), select };
}

export function button(text, onclick, kind = "plain") {
  return make("button", { type: "button", class: `look-button look-${kind}`, onclick, text });
}

// Asks before the controls wake up; `answered` runs once with the chosen option.
export function prediction(frame, { question, options, chosen, wait, answered }) {
  const id = uid("question");
  const buttons = options.map(([value, text]) => button(text, frame.guard(() => pick(value)), "option"));
  const verdict = make("p", { class: "look-verdict", text: wait });
  const mark = (value) => buttons.forEach((node, k) => node.setAttribute("aria-pressed", options[k][0] === value));
  const known = options.some(([value]) => value === chosen);
  function pick(value) {
    if (!frame.side.disabled) return;
    frame.side.disabled = false;
    mark(value);
    buttons.forEach((node, k) => { if (options[k][0] !== value) node.setAttribute("aria-disabled", "true"); });
    answered(value, verdict);
  }
  mark(null);
  frame.side.disabled = true;
  const row = make("div", { class: "look-options", role: "group", "aria-labelledby": id }, ...buttons);
  frame.top.append(make("p", { class: "look-tag", text: KIT_TEXT.predict }),
    make("p", { class: "look-question", id, text: question }), row, verdict);
  if (known) pick(chosen);
  return { verdict };
}

export function goal(text) {
  const state = make("span", { class: "look-goal-state", text: KIT_TEXT.open });
  const sentence = make("p", { class: "look-goal-text", text });
  const box = make("div", { class: "look-goal" },
    make("p", { class: "look-tag" }, `${KIT_TEXT.goal}: `, state), sentence);
  const reach = (done) => {
    box.classList.add("look-goal-reached");
    state.textContent = KIT_TEXT.reached;
    sentence.textContent = done;
  };
  return { box, reach };
}

// Python hears of a change when the hand rests, at most a few times a second. `listen` hears what Python (or
// another view) changes; setting a trait here fires the same event, so our own news is left out.
export function publisher(model, told = () => {}) {
  let waiting = 0;
  let ours = false;
  let unsaved = {};
  const saved = {};
  const heard = [];
  const set = (values) => {
    ours = true;
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    ours = false;
  };
  const flush = () => {
    if (!waiting) return;
    clearTimeout(waiting);
    waiting = 0;
    Object.assign(saved, unsaved);
    unsaved = {};
    model.save_changes();
    told();
  };
  const publish = (values) => {
    set(values);
    Object.assign(unsaved, values);
    clearTimeout(waiting);
    waiting = setTimeout(flush, 150);
  };
  // The kernel sends back what it was told. From a busy one that comes late, when the hand has moved on: it must not move back.
  const isEcho = (name) => name in unsaved && name in saved && JSON.stringify(model.get(name)) === JSON.stringify(saved[name]);
  const listen = (names, work) => {
    for (const name of names) {
      const handler = () => {
        if (ours) return;
        if (isEcho(name)) set({ [name]: unsaved[name] });
        else work();
      };
      model.on(`change:${name}`, handler);
      heard.push([`change:${name}`, handler]);
    }
  };
  const close = () => {
    flush();
    heard.forEach(([event, handler]) => model.off(event, handler));
  };
  return { publish, listen, close };
}

// Stands in for the kernel in an exported page.
export function stillModel(state) {
  const nothing = () => {};
  return {
    get: (name) => state[name], set: (name, value) => { state[name] = value; }, save_changes: nothing, on: nothing, off: nothing,
  };
}
