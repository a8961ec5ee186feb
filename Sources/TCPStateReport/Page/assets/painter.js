"use strict";

// Lanes on a canvas: those in view.

const MONO = "11.5px ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";

class LanePainter {
  constructor(view) {
    this.view = view;
    this.app = view.app;
  }

  makeCanvas() {
    this.canvas = element("canvas", { "aria-hidden": "true" });
    return this.canvas;
  }

  paint() {
    const { view, canvas } = this;
    const { box, row } = view;
    const width = box.clientWidth;
    const height = Math.min(box.clientHeight, view.lanes.length * row);
    const ratio = devicePixelRatio || 1;
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
    this.colors = Object.fromEntries(["ink", "quiet", "select", "accent", "alarm"].map(
      (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.family = getComputedStyle(document.body).fontFamily;
    context.direction = "ltr";
    context.textBaseline = "middle";
    const first = Math.floor(box.scrollTop / row);
    for (let index = first; index < view.lanes.length && index * row - box.scrollTop < height; index += 1) {
      this.paintLane(context, index, index * row - box.scrollTop, width);
    }
    this.paintLosses(context, first, height);
  }

  paintLane(context, index, top, width) {
    const { view, colors } = this;
    const lane = view.lanes[index];
    if (index === view.chosen) {
      context.fillStyle = colors.select;
      context.fillRect(0, top, width, view.row);
      context.fillStyle = colors.accent;
      context.fillRect(0, top, 3, view.row);
    }
    this.paintLabel(context, lane, top + 11, (view.isStacked ? width : view.label) - 16);
    context.font = "600 10px system-ui, sans-serif";
    const strips = top + view.row - 22;
    lane.ends.forEach((end, number) => {
      const [y, height] = LanesView.strip(lane, number);
      for (const [left, length, state] of view.pieces(end)) {
        context.fillStyle = this.app.states.color(state);
        context.fillRect(view.label + left, strips + y, length, height);
        if (length < 16 || height < 10) continue;
        context.fillStyle = this.app.states.ink(state);
        context.fillText(this.app.states.entry(state).letter, view.label + left + 4, strips + 11.5);
      }
    });
  }

  /* The owner, then the addresses with what is left: cut short with an ellipsis, their ports whole. */
  paintLabel(context, lane, y, room) {
    context.font = `12.5px ${this.family}`;
    context.fillStyle = this.colors.ink;
    // Isolated, so that a right-to-left name doesn't reorder what follows it.
    const owner = fitted(context, lane.owner, room * 0.45);
    context.fillText(`\u2066${owner}\u2069`, 10, y);
    let x = 10 + context.measureText(owner).width + 8;
    context.font = MONO;
    context.fillStyle = this.colors.quiet;
    const arrow = ` ${lane.arrow} `;
    const ports = [lane.local, lane.peer].map(portOf);
    const addresses = [lane.local, lane.peer].map((text, index) => text.slice(0, text.length - ports[index].length));
    let left = 10 + room - x - context.measureText(ports.join("") + arrow).width;
    [0, 1].forEach((end) => {
      // The first takes at most half, unless the second needs less.
      const others = end === 0 ? Math.min(left / 2, context.measureText(addresses[1]).width) : 0;
      const address = fitted(context, addresses[end], left - others);
      const text = address + ports[end] + (end === 0 ? arrow : "");
      context.fillText(text, x, y);
      x += context.measureText(text).width;
      left -= context.measureText(address).width;
    });
  }

  /* Through the strips, not through labels above them. */
  paintLosses(context, first, height) {
    const { view } = this;
    context.strokeStyle = this.colors.alarm;
    context.setLineDash([3, 2]);
    for (const [time] of this.app.recording.totals.losses) {
      const x = view.x(time);
      if (x < 0 || x > view.plot) continue;
      context.beginPath();
      for (let index = first; index < view.lanes.length && index * view.row - view.box.scrollTop < height; index += 1) {
        const bottom = (index + 1) * view.row - view.box.scrollTop;
        context.moveTo(view.label + x, bottom - 22);
        context.lineTo(view.label + x, bottom);
      }
      context.stroke();
    }
    context.setLineDash([]);
  }
}

/* The text, or as much of its beginning as fits with an ellipsis. */
function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const length = Math.ceil((low + high) / 2);
    if (context.measureText(`${text.slice(0, length)}…`).width <= width) low = length;
    else high = length - 1;
  }
  return `${text.slice(0, low)}…`;
}
