// Degree of a polynomial against the strength of its L2 penalty: the fit, and both errors over the strength.
import { INK, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { LineChart, short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { keyList, lineKey, pictureOf, spotKey } from "./panel.js";
import { errorCurves, fitRidge, legendre, meanError, norm, predict } from "./ridge.js";

const MARKS = Array.from({ length: 41 }, (_, k) => Number((-6 + 0.2 * k).toFixed(1)));
const STRENGTHS = MARKS.map((mark) => 10 ** mark);
const GRID = Array.from({ length: 161 }, (_, k) => -1 + k / 80);
const FLEXIBLE = 12;

const TEXT = {
  title: "A weight penalty against a high degree",
  question: "A polynomial of degree 12 on 20 noisy points. The penalty grows from almost nothing to very strong. The validation error \u2026",
  options: [["falls", "falls all the way"], ["rises", "rises all the way"], ["valley", "falls, then rises"]],
  wait: "Choose, and the sliders wake up.",
  guess: "Noted. Set the degree to 12 and move the strength.",
  right: "You said falls, then rises: right.", wrong: "It falls, then rises.",
  why: "Without a penalty the curve chases the noise, with too much it is a flat line. Training error only ever rises: it cannot choose the strength.",
  degree: "degree", strength: "strength \u03bb",
  big: "Validation error {validation}",
  detail: "Training error {train}. Length of the weights {norm}.",
  rule: "Error + \u03bb/2 \u00b7 sum of squared weights; the constant is free. The polynomials are Legendre\u2019s, up to the degree.",
  goals: [
    "Degree 12: find a strength with a validation error below that of degree 3 without a penalty, {plain}.",
    "Degree 15 can be too simple as well: bring its training error above 0.5 by the strength alone.",
  ],
  done: ["{validation} with \u03bb = {strength}.", "Training error {train} with \u03bb = {strength}."],
  fitHead: "Data and fit", errorHead: "Both errors for every strength, degree {degree}",
  fitAxis: { x: "x", y: "y" }, errorAxis: { x: "log\u2081\u2080 of the strength \u03bb", y: "mean squared error (log)" },
  level: "degree 3, no penalty", chosen: "yours",
  legend: ["training", "validation", "training points", "validation points"],
  fitPicture: "Twenty training points, {count} validation points and a polynomial of degree {degree} with penalty {strength}.",
  errorPicture: "Errors for degree {degree} on log scales. Training goes from {trainLow} to {trainHigh}; validation is lowest, {best}, at strength {at}, and {validationLow} and {validationHigh} at both ends. Yours, {strength}, gives {validation}.",
};
const LOOKS = { train: { colour: INK.zero, width: 2.5, dash: [6, 4] }, validation: { colour: INK.one, width: 3.5 } };

export const ridge = { fitRidge, legendre, meanError, errorCurves };

function buildPage(frame, state, moved, goals, reached) {
  const parts = { canvases: { fit: pictureOf(270), errors: pictureOf(270) }, marks: milestones(goals, reached) };
  parts.fit = new LineChart(parts.canvases.fit);
  parts.errors = new LineChart(parts.canvases.errors);
  parts.degree = slider({ labelHtml: TEXT.degree, min: 1, max: 15, step: 1, value: state.degree, format: String, onInput: frame.guard((v) => { state.degree = v; moved(); }) });
  parts.strength = slider({
    labelHtml: TEXT.strength, min: -6, max: 2, step: 0.1, value: Math.log10(state.strength), format: (v) => short(Number((10 ** v).toPrecision(2))),
    onInput: frame.guard((v) => { state.strength = 10 ** v; moved(); }),
  });
  parts.big = make("p", { class: "look-big" });
  parts.detail = make("p", { class: "look-detail look-steady" });
  parts.errorHead = make("p", { class: "look-tag" });
  const keys = [lineKey(LOOKS.train), lineKey(LOOKS.validation), spotKey("rect", { colour: INK.zero, fill: INK.zero }), spotKey("disc", { colour: INK.one })];
  frame.picture.append(make("p", { class: "look-tag", text: TEXT.fitHead }), parts.canvases.fit, parts.errorHead, parts.canvases.errors,
    keyList(...keys.map((key, k) => [key, TEXT.legend[k]])));
  frame.side.append(parts.degree.row, parts.strength.row, parts.big, parts.detail, ...parts.marks.boxes, make("p", { class: "look-why", text: TEXT.rule }));
  return parts;
}

function drawFit(chart, data, w) {
  chart.open({ low: -1.05, high: 1.05, text: TEXT.fitAxis.x }, { low: -2.2, high: 2.2, text: TEXT.fitAxis.y });
  chart.dots(data.validation.x, data.validation.y, { hollow: true, size: 3.5, colour: "#6f94b8" });
  chart.curve(GRID, GRID.map((x) => predict(w, x)), { colour: INK.dark });
  chart.dots(data.train.x, data.train.y, { square: true, colour: INK.zero, size: 4.5 });
}

function drawErrors(chart, curves, { strength, train, validation, plain, awake }) {
  chart.open({ low: -6.15, high: 2.15, text: TEXT.errorAxis.x }, { low: 0.008, high: 5, log: true, text: TEXT.errorAxis.y });
  chart.level(plain, TEXT.level);
  if (!awake) return;
  chart.curve(MARKS, curves.train, LOOKS.train);
  chart.curve(MARKS, curves.validation, LOOKS.validation);
  chart.upright(Math.log10(strength), TEXT.chosen, { width: 1.5, dash: [5, 4] });
  chart.dots([Math.log10(strength)], [train], { square: true, colour: INK.zero, size: 6 });
  chart.dots([Math.log10(strength)], [validation], { size: 6 });
}

function render({ model, el }) {
  const data = model.get("points");
  const state = { degree: model.get("degree"), strength: model.get("strength") };
  const plain = meanError(fitRidge(data.train, 3, 0), data.validation);
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "6em");
  frame.root.style.setProperty("--value", "4.6em");
  const { publish, listen, close } = publisher(model);
  const goals = TEXT.goals.map((text) => fill(text, { plain: number(plain, 3) }));
  const parts = buildPage(frame, state, moved, goals, [model.get("goal_reached"), model.get("second_reached")]);
  const seen = new Set();
  let drawn = {};
  const asked = prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = TEXT.guess;
      publish({ prediction: guess });
      show();
    },
  });

  function curvesOf(degree) {
    if (drawn.degree !== degree) drawn = { degree, ...errorCurves(data, degree, STRENGTHS) };
    return drawn;
  }

  function show() {
    const w = fitRidge(data.train, state.degree, state.strength);
    const curves = curvesOf(state.degree);
    const found = { train: meanError(w, data.train), validation: meanError(w, data.validation) };
    drawFit(parts.fit, data, w);
    drawErrors(parts.errors, curves, { ...found, strength: state.strength, plain, awake: !frame.side.disabled });
    const values = {
      degree: state.degree, strength: short(Number(state.strength.toPrecision(2))), train: errorText(found.train), validation: errorText(found.validation),
      norm: short(Number(norm(w).toPrecision(3))), count: data.validation.x.length,
    };
    parts.big.textContent = fill(TEXT.big, values);
    parts.detail.textContent = fill(TEXT.detail, values);
    parts.errorHead.textContent = fill(TEXT.errorHead, values);
    describe(curves, values);
    Object.assign(frame.root.dataset, found);
    return { found, values };
  }

  function describe(curves, values) {
    const best = curves.validation.indexOf(Math.min(...curves.validation));
    const last = STRENGTHS.length - 1;
    parts.canvases.fit.setAttribute("aria-label", fill(TEXT.fitPicture, values));
    parts.canvases.errors.setAttribute("aria-label", frame.side.disabled ? TEXT.wait : fill(TEXT.errorPicture, {
      ...values, trainLow: errorText(curves.train[0]), trainHigh: errorText(curves.train[last]), best: errorText(curves.validation[best]),
      at: short(Number(STRENGTHS[best].toPrecision(2))), validationLow: errorText(curves.validation[0]), validationHigh: errorText(curves.validation[last]),
    }));
  }

  // Weak, middle and strong at degree 12 seen: then the prediction is answered.
  function judge({ found, values }) {
    if (state.degree === FLEXIBLE) seen.add(state.strength < 1e-3 ? "weak" : state.strength > 0.3 ? "strong" : "middle");
    if (seen.size === 3) asked.verdict.textContent = `${model.get("prediction") === "valley" ? TEXT.right : TEXT.wrong} ${TEXT.why}`;
    const met = [state.degree === FLEXIBLE && found.validation < plain, state.degree === 15 && found.train > 0.5];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge(shown));
    publish({
      ...state, train_error: shown.found.train, validation_error: shown.found.validation, goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["degree", "strength"], frame.guard(() => {
    Object.assign(state, { degree: model.get("degree"), strength: model.get("strength") });
    parts.degree.set(state.degree);
    parts.strength.set(Math.log10(state.strength));
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  Object.values(parts.canvases).forEach((canvas) => resized.observe(canvas));
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

function errorText(value) {
  return value < 100 ? number(value, 3) : short(value);
}

export default { render };
