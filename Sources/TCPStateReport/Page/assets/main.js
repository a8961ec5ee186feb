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
    this.link = new Link(this);
    this.area = new AreaChart(this);
    this.diagram = new Diagram(this);
    this.stays = new StaysTable(this);
    this.stuck = new StuckTable(this);
    this.groups = new GroupTables(this);
    this.detail = new Detail(this);
    this.filter = new Filter(this.recording, this.states, () => this.update());
    this.lanes = new LanesView(this);
    this.listen();
    this.drawLegend();
    this.measureBar();
    this.link.read();
  }

  get isZoomed() { return this.view.from > this.whole.from || this.view.to < this.whole.to; }

  /* Draws again after the filters have changed. */
  update() {
    this.filtered = this.filter.apply();
    this.filter.show();
    byId("clear").hidden = !this.filter.isActive;
    this.drawCharts();
    this.takeLanes();
    this.link.write();
  }

  drawCharts() {
    const lanes = this.filtered;
    const moves = collectMoves(lanes);
    this.area.draw(lanes);
    this.diagram.draw(moves, lanes);
    this.stays.draw(staysByState(moves));
    this.stuck.draw(lanes);
    this.groups.draw(lanes);
  }

  /* The connections of the ends that match, without those that have no stay in the chosen time. */
  takeLanes() {
    const { from, to } = this.view;
    const chosen = new Set(this.filtered.map((lane) => lane.life.connection));
    const lanes = this.isZoomed ? [...chosen].filter((lane) => lane.isWithin(from, to)) : [...chosen];
    const [all, sockets] = [this.recording.connections.length, this.filtered.length];
    const isPart = this.filter.isActive || this.isZoomed;
    byId("shown").textContent = `${number(lanes.length)}${isPart ? ` of ${number(all)}` : ""} connections, ${
      counted(sockets, "socket")}${this.filter.isActive ? " that match" : ""}${this.isZoomed ? "; lanes of the chosen time" : ""}`;
    this.lanes.take(sorted(lanes, byId("sort").value));
  }

  // Time

  clamped(from, to) {
    const whole = this.whole.to - this.whole.from;
    const span = Math.max(Math.min(to - from, whole), Math.min(1000, whole));
    const start = Math.max(this.whole.from, Math.min(from, this.whole.to - span));
    return { from: start, to: start + span };
  }

  /* Which lanes there are changes when the time has been chosen, not while something is dragged. */
  show(from, to, settles = true) {
    this.view = this.clamped(from, to);
    this.area.showWindow();
    this.lanes.redraw();
    clearTimeout(this.settling);
    if (settles) this.settling = setTimeout(() => this.settle(), 150);
  }

  settle() {
    const top = this.lanes.box.scrollTop;
    this.takeLanes();
    this.lanes.box.scrollTop = top;
    this.link.write();
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

  /* The steps of an end's connection. */
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
    byId("zone").setAttribute("aria-pressed", String(this.clock.utc));
    byId("time-wait").checked = this.area.hasTimeWait;
    this.drawLegend();
    this.update();
    if (this.detail.isOpen) this.detail.draw();
    showTotals(this);
  }

  /* What gets the focus isn't scrolled below the bar. */
  measureBar() {
    const bar = byId("filters");
    const measure = () => {
      const isSticky = getComputedStyle(bar).position === "sticky";
      document.documentElement.style.setProperty("--bar", `${isSticky ? bar.offsetHeight : 0}px`);
    };
    new ResizeObserver(measure).observe(bar);
    measure();
  }

  listen() {
    byId("theme").addEventListener("click", () => {
      this.setTheme(document.documentElement.dataset.theme !== "dark");
      this.redrawAll();
    });
    byId("zone").addEventListener("click", () => {
      this.clock.utc = !this.clock.utc;
      this.redrawAll();
    });
    byId("time-wait").addEventListener("change", (event) => {
      this.area.hasTimeWait = event.target.checked;
      this.area.draw(this.filtered);
      this.link.write();
    });
    byId("sort").addEventListener("change", () => {
      this.takeLanes();
      this.link.write();
    });
    byId("save-csv").addEventListener("click", () => save(selectionAsCSV({ lanes: this.lanes, clock: this.clock,
      states: this.states, recording: this.recording }), "text/csv", "connections.csv"));
    byId("save-diagram").addEventListener("click", () => save(pictureAsSVG(this.diagram.svg), "image/svg+xml", "states.svg"));
    byId("save-area").addEventListener("click", () => this.area.svg && save(pictureAsSVG(this.area.svg), "image/svg+xml",
      "connections.svg"));
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
