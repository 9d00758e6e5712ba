// The hand on the pad: mouse, finger, stylus and keys all move one pen that is up or down.
import { CELLS } from "./pen.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = { plain: 2, far: 8 };
const NEAR = 1.5;

const round = (value) => Math.round(100 * Math.min(CELLS, Math.max(0, value))) / 100;

// `work` has awake() (is the pad in use?), start(point), extend(point), moved(finished) and shown().
export function penOf(canvas, frame, work) {
  const point = { x: CELLS / 2, y: CELLS / 4, down: false };
  const state = { over: false, focused: false, keys: false };
  canvas.style.touchAction = "none"; // a finger draws and does not scroll

  function place(x, y) { Object.assign(point, { x: round(x), y: round(y) }); }

  function lift() {
    if (!point.down) return;
    point.down = false;
    work.moved(true);
  }

  function lower() {
    point.down = true;
    work.start([point.x, point.y]);
    work.moved(false);
  }

  function follow(event) {
    const area = canvas.getBoundingClientRect();
    place(((event.clientX - area.left) / area.width) * CELLS, ((event.clientY - area.top) / area.height) * CELLS);
  }

  let last = [0, 0];
  const on = (name, act) => canvas.addEventListener(name, frame.guard(act));
  on("pointerdown", (event) => {
    if (!work.awake() || event.button > 0) return;
    lift();
    canvas.setPointerCapture(event.pointerId);
    state.keys = false;
    follow(event);
    last = [point.x, point.y];
    lower();
  });
  on("pointermove", (event) => {
    state.over = work.awake();
    if (!work.awake() || (point.down && state.keys)) return;
    follow(event);
    if (!point.down) {
      work.shown();
    } else if (Math.hypot(point.x - last[0], point.y - last[1]) >= NEAR) {
      last = [point.x, point.y];
      work.extend(last);
      work.moved(false);
    }
  });
  for (const name of ["pointerup", "pointercancel"]) on(name, () => { if (!state.keys) lift(); });
  on("pointerleave", () => { state.over = false; work.shown(); });
  on("focus", () => { state.focused = true; work.shown(); });
  on("blur", () => { state.focused = false; lift(); work.shown(); });
  on("keydown", (event) => {
    const way = KEYS[event.key];
    if (!work.awake() || event.ctrlKey || event.metaKey || event.altKey || (!way && event.key !== " ")) return;
    event.preventDefault();
    state.keys = true;
    if (!way) {
      if (!event.repeat) (point.down ? lift : lower)();
      return;
    }
    const step = event.shiftKey ? STEP.far : STEP.plain;
    place(point.x + step * way[0], point.y + step * way[1]);
    if (point.down) work.extend([point.x, point.y]);
    work.moved(false);
  });

  return {
    point,
    visible: () => work.awake() && (state.over || state.focused),
    said: () => (state.focused && state.keys ? `Pen ${point.down ? "down" : "up"}, column ${Math.round(point.x)}, row ${Math.round(point.y)}` : ""),
  };
}
