// The parts of the playground's page: controls, code, goals, pictures. They know nothing of training.
import { button, choice, make, number, slider, uid } from "./kit.js";
import { milestones } from "./milestones.js";
import { keyList, lineKey, pictureOf } from "./panel.js";
import { BATCHES, OPTIMISER_NAMES, RATES, WIDTHS, markOf, rateAt, readCode, shownRate } from "./playground_code.js";
import { Histograms } from "./playground_histograms.js";
import { LINES, LossCurves, RightCurves } from "./playground_pictures.js";
import { RunTable } from "./playground_runs.js";

const PAGE_TEXT = {
  play: "Play", step: "One epoch", reset: "Reset",
  names: { lr: "learning rate <i>\u03b7</i>", p: "dropout <i>p</i>", hidden: "hidden units", batch: "batch size", seed: "seed" },
  optimiser: "optimiser", whole: "all 400",
  legend: ["validation, this run", "training, this run", "validation, earlier runs"],
  loss: "Loss (cross-entropy)", right: "Digits that are right", inside: "Inside the network (dashed: at the start)",
  goals: [
    "97 % right or more on validation, with dropout above 0.3.",
    "Validation loss below 0.09. (With plain SGD and no dropout the lowest of our 60 runs was 0.10.)",
    "95 % right with only 8 hidden units. (The best of our 36 runs with 4 units had 91 %.)",
    "95 % right within 5 epochs. (Plain SGD, rate 0.32, batches of 32: epoch 10.)",
  ],
  code: "Settings as a code", use: "Use this code", copy: "Copy",
  codeHelp: "Copy it to share your settings, or paste another one and press Enter.",
  codeTaken: "Settings taken.", codeBad: "This is no code of these settings. It looks like lr0.3-p0.5-h64-b32-s0 or adam-lr0.01-p0.5-h64-b32-s0.",
  copied: "Copied.", selected: "The code is selected: copy it with your keyboard.",
};

function controls(frame, settings, change) {
  const listed = (list) => ({ min: 0, max: list.length - 1, step: 1, put: (v) => list.indexOf(v), read: (k) => list[k] });
  const rows = {
    lr: { min: RATES.low, max: RATES.high, step: RATES.gap, put: markOf, read: rateAt, format: shownRate },
    p: { min: 0, max: 0.9, step: 0.05, put: (v) => v, read: (v) => v, format: (v) => number(v) },
    hidden: { ...listed(WIDTHS), format: (k) => String(WIDTHS[k]) },
    batch: { ...listed(BATCHES), format: (k) => (BATCHES[k] === 400 ? PAGE_TEXT.whole : String(BATCHES[k])) },
    seed: { min: 0, max: 99, step: 1, put: (v) => v, read: (v) => v, format: String },
  };
  const optimiser = choice({
    label: PAGE_TEXT.optimiser, options: OPTIMISER_NAMES, value: settings.optimiser, onChange: frame.guard((v) => change({ optimiser: v })),
  });
  const box = make("div", { class: "look-inline-choice" }, optimiser.row);
  const sliders = Object.entries(rows).map(([name, { put, read, ...rest }]) => {
    const item = slider({ labelHtml: PAGE_TEXT.names[name], value: put(settings[name]), onInput: frame.guard((v) => change({ [name]: read(v) })), ...rest });
    return [name, { row: item.row, follow: (value) => item.set(put(value)) }];
  });
  return { optimiser: { row: box, follow: (value) => { optimiser.select.value = value; } }, ...Object.fromEntries(sliders) };
}

function codeField(frame, take) {
  const id = uid("code");
  const said = make("p", { class: "look-why", text: PAGE_TEXT.codeHelp, id: `${id}-said` });
  const input = make("input", { type: "text", id, class: "look-code-input", spellcheck: "false", autocomplete: "off", "aria-describedby": `${id}-said` });
  const say = (text) => {
    said.textContent = text;
    frame.announce(text.replace(/\.$/, ""));
  };
  const enter = frame.guard(() => {
    const settings = readCode(input.value);
    if (settings) take(settings);
    say(settings ? PAGE_TEXT.codeTaken : PAGE_TEXT.codeBad);
    input.setAttribute("aria-invalid", !settings);
  });
  // Pages from a folder may have no clipboard: then the text is selected, and the hand copies it.
  const copy = () => {
    input.select();
    Promise.resolve().then(() => navigator.clipboard.writeText(input.value)).then(() => say(PAGE_TEXT.copied), () => say(PAGE_TEXT.selected));
  };
  input.addEventListener("focus", () => input.select());
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") enter(); });
  const row = make("div", { class: "look-code-row" }, input, button(PAGE_TEXT.copy, copy), button(PAGE_TEXT.use, enter));
  const show = (code) => {
    input.value = code;
    input.setAttribute("aria-invalid", false);
  };
  return { box: make("div", {}, make("label", { for: id, class: "look-tag", text: PAGE_TEXT.code }), row, said), show };
}

function headed(text, ...parts) {
  return make("div", {}, make("p", { class: "look-tag", text }), ...parts);
}

// `act` holds toggle, step, reset, change(part of the settings), take(settings), and what the table of runs asks for.
export function buildPage(frame, settings, act, reached) {
  const canvases = { loss: pictureOf(370), right: pictureOf(250), wrong: pictureOf(72) };
  const page = {
    canvases, sliders: controls(frame, settings, act.change), play: button(PAGE_TEXT.play, act.toggle, "main"),
    big: make("p", { class: "look-big" }), status: make("p", { class: "look-detail look-steady" }), marks: milestones(PAGE_TEXT.goals, reached),
    table: new RunTable(act.table), code: codeField(frame, act.take), wrongHead: make("p", { class: "look-tag" }),
    loss: new LossCurves(canvases.loss), right: new RightCurves(canvases.right), histograms: new Histograms(),
  };
  const keys = [LINES.validation, LINES.training, LINES.past].map((look, k) => [lineKey(look), PAGE_TEXT.legend[k]]);
  frame.picture.append(headed(PAGE_TEXT.loss, canvases.loss), headed(PAGE_TEXT.right, canvases.right), keyList(...keys));
  frame.side.append(make("div", { class: "look-buttons" }, page.play, button(PAGE_TEXT.step, act.step), button(PAGE_TEXT.reset, act.reset)),
    page.big, page.status, ...Object.values(page.sliders).map((item) => item.row),
    make("div", { class: "look-goals" }, ...page.marks.boxes));
  page.below = make("fieldset", { class: "look-stack" }, headed(PAGE_TEXT.inside, page.histograms.box), make("div", {}, page.wrongHead, canvases.wrong), page.table.box, page.code.box);
  frame.root.append(page.below);
  return page;
}
