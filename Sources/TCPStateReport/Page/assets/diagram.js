"use strict";

// The state machine of RFC 9293, figure 5: how often each transition was made, and how long ends had been in the state that
// they left. An arrow or a state chooses the connections that passed it. `words.figure` says where everything is drawn, in
// the terminal's columns and rows.

const PLACE = { state: 0, x: 1, y: 2, width: 3, height: 4 };
const ARROW = { old: 0, next: 1, event: 2, textX: 3, textY: 4, ends: 5, flat: 6, points: 7 };
const COLUMN = 12.5;
const LINE = 17;

class Diagram {
  constructor(app) {
    this.app = app;
    this.box = byId("diagram");
    this.figure = app.recording.words.figure;
    this.at = 0;
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  /* `moves` as `collectMoves` gives them. */
  draw(moves, lanes) {
    const { places, lines } = this.figure;
    const open = new Map();
    for (const lane of lanes) if (lane.isOpen) open.set(lane.state, (open.get(lane.state) ?? 0) + 1);
    const stays = staysByState(moves);
    this.svg = svg("svg", { viewBox: "-6 -14 1012 722", role: "group", "aria-label": "State machine of TCP (RFC 9293, figure 5)" });
    this.svg.append(...lines.map((line) => this.arrow(line, moves)),
      ...places.map((place) => this.state(place, stays.get(place[PLACE.state]), open.get(place[PLACE.state]) ?? 0)));
    this.box.replaceChildren(this.svg);
    this.drawOthers(moves);
    this.rove(Math.min(this.at, this.buttons.length - 1));
  }

  get buttons() { return [...this.svg.querySelectorAll('[role="button"]')]; }

  arrow(line, moves) {
    const { app } = this;
    const [old, next] = line;
    const made = this.count(old, next, moves);
    const points = [];
    for (let index = ARROW.points; index < line.length; index += 2) points.push([center(line[index]), middle(line[index + 1])]);
    stretch(points);
    const path = `M${points.map((point) => point.join(" ")).join("L")}`;
    const isChosen = app.filter.hasMove(old, next);
    const group = svg("g", { class: `arrow${made.count ? "" : " never"}${isChosen ? " chosen" : ""}`, "data-move": `${old}-${next}`,
      "data-count": made.count ?? "" });
    const width = made.count ? Math.min(5, 1.25 + Math.log10(made.count) * 0.75) : 1;
    const drawn = svg("path", { d: path, class: "line" });
    drawn.style.strokeWidth = width;
    group.append(svg("path", { d: path, class: "reach" }), drawn, head(points, width));
    if (made.count || made.count === null) group.append(...this.text(line, made));
    if (!made.isListener && made.count) this.makeButton(group, isChosen, this.describe(old, next, made), () => app.filter.toggleMove(old, next));
    return group;
  }

  /* Listeners have no lanes: the totals count them, whatever the filters are. */
  count(old, next, moves) {
    const isListener = (old === CLOSED && next === LISTEN) || (old === LISTEN && next === CLOSED);
    if (!isListener) return { ...(moves.get(moveKey(old, next)) ?? { count: 0, sorted: [] }), isListener };
    const { listeners } = this.app.recording.totals;
    const count = this.app.filter.isActive || !listeners ? null : listeners[old === CLOSED ? 0 : 1];
    return { count, sorted: [], isListener };
  }

  text(line, { count, sorted }) {
    const x = (line[ARROW.textX] + (line[ARROW.ends] ? 1 : 0)) * COLUMN;
    const y = line[ARROW.textY] * LINE + 13;
    const anchor = line[ARROW.ends] ? "end" : "start";
    const first = svg("text", { x, y, "text-anchor": anchor },
      svg("tspan", { class: "count" }, number(count)), svg("tspan", { class: "event" }, `\u2002${line[ARROW.event]}`));
    if (!sorted.length) return [first];
    const times = `${duration(quantile(sorted, 0.5))} / ${duration(quantile(sorted, 0.99))}`;
    if (line[ARROW.flat]) {
      first.append(svg("tspan", { class: "times" }, `\u2002${times}`));
      return [first];
    }
    return [first, svg("text", { x, y: y + LINE - 2, "text-anchor": anchor, class: "times" }, times)];
  }

  state([state, column, row, columns, rows], stays, open) {
    const { app } = this;
    const { states } = app;
    const [x, y, width, height] = [column * COLUMN, row * LINE, columns * COLUMN, rows * LINE - 4];
    const isPassive = state === CLOSED || state === LISTEN;
    const isChosen = app.filter.chosen.has(state);
    const group = svg("g", { class: `state${isChosen ? " chosen" : ""}`, "data-state": state, "data-count": stays?.sorted.length ?? 0 },
      svg("rect", { x, y, width, height, rx: 6, class: "card" }));
    const band = svg("rect", { x, y, width: 6, height, rx: 3 });
    band.style.fill = states.variable(state);
    group.append(band, svg("text", { x: x + 16, y: y + 18, class: "name" }, states.name(state)));
    if (!isPassive) {
      const place = { x: x + width - 12, "text-anchor": "end" };
      group.append(svg("text", { ...place, y: y + 18, class: "count" }, number(stays?.sorted.length ?? 0)));
      if (stays) {
        group.append(svg("text", { x: x + 16, y: y + 37, class: "times" },
          `${duration(quantile(stays.sorted, 0.5))} / ${duration(quantile(stays.sorted, 0.99))}`));
      }
      if (open) group.append(svg("text", { ...place, y: y + 37, class: "open" }, `${number(open)} open`));
      this.makeButton(group, isChosen, this.describeState(state, stays, open), () => app.filter.toggle(state));
    }
    return group;
  }

  makeButton(group, isChosen, label, act) {
    fill(group, { role: "button", tabindex: -1, "aria-pressed": String(isChosen), "aria-label": label }, []);
    group.append(svg("title", {}, label));
    group.addEventListener("click", () => {
      this.at = this.buttons.indexOf(group);
      act();
      this.buttons[this.at]?.focus({ preventScroll: true });
    });
  }

  describe(old, next, { count, sorted }) {
    const { states } = this.app;
    const times = sorted.length
      ? `, after a median of ${duration(quantile(sorted, 0.5))}, p99 ${duration(quantile(sorted, 0.99))}` : "";
    return `${states.name(old)} to ${states.name(next)}: ${counted(count, "time")}${times}`;
  }

  describeState(state, stays, open) {
    const times = stays ? `, median ${duration(quantile(stays.sorted, 0.5))}, p99 ${duration(quantile(stays.sorted, 0.99))}` : "";
    return `${this.app.states.name(state)}: ${counted(stays?.sorted.length ?? 0, "stay")}${times}, ${number(open)} open`;
  }

  /* Resets, timeouts and what else the figure lacks. */
  drawOthers(moves) {
    const drawn = new Set(this.figure.lines.map(([old, next]) => moveKey(old, next)));
    const others = [...moves.values()].filter(({ old, next }) => !drawn.has(moveKey(old, next)))
      .sort((a, b) => b.count - a.count);
    byId("other-moves").replaceChildren(...(others.length ? [element("span", { class: "quiet" }, "Not in the figure:")] : []),
      ...others.map((move) => {
        const { old, next, count, sorted } = move;
        const { states, filter } = this.app;
        return element("button", { type: "button", "aria-pressed": String(filter.hasMove(old, next)), "data-move": `${old}-${next}`,
          "data-count": count, title: this.describe(old, next, move),
          onclick: () => {
            filter.toggleMove(old, next);
            document.querySelector(`#other-moves [data-move="${old}-${next}"]`)?.focus({ preventScroll: true });
          } },
        `${states.name(old)} → ${states.name(next)} `, element("b", {}, number(count)),
        sorted.length ? element("span", { class: "quiet" }, ` ${duration(quantile(sorted, 0.5))} / ${duration(quantile(sorted, 0.99))}`) : null);
      }));
  }

  /* One stop for Tab, the arrow keys go on from there. */
  rove(index) {
    const { buttons } = this;
    if (!buttons.length) return null;
    this.at = (index + buttons.length) % buttons.length;
    buttons.forEach((button, place) => button.setAttribute("tabindex", place === this.at ? 0 : -1));
    return buttons[this.at];
  }

  key(event) {
    const to = { ArrowRight: this.at + 1, ArrowDown: this.at + 1, ArrowLeft: this.at - 1, ArrowUp: this.at - 1, Home: 0, End: -1 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in to) this.rove(to[event.key])?.focus();
    else if (event.key === "Enter" || event.key === " ") event.target.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const center = (column) => (column + 0.5) * COLUMN;
const middle = (row) => (row + 0.5) * LINE;
const moveKey = (old, next) => old * 256 + next;

/* The lines touch the boxes, which are drawn over their beginnings. */
function stretch(points) {
  for (const [end, next] of [[points[0], points[1]], [points.at(-1), points.at(-2)]]) {
    const isFlat = end[1] === next[1];
    const reach = isFlat ? COLUMN / 2 : LINE / 2;
    const axis = isFlat ? 0 : 1;
    end[axis] += end[axis] < next[axis] ? -reach : reach;
  }
  // Boxes end a little above their last row.
  if (points[0][0] === points[1][0] && points[0][1] < points[1][1]) points[0][1] -= 4;
  const [before, last] = points.slice(-2);
  if (before[0] === last[0] && last[1] < before[1]) last[1] -= 3;
}

function head(points, width) {
  const [[fromX, fromY], [x, y]] = points.slice(-2);
  const size = 5 + width;
  const [dx, dy] = [Math.sign(x - fromX), Math.sign(y - fromY)];
  const [left, right] = [[x - dx * size - dy * size * 0.55, y - dy * size - dx * size * 0.55], [x - dx * size + dy * size * 0.55, y - dy * size + dx * size * 0.55]];
  return svg("path", { class: "head", d: `M${x} ${y}L${left.join(" ")}L${right.join(" ")}Z` });
}

/* By `moveKey`: how often each transition was made, and the known stays before it, sorted. */
function collectMoves(lanes) {
  const moves = new Map();
  for (const lane of lanes) {
    lane.forEachMove((old, next, stay, atLeast) => {
      const key = moveKey(old, next);
      let move = moves.get(key);
      if (!move) moves.set(key, (move = { old, next, count: 0, stays: [], longest: -1, longestIsBound: false }));
      move.count += 1;
      if (stay === null) return;
      move.stays.push(stay);
      if (stay > move.longest) {
        move.longest = stay;
        move.longestIsBound = atLeast;
      }
    });
  }
  for (const move of moves.values()) move.sorted = Float64Array.from(move.stays).sort();
  return moves;
}

/* By state: its stays from the rows, sorted, and whether the longest is a lower bound. */
function staysByState(moves) {
  const states = new Map();
  for (const { old, sorted, longest, longestIsBound } of moves.values()) {
    if (!sorted.length) continue;
    const entry = states.get(old) ?? { parts: [], longest: -1, longestIsBound: false };
    states.set(old, entry);
    entry.parts.push(sorted);
    if (longest > entry.longest) [entry.longest, entry.longestIsBound] = [longest, longestIsBound];
  }
  for (const entry of states.values()) {
    const { parts } = entry;
    if (parts.length === 1) [entry.sorted] = parts;
    else {
      entry.sorted = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
      let place = 0;
      for (const part of parts) {
        entry.sorted.set(part, place);
        place += part.length;
      }
      entry.sorted.sort();
    }
  }
  return states;
}
