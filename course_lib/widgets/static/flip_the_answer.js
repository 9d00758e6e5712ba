// One sentence, one word to change: flip the answer, and count the tries.
import { button, choice, fill, make, openFrame, prediction, publisher, uid } from "./kit.js";
import { milestones, spoken } from "./milestones.js";
import { classBars, percent, showText, tableOf, textField } from "./text_parts.js";
import { encode, forward, readModel, tokenize } from "./text_reader.js";

const ROWS = 8;
const ENOUGH = 6;

const TEXT = {
  title: "Flip the answer by one word",
  question: "Each word of the sentence in turn becomes an unknown one. How often does the answer change?",
  options: [["none", "never"], ["few", "for one or two words"], ["many", "for three or more"]],
  wait: "Choose, and the words wake up.",
  guess: "Noted. Flip the answer, or try {count} times, and the count is told.",
  right: "Right: ", wrong: "Not quite: ",
  verdict: { none: "of {all} words and signs, no single one decides.", some: "of {all} words and signs, {count} decide{s}: {words}." },
  head: "The sentence with your change", start: "This is the answer at the start. Choose a word and what to put in its place.",
  word: "Word to change", list: "Put in its place", own: "or type a word", pickOne: "choose a word",
  act: "Try this word", back: "Start again",
  problems: { none: "Choose a word from the list or type one.", many: "Type one word: \u201c{text}\u201d is {count} words or signs.", same: "That word stands there already. Choose another one." },
  unknown: "\u201c{word}\u201d is not in the vocabulary: the network reads it as <unk>.",
  big: "{answer}, {chance}", tries: "Tries: {count}. \u201c{first}\u201d had {before} at the start, now it has {now}.",
  none: "No try yet.", caption: "Your tries", heads: ["change", "answer", "chance of \u201c{first}\u201d"], arrow: "{old} \u2192 {new}",
  goals: ["Change one word so that the network answers something else. As few tries as you can.", "Change one word so that the network is surer of its first answer than before."],
  done: ["\u201c{old}\u201d \u2192 \u201c{new}\u201d after {count} {tries}: from \u201c{first}\u201d to \u201c{answer}\u201d.", "\u201c{old}\u201d \u2192 \u201c{new}\u201d: \u201c{first}\u201d rises from {before} to {now}."],
  legend: "A dotted tick marks each class at the start.",
};

// For how many words the answer changes once they are unknown.
function decisive(model, ids, words, answer) {
  return words.filter((_, k) => forward(model, ids.map((id, place) => (place === k ? 1 : id))).answer !== answer);
}

export const flipping = { decisive };

// Radio buttons: one tab stop, and the arrow keys move from word to word.
function wordPicker(words, onPick) {
  const group = uid("words");
  const legend = uid("legend");
  const radios = words.map((word, k) => make("input", { type: "radio", name: group, value: k, checked: k === 0, onchange: () => onPick(k) }));
  const labels = radios.map((radio, k) => make("label", {}, radio, make("span", { text: words[k] })));
  const box = make("div", { class: "look-pick", role: "radiogroup", "aria-labelledby": legend }, ...labels);
  return make("div", {}, make("p", { class: "look-tag", id: legend, text: TEXT.word }), box);
}

function buildPage(frame, model, setup, act, reached) {
  const parts = { bars: classBars(model.classes), reading: make("p", { class: "look-reading" }), marks: milestones(TEXT.goals, reached) };
  parts.picker = wordPicker(setup.words, frame.guard(act.pick));
  const options = [["", TEXT.pickOne], ...setup.replacements.map((word) => [word, word])];
  parts.list = choice({ label: TEXT.list, options, value: "", onChange: frame.guard((word) => { if (word) parts.own.field.value = word; }) });
  parts.own = textField({ label: TEXT.own, value: "", onEnter: frame.guard(act.attempt), onInput: () => { parts.list.select.value = ""; } });
  parts.problem = make("p", { class: "look-why", role: "status" });
  for (const name of ["big", "detail"]) parts[name] = make("p", { class: `look-${name} look-steady` });
  parts.table = tableOf(TEXT.caption, TEXT.heads.map((text) => fill(text, { first: setup.first })));
  const buttons = make("div", { class: "look-buttons" }, button(TEXT.act, frame.guard(act.attempt), "main"), button(TEXT.back, frame.guard(act.back)));
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.head }), parts.reading, parts.bars.box,
    make("div", { class: "look-read" }, make("p", { class: "look-why", text: TEXT.legend }), parts.big, parts.detail, parts.table.table));
  frame.side.append(parts.picker, parts.list.row, parts.own.row, buttons, parts.problem, ...parts.marks.boxes);
  return parts;
}

function problemOf(tokens, text, old) {
  if (!tokens.length) return TEXT.problems.none;
  if (tokens.length > 1) return fill(TEXT.problems.many, { text, count: tokens.length });
  return tokens[0].word === old ? TEXT.problems.same : "";
}

function render({ model: traits, el }) {
  const model = readModel(traits.get("network"));
  const tokens = tokenize(traits.get("sentence")).slice(0, traits.get("length"));
  const words = tokens.map(({ word }) => word);
  const ids = encode(model, words, traits.get("length"));
  const start = forward(model, ids);
  const first = model.classes[start.answer];
  const state = { place: 0, change: null, tries: [] };
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(traits);
  const known = (word) => model.index.has(word);
  const act = { pick: (place) => { state.place = place; }, attempt, back };
  const parts = buildPage(frame, model, { words, first, replacements: traits.get("replacements") }, act, [traits.get("goal_reached"), traits.get("second_reached")]);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: traits.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = fill(TEXT.guess, { count: ENOUGH });
      publish({ prediction: guess });
    },
  });

  function read() {
    if (!state.change) return start;
    const { place, word } = state.change;
    return forward(model, encode(model, words.with(place, word), ids.length));
  }

  function show() {
    const found = read();
    const shown = tokens.map((token, k) => (state.change && k === state.change.place ? { ...token, word: state.change.word } : token));
    showText(parts.reading, shown, { known, outlined: state.change && { place: state.change.place, width: 1 } });
    parts.bars.show(found.chances, start.chances);
    const values = {
      answer: model.classes[found.answer], chance: percent(found.chances[found.answer]), first, count: state.tries.length,
      tries: state.tries.length === 1 ? "try" : "tries", before: percent(start.chances[start.answer]), now: percent(found.chances[start.answer]),
      old: state.change ? words[state.change.place] : "", new: state.change ? state.change.word : "",
    };
    parts.big.textContent = fill(TEXT.big, values);
    parts.detail.textContent = fill(state.tries.length ? TEXT.tries : TEXT.start, values);
    const rows = state.tries.slice(-ROWS).map((one) => [fill(TEXT.arrow, one), one.answer, percent(one.chance)]);
    parts.table.show(rows.length ? rows : [[TEXT.none, "", ""]]);
    Object.assign(frame.root.dataset, { answer: values.answer, chances: found.chances.join(), tries: state.tries.length });
    return { found, values };
  }

  function attempt() {
    const text = parts.own.field.value;
    const made = tokenize(text);
    const problem = problemOf(made, text, words[state.place]);
    parts.own.field.setAttribute("aria-invalid", Boolean(problem));
    parts.problem.textContent = problem;
    if (problem) return;
    state.change = { place: state.place, word: made[0].word };
    const found = read();
    state.tries.push({ place: state.place, old: words[state.place], new: made[0].word, answer: model.classes[found.answer], chance: found.chances[start.answer] });
    parts.problem.textContent = known(made[0].word) ? "" : fill(TEXT.unknown, made[0]);
    moved();
  }

  function back() {
    Object.assign(state, { change: null, tries: [] });
    parts.own.field.value = "";
    parts.list.select.value = "";
    parts.own.field.setAttribute("aria-invalid", false);
    parts.problem.textContent = "";
    moved();
  }

  function tellPrediction() {
    const deciding = decisive(model, ids, words, start.answer);
    const kind = deciding.length === 0 ? "none" : deciding.length < 3 ? "few" : "many";
    const values = { all: words.length, count: deciding.length, words: deciding.join(", "), s: deciding.length === 1 ? "s" : "" };
    const sentence = fill(TEXT.verdict[deciding.length ? "some" : "none"], values);
    asked.verdict.textContent = (traits.get("prediction") === kind ? TEXT.right : TEXT.wrong) + sentence;
  }

  function judge({ found, values }) {
    if (!state.change) return "";
    const met = [found.answer !== start.answer, found.answer === start.answer && found.chances[start.answer] > start.chances[start.answer] + 5e-4];
    const news = parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
    if (met[0] || state.tries.length >= ENOUGH) tellPrediction();
    return news;
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent, parts.problem.textContent), judge(shown));
    publish({
      answer: shown.values.answer, probabilities: shown.found.chances, tries: state.tries.map((one) => ({ ...one })),
      goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["tries"], frame.guard(() => {
    state.tries = traits.get("tries").map((one) => ({ ...one }));
    const last = state.tries[state.tries.length - 1];
    state.change = last ? { place: last.place, word: last.new } : null;
    show();
  }));
  frame.guard(show)();
  return close;
}

export default { render };
