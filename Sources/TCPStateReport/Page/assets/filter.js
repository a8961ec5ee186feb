"use strict";

// Which connections are shown: text, process, peer and states must all match.

class Filter {
  constructor(recording, states, changed) {
    this.recording = recording;
    this.states = states;
    this.changed = changed;
    this.text = "";
    this.process = "";
    this.peer = "";
    this.chosen = new Set();
    this.fillSelect(byId("process"), "All processes", countBy(recording.lanes, (lane) => lane.data[END.name]));
    this.fillSelect(byId("peer"), "All peers", countBy(recording.lanes, (lane) => lane.data[END.peer]));
    this.countStates();
    this.makeStateButtons();
    this.listen();
  }

  fillSelect(select, all, counts) {
    const most = 500;
    select.replaceChildren(element("option", { value: "" }, all));
    for (const [name, count] of counts.slice(0, most)) {
      select.append(element("option", { value: `=${name ?? ""}` }, `${name ?? UNKNOWN} (${number(count)})`));
    }
    if (counts.length > most) select.append(element("option", { disabled: true }, "search for more"));
  }

  countStates() {
    const counts = new Map();
    for (const lane of this.recording.lanes) {
      const seen = new Set(lane.segments.map((segment) => segment.state));
      for (const state of seen) counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    const known = this.states.order.filter((state) => counts.has(state));
    const others = [...counts.keys()].filter((state) => !this.states.order.includes(state));
    this.present = [...known, ...others];
    this.counts = counts;
  }

  makeStateButtons() {
    byId("states").replaceChildren(...this.present.map((state) => element(
      "button",
      { type: "button", class: "state-button", "aria-pressed": String(this.chosen.has(state)), "data-state": state,
        onclick: (event) => this.toggle(state, event.currentTarget) },
      this.states.swatch(state), this.states.name(state),
      element("span", { class: "count" }, number(this.counts.get(state))))));
  }

  toggle(state, button) {
    if (!this.chosen.delete(state)) this.chosen.add(state);
    button.setAttribute("aria-pressed", String(this.chosen.has(state)));
    this.changed();
  }

  listen() {
    byId("search").addEventListener("input", (event) => {
      this.text = event.target.value.trim().toLowerCase();
      this.changed();
    });
    for (const name of ["process", "peer"]) {
      byId(name).addEventListener("change", (event) => {
        this[name] = event.target.value;
        this.changed();
      });
    }
    byId("clear").addEventListener("click", () => this.clear());
  }

  clear() {
    this.text = this.process = this.peer = "";
    this.chosen.clear();
    byId("search").value = byId("process").value = byId("peer").value = "";
    for (const button of byId("states").children) button.setAttribute("aria-pressed", "false");
    this.changed();
  }

  clearText() {
    byId("search").value = this.text = "";
    this.changed();
  }

  get isActive() {
    return Boolean(this.text || this.process || this.peer || this.chosen.size);
  }

  apply() {
    const words = this.text.split(/\s+/).filter(Boolean);
    return this.recording.lanes.filter((lane) => {
      if (this.process && `=${lane.data[END.name] ?? ""}` !== this.process) return false;
      if (this.peer && `=${lane.data[END.peer] ?? ""}` !== this.peer) return false;
      if (this.chosen.size && !lane.hasBeenIn(this.chosen)) return false;
      return words.every((word) => lane.haystack.includes(word));
    });
  }
}

/* [key, count] pairs, the highest count first. */
function countBy(lanes, key) {
  const counts = new Map();
  for (const lane of lanes) counts.set(key(lane), (counts.get(key(lane)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || String(a[0]).localeCompare(String(b[0])));
}
