"use strict";

// One connection as a textbook draws it: both ends, each step and its sequence numbers. The steps are
// part of the data; nothing is derived here.

// The style sheet's classes, by the number of a step's basis.
const BASIS = ["observed", "implied", "expected", "found"];
// Whether it was seen at its own end, by the same number.
const SEEN = [true, false, false, true];
// Before a time that is a bound.
const BOUNDS = ["", "≤ ", "≥ "];

class Detail {
  constructor(app) {
    this.app = app;
    this.box = byId("detail");
    this.relative = false;
    this.back = null;
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get isOpen() { return !this.box.hidden; }

  open(lane, back) {
    this.lane = lane;
    if (back) this.back = back;
    this.draw();
    this.box.hidden = false;
    this.box.scrollTop = 0;
    this.box.focus();
    this.app.link.write();
  }

  close() {
    this.box.hidden = true;
    this.app.link.write();
    this.back?.focus?.({ preventScroll: true });
  }

  draw() {
    const { lane } = this;
    const ladder = this.app.recording.ladder(lane.life);
    const [client, server] = lane.life.lanes;
    const isDirected = this.app.recording.words.roles[lane.data[END.role]] !== "unknown";
    const title = element("h2", { id: "detail-title" },
      this.end(client, server), isDirected ? " → " : " — ", this.end(server, client));
    const numbers = element("button", { type: "button", "aria-pressed": String(this.relative),
      title: "Show sequence numbers relative to the initial ones",
      onclick: (event) => {
        this.relative = !this.relative;
        this.draw();
        event.preventDefault();
        byId("relative").focus();
      }, id: "relative" }, "Relative numbers");
    this.box.replaceChildren(
      element("div", { class: "detail-head" }, title,
        element("button", { type: "button", "aria-label": "Close", onclick: () => this.close() }, "✕")),
      this.facts(lane, ladder),
      ...[client, server].filter(Boolean).map((end) => this.passage(end)),
      element("div", { class: "detail-head" }, element("h3", {}, "Steps"), numbers),
      ladder && ladder[LADDER.steps].length
        ? this.ladder(ladder)
        : element("p", { class: "quiet" }, ladder
          ? "Nothing happened: the connection was open before the start and stayed in the same state."
          : "Its steps are missing: the page was cut short."));
  }

  end(own, other) {
    if (own) {
      const text = own.owner === UNKNOWN ? own.local : `${own.owner} ${own.local}`;
      return foreign(text);
    }
    return foreign(other ? other.peer : UNKNOWN, "quiet");
  }

  facts(lane, ladder) {
    const { data } = lane;
    const parts = [
      this.app.clock.full(lane.start),
      lane.segments.length ? duration(lane.end - lane.start, lane.lengthIsBound) : null,
      ladder ? ladder[LADDER.outcome] || null : null,
      `${bytes(data[END.sent])} sent`, `${bytes(data[END.received])} received`,
      data[END.netns] !== null ? `netns ${data[END.netns]}` : null,
      data[END.user] !== null ? `user ${data[END.user]}` : null,
      `connection ${lane.id}`,
    ];
    return element("p", { class: "facts" }, parts.filter(Boolean).join(" · "));
  }

  /* The states of one end, and how long it stayed in each. */
  passage(lane) {
    const { states } = this.app;
    const items = lane.segments.map(({ state, stay, atLeast }) => element("span", {}, states.swatch(state),
      ` ${states.name(state)} `, element("span", { class: "quiet" }, duration(stay, atLeast))));
    const reason = this.app.recording.words.reasons[lane.data[END.reason]];
    if (!lane.isOpen) items.push(element("span", {}, `${states.name(CLOSED)} `, element("span", { class: "quiet" }, reason ?? "")));
    return element("div", {}, element("h3", {}, lane.side === 0 ? "Client" : "Server"), element("div", { class: "passage" }, items));
  }

  ladder(ladder) {
    const steps = ladder[LADDER.steps];
    const rows = [this.initial(ladder)];
    const first = steps.reduce((least, step) => (step[STEP.time] === null ? least : Math.min(least, step[STEP.time])), Infinity);
    let isTransferred = false;
    for (const step of steps) {
      if (step[STEP.isClose] && !isTransferred) {
        rows.push(this.transfer(ladder));
        isTransferred = true;
      }
      rows.push(this.step(step, ladder, first));
    }
    if (!isTransferred) rows.push(this.transfer(ladder));
    return element("table", { class: "ladder" },
      element("thead", {}, element("tr", {}, element("th", { class: "time", scope: "col" }, "Time"),
        element("th", { class: "number", scope: "col" }, "#"),
        element("th", { class: "state of-client", scope: "col" }, "Client"),
        element("th", { scope: "col" }, element("span", { class: "unseen" }, "Segment")),
        element("th", { class: "state of-server", scope: "col" }, "Server"))),
      element("tbody", {}, rows));
  }

  initial(ladder) {
    const state = (side, index) => {
      const number = ladder[side][SIDE.state];
      return this.stateCell(number, index, this.lane.life.lanes[index] ? 0 : 1);
    };
    return element("tr", {}, element("td"), element("td"), state(LADDER.client, 0), element("td"), state(LADDER.server, 1));
  }

  stateCell(state, side, basis) {
    const cell = element("td", { class: `state of-${side ? "server" : "client"}` });
    if (state === null) return cell;
    const name = this.app.states.name(state);
    if (!SEEN[basis]) cell.append(element("span", { class: "implied" }, `(${name})`));
    else cell.append(name, this.app.states.swatch(state) ?? "");
    return cell;
  }

  step(step, ladder, first) {
    const side = step[STEP.side];
    const state = (index) => (index === side ? this.stateCell(step[STEP.state], index, step[STEP.basis])
      : this.stateCell(null, index, 0));
    return element("tr", { class: BASIS[step[STEP.basis]] },
      element("td", { class: "time" }, this.time(step, first)),
      element("td", { class: "number" }, step[STEP.number] === null ? "" : `${step[STEP.number]}`),
      state(0), element("td", { class: "lane-cell" }, this.middle(step, ladder)), state(1));
  }

  time(step, first) {
    if (step[STEP.time] === null || !SEEN[step[STEP.basis]]) return "";
    const micros = Math.floor((step[STEP.time] - first) / 1e3);
    return `${BOUNDS[step[STEP.bound]]}${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, "0")}`;
  }

  middle(step, ladder) {
    const side = step[STEP.side];
    const remark = step[STEP.remark];
    const parts = [];
    if (remark) parts.push(element("div", { class: "remark" }, foreign(remark, "remark")));
    if (step[STEP.flags] !== null) {
      const numbers = [["seq", STEP.sequence, side], ["ack", STEP.acknowledgement, 1 - side]]
        .filter(([, place]) => step[place] !== null)
        .map(([name, place, whose]) => `${name} ${this.sequence(step[place], whose, ladder)}`);
      const classes = ["segment", side ? "left" : "right", BASIS[step[STEP.basis]], step[STEP.unanswered] ? "unanswered" : ""];
      parts.push(element("div", { class: classes.join(" ").trim() }, element("b", {}, step[STEP.flags]),
        element("span", { class: "numbers mono" }, numbers.flatMap((text) => [" ", element("span", {}, text)]))));
    }
    return parts;
  }

  sequence(value, side, ladder) {
    if (!this.relative) return `${value}`;
    const initial = ladder[side ? LADDER.server : LADDER.client][SIDE.initial];
    return initial === null ? UNKNOWN : `${(value - initial) >>> 0}`;
  }

  transfer(ladder) {
    const established = ladder[LADDER.established];
    const head = established === null ? "Data" : `${this.app.states.name(ESTABLISHED)} at both ends for ${duration(established, ladder[LADDER.atLeast] === 1)}`;
    const columns = [
      ["sent", (side) => bytes(side[SIDE.sent])], ["retrans", (side) => number(side[SIDE.retransmits])],
      ["rtt", (side) => micros(side[SIDE.rtt])], ["rto", (side) => micros(side[SIDE.rto])],
      ["cwnd", (side) => number(side[SIDE.window])], ["snd.wnd", (side) => number(side[SIDE.sendWindow])],
      ["rcv.wnd", (side) => number(side[SIDE.receiveWindow])], ["control", (side) => side[SIDE.control] ?? UNKNOWN],
    ];
    const rows = [["client", LADDER.client], ["server", LADDER.server]].map(([name, place]) => element("tr", {},
      element("td", {}, name), columns.map(([, text]) => element("td", {}, text(ladder[place])))));
    return element("tr", { class: "transfer" }, element("td"), element("td"), element("td", { colspan: 3 },
      element("div", { class: "transfer-box", tabindex: 0 }, head, element("table", {},
        element("thead", {}, element("tr", {}, element("td"), columns.map(([name]) => element("th", { scope: "col" }, name)))),
        element("tbody", {}, rows)))));
  }
}

const micros = (value) => duration(value === null ? null : value * 1e3);
