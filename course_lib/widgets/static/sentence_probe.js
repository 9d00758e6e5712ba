// Type a sentence: probabilities of the classes and the n-grams that fired, marked in the text itself.
import { button, choice, fill, make, number, openFrame, prediction, publisher } from "./kit.js";
import { milestones, spoken } from "./milestones.js";
import { randomStream } from "./network.js";
import { classBars, percent, showText, tableOf, textField } from "./text_parts.js";
import { encode, forward, ngramsOf, readModel, tokenize, wordPulls } from "./text_reader.js";

const SHOWN = 8;
const SURE = 0.95;

const TEXT = {
  title: "Ask the network about a sentence",
  question: "What will the network answer to this sentence? \u201c{sentence}\u201d",
  wait: "Choose, and the text field wakes up.",
  right: "The network says \u201c{answer}\u201d, with {chance}: as you said.", wrong: "You said \u201c{guess}\u201d; the network says \u201c{answer}\u201d, with {chance}.",
  label: " The right answer is \u201c{label}\u201d.",
  field: "Your sentence", examples: "Start from", first: "the first sentence", chosen: "What speaks for", auto: "the answer ({answer})",
  shuffle: "Shuffle the words", again: "First sentence again",
  head: "As the network reads it", empty: "Type at least one word.",
  legend: [["look-for-2", "solid", "speaks for {quoted}"], ["look-against-2", "dashed", "against it"], ["look-unknown", "italics", "not in the vocabulary"]],
  big: "{answer}, {chance}",
  detail: "{read} of {all} words and signs read, {unknown} of them unknown.",
  caption: "The n-grams that fired, by their pull towards {quoted}",
  heads: ["n-gram", "filters", "answer", "pull"],
  none: "No window fired.", some: "the class",
  why: "Pull = answer after the ReLU \u00b7 (weight for {quoted} \u2212 mean weight of all classes), added up over the filters that chose the window. Choose an n-gram to see where it stands.",
  goals: [
    "Write sentences that make the network surer than 95 %, for two different classes.",
    "Same words, other order, another answer: what a bag of words can never do.",
  ],
  done: ["\u201c{one}\u201d and \u201c{two}\u201d, each above 95 %.", "\u201c{now}\u201d is \u201c{answer}\u201d. The same words gave \u201c{before}\u201d."],
};

export const reader = { readModel, tokenize, encode, forward, ngramsOf, wordPulls };

function exampleChoice(examples, onChange) {
  const options = [["", TEXT.first], ...examples.map((text, k) => [String(k), text.length > 48 ? `${text.slice(0, 46)}\u2026` : text])];
  const made = choice({ label: TEXT.examples, options, value: "", onChange });
  made.row.hidden = !examples.length;
  return made;
}

function buildPage(frame, model, state, act, reached) {
  const parts = { bars: classBars(model.classes), reading: make("p", { class: "look-reading" }), marks: milestones(TEXT.goals, reached) };
  parts.field = textField({ label: TEXT.field, value: state.text, rows: 4, onInput: frame.guard(act.type) });
  parts.examples = exampleChoice(state.examples, frame.guard((k) => act.put(k === "" ? state.start : state.examples[k])));
  parts.chosen = choice({ label: TEXT.chosen, options: [["", ""], ...model.classes.map((name, c) => [String(c), name])], value: "", onChange: frame.guard(act.choose) });
  parts.legend = make("ul", { class: "look-legend", style: "margin-left: 0" });
  parts.big = make("p", { class: "look-big" });
  parts.detail = make("p", { class: "look-detail look-steady" });
  parts.why = make("p", { class: "look-why" });
  parts.table = tableOf("", TEXT.heads);
  parts.caption = parts.table.table.querySelector("caption");
  const buttons = make("div", { class: "look-buttons" }, button(TEXT.shuffle, frame.guard(act.shuffle), "main"), button(TEXT.again, frame.guard(() => act.put(state.start))));
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.head }), parts.reading, parts.legend, parts.bars.box,
    make("div", { class: "look-read" }, parts.big, parts.detail, parts.table.table, parts.why));
  frame.side.append(parts.field.row, buttons, parts.examples.row, parts.chosen.row, ...parts.marks.boxes);
  return parts;
}

function showLegend(box, quoted) {
  box.replaceChildren(...TEXT.legend.map(([look, key, text]) => make("li", {}, make("span", { class: `look-word ${look}`, text: key }), fill(text, { quoted }))));
}

// Whether words in this order, or sentences of this kind, were met before: what the two goals ask.
class Seen {
  constructor() { Object.assign(this, { sure: new Set(), bags: new Map() }); }

  note(words, answer, chance) {
    if (chance > SURE) this.sure.add(answer);
    const bag = [...words].sort().join(" ");
    const before = this.bags.get(bag) ?? answer;
    if (!this.bags.has(bag)) this.bags.set(bag, answer);
    return before === answer ? null : before;
  }
}

function render({ model: traits, el }) {
  const model = readModel(traits.get("network"));
  const state = { start: traits.get("sentence"), text: traits.get("sentence"), examples: traits.get("examples"), length: traits.get("length"), chosen: "", outlined: null };
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(traits);
  const draw = randomStream(1);
  const seen = new Seen();
  const known = (word) => model.index.has(word);
  const act = {
    type: (text) => { state.text = text; moved(); },
    put: (text) => { parts.field.field.value = text; act.type(text); },
    choose: (value) => { state.chosen = value; state.outlined = null; moved(); },
    shuffle: () => act.put(shuffled(tokenize(state.text).map(({ word }) => word), draw).join(" ")),
    outline: (ngram) => { state.outlined = state.outlined && state.outlined.key === ngram.key ? null : ngram; show(); },
  };
  const parts = buildPage(frame, model, state, act, [traits.get("goal_reached"), traits.get("second_reached")]);
  let first = null;

  function read(text) {
    const tokens = tokenize(text);
    const words = tokens.map(({ word }) => word).slice(0, state.length);
    return { tokens, words, ...forward(model, encode(model, words, state.length)) };
  }

  function show() {
    const found = read(state.text);
    const chosen = state.chosen === "" ? found.answer : Number(state.chosen);
    const ngrams = ngramsOf(model, found, found.words, chosen);
    if (!ngrams.some(({ key }) => state.outlined && key === state.outlined.key)) state.outlined = null;
    const values = {
      answer: model.classes[found.answer], chance: percent(found.chances[found.answer]), name: model.classes[chosen],
      read: found.words.length, all: found.tokens.length, unknown: found.words.filter((word) => !known(word)).length,
    };
    const awake = !frame.side.disabled;
    showText(parts.reading, found.tokens, { pulls: awake ? wordPulls(ngrams, found.words.length) : null, known, read: state.length, outlined: state.outlined });
    parts.bars.show(awake ? found.chances : null);
    parts.big.textContent = !awake ? "?" : found.words.length ? fill(TEXT.big, values) : TEXT.empty;
    parts.detail.textContent = fill(TEXT.detail, values);
    const quoted = awake ? `\u201c${values.name}\u201d` : TEXT.some;
    parts.caption.textContent = fill(TEXT.caption, { quoted });
    parts.chosen.select.options[0].textContent = fill(TEXT.auto, { answer: awake ? values.answer : "\u2026" });
    parts.why.textContent = fill(TEXT.why, { quoted });
    showLegend(parts.legend, quoted);
    showNgrams(awake ? ngrams : []);
    Object.assign(frame.root.dataset, { answer: awake ? values.answer : "", chances: awake ? found.chances.join() : "" });
    return { found, values, ngrams };
  }

  function showNgrams(ngrams) {
    const focused = parts.table.body.contains(document.activeElement) ? document.activeElement.dataset.key : "";
    const rows = ngrams.slice(0, SHOWN).map((ngram) => {
      const node = button(ngram.text, frame.guard(() => act.outline(ngram)));
      node.dataset.key = ngram.key;
      node.setAttribute("aria-pressed", Boolean(state.outlined && state.outlined.key === ngram.key));
      return [node, String(ngram.filters), number(ngram.answer), number(ngram.pull)];
    });
    parts.table.show(rows.length ? rows : [[frame.side.disabled ? TEXT.wait : TEXT.none, "", "", ""]]);
    const again = focused && [...parts.table.body.querySelectorAll("button")].find((node) => node.dataset.key === focused);
    if (again) again.focus();
  }

  function judge({ found, values }) {
    if (!found.words.length) return "";
    const before = seen.note(found.words, values.answer, found.chances[found.answer]);
    const [one, two] = [...seen.sure];
    return parts.marks.judge([
      two ? fill(TEXT.done[0], { one, two }) : "",
      before ? fill(TEXT.done[1], { now: found.words.join(" "), answer: values.answer, before }) : "",
    ]);
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge(shown));
    publish({
      sentence: state.text, answer: shown.values.answer, probabilities: shown.found.chances,
      ngrams: shown.ngrams.slice(0, SHOWN).map(({ text, width, answer, pull }) => ({ words: text, width, answer, pull })),
      goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  prediction(frame, {
    question: fill(TEXT.question, { sentence: state.start }), options: model.classes.map((name) => [name, name]), chosen: traits.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      first ??= read(state.start);
      const values = { guess, answer: model.classes[first.answer], chance: percent(first.chances[first.answer]), label: traits.get("label") };
      verdict.textContent = fill(guess === values.answer ? TEXT.right : TEXT.wrong, values) + (values.label ? fill(TEXT.label, values) : "");
      judge(show());
      publish({ prediction: guess });
    },
  });
  listen(["sentence"], frame.guard(() => {
    state.text = traits.get("sentence");
    parts.field.field.value = state.text;
    show();
  }));
  frame.guard(show)();
  return close;
}

// Fisher and Yates.
function shuffled(words, draw) {
  const mixed = [...words];
  for (let k = mixed.length - 1; k > 0; k -= 1) {
    const other = Math.floor(draw() * (k + 1));
    [mixed[k], mixed[other]] = [mixed[other], mixed[k]];
  }
  return mixed;
}

export default { render };
