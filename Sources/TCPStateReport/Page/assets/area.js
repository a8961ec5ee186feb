"use strict";

// How many connections are in each state over the whole recording, as stacked areas. Dragging on the chart
// selects the time range that the lanes show.

class AreaChart {
  constructor(app) {
    this.app = app;
    this.box = byId("area");
    /* TIME-WAIT ends by itself and outnumbers everything else. */
    this.hasTimeWait = false;
    this.height = 190;
    this.margin = { left: 52, right: 14, top: 12, bottom: 24 };
  }

  draw(lanes) {
    const { totals } = this.app.recording;
    const width = Math.max(this.box.clientWidth, 320);
    this.plot = width - this.margin.left - this.margin.right;
    if (!lanes.length || totals.end <= totals.start) {
      this.box.replaceChildren(element("p", { class: "empty" }, lanes.length
        ? "Everything recorded happened at the same moment."
        : "No connections."));
      this.svg = null;
      return;
    }
    this.bins = Math.max(40, Math.min(480, Math.floor(this.plot / 2)));
    this.layers = occupancy(lanes, totals.start, totals.end, this.bins, this.hasTimeWait ? null : TIME_WAIT);
    this.stack = this.app.states.order.concat([...this.layers.keys()].filter(
      (state) => !this.app.states.order.includes(state))).filter((state) => this.layers.has(state));
    this.svg = svg("svg", { viewBox: `0 0 ${width} ${this.height}`, role: "img", "aria-label": this.describe(lanes) });
    this.drawAxes();
    this.drawLayers();
    this.drawLosses();
    this.window = svg("rect", { class: "window", y: this.margin.top, height: this.plotHeight });
    this.cursor = svg("line", { class: "cursor", y1: this.margin.top, y2: this.margin.top + this.plotHeight });
    this.svg.append(this.window, this.cursor);
    this.cursor.style.display = "none";
    this.box.replaceChildren(this.svg);
    this.showWindow();
    this.listen();
  }

  get plotHeight() { return this.height - this.margin.top - this.margin.bottom; }

  x(time) {
    const { start, end } = this.app.recording.totals;
    return this.margin.left + ((time - start) / (end - start)) * this.plot;
  }

  time(x) {
    const { start, end } = this.app.recording.totals;
    const share = (x - this.margin.left) / this.plot;
    return start + Math.max(0, Math.min(1, share)) * (end - start);
  }

  y(count) { return this.margin.top + this.plotHeight * (1 - count / this.top); }

  describe(lanes) {
    return `Sockets by state over time, ${number(lanes.length)} in all, at most ${
      number(Math.round(this.highest()))} at once${this.hasTimeWait ? "" : ", without TIME-WAIT"}`;
  }

  highest() {
    let highest = 0;
    for (let bin = 0; bin < this.bins; bin += 1) {
      let sum = 0;
      for (const counts of this.layers.values()) sum += counts[bin];
      highest = Math.max(highest, sum);
    }
    return highest;
  }

  drawAxes() {
    this.top = niceCeiling(this.highest());
    for (const share of [0, 0.5, 1]) {
      const count = this.top * share;
      const y = this.y(count);
      this.svg.append(
        svg("line", { class: share ? "grid" : "axis-line", x1: this.margin.left, x2: this.margin.left + this.plot,
          y1: y, y2: y }),
        Number.isInteger(count) || this.top <= 1
          ? svg("text", { x: this.margin.left - 8, y: y + 4, "text-anchor": "end" }, number(count))
          : "");
    }
    const { totals } = this.app.recording;
    const { step, ticks } = timeTicks(this.app.clock, totals.start, totals.end, Math.max(3, Math.floor(this.plot / 110)));
    for (const tick of ticks) {
      this.svg.append(svg("text", { x: this.x(tick), y: this.height - 7, "text-anchor": "middle" },
        this.app.clock.tick(tick, step)));
    }
  }

  drawLayers() {
    const below = new Float64Array(this.bins);
    const width = this.plot / this.bins;
    for (const state of this.stack) {
      const counts = this.layers.get(state);
      const upper = [];
      const lower = [];
      for (let bin = 0; bin < this.bins; bin += 1) {
        const left = (this.margin.left + bin * width).toFixed(1);
        const right = (this.margin.left + (bin + 1) * width).toFixed(1);
        const base = this.y(below[bin]).toFixed(1);
        below[bin] += counts[bin];
        const edge = this.y(below[bin]).toFixed(1);
        upper.push(`${left} ${edge}L${right} ${edge}`);
        lower.push(`${right} ${base}L${left} ${base}`);
      }
      const path = svg("path", { d: `M${upper.join("L")}L${lower.reverse().join("L")}Z` });
      path.style.fill = this.app.states.variable(state);
      this.svg.append(path);
    }
  }

  drawLosses() {
    for (const [time, count] of this.app.recording.totals.losses) {
      const x = this.x(time);
      this.svg.append(svg("line", { class: "loss", x1: x, x2: x, y1: this.margin.top, y2: this.margin.top + this.plotHeight },
        svg("title", {}, `${counted(count, "event")} lost before ${this.app.clock.full(time)}`)));
    }
  }

  showWindow() {
    if (!this.svg) return;
    const { from, to } = this.app.view;
    const left = this.x(from);
    this.window.setAttribute("x", left);
    this.window.setAttribute("width", Math.max(1, this.x(to) - left));
    this.window.style.display = this.app.isZoomed ? "" : "none";
  }

  listen() {
    let began = null;
    const at = (event) => event.clientX - this.svg.getBoundingClientRect().left;
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      began = at(event);
      this.svg.setPointerCapture(event.pointerId);
      document.documentElement.classList.add("dragging");
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (began !== null && Math.abs(at(event) - began) > 3) {
        const times = [this.time(began), this.time(at(event))].sort((a, b) => a - b);
        this.app.show(times[0], times[1]);
      }
      this.showTip(event, at(event));
    });
    const stop = () => {
      began = null;
      document.documentElement.classList.remove("dragging");
    };
    this.svg.addEventListener("pointerup", (event) => {
      if (began !== null && Math.abs(at(event) - began) <= 3) this.app.showAll();
      stop();
    });
    this.svg.addEventListener("pointercancel", stop);
    this.svg.addEventListener("pointerleave", () => {
      this.cursor.style.display = "none";
      Tip.hide();
    });
  }

  showTip(event, x) {
    const bin = Math.floor(((x - this.margin.left) / this.plot) * this.bins);
    if (bin < 0 || bin >= this.bins) return;
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.cursor.style.display = "";
    const rows = this.stack.filter((state) => this.layers.get(state)[bin] > 0.005).reverse().map((state) => {
      const count = this.layers.get(state)[bin];
      return element("tr", {}, element("td", {}, this.app.states.swatch(state), this.app.states.name(state)),
        element("td", { class: "number" }, count < 10 ? count.toFixed(count < 1 ? 2 : 1) : number(Math.round(count))));
    });
    Tip.show(event.clientX, event.clientY, element("div", { class: "quiet" }, this.app.clock.full(this.time(x), 3)),
      element("table", {}, rows));
  }
}

/* By state, except `without`: the average number of sockets in it, for each of `bins` equal parts of the time. */
function occupancy(lanes, from, to, bins, without) {
  const layers = new Map();
  const width = (to - from) / bins;
  for (const { segments } of lanes) {
    for (const segment of segments) {
      if (segment.state === without) continue;
      const start = Math.max(0, (segment.start - from) / width);
      const end = Math.min(bins, (segment.end - from) / width);
      if (end <= start) continue;
      let layer = layers.get(segment.state);
      if (!layer) {
        layer = { parts: new Float64Array(bins), steps: new Int32Array(bins + 1) };
        layers.set(segment.state, layer);
      }
      addShare(layer, start, Math.min(Math.floor(start), bins - 1), end, Math.min(Math.floor(end), bins - 1));
    }
  }
  for (const [state, { parts, steps }] of layers) {
    let whole = 0;
    layers.set(state, parts.map((part, bin) => part + (whole += steps[bin])));
  }
  return layers;
}

/* Adds the shares of the first and last bin; those between are whole, recorded as a step up and a step down. */
function addShare({ parts, steps }, start, first, end, last) {
  if (first === last) {
    parts[first] += end - start;
    return;
  }
  parts[first] += first + 1 - start;
  parts[last] += end - last;
  steps[first + 1] += 1;
  steps[last] -= 1;
}
