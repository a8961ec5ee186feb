"use strict";

// Stays per state, all on one logarithmic time scale so that states can be compared.

const PER_DECADE = 6;
const QUANTILES = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99]];

class StaysTable {
  constructor(app) {
    this.app = app;
    this.table = byId("stays");
  }

  draw(stays) {
    const { states } = this.app;
    const order = states.order.filter((state) => stays.has(state))
      .concat([...stays.keys()].filter((state) => !states.order.includes(state)));
    if (!order.length) {
      this.table.replaceChildren(element("tbody", {}, element("tr", {}, element("td", { class: "empty" },
        "No stays have ended."))));
      return;
    }
    const scale = this.scale(stays);
    const body = order.map((state) => this.row(state, stays.get(state), scale));
    this.table.replaceChildren(
      element("thead", {}, element("tr", {},
        element("th", { scope: "col" }, "State"),
        element("th", { scope: "col", class: "hist" }, this.key()),
        ...["p50", "p90", "p99", "Longest", "Stays"].map(
          (name) => element("th", { scope: "col", class: `number ${name}` }, name)))),
      element("tbody", {}, body),
      element("tfoot", {}, element("tr", {}, element("td"), element("td", { class: "hist" }, this.axis(scale)),
        element("td", { colspan: 5 }))));
  }

  key() {
    const line = (name) => svg("line", { class: `quantile ${name}`, x1: 1, x2: 1, y1: 1, y2: 11 });
    return QUANTILES.flatMap(([name]) => [
      fillStyle(svg("svg", { viewBox: "0 0 2 12", "aria-hidden": "true" }, line(name)),
        { width: "3px", height: "12px", display: "inline-block", verticalAlign: "-2px", margin: "0 5px 0 0" }),
      element("span", {}, `${name}\u2002`)]);
  }

  scale(stays) {
    let low = Infinity;
    let high = 1;
    for (const { sorted } of stays.values()) {
      low = Math.min(low, Math.max(1, sorted[0]));
      high = Math.max(high, sorted[sorted.length - 1]);
    }
    const from = Math.floor(Math.log10(low));
    return { from, to: Math.max(from + 1, Math.ceil(Math.log10(high) + 1e-9)) };
  }

  row(state, stay, scale) {
    const { sorted } = stay;
    const quantiles = QUANTILES.map(([, share]) => quantile(sorted, share));
    return element("tr", { "data-state": state },
      element("td", {}, this.app.states.swatch(state), this.app.states.name(state)),
      element("td", { class: "hist" }, this.histogram(state, stay, quantiles, scale)),
      ...quantiles.map((value, index) => element("td", { class: `number ${QUANTILES[index][0]}` }, duration(value))),
      element("td", { class: "number" }, duration(sorted[sorted.length - 1], stay.longestIsBound)),
      element("td", { class: "number", "data-count": sorted.length }, number(sorted.length)));
  }

  histogram(state, { sorted }, quantiles, scale) {
    const bins = (scale.to - scale.from) * PER_DECADE;
    const counts = new Array(bins).fill(0);
    for (const value of sorted) {
      const bin = Math.floor((Math.log10(Math.max(1, value)) - scale.from) * PER_DECADE);
      counts[Math.max(0, Math.min(bins - 1, bin))] += 1;
    }
    const most = Math.max(...counts);
    const made = svg("svg", { viewBox: `0 0 ${bins} 30`, preserveAspectRatio: "none", role: "img",
      "aria-label": `${this.app.states.name(state)}: ${counted(sorted.length, "stay")}, median ${duration(quantiles[0])}` });
    made.append(svg("line", { class: "axis-line", x1: 0, x2: bins, y1: 29.5, y2: 29.5, "vector-effect": "non-scaling-stroke" }));
    counts.forEach((count, bin) => {
      if (!count) return;
      // The square root of the count: the few long stays are what people look for.
      const height = Math.max(1.5, Math.sqrt(count / most) * 27);
      const from = roundDuration(10 ** (scale.from + bin / PER_DECADE));
      const bar = svg("rect", { x: bin + 0.06, width: 0.88, y: 29.5 - height, height },
        svg("title", {}, `${counted(count, "stay")} from ${from} up`));
      bar.style.fill = this.app.states.variable(state);
      made.append(bar);
    });
    QUANTILES.forEach(([name], index) => {
      const x = (Math.log10(Math.max(1, quantiles[index])) - scale.from) * PER_DECADE;
      made.append(svg("line", { class: `quantile ${name}`, x1: x, x2: x, y1: 0, y2: 30 }));
    });
    return made;
  }

  axis({ from, to }) {
    const every = Math.ceil((to - from) / 2);
    const labels = [];
    for (let power = from; power <= to; power += every) {
      const label = element("span", { class: power === to ? "last" : null }, roundPower(power));
      label.style.left = `${((power - from) / (to - from)) * 100}%`;
      labels.push(label);
    }
    return element("div", { class: "scale", "aria-hidden": "true" }, labels);
  }
}

/* Above 1 s the powers of ten stay in seconds, because 1,000 s isn't round in any other unit. */
function roundPower(power) {
  const units = ["ns", "µs", "ms", "s"];
  const unit = Math.min(3, Math.floor(power / 3));
  return `${number(10 ** (power - unit * 3))} ${units[unit]}`;
}

/* The value at or below which the share lies, by nearest rank. */
const quantile = (sorted, share) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];

function fillStyle(made, style) {
  Object.assign(made.style, style);
  return made;
}
