// A loop over frames: runs only while wanted, ends when `tick` says so, and dies with the page element.

export function frameLoop(frame, tick) {
  let running = 0;
  const stop = () => { cancelAnimationFrame(running); running = 0; };
  const turn = frame.guard(() => {
    if (!frame.root.isConnected) { stop(); return; }
    running = requestAnimationFrame(turn);
    if (!tick()) stop();
  });
  return { start: () => { if (!running) running = requestAnimationFrame(turn); }, stop, active: () => running !== 0 };
}

export function wantsLessMotion() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}
