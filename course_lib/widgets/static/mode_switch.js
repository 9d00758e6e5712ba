// Two buttons of which one is pressed.
import { button, make } from "./kit.js";

export function modeSwitch(name, options, act) {
  const buttons = options.map(([value, text]) => button(text, () => act(value)));
  const row = make("div", { class: "look-options", role: "group", "aria-label": name }, ...buttons);
  const show = (value) => buttons.forEach((node, k) => node.setAttribute("aria-pressed", options[k][0] === value));
  return { box: make("div", {}, make("p", { class: "look-tag", text: name }), row), show };
}
