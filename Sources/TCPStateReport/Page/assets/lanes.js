"use strict";

// One lane per socket. Up to a few hundred are elements, which print well; more are drawn on a
// canvas, and only the visible ones.

const MOST_ELEMENTS = 300;
const ROW = 22;

class LanesView {
  constructor(app) {
    this.app = app;
    this.box = byId("lanes");
    this.lanes = [];
    this.chosen = -1;
    this.box.addEventListener("scroll", () => this.asCanvas && this.paint(), { passive: true });
    new LanesInput(this);
  }

  get asCanvas() { return this.lanes.length > MOST_ELEMENTS; }
  get label() { return this.box.clientWidth < 700 ? 132 : Math.min(400, Math.round(this.box.clientWidth * 0.3)); }
  get plot() { return Math.max(60, this.box.clientWidth - this.label - 10); }

  x(time) {
    const { from, to } = this.app.view;
    return ((time - from) / (to - from)) * this.plot;
  }

  time(x) {
    const { from, to } = this.app.view;
    return from + (x / this.plot) * (to - from);
  }

  /* Takes other lanes, or the same in another order. The selection is kept if its lane is among them. */
  take(lanes) {
    const kept = this.lanes[this.chosen];
    this.lanes = lanes;
    this.chosen = kept ? lanes.indexOf(kept) : -1;
    this.box.scrollTop = 0;
    this.draw();
  }

  draw() {
    this.box.parentElement.style.setProperty("--label", `${this.label}px`);
    this.box.classList.toggle("painted", this.asCanvas);
    this.drawAxis();
    if (!this.lanes.length) {
      this.box.replaceChildren(element("p", { class: "empty" }, this.app.filter.isActive
        ? "No connections match the filters."
        : "No connections."));
      this.box.removeAttribute("aria-activedescendant");
    } else if (this.asCanvas) {
      this.drawCanvas();
    } else {
      this.box.replaceChildren(...this.lanes.map((lane, index) => this.row(lane, index)));
      this.markChosen();
    }
  }

  /* Draws again after only the time range has changed. */
  redraw() {
    this.drawAxis();
    if (!this.lanes.length) return;
    if (this.asCanvas) {
      this.paint();
    } else {
      this.lanes.forEach((lane, index) => this.box.children[index].lastChild.replaceWith(this.strip(lane)));
    }
  }

  /* Positions are shares of the width, so that the axis fits paper too. */
  drawAxis() {
    const { from, to } = this.app.view;
    const { step, ticks } = timeTicks(this.app.clock, from, to, Math.max(3, Math.floor(this.plot / 120)));
    const marks = ticks.map((tick) => {
      const mark = element("span", {}, this.app.clock.tick(tick, step));
      mark.style.left = `${((tick - from) / (to - from)) * 100}%`;
      return mark;
    });
    byId("axis").replaceChildren(
      element("div", { class: "quiet" }, this.app.isZoomed ? `${duration(to - from)} shown` : ""),
      element("div", { class: "marks" }, marks));
  }

  /* [x, width, state] of each visible segment. */
  pieces(lane) {
    const { from, to } = this.app.view;
    const pieces = [];
    for (const { start, end, state } of lane.segments) {
      if (end < from || start > to) continue;
      const left = Math.max(0, this.x(start));
      const right = Math.min(this.plot, this.x(end));
      // Even the shortest stay is at least a hairline.
      pieces.push([left, Math.max(right - left, 1), state]);
    }
    return pieces;
  }

  // Elements

  row(lane, index) {
    return element("div", { class: "lane", role: "option", id: `lane-${index}`, "aria-selected": "false",
      "data-id": lane.id, "aria-label": this.describe(lane) },
      element("div", { class: "label" }, foreign(lane.owner, "owner"), foreign(`${lane.local} → ${lane.peer}`, "ends")),
      this.strip(lane));
  }

  strip(lane) {
    const made = svg("svg", { viewBox: `0 0 ${this.plot} ${ROW}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const [left, width, state] of this.pieces(lane)) {
      const bar = svg("rect", { x: left.toFixed(2), width: width.toFixed(2), y: 4, height: ROW - 8 });
      bar.style.fill = this.app.states.variable(state);
      made.append(bar);
      if (width >= 16) {
        const letter = svg("text", { x: (left + 4).toFixed(2), y: 15 }, this.app.states.entry(state).letter);
        letter.style.fill = this.app.states.ink(state);
        made.append(letter);
      }
    }
    for (const [time] of this.app.recording.totals.losses) {
      const x = this.x(time);
      if (x >= 0 && x <= this.plot) made.append(svg("line", { class: "loss", x1: x, x2: x, y1: 0, y2: ROW }));
    }
    return made;
  }

  // Canvas

  drawCanvas() {
    this.canvas = element("canvas", { "aria-hidden": "true" });
    const spacer = element("div", { class: "spacer" });
    spacer.style.height = `${this.lanes.length * ROW}px`;
    // Assistive technology gets the selected lane only, because the others are not elements.
    this.spoken = element("div", { class: "unseen", role: "option", id: "lane-chosen", "aria-selected": "true" });
    this.box.replaceChildren(this.canvas, spacer, this.spoken);
    this.paint();
    this.markChosen();
  }

  paint() {
    const width = this.box.clientWidth;
    const height = Math.min(this.box.clientHeight, this.lanes.length * ROW);
    const ratio = devicePixelRatio || 1;
    const { canvas } = this;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    const colors = Object.fromEntries(["ink", "quiet", "select", "accent", "alarm"].map(
      (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    const family = getComputedStyle(document.body).fontFamily;
    context.direction = "ltr";
    context.textBaseline = "middle";
    const first = Math.floor(this.box.scrollTop / ROW);
    for (let index = first; index < this.lanes.length && index * ROW - this.box.scrollTop < height; index += 1) {
      this.paintLane(context, index, index * ROW - this.box.scrollTop, { colors, family, width });
    }
    this.paintLosses(context, height, colors);
  }

  paintLane(context, index, top, { colors, family, width }) {
    const lane = this.lanes[index];
    if (index === this.chosen) {
      context.fillStyle = colors.select;
      context.fillRect(0, top, width, ROW);
      context.fillStyle = colors.accent;
      context.fillRect(0, top, 3, ROW);
    }
    context.save();
    context.beginPath();
    context.rect(0, top, this.label - 8, ROW);
    context.clip();
    context.font = `12.5px ${family}`;
    context.fillStyle = colors.ink;
    // Isolated, so that a right-to-left name doesn't reorder what follows it.
    const owner = `\u2066${lane.owner}\u2069`;
    context.fillText(owner, 10, top + ROW / 2);
    if (this.label > 200) {
      const taken = Math.min(context.measureText(owner).width, this.label * 0.45);
      context.clearRect(10 + taken, top, this.label, ROW);
      if (index === this.chosen) {
        context.fillStyle = colors.select;
        context.fillRect(10 + taken, top, this.label, ROW);
      }
      context.fillStyle = colors.quiet;
      context.font = "11.5px ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
      context.fillText(`${lane.local} → ${lane.peer}`, 18 + taken, top + ROW / 2);
    }
    context.restore();
    context.font = "600 10px system-ui, sans-serif";
    for (const [left, length, state] of this.pieces(lane)) {
      context.fillStyle = this.app.states.color(state);
      context.fillRect(this.label + left, top + 4, length, ROW - 8);
      if (length >= 16) {
        context.fillStyle = this.app.states.ink(state);
        context.fillText(this.app.states.entry(state).letter, this.label + left + 4, top + ROW / 2 + 0.5);
      }
    }
  }

  paintLosses(context, height, colors) {
    context.strokeStyle = colors.alarm;
    context.setLineDash([3, 2]);
    for (const [time] of this.app.recording.totals.losses) {
      const x = this.x(time);
      if (x < 0 || x > this.plot) continue;
      context.beginPath();
      context.moveTo(this.label + x, 0);
      context.lineTo(this.label + x, height);
      context.stroke();
    }
    context.setLineDash([]);
  }

  // Selection

  describe(lane) {
    const stays = lane.segments.map(
      ({ state, stay, atLeast }) => `${this.app.states.name(state)} ${duration(stay, atLeast)}`);
    return `${lane.owner}, ${lane.local} to ${lane.peer}: ${stays.join(", ")}`;
  }

  choose(index) {
    if (!this.lanes.length) return;
    this.chosen = Math.max(0, Math.min(this.lanes.length - 1, index));
    const top = this.chosen * ROW;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + ROW > this.box.scrollTop + this.box.clientHeight) {
      this.box.scrollTop = top + ROW - this.box.clientHeight;
    }
    this.markChosen();
    if (this.asCanvas) this.paint();
  }

  markChosen() {
    const lane = this.lanes[this.chosen];
    if (this.asCanvas) {
      this.spoken.textContent = lane ? this.describe(lane) : "";
      this.spoken.dataset.id = lane ? lane.id : "";
      if (lane) this.box.setAttribute("aria-activedescendant", "lane-chosen");
      return;
    }
    for (const row of this.box.querySelectorAll('[aria-selected="true"]')) row.setAttribute("aria-selected", "false");
    if (!lane) return;
    this.box.children[this.chosen].setAttribute("aria-selected", "true");
    this.box.setAttribute("aria-activedescendant", `lane-${this.chosen}`);
  }

  /* The lane at a point of the window, and the time there; null if there is none. */
  at(clientX, clientY) {
    const box = this.box.getBoundingClientRect();
    const index = Math.floor((clientY - box.top - this.box.clientTop + this.box.scrollTop) / ROW);
    const lane = this.lanes[index];
    if (!lane) return null;
    const x = clientX - box.left - this.box.clientLeft - this.label;
    return { index, lane, time: x >= 0 && x <= this.plot ? this.time(x) : null };
  }
}
