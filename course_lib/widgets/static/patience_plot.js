// Patience on a noisy validation curve: where training stops, which epoch is kept, and what is never seen.
import { INK, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { LineChart, short } from "./line_chart.js";
import { milestones, spoken } from "./milestones.js";
import { earlyStopping, lowestEpoch, smallestPatience } from "./patience.js";
import { keyList, lineKey, pictureOf, spotKey } from "./panel.js";

const TRIED = 8;

const TEXT = {
  title: "Early stopping: how patient?",
  question: "Training stops after 5 epochs without progress. Which weights does early stopping keep?",
  options: [["last", "Those of the last epoch"], ["seen", "The best so far"], ["whole", "The best of the whole curve"]],
  wait: "Choose, and the sliders wake up.",
  right: "You said the best so far: right.", wrong: "It keeps the best so far.",
  why: "It cannot know what would have come. A deeper valley behind the stop stays unseen: move the patience.",
  patience: "patience", delta: "min_delta",
  stopped: "Stops at {stop}, keeps {best}", ran: "Never stops, keeps {best}",
  detail: "Epochs count from 0. Kept loss {loss}. {saved} of {count} epochs are never trained.",
  missed: "Lowest of the whole curve: {low} at epoch {lowest}.",
  sameLow: "That is the lowest of the whole curve.",
  goals: [
    "min_delta 0: find the smallest patience that keeps the lowest loss of the whole curve.",
    "Patience 8: raise min_delta until training stops earlier than with min_delta 0.",
  ],
  done: [
    "Patience {patience}. With {less} training stops before it gets there.",
    "It stops at epoch {stop}, not {plain}, and keeps epoch {best}: small progress no longer counts.",
  ],
  axis: { x: "epoch", y: "loss (log)" },
  stopLine: "stops", keepLine: "keeps",
  legend: ["validation, trained", "validation, never seen", "training", "kept epoch", "waiting", "to beat: kept \u2212 min_delta"],
  picture: "Validation loss over {count} epochs on a log scale, lowest {low} at epoch {lowest}. With patience {patience} and min_delta {delta}: {result}. {detail}",
};
const LOOKS = {
  seen: { colour: INK.one, width: 3.5 }, unseen: { colour: "#6f94b8", width: 2, dash: [2, 4] }, train: { colour: INK.zero, width: 2, dash: [7, 4] },
  beat: { colour: INK.muted, width: 1.5, dash: [2, 4] },
};

export const stopping = { earlyStopping, lowestEpoch, smallestPatience };

function buildPage(frame, state, count, moved, reached) {
  const canvas = pictureOf(380);
  const parts = { canvas, chart: new LineChart(canvas), marks: milestones(TEXT.goals, reached) };
  parts.patience = slider({
    labelHtml: TEXT.patience, min: 1, max: Math.min(30, count), step: 1, value: state.patience, format: String,
    onInput: frame.guard((v) => { state.patience = v; moved(); }),
  });
  parts.delta = slider({
    labelHtml: TEXT.delta, min: 0, max: 0.1, step: 0.001, value: state.delta, format: (v) => number(v, 3), onInput: frame.guard((v) => { state.delta = v; moved(); }),
  });
  for (const [name, kind] of [["big", "look-big"], ["detail", "look-detail look-steady"], ["missed", "look-detail look-steady"]]) parts[name] = make("p", { class: kind });
  const keys = [lineKey(LOOKS.seen), lineKey(LOOKS.unseen), lineKey(LOOKS.train), spotKey("disc", { fill: INK.one, colour: INK.one }), spotKey("disc", { colour: INK.one }), lineKey(LOOKS.beat)];
  frame.picture.append(canvas, keyList(...keys.map((key, k) => [key, TEXT.legend[k]])));
  frame.side.append(parts.patience.row, parts.delta.row, parts.big, parts.detail, parts.missed, ...parts.marks.boxes);
  return parts;
}

// The training loss may fall out of the picture at the bottom: the validation loss is what counts here.
function rangeOf({ losses, train }) {
  const [seen, known] = [losses, [...losses, ...train]].map((list) => list.filter((loss) => loss > 0));
  if (!known.length) return { low: 0.1, high: 1 };
  const floor = seen.length ? Math.min(...seen) / 6 : 0;
  return { low: 0.7 * Math.max(floor, Math.min(...known)), high: 1.3 * Math.max(...known) };
}

// What would come after the stop is thin and dotted: nobody ever sees it.
function draw(chart, { losses, train }, found, bar) {
  chart.open({ low: -0.5, high: losses.length - 0.5, text: TEXT.axis.x }, { ...rangeOf({ losses, train }), log: true, text: TEXT.axis.y });
  if (bar > 0) chart.level(bar, "");
  const epochs = losses.map((_, k) => k);
  const known = (list) => list.map((loss) => (loss === null ? NaN : loss));
  const part = (list, from, to, look) => chart.curve(epochs.slice(from, to), known(list).slice(from, to), look);
  part(train, 0, found.stop + 1, LOOKS.train);
  part(losses, found.stop, losses.length, LOOKS.unseen);
  part(losses, 0, found.stop + 1, LOOKS.seen);
  const waiting = epochs.slice(found.best + 1, found.stop + 1).filter((k) => losses[k] !== null);
  if (found.stopped) {
    chart.upright(found.stop, TEXT.stopLine, { colour: INK.zero, dash: [6, 4], width: 2 });
    chart.dots(waiting, waiting.map((k) => losses[k]), { hollow: true, size: 4 });
  }
  chart.upright(found.best, TEXT.keepLine, { colour: INK.one, width: 2, row: 1 });
  if (losses[found.best] !== null) chart.dots([found.best], [losses[found.best]], { size: 7 });
}

function render({ model, el }) {
  const state = { patience: model.get("patience"), delta: model.get("min_delta") };
  let curves = { losses: model.get("losses"), train: model.get("train_losses") };
  const frame = openFrame(el, TEXT.title);
  frame.root.style.setProperty("--label", "5.6em");
  const { publish, listen, close } = publisher(model);
  const parts = buildPage(frame, state, curves.losses.length, moved, [model.get("goal_reached"), model.get("second_reached")]);
  prediction(frame, {
    question: TEXT.question, options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = `${guess === "seen" ? TEXT.right : TEXT.wrong} ${TEXT.why}`;
      publish({ prediction: guess });
      show();
    },
  });

  function figures(found) {
    const { losses } = curves;
    const lowest = lowestEpoch(losses);
    const shown = (k) => (losses[k] === null ? "not a number" : short(losses[k]));
    return {
      stop: found.stop, best: found.best, count: losses.length, saved: losses.length - 1 - found.stop, loss: shown(found.best), low: shown(lowest), lowest,
      patience: state.patience, less: state.patience - 1, delta: number(state.delta, 3), plain: earlyStopping(losses, state.patience, 0).stop,
    };
  }

  // Asleep, the whole curve is shown as if nobody had stopped it.
  function show() {
    const awake = !frame.side.disabled;
    const found = awake ? earlyStopping(curves.losses, state.patience, state.delta) : { stop: curves.losses.length - 1, best: 0, stopped: false };
    const kept = curves.losses[found.best];
    draw(parts.chart, curves, found, awake && kept !== null ? kept - state.delta : 0);
    const values = figures(found);
    parts.big.textContent = awake ? fill(found.stopped ? TEXT.stopped : TEXT.ran, values) : "";
    parts.detail.textContent = awake ? fill(TEXT.detail, values) : "";
    parts.missed.textContent = awake ? fill(found.best === values.lowest ? TEXT.sameLow : TEXT.missed, values) : "";
    parts.canvas.setAttribute("aria-label", fill(TEXT.picture, { ...values, result: parts.big.textContent || TEXT.wait, detail: parts.detail.textContent }).trim());
    Object.assign(frame.root.dataset, { stop: found.stop, best: found.best });
    return { found, values };
  }

  function judge({ found, values }) {
    const met = [
      state.delta === 0 && found.best === values.lowest && state.patience === smallestPatience(curves.losses),
      state.patience === TRIED && state.delta > 0 && found.stop < values.plain,
    ];
    return parts.marks.judge(met.map((yes, k) => (yes ? fill(TEXT.done[k], values) : "")));
  }

  function moved() {
    const shown = show();
    frame.announce(spoken(parts.big.textContent, parts.detail.textContent), judge(shown));
    publish({
      patience: state.patience, min_delta: state.delta, last_epoch: shown.found.stop, best_epoch: shown.found.best,
      goal_reached: parts.marks.reached[0], second_reached: parts.marks.reached[1],
    });
  }

  listen(["patience", "min_delta", "losses", "train_losses"], frame.guard(() => {
    curves = { losses: model.get("losses"), train: model.get("train_losses") };
    Object.assign(state, { patience: model.get("patience"), delta: model.get("min_delta") });
    parts.patience.set(state.patience);
    parts.delta.set(state.delta);
    show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { show(); }));
  resized.observe(parts.canvas);
  frame.guard(show)();
  return () => { resized.disconnect(); close(); };
}

export default { render };
