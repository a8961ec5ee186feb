"use strict";

// One lane per connection, with both its ends if both are on this host. Up to a few hundred are elements, which print
// well; more are drawn on a canvas, and only the visible ones.

const MOST_ELEMENTS = 300;

class LanesView {
  constructor(app) {
    this.app = app;
    this.box = byId("lanes");
    this.lanes = [];
    this.chosen = -1;
    this.painter = new LanePainter(this);
    this.box.addEventListener("scroll", () => this.asCanvas && this.painter.paint(), { passive: true });
    new LanesInput(this);
  }

  get asCanvas() { return this.lanes.length > MOST_ELEMENTS; }
  /* On a narrow screen the label is above the strip. */
  get isStacked() { return this.box.clientWidth < 700; }
  get row() { return this.isStacked ? 44 : 22; }
  get label() { return this.isStacked ? 0 : Math.min(440, Math.round(this.box.clientWidth * 0.34)); }
  get plot() { return Math.max(60, this.box.clientWidth - this.label - 10); }

  x(time) {
    const { from, to } = this.app.view;
    return ((time - from) / (to - from)) * this.plot;
  }

  time(x) {
    const { from, to } = this.app.view;
    return from + (x / this.plot) * (to - from);
  }

  /* Takes other connections, or the same in another order. The selection is kept if its lane is among them. */
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
    this.box.classList.toggle("stacked", this.isStacked);
    this.drawAxis();
    if (!this.lanes.length) {
      this.box.replaceChildren(element("p", { class: "empty" }, this.app.filter.isActive || this.app.isZoomed
        ? "No connections match the filters and the chosen time."
        : "No connections."));
      this.box.setAttribute("role", "group");
      this.box.removeAttribute("aria-activedescendant");
      return;
    }
    this.box.setAttribute("role", "listbox");
    if (this.asCanvas) {
      this.drawCanvas();
    } else {
      this.box.replaceChildren(...this.lanes.map((lane, index) => this.element(lane, index)));
    }
    this.markChosen();
  }

  /* Draws again after only the time range has changed. */
  redraw() {
    this.drawAxis();
    if (!this.lanes.length) return;
    if (this.asCanvas) {
      this.painter.paint();
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
      element("div", { class: "quiet" }, this.app.isZoomed && !this.isStacked ? `${duration(to - from)} shown` : ""),
      element("div", { class: "marks" }, marks));
  }

  /* [x, width, state] of each visible segment of an end. */
  pieces(end) {
    const { from, to } = this.app.view;
    const pieces = [];
    for (const { start, end: until, state } of end.segments) {
      if (until < from || start > to) continue;
      const left = Math.max(0, this.x(start));
      const right = Math.min(this.plot, this.x(until));
      // Even the shortest stay is at least a hairline.
      pieces.push([left, Math.max(right - left, 1), state]);
    }
    return pieces;
  }

  /* Top and height of an end's strip within 22: the client's is above the server's. */
  static strip(lane, index) {
    return lane.ends.length > 1 ? [3 + index * 8.5, 7.5] : [4, 14];
  }

  // Elements

  element(lane, index) {
    return element("div", { class: "lane", role: "option", id: `lane-${index}`, "aria-selected": "false",
      "data-id": lane.id, "aria-label": this.describe(lane) },
      element("div", { class: "label" }, foreign(lane.owner, "owner"), this.addresses(lane)),
      this.strip(lane));
  }

  addresses(lane) {
    return element("bdi", { class: "ends", dir: "ltr", title: `${lane.local} ${lane.arrow} ${lane.peer}` },
      endpointParts(lane.local), element("span", { class: "port" }, ` ${lane.arrow} `), endpointParts(lane.peer));
  }

  strip(lane) {
    const made = svg("svg", { viewBox: `0 0 ${this.plot} 22`, preserveAspectRatio: "none", "aria-hidden": "true" });
    lane.ends.forEach((end, index) => {
      const [y, height] = LanesView.strip(lane, index);
      for (const [left, width, state] of this.pieces(end)) {
        const bar = svg("rect", { x: left.toFixed(2), width: width.toFixed(2), y, height });
        bar.style.fill = this.app.states.variable(state);
        made.append(bar);
        if (width < 16 || height < 10) continue;
        const letter = svg("text", { x: (left + 4).toFixed(2), y: 15 }, this.app.states.entry(state).letter);
        letter.style.fill = this.app.states.ink(state);
        made.append(letter);
      }
    });
    for (const [time] of this.app.recording.totals.losses) {
      const x = this.x(time);
      if (x >= 0 && x <= this.plot) made.append(svg("line", { class: "loss", x1: x, x2: x, y1: 0, y2: 22 }));
    }
    return made;
  }

  drawCanvas() {
    const spacer = element("div", { class: "spacer" });
    spacer.style.height = `${this.lanes.length * this.row}px`;
    // Assistive technology gets the selected lane only, because the others are not elements.
    this.spoken = element("div", { class: "unseen", role: "option", id: "lane-chosen" });
    this.box.replaceChildren(this.painter.makeCanvas(), spacer, this.spoken);
    this.painter.paint();
  }

  // Selection

  describe(lane) {
    const { states } = this.app;
    const ends = lane.ends.map((end) => {
      const stays = end.segments.map(({ state, stay, atLeast }) => `${states.name(state)} ${duration(stay, atLeast)}`);
      return (lane.ends.length > 1 ? `${end.side ? "server" : "client"} ` : "") + stays.join(", ");
    });
    return `${lane.owner}, ${lane.local} ${lane.arrow === "←" ? "from" : "to"} ${lane.peer}: ${ends.join("; ")}`;
  }

  choose(index) {
    if (!this.lanes.length) return;
    const { row } = this;
    this.chosen = Math.max(0, Math.min(this.lanes.length - 1, index));
    const top = this.chosen * row;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + row > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + row - this.box.clientHeight;
    this.markChosen();
    if (this.asCanvas) this.painter.paint();
  }

  markChosen() {
    const lane = this.lanes[this.chosen];
    if (this.asCanvas) {
      this.spoken.textContent = lane ? this.describe(lane) : `${counted(this.lanes.length, "connection")}, none selected`;
      this.spoken.dataset.id = lane ? lane.id : "";
      this.spoken.setAttribute("aria-selected", String(Boolean(lane)));
      this.box.setAttribute("aria-activedescendant", "lane-chosen");
      return;
    }
    this.box.removeAttribute("aria-activedescendant");
    for (const row of this.box.querySelectorAll('[aria-selected="true"]')) row.setAttribute("aria-selected", "false");
    if (!lane) return;
    this.box.children[this.chosen].setAttribute("aria-selected", "true");
    this.box.setAttribute("aria-activedescendant", `lane-${this.chosen}`);
  }

  /* The lane at a point of the window, its end, and the time there; null if there is none. */
  at(clientX, clientY) {
    const { row, box } = this;
    const bounds = box.getBoundingClientRect();
    const y = clientY - bounds.top - box.clientTop + box.scrollTop;
    const index = Math.floor(y / row);
    const lane = this.lanes[index];
    if (!lane) return null;
    const x = clientX - bounds.left - box.clientLeft - this.label;
    const isLower = y - index * row > row - 11;
    const end = lane.ends[lane.ends.length > 1 && isLower ? 1 : 0];
    return { index, lane, end, time: x >= 0 && x <= this.plot ? this.time(x) : null };
  }
}
