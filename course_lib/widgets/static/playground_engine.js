// Where the playground trains: in a worker made from the text below, or in slices of a frame where a page allows none.
import { frameLoop } from "./loop.js";
import { Trainer } from "./playground_trainer.js";
import workerText from "./playground_worker.js?text";

const SLICE = 9;

// The orders of both engines: begin({turn, serial, settings}), go({turn, last}), pause({turn}), close().
function slicesOf(frame, digits, hear) {
  const trainer = new Trainer(digits, hear);
  const loop = frameLoop(frame, () => trainer.slice(SLICE));
  return {
    kind: "slices",
    begin: (order) => { loop.stop(); trainer.begin(order); },
    go: (order) => { trainer.go(order); loop.start(); },
    pause: (order) => { loop.stop(); trainer.pause(order); requestAnimationFrame(frame.guard(() => trainer.paint())); },
    close: () => loop.stop(),
  };
}

// A page may refuse the worker at once or by an error event: until it says that it is ready, orders are kept.
export class Engine {
  constructor(frame, digits, hear) {
    Object.assign(this, { frame, digits, hear, begun: null, wanted: null, ready: false, turn: 0 });
    this.url = URL.createObjectURL(new Blob([workerText], { type: "text/javascript" }));
    try {
      this.worker = new Worker(this.url);
    } catch {
      this.fallBack();
      return;
    }
    this.worker.onmessage = frame.guard(({ data }) => this.heard(data));
    this.worker.onerror = frame.guard((event) => this.failed(event));
    this.worker.postMessage({ name: "open", digits });
  }

  get kind() { return this.slices ? "slices" : this.ready ? "worker" : "opening"; }

  // A page without the widget, such as a cell scrolled far away, is not worked for: training waits there.
  heard(news) {
    if (news.ready) {
      this.ready = true;
      URL.revokeObjectURL(this.url);
      return;
    }
    if (this.wanted && !this.frame.root.isConnected) this.pause();
    this.hear(news);
  }

  // The last order is done. An engine that rested before it heard the last one does not count.
  rests(news) { return news.resting && news.turn === this.turn; }

  failed(event) {
    event.preventDefault();
    if (this.ready) throw new Error(event.message);
    this.worker.terminate();
    this.fallBack();
    const { begun, wanted } = this;
    if (begun) this.order("begin", begun);
    if (wanted) this.order("go", wanted);
  }

  fallBack() {
    this.worker = null;
    URL.revokeObjectURL(this.url);
    this.slices = slicesOf(this.frame, this.digits, this.hear);
  }

  order(name, values = {}) {
    this.turn += 1;
    const order = { name, turn: this.turn, ...values };
    if (this.slices) this.slices[name](order);
    else if (this.worker) this.worker.postMessage(order);
  }

  begin(serial, settings) {
    [this.begun, this.wanted] = [{ serial, settings }, null];
    this.order("begin", this.begun);
  }

  go(last) {
    this.wanted = { last };
    this.order("go", this.wanted);
  }

  pause() {
    this.wanted = null;
    this.order("pause");
  }

  close() {
    if (this.worker) this.worker.terminate();
    if (this.slices) this.slices.close();
    this.worker = null;
  }
}
