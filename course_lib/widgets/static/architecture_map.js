// A map of networks: accuracy against parameters or operations. A click or the slider chooses one and shows its paper.
import { button, choice, fill, make, number, openFrame, prediction, publisher, slider } from "./kit.js";
import { MapPicture } from "./map_picture.js";
import { milestones, spoken } from "./milestones.js";
import { pictureOf } from "./panel.js";

const TEXT = {
  title: "What does accuracy cost?",
  question: "Take any two of these {count} networks. How often is the one with more parameters also the more accurate one?",
  options: [["always", "nearly always"], ["mostly", "in about three of four pairs"], ["half", "in little more than half of the pairs"]],
  wait: "Choose, and the map appears.",
  asleep: "The map of the networks appears once the question is answered.",
  right: "You were right: in {share} % of the {pairs} pairs. {example}",
  wrong: "In {share} % of the {pairs} pairs. {example}",
  example: "{small} ({smallYear}) beats {large} ({largeYear}), which has {times} times as many parameters.",
  x: "To the right",
  axes: [["parameters", "parameters"], ["operations", "operations (multiply-adds)"]],
  names: { parameters: "parameters", operations: "multiply-adds", accuracy: "top-1 accuracy (%)" },
  area: "The area of a disc stands for its {third}.",
  network: "network",
  big: "{name} ({year})",
  table: [["parameters", "Parameters"], ["operations", "Multiply-adds"], ["accuracy", "Top-1 accuracy"]],
  source: "Source: {source}.",
  answer: "Answer with this network",
  first: "Find the most accurate network with fewer than 10 million parameters.",
  firstDone: "{name}: {accuracy} % with {parameters} parameters.",
  second: "Find the network that reaches 70 % with the fewest operations.",
  secondDone: "{name}: {accuracy} % with {operations} multiply-adds.",
  budget: "10 million",
  floor: "70 %",
  feedback: {
    both: "{name} meets no goal: it has {parameters} parameters, and another network reaches 70 % with fewer operations.",
    better: "{name} stays below 10 million parameters, but another one there is more accurate.",
    low: "{name} stays below 70 %, and another network under 10 million parameters is more accurate.",
    met: "{name} it is.",
  },
  picture: "Map of {count} networks, {x} to the right on a log scale, accuracy upwards. Chosen: {name}, {accuracy} %, {parameters} parameters, {operations} multiply-adds.",
};

const BUDGET = 1e7;
const FLOOR = 70;

export function figure(value) {
  for (const [size, name] of [[1e9, "billion"], [1e6, "million"]]) {
    if (value >= 0.9995 * size) return `${Number((value / size).toPrecision(3))} ${name}`;
  }
  return value >= 1e5 ? `${Number((value / 1e6).toPrecision(3))} million` : Math.round(value).toLocaleString("en");
}

const tick = (value) => figure(value).replace(" million", " M").replace(" billion", " G");

class Session {
  constructor(model) {
    this.rows = model.get("rows");
    this.read(model);
    const small = this.rows.filter((row) => row.parameters < BUDGET);
    const good = this.rows.filter((row) => row.accuracy >= FLOOR);
    this.best = Math.max(...small.map((row) => row.accuracy));
    this.cheapest = Math.min(...good.map((row) => row.operations));
  }

  read(model) {
    Object.assign(this, { x: model.get("x"), chosen: model.get("chosen") });
  }

  get third() { return this.x === "parameters" ? "operations" : "parameters"; }

  // The slider walks from left to right.
  get order() { return [...this.rows].sort((a, b) => a[this.x] - b[this.x]); }

  get row() { return this.rows.find((row) => row.name === this.chosen); }

  meets() {
    const { row } = this;
    return [row.parameters < BUDGET && row.accuracy === this.best, row.accuracy >= FLOOR && row.operations === this.cheapest];
  }
}

// How often more parameters go with more accuracy, and the most striking pair in which they do not.
export function compare(rows) {
  let [agree, pairs, example] = [0, 0, null];
  for (const small of rows) {
    for (const large of rows.filter((row) => row.parameters > small.parameters)) {
      pairs += 1;
      if (large.accuracy > small.accuracy) agree += 1;
      const times = large.parameters / small.parameters;
      if (small.accuracy > large.accuracy && (!example || times > example.times)) example = { small, large, times };
    }
  }
  return { share: pairs ? agree / pairs : 1, pairs, example };
}

function answerTo(rows, guess) {
  const { share, pairs, example } = compare(rows);
  const truth = share >= 0.9 ? "always" : share >= 0.66 ? "mostly" : "half";
  const told = example ? fill(TEXT.example, {
    small: example.small.name, smallYear: example.small.year, large: example.large.name, largeYear: example.large.year, times: number(example.times, example.times < 10 ? 1 : 0),
  }) : "";
  return fill(guess === truth ? TEXT.right : TEXT.wrong, { share: number(100 * share, 0), pairs, example: told });
}

function words({ row, rows, x, third }) {
  const values = { ...row, parameters: figure(row.parameters), operations: figure(row.operations), accuracy: number(row.accuracy, 1) };
  return {
    values, big: fill(TEXT.big, row), paper: row.paper, source: fill(TEXT.source, row), area: fill(TEXT.area, { third: TEXT.names[third] }),
    picture: fill(TEXT.picture, { ...values, count: rows.length, x: TEXT.names[x] }),
  };
}

function feedbackFor(session) {
  const { row } = session;
  if (session.meets().some(Boolean)) return TEXT.feedback.met;
  if (row.parameters >= BUDGET) return TEXT.feedback.both;
  return row.accuracy < FLOOR ? TEXT.feedback.low : TEXT.feedback.better;
}

function buildTable() {
  const cells = Object.fromEntries(TEXT.table.map(([name]) => [name, make("td")]));
  const rows = TEXT.table.map(([name, text]) => make("tr", {}, make("th", { scope: "row", text }), cells[name]));
  return { table: make("table", { class: "look-table" }, make("tbody", {}, ...rows)), cells };
}

function buildPage(frame, session, reached, act) {
  const canvas = pictureOf(460);
  canvas.style.cursor = "pointer";
  const x = choice({ label: TEXT.x, options: TEXT.axes, value: session.x, onChange: frame.guard(act.turn) });
  const network = slider({
    labelHtml: TEXT.network, min: 0, max: session.rows.length - 1, step: 1, value: session.order.indexOf(session.row),
    format: (k) => session.order[k].name, onInput: frame.guard((k) => act.choose(session.order[k].name)),
  });
  frame.root.style.setProperty("--label", "5em");
  frame.root.style.setProperty("--value", "9em");
  const { table, cells } = buildTable();
  const nodes = { big: make("p", { class: "look-big" }) };
  for (const name of ["paper", "source", "area"]) nodes[name] = make("p", { class: name === "paper" ? "look-detail" : "look-why" });
  const feedback = make("p", { class: "look-detail" });
  const goals = milestones([TEXT.first, TEXT.second], reached);
  const answer = make("div", { class: "look-buttons" }, button(TEXT.answer, frame.guard(act.answer), "main"));
  frame.picture.append(canvas, make("div", { class: "look-said" }, nodes.area));
  frame.side.append(x.row, network.row, nodes.big, nodes.paper, table, nodes.source, answer, feedback, ...goals.boxes);
  return { canvas, picture: new MapPicture(canvas, session.rows), x, network, cells, nodes, feedback, goals };
}

function drawMap(page, session) {
  const guides = [{ value: FLOOR, along: "across", word: TEXT.floor }];
  if (session.x === "parameters") guides.push({ value: BUDGET, along: "upright", word: TEXT.budget });
  page.picture.draw({ x: session.x, third: session.third, chosen: session.chosen, names: { x: TEXT.names[session.x], y: TEXT.names.accuracy }, text: tick, guides });
}

class MapView {
  constructor(model, frame) {
    Object.assign(this, { model, frame, session: new Session(model), reached: [model.get("goal_reached"), model.get("second_reached")] });
    this.publisher = publisher(model);
    const act = { turn: (x) => this.turn(x), choose: (name) => this.choose(name), answer: () => this.answer() };
    this.page = buildPage(frame, this.session, this.reached, act);
    this.page.canvas.addEventListener("click", frame.guard((event) => {
      const row = frame.side.disabled ? null : this.page.picture.rowAt(event);
      if (row) this.choose(row.name);
    }));
  }

  turn(x) {
    this.session.x = x;
    this.moved();
  }

  choose(name) {
    this.session.chosen = name;
    this.page.feedback.textContent = "";
    this.moved();
  }

  answer() {
    const { session, page } = this;
    const { values } = words(session);
    const met = session.meets();
    page.feedback.textContent = fill(feedbackFor(session), values);
    const news = page.goals.judge([TEXT.firstDone, TEXT.secondDone].map((text, k) => (met[k] ? fill(text, values) : "")));
    this.frame.announce(spoken(page.feedback.textContent), news);
    this.publish();
  }

  moved() {
    const said = this.show();
    this.frame.announce(spoken(said.big, ...TEXT.table.map(([name, text]) => `${text} ${this.page.cells[name].textContent}`), said.paper));
    this.publish();
  }

  publish() {
    const { session, reached } = this;
    this.publisher.publish({ x: session.x, chosen: session.chosen, goal_reached: reached[0], second_reached: reached[1] });
  }

  show() {
    const { page, session, frame } = this;
    const said = words(session);
    const asleep = frame.side.disabled;
    if (!asleep) drawMap(page, session);
    for (const [name, node] of Object.entries(page.nodes)) node.textContent = asleep ? "" : said[name];
    for (const [name, node] of Object.entries(page.cells)) node.textContent = asleep ? "" : `${said.values[name]}${name === "accuracy" ? " %" : ""}`;
    page.canvas.setAttribute("aria-label", asleep ? TEXT.asleep : said.picture);
    page.network.set(session.order.indexOf(session.row));
    page.x.select.value = session.x;
    Object.assign(frame.root.dataset, { chosen: session.chosen, x: session.x });
    return said;
  }
}

function render({ model, el }) {
  const frame = openFrame(el, TEXT.title);
  const view = new MapView(model, frame);
  const { session } = view;
  prediction(frame, {
    question: fill(TEXT.question, { count: session.rows.length }), options: TEXT.options, chosen: model.get("prediction"), wait: TEXT.wait,
    answered: (guess, verdict) => {
      verdict.textContent = answerTo(session.rows, guess);
      view.publisher.publish({ prediction: guess });
      view.show();
    },
  });
  // Python chose a network or an axis: the same as if a hand had done it.
  view.publisher.listen(["x", "chosen"], frame.guard(() => {
    session.read(model);
    if (session.row) view.show();
  }));
  const resized = new ResizeObserver(frame.guard(() => { view.show(); }));
  resized.observe(view.page.canvas);
  frame.guard(() => { view.show(); })();
  return () => { resized.disconnect(); view.publisher.close(); };
}

export default { render };
