// The run in progress and the earlier ones, and the table that lists them.
import { button, fill, make } from "./kit.js";
import { short } from "./line_chart.js";
import { lineKey } from "./panel.js";
import { codeOf, codeParts } from "./playground_code.js";
import { VALIDATION, letterOf, lowest, mostRight, pastLook } from "./playground_pictures.js";

const RECENT = 3;
const KEPT = 5;
const REMEMBERED = 20; // epochs after which a run is worth a curve
const ENOUGH = 50; // epochs after which two runs are compared

const RUNS_TEXT = {
  caption: "Your runs, on the validation digits",
  help: "Finished runs stay for a while: the last three, and up to five that you keep. Bold is what differs from the run now.",
  heads: ["run", "settings", "epochs", "lowest loss", "most right", "actions"],
  now: "now", use: "Use", keep: "Keep", remove: "Remove",
  useName: "Use the settings of run {letter}", keepName: "Keep run {letter}", removeName: "Remove run {letter}", keepNow: "Keep the run now",
  none: "",
};

export class Runs {
  constructor(settings) {
    Object.assign(this, { settings, past: [], pairs: new Map(), places: 0, serial: 0 });
    this.begin();
  }

  // Moves the present run to the earlier ones if it is worth it, and starts an empty one.
  begin() {
    const { run } = this;
    if (run && run.history.length > 1 && (run.kept || run.epochs >= REMEMBERED)) {
      run.place = this.places;
      this.places += 1;
      this.past = [...this.past, run];
      const recent = this.past.filter((old) => !old.kept).slice(-RECENT);
      this.past = this.past.filter((old) => old.kept || recent.includes(old));
    }
    this.serial += 1;
    this.run = { settings: this.settings, history: [], epochs: 0, steps: 0, wrong: [], broken: false, pictures: null, kept: false };
  }

  // News of the engine about the present run; anything else is too late.
  take(news) {
    if (news.serial !== this.serial) return false;
    const { run } = this;
    const { epochs, steps, wrong, broken, point, pictures } = news;
    Object.assign(run, { epochs, steps, wrong, broken, pictures: broken ? null : pictures || run.pictures });
    const last = run.history[run.history.length - 1];
    if (point && (!last || point.epoch > last.epoch)) run.history.push(point);
    return true;
  }

  mayKeep(run) { return run.kept || [...this.past, this.run].filter((one) => one.kept).length < KEPT; }

  keep(run) { if (this.mayKeep(run)) run.kept = !run.kept; }

  remove(run) { this.past = this.past.filter((old) => old !== run); }

  // With and without dropout, all else equal: what the prediction is about.
  compare() {
    const { run } = this;
    for (const other of this.past) {
      const [without, dropped] = run.settings.p === 0 ? [run, other] : [other, run];
      const alike = ["optimiser", "lr", "hidden", "batch", "seed"].every((name) => run.settings[name] === other.settings[name]);
      const epochs = Math.min(run.epochs, other.epochs);
      if (!alike || epochs < ENOUGH || without.settings.p !== 0 || dropped.settings.p < 0.3) continue;
      const low = (one) => lowest({ history: one.history.slice(0, epochs + 1) });
      const { optimiser, lr } = run.settings;
      this.pairs.set(`${optimiser} ${lr}`, { lr, p: dropped.settings.p, without: low(without), with: low(dropped) });
    }
    return run.epochs >= ENOUGH ? [...this.pairs.values()] : [];
  }
}

// The code of a run, with what differs from the present settings in bold.
function codeCell(settings, present) {
  const same = new Set(codeParts(present));
  const code = make("code");
  codeParts(settings).forEach((part, k) => code.append(k ? "-" : "", same.has(part) ? part : make("b", { text: part })));
  return code;
}

// A row per run. `act` holds use(run), keep(run), remove(run) and choose(run or null).
export class RunTable {
  constructor(act) {
    this.act = act;
    this.body = make("tbody");
    const heads = make("tr", {}, ...RUNS_TEXT.heads.map((text) => make("th", { scope: "col", text })));
    const table = make("table", { class: "look-table look-runs" }, make("caption", { text: RUNS_TEXT.caption }), make("thead", {}, heads), this.body);
    this.box = make("div", {}, table, make("p", { class: "look-why", text: RUNS_TEXT.help }));
  }

  // Rows are made anew; whoever pressed a button in one finds the focus where it was, or on the run now.
  show(runs) {
    const active = this.body.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    this.body.replaceChildren(this.row(runs, runs.run, null), ...[...runs.past].reverse().map((old) => this.row(runs, old, letterOf(old))));
    if (!active) return;
    const buttons = [...this.body.querySelectorAll("button")];
    (buttons.find((node) => node.getAttribute("aria-label") === active) || buttons[0]).focus();
  }

  row(runs, run, letter) {
    const key = lineKey(letter ? pastLook(run) : VALIDATION);
    const cells = run.history.length ? [run.epochs, short(lowest(run)), `${(100 * mostRight(run)).toFixed(1)} %`] : [0, RUNS_TEXT.none, RUNS_TEXT.none];
    const row = make("tr", {}, make("th", { scope: "row" }, `${letter || RUNS_TEXT.now} `, key), make("td", {}, codeCell(run.settings, runs.run.settings)),
      ...cells.map((text) => make("td", { text })), make("td", {}, make("div", { class: "look-row-buttons" }, ...this.buttons(runs, run, letter))));
    if (letter) this.followHand(row, run);
    return row;
  }

  buttons(runs, run, letter) {
    const named = (text, name, work) => {
      const node = button(text, work);
      node.setAttribute("aria-label", fill(name, { letter }));
      return node;
    };
    const keep = named(RUNS_TEXT.keep, letter ? RUNS_TEXT.keepName : RUNS_TEXT.keepNow, () => this.act.keep(run));
    keep.setAttribute("aria-pressed", run.kept);
    keep.setAttribute("aria-disabled", !runs.mayKeep(run));
    if (!letter) return [keep];
    return [named(RUNS_TEXT.use, RUNS_TEXT.useName, () => this.act.use(run)), keep, named(RUNS_TEXT.remove, RUNS_TEXT.removeName, () => this.act.remove(run))];
  }

  followHand(row, run) {
    for (const [event, chosen] of [["pointerenter", run], ["pointerleave", null], ["focusin", run], ["focusout", null]]) {
      row.addEventListener(event, () => this.act.choose(chosen));
    }
  }
}

export function rowOf(run) {
  return { code: codeOf(run.settings), epochs: run.epochs, lowest_loss: lowest(run), most_right: mostRight(run), kept: run.kept };
}
