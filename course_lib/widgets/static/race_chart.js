// Loss by step on a log scale, one curve for every runner that is drawn, up to the step that is shown.
import { fill, make } from "./kit.js";
import { LineChart } from "./line_chart.js";
import { CLOSE, LAST } from "./race.js";
import { lossText } from "./race_controls.js";
import { RUNNERS } from "./race_picture.js";

const CHART_TEXT = {
  x: "step", y: "loss, log scale", close: "0.01", now: "step {k}",
  alt: "Loss by step on a log scale, up to step {k}. {runners}.",
  one: "{name} from {first} to {last}", none: "No runner is drawn",
};
const [LOWEST, HIGHEST] = [1e-4, 1e3];

export class LossChart {
  constructor() {
    this.canvas = make("canvas", { class: "look-chart", role: "img" });
    this.chart = new LineChart(this.canvas);
  }

  draw(paths, shown, step) {
    const { chart } = this;
    chart.open({ low: 0, high: LAST, text: CHART_TEXT.x }, { low: LOWEST, high: HIGHEST, log: true, text: CHART_TEXT.y });
    chart.level(CLOSE, CHART_TEXT.close);
    const names = Object.keys(RUNNERS).filter((name) => shown.has(name)).sort((a, b) => RUNNERS[b].width - RUNNERS[a].width);
    for (const name of names) {
      const losses = paths[name].loss.slice(0, step + 1);
      chart.curve(losses.map((_, k) => k), losses, RUNNERS[name]);
    }
    if (step > 0 && step < LAST) chart.upright(step, fill(CHART_TEXT.now, { k: step }), { width: 1.5 });
  }

  describe(paths, shown, step) {
    const runners = Object.keys(RUNNERS).filter((name) => shown.has(name)).map((name) => {
      const losses = paths[name].loss.slice(0, step + 1);
      return fill(CHART_TEXT.one, { name: RUNNERS[name].text, first: lossText(losses[0]), last: lossText(losses.at(-1)) });
    });
    this.canvas.setAttribute("aria-label", fill(CHART_TEXT.alt, { k: step, runners: runners.join("; ") || CHART_TEXT.none }));
  }
}
