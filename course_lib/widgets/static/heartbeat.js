// One line of a table that says whether the browser and Python hear each other.

function render({ model, el }) {
  const begun = performance.now();
  el.innerHTML = model.get("table");
  const row = el.querySelector("[data-looks]");
  const says = row.querySelector("td");
  const mark = row.querySelector("[role=img]");

  function tell(state, sentence) {
    row.dataset.state = state;
    says.textContent = sentence;
    const sign = model.get("signs")[state];
    mark.textContent = sign[0];
    mark.setAttribute("aria-label", sign[1]);
  }

  const heard = () => {
    if (row.dataset.state === "well") return;
    tell("well", model.get("alive").replace("{ms}", Math.max(1, Math.round(performance.now() - begun))));
  };
  tell("note", model.get("waiting"));
  model.on("change:answer", heard);
  model.set("beat", model.get("answer") + 1);
  model.save_changes();
  return () => model.off("change:answer", heard);
}

export default { render };
