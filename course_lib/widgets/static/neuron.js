// Decision boundary of one neuron: z = w1 x1 + w2 x2 + b, answer 1 when z > 0.
import { INK, fill, goal, make, makeSvg, number, openFrame, prediction, publisher, slider, uid } from "./kit.js";

const SIZE = 460;
const EDGE = 58;
const TOP = 14;
const SPAN = SIZE - EDGE - TOP;
const CORNERS = "The two 1s sit on one diagonal, the two 0s on the other. Add the two conditions of the 1s: "
  + "w\u2081 + w\u2082 + 2b > 0. Add the two of the 0s: w\u2081 + w\u2082 + 2b \u2264 0. Both cannot hold.";

const LOOKS = {
  xor: {
    title: "One neuron draws one line",
    question: "How many of the four corners can one line get right?",
    options: [1, 2, 3, 4],
    axes: ["x\u2081", "x\u2082"], ticks: [0, 1], view: [-0.6, 1.6], marker: 15,
    w: { min: -3, max: 3, step: 0.1, digits: 1 }, b: { min: -3, max: 3, step: 0.1, digits: 1 },
    goal: "Best possible: 3 of 4. Get there.",
    done: "3 of 4. Nobody can do better with one line.",
    why: CORNERS,
    legend: ["target 1", "target 0", "answer 1", "wrong"],
  },
  admission: {
    title: "One neuron admits pupils",
    question: "How many of the 12 pupils can one line get right?",
    options: [9, 10, 11, 12],
    axes: ["maths", "physics"], ticks: [0, 5, 10, 15, 20], view: [0, 20], marker: 9,
    w: { min: -2, max: 2, step: 0.1, digits: 1 }, b: { min: -40, max: 40, step: 0.5, digits: 1 },
    goal: "Best possible: 12 of 12. Get there.",
    done: "12 of 12. These pupils can be split by one line.",
    why: "The school weighs maths twice: 2 \u00d7 maths + physics. A weighted sum with a threshold is one neuron.",
    legend: ["admitted", "refused", "neuron admits", "wrong"],
  },
};

const TEXT = {
  wait: "Choose, and the sliders wake up.",
  guess: "Your guess: {guess} of {n}. Now move the line.",
  rightGuess: "You guessed {guess} of {n}: right.",
  wrongGuess: "You guessed {guess} of {n}; the best is {best}.",
  count: "{k} of {n} right",
  formula: "z = {w1} {x1} {s2} {w2} {x2} {s3} {b}",
  rule: "answer 1 when z > 0",
  picture: "The plane of {x1} and {x2}. With weights {w1} and {w2} and bias {b}, {k} of {n} points are right. {wrong}",
  allRight: "No point is wrong.",
  someWrong: "Wrong: {list}.",
  noLine: "Both weights are 0: there is no line, one answer for everybody.",
  reached: "Goal reached. {done}",
};

export function score(w, b, point) {
  const z = w[0] * point[0] + w[1] * point[1] + b;
  return Math.abs(z) < 1e-9 ? 0 : z; // 0.1 + 0.2 - 0.3 is not 0 in floating point, but the slider means 0
}

export function countRight(w, b, points) {
  return points.filter((point) => (score(w, b, point) > 0 ? 1 : 0) === point[2]).length;
}

// The part of the square where z > 0, and the ends of the line inside the square.
export function clipSquare(w, b, [low, high]) {
  const square = [[low, low], [high, low], [high, high], [low, high]];
  const polygon = [];
  const ends = [];
  square.forEach((from, k) => {
    const to = square[(k + 1) % 4];
    const [zFrom, zTo] = [score(w, b, from), score(w, b, to)];
    if (zFrom > 0) polygon.push(from);
    if ((zFrom > 0) === (zTo > 0)) return;
    const part = zFrom / (zFrom - zTo);
    const cut = [from[0] + part * (to[0] - from[0]), from[1] + part * (to[1] - from[1])];
    polygon.push(cut);
    ends.push(cut);
  });
  return { polygon, ends };
}

function scales([low, high]) {
  return {
    x: (value) => EDGE + (SPAN * (value - low)) / (high - low),
    y: (value) => TOP + SPAN - (SPAN * (value - low)) / (high - low),
  };
}

function axisParts(look, at) {
  const [low, high] = look.view;
  const box = makeSvg("rect", {
    x: at.x(low), y: at.y(high), width: at.x(high) - at.x(low), height: at.y(low) - at.y(high),
    fill: "none", stroke: INK.muted, "stroke-width": 1.2,
  });
  const ticks = look.ticks.flatMap((value) => [
    makeSvg("text", { x: at.x(value), y: at.y(low) + 20, "text-anchor": "middle", text: value, class: "look-tick" }),
    makeSvg("text", { x: at.x(low) - 9, y: at.y(value) + 5, "text-anchor": "end", text: value, class: "look-tick" }),
  ]);
  const middle = (low + high) / 2;
  const names = [
    makeSvg("text", { x: at.x(middle), y: at.y(low) + 44, "text-anchor": "middle", text: look.axes[0], class: "look-axis" }),
    makeSvg("text", { transform: `translate(${at.x(low) - 40} ${at.y(middle)}) rotate(-90)`, "text-anchor": "middle", text: look.axes[1], class: "look-axis" }),
  ];
  return [box, ...ticks, ...names];
}

function hatchPattern(id) {
  return makeSvg("defs", {}, makeSvg("pattern", { id, width: 10, height: 10, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    makeSvg("rect", { width: 10, height: 10, fill: INK.oneTint }),
    makeSvg("line", { x1: 0, y1: 0, x2: 0, y2: 10, stroke: "#8fb3d3", "stroke-width": 2.4 })));
}

function markerParts(point, at, size) {
  const [x, y] = [at.x(point[0]), at.y(point[1])];
  const shape = point[2]
    ? makeSvg("rect", { x: x - size, y: y - size, width: 2 * size, height: 2 * size, fill: INK.one, stroke: INK.paper, "stroke-width": 2 })
    : makeSvg("circle", { cx: x, cy: y, r: size + 1, fill: INK.paper, stroke: INK.dark, "stroke-width": 2.5 });
  const digit = makeSvg("text", {
    x, y: y + 0.42 * size, "text-anchor": "middle", "font-size": 1.25 * size, "font-weight": 700,
    fill: point[2] ? INK.paper : INK.dark, text: point[2] ? "1" : "0",
  });
  const halo = makeSvg("circle", { cx: x, cy: y, r: size + 9, fill: "none", stroke: INK.paper, "stroke-width": 6 });
  const ring = makeSvg("circle", { cx: x, cy: y, r: size + 9, fill: "none", stroke: INK.alert, "stroke-width": 3, "stroke-dasharray": "6 4" });
  const wrong = makeSvg("g", { class: "look-wrong" }, halo, ring);
  return { node: makeSvg("g", {}, wrong, shape, digit), wrong };
}

function buildPicture(look, points) {
  const at = scales(look.view);
  const patternId = uid("hatch");
  const region = makeSvg("polygon", { fill: `url(#${patternId})`, class: "look-region" });
  const line = makeSvg("line", { stroke: INK.dark, "stroke-width": 3, class: "look-line" });
  const arrow = makeSvg("path", { stroke: INK.dark, "stroke-width": 2.5, fill: "none", "stroke-linecap": "round" });
  const markers = points.map((point) => markerParts(point, at, look.marker));
  const svg = makeSvg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", class: "look-svg" },
    hatchPattern(patternId), region, ...axisParts(look, at), line, arrow, ...markers.map((marker) => marker.node));
  return { svg, at, region, line, arrow, markers };
}

function drawArrow(picture, ends, w) {
  const { at, arrow } = picture;
  const middle = [(at.x(ends[0][0]) + at.x(ends[1][0])) / 2, (at.y(ends[0][1]) + at.y(ends[1][1])) / 2];
  const length = Math.hypot(w[0], w[1]);
  const [dx, dy] = [(30 * w[0]) / length, (-30 * w[1]) / length];
  const tip = [middle[0] + dx, middle[1] + dy];
  const barb = (side) => `M ${tip[0]} ${tip[1]} l ${-0.3 * dx - side * 0.2 * dy} ${-0.3 * dy + side * 0.2 * dx}`;
  arrow.setAttribute("d", `M ${middle[0]} ${middle[1]} L ${tip[0]} ${tip[1]} ${barb(1)} ${barb(-1)}`);
}

function drawPicture(picture, look, points, { w, b }) {
  const { polygon, ends } = clipSquare(w, b, look.view);
  const { at } = picture;
  picture.region.setAttribute("points", polygon.map(([x, y]) => `${at.x(x).toFixed(2)},${at.y(y).toFixed(2)}`).join(" "));
  const seen = ends.length === 2;
  picture.line.style.display = seen ? "" : "none";
  picture.arrow.style.display = seen ? "" : "none";
  if (seen) {
    const [[x1, y1], [x2, y2]] = ends;
    const place = { x1: at.x(x1), y1: at.y(y1), x2: at.x(x2), y2: at.y(y2) };
    for (const [name, value] of Object.entries(place)) picture.line.setAttribute(name, value.toFixed(2));
    drawArrow(picture, ends, w);
  }
  points.forEach((point, k) => {
    const right = (score(w, b, point) > 0 ? 1 : 0) === point[2];
    picture.markers[k].wrong.style.display = right ? "none" : "";
  });
}

function legend(look) {
  const kinds = ["one", "zero", "region", "wrong"];
  return make("ul", { class: "look-legend" }, ...kinds.map((kind, k) => make("li", {},
    make("span", { class: `look-key look-key-${kind}`, "aria-hidden": "true" }), look.legend[k])));
}

function describe(look, points, { w, b }) {
  const wrong = points.filter((point) => (score(w, b, point) > 0 ? 1 : 0) !== point[2]);
  const list = wrong.map((point) => `(${point[0]}, ${point[1]})`).join(", ");
  return fill(TEXT.picture, {
    x1: look.axes[0], x2: look.axes[1], w1: number(w[0], 1), w2: number(w[1], 1), b: number(b, 1),
    k: points.length - wrong.length, n: points.length, wrong: wrong.length ? fill(TEXT.someWrong, { list }) : TEXT.allRight,
  });
}

function buildSide(frame, look, state, moved) {
  const parts = { count: make("p", { class: "look-big" }), formula: make("p", { class: "look-formula" }) };
  const one = (labelHtml, range, value, assign) => slider({
    labelHtml, min: range.min, max: range.max, step: range.step, value, format: (v) => number(v, range.digits),
    onInput: frame.guard((v) => { assign(v); moved(); }),
  });
  parts.sliders = [
    one("<i>w</i><sub>1</sub>", look.w, state.w[0], (v) => { state.w = [v, state.w[1]]; }),
    one("<i>w</i><sub>2</sub>", look.w, state.w[1], (v) => { state.w = [state.w[0], v]; }),
    one("<i>b</i>", look.b, state.b, (v) => { state.b = v; }),
  ];
  parts.goal = goal(look.goal);
  parts.why = make("p", { class: "look-why", text: look.why, hidden: true });
  frame.side.append(...parts.sliders.map((item) => item.row), parts.formula, parts.count, parts.goal.box, parts.why);
  return parts;
}

function showNumbers(parts, look, state, right, total) {
  parts.count.textContent = fill(TEXT.count, { k: right, n: total });
  const noLine = state.w[0] === 0 && state.w[1] === 0;
  const sign = (value) => (value < 0 ? "\u2212" : "+");
  const size = (value) => number(Math.abs(value), 1);
  const shown = {
    w1: number(state.w[0], 1), w2: size(state.w[1]), b: size(state.b), s2: sign(state.w[1]), s3: sign(state.b), x1: look.axes[0], x2: look.axes[1],
  };
  parts.formula.replaceChildren(fill(TEXT.formula, shown), make("br"), make("span", { text: noLine ? TEXT.noLine : TEXT.rule }));
}

function render({ model, el }) {
  const look = LOOKS[model.get("data")];
  const points = model.get("points");
  const best = model.get("best");
  const state = { w: model.get("w"), b: model.get("b"), guess: model.get("prediction"), reached: model.get("goal_reached") };
  const frame = openFrame(el, look.title);
  frame.root.classList.add("look-short-labels");
  const { publish, listen, close } = publisher(model);
  const picture = buildPicture(look, points);
  const asked = prediction(frame, {
    question: look.question, options: look.options.map((value) => [value, String(value)]), chosen: state.guess, wait: TEXT.wait,
    answered: (guess, verdict) => {
      state.guess = guess;
      verdict.textContent = fill(TEXT.guess, { guess, n: points.length });
      publish({ prediction: guess });
    },
  });
  const parts = buildSide(frame, look, state, moved);
  frame.picture.append(picture.svg, legend(look));

  function show() {
    const right = countRight(state.w, state.b, points);
    drawPicture(picture, look, points, state);
    showNumbers(parts, look, state, right, points.length);
    picture.svg.setAttribute("aria-label", describe(look, points, state));
    frame.root.dataset.right = right;
    return right;
  }

  function celebrate() {
    state.reached = true;
    parts.goal.reach(look.done);
    parts.why.hidden = false;
    asked.verdict.textContent = fill(state.guess === best ? TEXT.rightGuess : TEXT.wrongGuess, { guess: state.guess, n: points.length, best });
  }

  function moved() {
    const right = show();
    const first = right === best && !state.reached;
    if (first) celebrate();
    frame.announce(fill(TEXT.count, { k: right, n: points.length }), first ? fill(TEXT.reached, { done: look.done }) : "");
    publish({ w: state.w, b: state.b, correct: right, goal_reached: state.reached });
  }

  const fromPython = frame.guard(() => {
    state.w = model.get("w");
    state.b = model.get("b");
    [state.w[0], state.w[1], state.b].forEach((value, k) => parts.sliders[k].set(value));
    show();
  });
  listen(["w", "b"], fromPython);
  frame.guard(() => { show(); if (state.reached) celebrate(); })();
  return close;
}

export default { render };
