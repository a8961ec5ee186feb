"use strict";

// Connects the parts and keeps what they share: the filter, the time range and the theme.

class App {
  constructor() {
    this.recording = new Recording();
    this.states = new States(this.recording.words.states);
    this.clock = new Clock(this.recording.totals.base);
    const { start, end } = this.recording.totals;
    this.whole = { from: start, to: Math.max(end, start + 1) };
    this.view = { ...this.whole };
    this.setTheme(matchMedia("(prefers-color-scheme: dark)").matches);
    this.area = new AreaChart(this);
    this.stays = new StaysTable(this);
    this.stuck = new StuckTable(this);
    this.detail = new Detail(this);
    this.filter = new Filter(this.recording, this.states, () => this.update());
    this.lanes = new LanesView(this);
    this.listen();
    this.drawLegend();
    this.update();
    showTotals(this);
  }

  get isZoomed() { return this.view.from > this.whole.from || this.view.to < this.whole.to; }

  /* Draws again after the filters have changed. */
  update() {
    const lanes = this.filter.apply();
    const all = this.recording.lanes.length;
    byId("shown").textContent = this.filter.isActive
      ? `${number(lanes.length)} of ${number(all)} sockets` : `${number(all)} sockets`;
    byId("clear").hidden = !this.filter.isActive;
    this.filtered = lanes;
    this.area.draw(lanes);
    this.stays.draw(lanes);
    this.stuck.draw(lanes);
    this.lanes.take(sorted(lanes, byId("sort").value));
  }

  // Time

  show(from, to) {
    const whole = this.whole.to - this.whole.from;
    const span = Math.max(Math.min(to - from, whole), Math.min(1000, whole));
    const start = Math.max(this.whole.from, Math.min(from, this.whole.to - span));
    this.view = { from: start, to: start + span };
    this.area.showWindow();
    this.lanes.redraw();
  }

  showAll() { this.show(this.whole.from, this.whole.to); }

  zoom(factor, around = (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    const span = (to - from) * factor;
    const share = (around - from) / (to - from);
    this.show(around - span * share, around + span * (1 - share));
  }

  pan(share) {
    const by = (this.view.to - this.view.from) * share;
    this.show(this.view.from + by, this.view.to + by);
  }

  zoomTo(lane) {
    const room = Math.max((lane.end - lane.start) * 0.05, 500);
    this.show(lane.start - room, lane.end + room);
  }

  open(lane, back) { this.detail.open(lane, back); }

  // Looks

  setTheme(isDark) {
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    byId("theme").textContent = isDark ? "Light" : "Dark";
    this.states.forgetColors();
  }

  drawLegend() {
    byId("legend").replaceChildren(...this.filter.present.map(
      (state) => element("span", {}, this.states.swatch(state), this.states.name(state))));
  }

  redrawAll() {
    this.filter.makeStateButtons();
    this.drawLegend();
    this.area.draw(this.filtered);
    this.stays.draw(this.filtered);
    this.stuck.draw(this.filtered);
    this.lanes.draw();
    if (this.detail.isOpen) this.detail.draw();
    showTotals(this);
  }

  listen() {
    byId("theme").addEventListener("click", () => {
      this.setTheme(document.documentElement.dataset.theme !== "dark");
      this.redrawAll();
    });
    byId("zone").addEventListener("click", (event) => {
      this.clock.utc = !this.clock.utc;
      event.currentTarget.setAttribute("aria-pressed", String(this.clock.utc));
      this.redrawAll();
    });
    byId("sort").addEventListener("change", () => this.lanes.take(sorted(this.filtered, byId("sort").value)));
    byId("zoom-in").addEventListener("click", () => this.zoom(0.5));
    byId("zoom-out").addEventListener("click", () => this.zoom(2));
    byId("zoom-fit").addEventListener("click", () => this.showAll());
    byId("help-open").addEventListener("click", () => byId("help").showModal());
    document.addEventListener("keydown", (event) => this.key(event));
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth === width) return;
      width = innerWidth;
      requestAnimationFrame(() => this.redrawAll());
    });
    let before = null;
    addEventListener("beforeprint", () => {
      before = document.documentElement.dataset.theme;
      this.setTheme(false);
      this.redrawAll();
    });
    addEventListener("afterprint", () => {
      this.setTheme(before === "dark");
      this.redrawAll();
    });
  }

  /* Keys that work everywhere except in fields. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "Escape") {
      if (this.detail.isOpen) this.detail.close();
      else if (event.target === byId("search")) {
        this.filter.clearText();
        byId("lanes").focus({ preventScroll: true });
      } else return;
    } else if (isTyping) {
      if (event.target !== byId("search") || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
      byId("lanes").focus();
      this.lanes.choose(0);
    } else {
      const actions = {
        "/": () => byId("search").focus(),
        "?": () => byId("help").showModal(),
        "+": () => this.zoom(0.5),
        "=": () => this.zoom(0.5),
        "-": () => this.zoom(2),
        0: () => this.showAll(),
      };
      if (!actions[event.key]) return;
      actions[event.key]();
    }
    event.preventDefault();
  }
}

function sorted(lanes, by) {
  const orders = {
    start: (a, b) => a.start - b.start,
    length: (a, b) => (b.end - b.start) - (a.end - a.start),
    age: (a, b) => b.isOpen - a.isOpen || b.age - a.age,
    owner: (a, b) => compare(a.owner, b.owner),
    peer: (a, b) => compare(a.peer, b.peer),
  };
  return [...lanes].sort((a, b) => orders[by](a, b) || a.start - b.start || compare(a.id, b.id));
}

const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

document.addEventListener("DOMContentLoaded", () => {
  window.report = new App();
  document.documentElement.dataset.ready = "true";
});
