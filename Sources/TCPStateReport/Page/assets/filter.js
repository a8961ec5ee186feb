"use strict";

// Which connections are shown: text, process, peer, port, reason, states, transition and the least stay must all match at
// one end. Charts and tables count the ends that match, lanes show their connections.

const SELECTS = {
  process: { all: "All processes", key: (lane) => lane.data[END.name] },
  peer: { all: "All peers", key: (lane) => lane.data[END.peer] },
  port: { all: "All ports", key: (lane) => lane.service },
  workload: { all: "All containers", key: (lane) => lane.workload || null },
  reason: { all: "All reasons", key: (lane) => lane.data[END.ended] },
};

class Filter {
  constructor(recording, states, changed) {
    this.recording = recording;
    this.states = states;
    this.changed = changed;
    this.text = "";
    this.chosen = new Set();
    this.isNow = false;
    this.move = null;
    this.least = null;
    for (const [name, { all, key }] of Object.entries(SELECTS)) {
      this[name] = "";
      this.fillSelect(byId(name), all, countBy(recording.lanes, key), (value) => this.label(name, value));
    }
    this.countStates();
    this.makeStateButtons();
    this.listen();
  }

  /* What a value of a select is called. */
  label(name, value) {
    if (value === null) return name === "reason" ? "not ended" : UNKNOWN;
    return name === "reason" ? this.recording.words.reasons[value] : String(value);
  }

  fillSelect(select, all, counts, label) {
    const most = 500;
    select.hidden = !counts.some(([value]) => value !== null);
    select.replaceChildren(element("option", { value: "" }, all));
    for (const [value, count] of counts.slice(0, most)) {
      select.append(element("option", { value: `=${value ?? ""}` }, `${label(value)} (${number(count)})`));
    }
    if (counts.length > most) select.append(element("option", { disabled: true }, "search for more"));
  }

  countStates() {
    const ever = new Map();
    const now = new Map();
    for (const lane of this.recording.lanes) {
      for (const state of new Set(lane.segments.map((segment) => segment.state))) ever.set(state, (ever.get(state) ?? 0) + 1);
      if (lane.isOpen) now.set(lane.state, (now.get(lane.state) ?? 0) + 1);
    }
    const known = this.states.order.filter((state) => ever.has(state));
    const others = [...ever.keys()].filter((state) => !this.states.order.includes(state));
    this.present = [...known, ...others];
    this.counts = { ever, now };
  }

  makeStateButtons() {
    byId("states").replaceChildren(...this.present.map((state) => {
      const [now, ever] = [this.counts.now.get(state) ?? 0, this.counts.ever.get(state)];
      return element(
        "button",
        { type: "button", class: "state-button", "aria-pressed": String(this.chosen.has(state)), "data-state": state,
          "aria-label": `${this.states.name(state)}: ${number(now)} in it at the end, ${number(ever)} ever`,
          title: `${number(now)} in it at the end, ${number(ever)} ever`, onclick: () => this.toggle(state) },
        this.states.swatch(state), this.states.name(state),
        element("span", { class: "count", "aria-hidden": "true" }, element("b", {}, number(now)), " now / ", number(ever)));
    }));
  }

  /* Shows in the bar what is chosen. */
  show() {
    byId("search").value = this.text;
    for (const name of Object.keys(SELECTS)) byId(name).value = this[name];
    for (const button of byId("states").children) {
      button.setAttribute("aria-pressed", String(this.chosen.has(Number(button.dataset.state))));
    }
    byId("now").checked = this.isNow;
    const move = byId("move");
    move.hidden = !this.move;
    move.textContent = this.move ? `${this.move.map((state) => this.states.name(state)).join(" → ")} ✕` : "";
  }

  toggle(state) {
    if (!this.chosen.delete(state)) this.chosen.add(state);
    this.changed();
  }

  /* A transition, or none if it is chosen already. */
  toggleMove(old, next) {
    this.move = this.hasMove(old, next) ? null : [old, next];
    this.changed();
  }

  hasMove(old, next) { return this.move?.[0] === old && this.move[1] === next; }

  toggleValue(name, value) {
    const text = `=${value ?? ""}`;
    const select = byId(name);
    if (![...select.options].some((option) => option.value === text)) {
      select.append(element("option", { value: text }, this.label(name, value)));
    }
    this[name] = this[name] === text ? "" : text;
    this.changed();
  }

  listen() {
    byId("search").addEventListener("input", (event) => {
      this.text = event.target.value;
      this.changed();
    });
    for (const name of Object.keys(SELECTS)) {
      byId(name).addEventListener("change", (event) => {
        this[name] = event.target.value;
        this.changed();
      });
    }
    byId("now").addEventListener("change", (event) => {
      this.isNow = event.target.checked;
      this.changed();
    });
    byId("least").addEventListener("input", () => this.takeLeast());
    byId("move").addEventListener("click", () => {
      this.move = null;
      this.changed();
      byId("search").focus({ preventScroll: true });
    });
    byId("clear").addEventListener("click", () => {
      this.clear();
      this.changed();
    });
  }

  takeLeast() {
    const field = byId("least");
    const least = parseDuration(field.value);
    const isWrong = field.value.trim() !== "" && least === null;
    field.setAttribute("aria-invalid", String(isWrong));
    byId("least-note").textContent = isWrong ? "A duration is 250ms, 30s, 5m or 2h." : "";
    if (isWrong) return;
    this.least = least;
    this.changed();
  }

  clear() {
    this.text = "";
    for (const name of Object.keys(SELECTS)) this[name] = "";
    this.chosen.clear();
    this.isNow = false;
    this.move = null;
    this.least = null;
    byId("least").value = byId("least-note").textContent = "";
    byId("least").setAttribute("aria-invalid", "false");
  }

  clearText() {
    this.text = "";
    this.changed();
  }

  get isActive() {
    return Boolean(this.text.trim() || Object.keys(SELECTS).some((name) => this[name]) || this.chosen.size || this.move
      || this.least || this.isNow);
  }

  /* The ends that match. */
  apply() {
    const words = this.text.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const selects = Object.entries(SELECTS).filter(([name]) => this[name]);
    return this.recording.lanes.filter((lane) => {
      for (const [name, { key }] of selects) if (`=${key(lane) ?? ""}` !== this[name]) return false;
      if (!this.matchesStates(lane)) return false;
      if (this.move && !lane.hasMade(this.move[0], this.move[1])) return false;
      return words.every((word) => lane.haystack.includes(word));
    });
  }

  /* With a least stay, one of the chosen states must have lasted as long; with "now", the last one counts alone. */
  matchesStates(lane) {
    const { chosen, least } = this;
    if (this.isNow && !(lane.isOpen && (!chosen.size || chosen.has(lane.state)))) return false;
    if (!least) return !chosen.size || lane.hasBeenIn(chosen);
    const segments = this.isNow ? lane.segments.slice(-1) : lane.segments;
    return segments.some(({ state, start, end, stay }) => (!chosen.size || chosen.has(state))
      && (stay ?? end - start) >= least);
  }
}

/* [key, count] pairs, the highest count first. */
function countBy(lanes, key) {
  const counts = new Map();
  for (const lane of lanes) {
    const value = key(lane);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || String(a[0]).localeCompare(String(b[0])));
}
