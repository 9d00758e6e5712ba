// The exam graph, one step at a time: values forward, upstream x local backward, two paths into w1.
import { button, fill, make, openFrame, prediction, publisher, slider } from "./kit.js";
import { FORWARD, LAST, known, valuesOf, walkBack } from "./exam_graph.js";
import { GraphPicture, PLACES, plain } from "./graph_picture.js";
import { milestones } from "./milestones.js";

const TEXT = {
  title: "f = w\u2083 \u00b7 ReLU(w\u2081x\u2081 + w\u2081x\u2082 + b), step by step",
  question: "The ReLU is closed: z is below 0. Which input still gets a gradient other than 0?",
  options: [["w3", "w\u2083"], ["w1", "w\u2081"], ["b", "b"], ["none", "none of the five"]],
  wait: "Choose, and the graph wakes up.",
  guess: "Noted. Step forward, then backward. Then move an input until the ReLU closes.",
  right: "You were right: none of the five.",
  wrong: "None of the five: nothing passes the closed ReLU, and w\u2083 is multiplied by r = 0.",
  forward: "Forward step", backward: "Backward step", reset: "Reset",
  keys: "On a button, the right arrow key steps on and the left one takes a step back.",
  first: "Make dw1 exactly 0 while both paths into w\u2081 carry a gradient. Step back to the end.",
  firstDone: "{a} + {b} = 0: the two paths cancel, although w\u2083 is {w3} and the ReLU is open.",
  second: "Close the ReLU (z at or below 0), with w\u2083 not 0, and step back to the inputs.",
  secondDone: "z = {z}: all five gradients are 0. No weight can learn from this example.",
  early: "The forward pass comes first: the local derivatives need its values.",
  full: "The forward pass is complete. Now step backward.",
  end: "Both passes are complete. Move an input, and all numbers follow.",
  step: "Step {step} of {last}. {said}",
  begin: "Nothing is computed yet. Press Forward step.",
  p: "p = w\u2081 \u00b7 x\u2081 = {w1} \u00d7 {x1} = {p}",
  q: "q = w\u2081 \u00b7 x\u2082 = {w1} \u00d7 {x2} = {q}. It is the same w\u2081 again.",
  z: "z = p + q + b = {p} + {q} + {b} = {z}",
  r: "r = ReLU(z) = {r}: z is {z}, the ReLU is {gate}.",
  f: "f = w\u2083 \u00b7 r = {w3} \u00d7 {r} = {f}",
  start: "The way back starts at f: df/df = 1. Every edge multiplies: upstream \u00d7 local.",
  backF: "A product: each factor gets upstream \u00d7 the other factor. dw3 = 1 \u00d7 {r} = {dw3}, dr = 1 \u00d7 {w3} = {dr}.",
  backR: "The ReLU is {gate}: its local slope is {slope}. dz = {dr} \u00d7 {slope} = {dz}.",
  backZ: "A sum passes its upstream on: p, q and b all get {dz} \u00d7 1 = {dz}.",
  backQ: "A product: w\u2081 gets {dz} \u00d7 x\u2082 = {two}, the first of two paths. dx2 = {dz} \u00d7 w\u2081 = {dx2}.",
  backP: "A product: w\u2081 gets {dz} \u00d7 x\u2081 = {one}, the second path. dx1 = {dz} \u00d7 w\u2081 = {dx1}.",
  sum: "w\u2081 is used twice, so its two gradients add up: dw1 = {two} + {one} = {dw1}.",
  corner: " At z = 0 the course takes slope 0.",
  open: "open", closed: "closed",
  picture: "Graph of f, inputs at its edge and f at the bottom. {said} Values: {values}. Gradients: {gradients}.",
  nothing: "none yet",
};

const LABELS = { x1: "<i>x</i><sub>1</sub>", x2: "<i>x</i><sub>2</sub>", w1: "<i>w</i><sub>1</sub>", w3: "<i>w</i><sub>3</sub>", b: "<i>b</i>" };
const ORDER = ["x1", "x2", "w1", "w3", "b"];

export { PLACES, valuesOf, walkBack };

function read(model) {
  return Object.fromEntries(ORDER.map((name) => [name, model.get(name)]));
}

function measured(state) {
  const v = valuesOf(state.numbers);
  return { v, back: walkBack(v) };
}

function path(found, node) {
  return found.back.edges.find((edge) => edge.node === node && edge.source === "w1").gradient;
}

// Every number a sentence may name, as it is written.
function wording({ v, back }) {
  const written = Object.fromEntries(Object.entries(v).map(([name, value]) => [name, plain(value)]));
  for (const [name, value] of Object.entries(back.gradients)) written[`d${name}`] = plain(value);
  const slope = v.z > 0 ? 1 : 0;
  return { ...written, slope, gate: slope ? TEXT.open : TEXT.closed, one: plain(path({ back }, "p")), two: plain(path({ back }, "q")) };
}

function sayStep(found, step) {
  const { now, backward } = known(step);
  if (!now) return TEXT.begin;
  const key = backward && FORWARD.includes(now) ? `back${now.toUpperCase()}` : now;
  const corner = now === "r" && found.v.z === 0 ? TEXT.corner : "";
  return fill(TEXT[key], wording(found)) + corner;
}

function sayPicture(found, step, said) {
  const { values, passed, done } = known(step);
  const shown = FORWARD.filter((name) => values.has(name)).map((name) => `${name} = ${plain(found.v[name])}`);
  const complete = ORDER.filter((name) => (name === "w1" ? done : found.back.edges.some((edge) => edge.source === name && passed.has(edge.node))));
  const gradients = complete.map((name) => `d${name} = ${plain(found.back.gradients[name])}`);
  return fill(TEXT.picture, { said, values: shown.join(", ") || TEXT.nothing, gradients: gradients.join(", ") || TEXT.nothing });
}

function judge({ v, back }, step) {
  if (step < LAST) return ["", ""];
  const [one, two] = [path({ back }, "p"), path({ back }, "q")];
  return [
    one !== 0 && back.gradients.w1 === 0 ? fill(TEXT.firstDone, { a: plain(two), b: plain(one), w3: plain(v.w3) }) : "",
    v.z <= 0 && v.w3 !== 0 ? fill(TEXT.secondDone, { z: plain(v.z) }) : "",
  ];
}

function stepButtons(frame, act) {
  const keys = {
    forward: button(TEXT.forward, frame.guard(act.forward), "main"), backward: button(TEXT.backward, frame.guard(act.backward)),
    reset: button(TEXT.reset, frame.guard(act.reset)),
  };
  const row = make("div", { class: "look-buttons" }, keys.forward, keys.backward, keys.reset);
  row.addEventListener("keydown", frame.guard((event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    act.by(way);
  }));
  return { row, ...keys };
}

function buildPage(frame, state, reached, act) {
  const picture = new GraphPicture();
  const keys = stepButtons(frame, act);
  const sliders = ORDER.map((name) => slider({
    labelHtml: LABELS[name], min: -5, max: 5, step: 0.5, value: state.numbers[name], format: plain,
    onInput: frame.guard((value) => { state.numbers[name] = value; act.moved(); }),
  }));
  const said = make("p", { class: "look-question", style: "margin: 12px 0 0; min-height: 4.5em" });
  const walk = make("fieldset", {}, keys.row, said);
  const goals = milestones([TEXT.first, TEXT.second], reached);
  frame.side.classList.add("look-short-labels");
  frame.picture.append(walk, picture.svg);
  frame.side.append(...sliders.map((item) => item.row), ...goals.boxes, make("p", { class: "look-why", text: TEXT.keys }));
  return { walk, picture, ...keys, sliders, said, goals };
}

// The step that comes next is the dark button.
function markNext(page, step) {
  const forward = step < FORWARD.length;
  const mark = (node, main, able) => {
    node.classList.toggle("look-main", main);
    node.classList.toggle("look-plain", !main);
    if (able) node.removeAttribute("aria-disabled");
    else node.setAttribute("aria-disabled", "true");
  };
  mark(page.forward, forward, forward);
  mark(page.backward, !forward && step < LAST, !forward && step < LAST);
}

function render({ model, el }) {
  const state = { numbers: read(model), step: model.get("step") };
  const reached = [model.get("goal_reached"), model.get("closed_found")];
  const frame = openFrame(el, TEXT.title);
  const { publish, listen, close } = publisher(model);
  const to = (step) => { state.step = Math.max(0, Math.min(LAST, step)); moved(); };
  const act = {
    forward: () => (state.step < FORWARD.length ? to(state.step + 1) : refuse(state.step < LAST ? TEXT.full : TEXT.end)),
    backward: () => {
      if (state.step < FORWARD.length) refuse(TEXT.early);
      else if (state.step < LAST) to(state.step + 1);
      else refuse(TEXT.end);
    },
    reset: () => to(0), by: (way) => to(state.step + way), moved: () => moved(),
  };
  const page = buildPage(frame, state, reached, act);
  page.walk.disabled = true;
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => { page.walk.disabled = false; verdict.textContent = TEXT.guess; publish({ prediction: guess }); },
  });

  function refuse(sentence) {
    page.said.textContent = sentence;
    frame.announce(sentence);
  }

  function show() {
    const found = measured(state);
    const said = sayStep(found, state.step);
    page.picture.draw(found, state.step);
    page.picture.svg.setAttribute("aria-label", sayPicture(found, state.step, said));
    page.said.textContent = fill(TEXT.step, { step: state.step, last: LAST, said });
    markNext(page, state.step);
    Object.assign(frame.root.dataset, { step: state.step, f: found.v.f, dw1: found.back.gradients.w1 });
    return { found, said };
  }

  function reveal() {
    asked.verdict.textContent = model.get("prediction") === "none" ? TEXT.right : TEXT.wrong;
  }

  function moved() {
    const { found, said } = show();
    const news = page.goals.judge(judge(found, state.step));
    if (reached[1]) reveal();
    frame.announce(said, news);
    publish({
      ...state.numbers, step: state.step, goal_reached: reached[0], closed_found: reached[1],
      gradient: state.step === LAST ? ORDER.map((name) => found.back.gradients[name]) : [],
    });
  }

  // Python changed a number or the step: the same as if a hand had.
  listen([...ORDER, "step"], frame.guard(() => {
    Object.assign(state, { numbers: read(model), step: model.get("step") });
    page.sliders.forEach((item, k) => item.set(state.numbers[ORDER[k]]));
    show();
  }));
  frame.guard(() => { show(); if (reached[1]) reveal(); })();
  return close;
}

export default { render };
