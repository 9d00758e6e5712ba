// Softmax of a few scores divided by a temperature: bars of probabilities and their entropy.
import { INK, fill, make, number, openFrame, prediction, publisher, slider, threeDigits } from "./kit.js";
import { hatch, label, sizeCanvas } from "./drawing.js";
import { milestones } from "./milestones.js";
import { keyList, lineKey, pictureOf, regionKey, spotKey } from "./panel.js";

const TEXT = {
  title: "Softmax and temperature",
  question: "Every score is divided by a temperature T before the softmax. What happens at the two ends?",
  options: [["cold_equal", "T \u2192 0: all equal. T \u2192 \u221e: one takes all"], ["cold_sure", "T \u2192 0: one takes all. T \u2192 \u221e: all equal"],
    ["same", "The same at every T"]],
  wait: "Choose, and the sliders wake up.",
  guess: "Noted. Now turn the temperature to both ends.",
  right: "You were right: cold makes the winner sure, heat makes all equal. Only a tie survives the cold.",
  wrong: "It is the other way: cold makes the winner sure, heat makes all equal. Only a tie survives the cold.",
  unchanged: "It does change: cold makes the winner sure, heat makes all equal. Only a tie survives the cold.",
  first: "Change only T until the winner has just below 50 %: from 48 % to 50 %.",
  firstDone: "At T = {t} the winner has {p}. The order of the classes is the same at every T.",
  firstMoved: "A score was moved. Put the scores back for the first goal: {scores}.",
  second: "At the coldest T, make two classes share: about 50 % each.",
  secondDone: "Two equal scores share, however cold it is: {p} each at T = {t}.",
  winner: "class {k}: {p}",
  tie: "tie: {p} each",
  entropy: "entropy {h} of at most {top}",
  picture: "Probabilities at temperature {t}: {list}. Entropy {h} of at most {top}.",
  each: "class {k} {p}",
  half: "50 %",
  row: "class {k}",
  legend: ["largest", "others", "one half"],
};

const HALF = { colour: INK.dark, width: 1.5, dash: [5, 4] };

// The largest score is subtracted first: at T = 0.01 a score of 5 would be exp(500).
export function softmax(scores, temperature) {
  const top = Math.max(...scores);
  const parts = scores.map((z) => Math.exp((z - top) / temperature));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
}

export function entropy(p) {
  return -p.reduce((sum, share) => sum + (share > 0 ? share * Math.log(share) : 0), 0) + 0;
}

export function percent(share) {
  const text = (100 * share).toFixed(1);
  if (share > 0 && text === "0.0") return "under 0.1 %";
  if (share < 1 && text === "100.0") return "over 99.9 %";
  return `${text} %`;
}

function measured({ scores, temperature }) {
  const p = softmax(scores, temperature);
  const best = Math.max(...scores);
  const winners = scores.flatMap((z, k) => (z === best ? [k] : []));
  return { p, winners, entropy: entropy(p), top: Math.log(p.length) };
}

function drawBar(pen, place, share, isBest, pattern) {
  const { left, y, width, height } = place;
  pen.fillStyle = isBest ? INK.one : pattern;
  pen.fillRect(left, y, Math.max(2, width * share), height);
  pen.lineWidth = 1.5;
  pen.strokeStyle = isBest ? INK.one : "#5f87ab";
  pen.strokeRect(left, y, Math.max(2, width * share), height);
}

function draw(canvas, state, { p, winners }) {
  const { pen, width, height } = sizeCanvas(canvas);
  const box = { left: 66, top: 26, width: width - 66 - 106, height: height - 26 - 8 };
  const pitch = box.height / p.length;
  const thick = Math.min(40, pitch - 16);
  pen.fillStyle = INK.paper;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = "#f4f6f8";
  pen.fillRect(box.left, box.top, box.width, box.height);
  const pattern = hatch(pen);
  p.forEach((share, k) => {
    const y = box.top + pitch * (k + 0.5) - thick / 2;
    drawBar(pen, { left: box.left, y, width: box.width, height: thick }, share, winners.includes(k), pattern);
    label(pen, fill(TEXT.row, { k: k + 1 }), box.left - 10, y + thick / 2, { align: "right", weight: 600 });
    label(pen, percent(share), box.left + box.width * share + 10, y + thick / 2, { align: "left", weight: 600, size: 15 });
  });
  const half = box.left + box.width / 2;
  pen.setLineDash(HALF.dash);
  pen.lineWidth = HALF.width;
  pen.strokeStyle = HALF.colour;
  pen.beginPath();
  pen.moveTo(half, box.top);
  pen.lineTo(half, box.top + box.height);
  pen.stroke();
  pen.setLineDash([]);
  label(pen, TEXT.half, half, 13, { colour: INK.muted });
}

function controls(frame, state, moved) {
  const assign = (put) => frame.guard((value) => { put(value); moved(); });
  const temperature = slider({
    labelHtml: "temperature <i>T</i>", min: -2, max: 2, step: 0.02, value: Math.log10(state.temperature), format: (v) => threeDigits(10 ** v),
    onInput: assign((v) => { state.temperature = 10 ** v; }),
  });
  const scores = state.scores.map((value, k) => slider({
    labelHtml: `score <i>z</i><sub>${k + 1}</sub>`, min: -5, max: 5, step: 0.1, value, format: (v) => number(v, 1),
    onInput: assign((v) => { state.scores[k] = v; }),
  }));
  return { temperature, scores };
}

function describe(state, found) {
  const list = found.p.map((share, k) => fill(TEXT.each, { k: k + 1, p: percent(share) })).join(", ");
  return fill(TEXT.picture, { t: threeDigits(state.temperature), list, h: number(found.entropy), top: number(found.top) });
}

function buildPage(frame, state, reached, moved) {
  const canvas = pictureOf(340);
  const parts = controls(frame, state, moved);
  const nodes = { winner: make("p", { class: "look-big" }), entropy: make("p", { class: "look-detail look-steady" }), hint: make("p", { class: "look-why" }) };
  const goals = milestones([TEXT.first, TEXT.second], reached);
  frame.picture.append(canvas, keyList([spotKey("square", { fill: INK.one, colour: INK.one }), TEXT.legend[0]], [regionKey(), TEXT.legend[1]],
    [lineKey(HALF), TEXT.legend[2]]));
  frame.side.append(parts.temperature.row, ...parts.scores.map((item) => item.row), nodes.winner, nodes.entropy, ...goals.boxes, nodes.hint);
  return { canvas, ...parts, nodes, goals };
}

function moves(state) {
  return state.scores.some((z, k) => z !== state.start[k]);
}

function judge(state, { p, winners }) {
  const best = p[winners[0]];
  const values = { t: threeDigits(state.temperature), p: percent(best) };
  const below = best >= 0.48 && best < 0.5 && !moves(state);
  return [
    below ? fill(TEXT.firstDone, values) : "",
    winners.length === 2 && state.temperature < 0.0101 && Math.abs(best - 0.5) < 0.01 ? fill(TEXT.secondDone, values) : "",
  ];
}

function showNumbers(page, state, found, reached) {
  const { p, winners } = found;
  const best = { k: winners[0] + 1, p: percent(p[winners[0]]) };
  page.nodes.winner.textContent = fill(winners.length > 1 ? TEXT.tie : TEXT.winner, best);
  page.nodes.entropy.textContent = fill(TEXT.entropy, { h: number(found.entropy), top: number(found.top) });
  page.nodes.hint.textContent = !reached[0] && moves(state) ? fill(TEXT.firstMoved, { scores: state.start.map((z) => number(z, 1)).join(", ") }) : "";
  page.canvas.setAttribute("aria-label", describe(state, found));
}

function render({ model, el }) {
  const state = { scores: [...model.get("scores")], start: [...model.get("start")], temperature: model.get("temperature") };
  const reached = [model.get("goal_reached"), model.get("tie_found")];
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--value", "4.2em");
  frame.root.style.setProperty("--label", "8.2em");
  const { publish, listen, close } = publisher(model);
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => { verdict.textContent = TEXT.guess; publish({ prediction: guess }); },
  });
  const page = buildPage(frame, state, reached, moved);

  function show() {
    const found = measured(state);
    draw(page.canvas, state, found);
    showNumbers(page, state, found, reached);
    Object.assign(frame.root.dataset, { probabilities: JSON.stringify(found.p), entropy: found.entropy });
    return found;
  }

  // The answer to the question shows in full only at the two ends, so it waits for both goals.
  function reveal() {
    if (!reached.every(Boolean)) return;
    asked.verdict.textContent = { cold_sure: TEXT.right, cold_equal: TEXT.wrong, same: TEXT.unchanged }[model.get("prediction")] || "";
  }

  function moved() {
    const found = show();
    const news = page.goals.judge(judge(state, found));
    if (news) { reveal(); showNumbers(page, state, found, reached); }
    frame.announce(`${page.nodes.winner.textContent}, ${page.nodes.entropy.textContent}`, news);
    publish({
      scores: [...state.scores], temperature: state.temperature, probabilities: found.p, entropy: found.entropy,
      goal_reached: reached[0], tie_found: reached[1],
    });
  }

  // Python changed a setting: the same as if a hand had moved the slider.
  listen(["scores", "temperature"], frame.guard(() => {
    Object.assign(state, { scores: [...model.get("scores")], temperature: model.get("temperature") });
    page.temperature.set(Math.log10(state.temperature));
    page.scores.forEach((item, k) => item.set(state.scores[k]));
    show();
  }));
  const resized = new ResizeObserver(frame.guard(show));
  resized.observe(page.canvas);
  frame.guard(() => { show(); reveal(); })();
  return () => { resized.disconnect(); close(); };
}

export default { render };
