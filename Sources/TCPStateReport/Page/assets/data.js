"use strict";

// The data as PageLives.swift and PageTotals.swift write it: the names of the places in its arrays.

const END = {
  id: 0, role: 1, pid: 2, name: 3, local: 4, localPort: 5, peer: 6, peerPort: 7, reason: 8, found: 9,
  moments: 10, sent: 11, received: 12, netns: 13, user: 14, rows: 15,
  ended: 16, // the reason of the row that ended it, by index; null while it is open
  presumed: 17, // 1 if the owner is merely the listener's; not there if neither this nor the next is
  workload: 18, // container, pod or unit, if it is known
};
const MOMENT = { time: 0, old: 1, new: 2, stay: 3, atLeast: 4, length: 5 };
const LADDER = { outcome: 0, established: 1, atLeast: 2, client: 3, server: 4, steps: 5 };
const SIDE = {
  state: 0, initial: 1, sent: 2, retransmits: 3, rtt: 4, rto: 5, window: 6, sendWindow: 7, receiveWindow: 8, control: 9,
};
const STEP = {
  isClose: 0, number: 1, side: 2, basis: 3, time: 4, bound: 5, flags: 6, sequence: 7, acknowledgement: 8,
  unanswered: 9, state: 10, remark: 11,
};

/* One socket on this host: an end of a connection, with its states as time segments. */
class Lane {
  constructor(end, life, side, totals) {
    this.data = end;
    this.life = life;
    this.side = side;
    const moments = end[END.moments];
    this.state = moments.length ? moments[moments.length - MOMENT.length + MOMENT.new] : end[END.found]?.[0] ?? CLOSED;
    this.isOpen = this.state !== CLOSED;
    this.segments = segmentsOf(end, this.state, totals);
    this.start = this.segments[0]?.start ?? totals.start;
    this.end = this.segments.at(-1)?.end ?? this.start;
    this.text = null;
  }

  get id() { return this.data[END.id]; }
  get owner() { return ownerText(this.data[END.name], this.data[END.pid]) + (this.data[END.presumed] ? "?" : ""); }
  get workload() { return this.data[END.workload] ?? ""; }
  get local() { return endpoint(this.data[END.local], this.data[END.localPort]); }
  get peer() { return endpoint(this.data[END.peer], this.data[END.peerPort]); }
  get arrow() { return this.side === 0 ? "→" : "←"; }
  /* The port of the service: the end's that was opened passively; null if which one that is isn't known. */
  get service() {
    const role = this.life.roles[this.data[END.role]];
    return (role === "client" ? this.data[END.peerPort] : role === "server" ? this.data[END.localPort] : null) || null;
  }
  /* How long it has been in the last state; a lower bound if it was found in it. */
  get age() { return this.end - (this.segments.at(-1)?.start ?? this.end); }
  get ageIsBound() { return this.data[END.moments].length === 0; }
  /* Whether its beginning or its end is outside the recording. */
  get lengthIsBound() { return this.isOpen || this.segments[0]?.isOlder === true; }

  get haystack() {
    this.text ??= `${this.owner} ${this.workload} ${this.local} ${this.peer} ${this.id}`.toLowerCase();
    return this.text;
  }

  hasBeenIn(states) { return this.segments.some((segment) => states.has(segment.state)); }

  /* Calls back for each transition: old state, new state, stay in the old one or null, whether that is a lower bound. */
  forEachMove(body) {
    const moments = this.data[END.moments];
    for (let index = 0; index < moments.length; index += MOMENT.length) {
      body(moments[index + MOMENT.old], moments[index + MOMENT.new], moments[index + MOMENT.stay],
        moments[index + MOMENT.atLeast] === 1);
    }
  }

  hasMade(old, next) {
    const moments = this.data[END.moments];
    for (let index = 0; index < moments.length; index += MOMENT.length) {
      if (moments[index + MOMENT.old] === old && moments[index + MOMENT.new] === next) return true;
    }
    return false;
  }
}

/* A connection: one lane, with one end or both. */
class Connection {
  constructor(ends) {
    this.ends = ends;
    this.start = ends[0].start;
    this.end = ends[0].end;
    for (const end of ends) {
      this.start = Math.min(this.start, end.start);
      this.end = Math.max(this.end, end.end);
    }
  }

  get id() { return this.ends[0].id; }
  get owner() { return this.ends.map((end) => end.owner).join(" → "); }
  get local() { return this.ends[0].local; }
  get peer() { return this.ends.length > 1 ? this.ends[1].local : this.ends[0].peer; }
  get arrow() { return this.ends.length > 1 ? "→" : this.ends[0].arrow; }
  get isOpen() { return this.ends.some((end) => end.isOpen); }
  get age() { return Math.max(...this.ends.map((end) => (end.isOpen ? end.age : 0))); }
  get lengthIsBound() { return this.ends.some((end) => end.lengthIsBound); }

  /* Whether any of its stays touches the time. */
  isWithin(from, to) {
    return this.start <= to && this.end >= from
      && this.ends.some(({ segments }) => segments.some(({ start, end }) => start <= to && end >= from));
  }
}

/* Segments to draw: `start` and `end` in nanoseconds after the base; `stay` is null if the rows don't give it.
   A stay leads back to where its state began: before the first row for a listener's child, or before the trace. */
function segmentsOf(end, last, totals) {
  const segments = [];
  const moments = end[END.moments];
  const found = end[END.found];
  let since = found ? found[1] : null;
  for (let index = 0; index < moments.length; index += MOMENT.length) {
    const time = moments[index + MOMENT.time];
    const state = moments[index + MOMENT.old];
    const stay = moments[index + MOMENT.stay];
    if (state !== CLOSED && state !== LISTEN) {
      let start = since ?? totals.start;
      if (stay !== null && (since === null || time - stay < start)) start = time - stay;
      segments.push({
        start, end: Math.max(time, start), state, stay, atLeast: moments[index + MOMENT.atLeast] === 1,
        isOlder: index === 0,
      });
    }
    since = time;
  }
  if (last !== CLOSED) {
    const until = Math.max(totals.end, since);
    segments.push({ start: since, end: until, state: last, stay: until - since, atLeast: true, isOlder: !moments.length });
  }
  return segments;
}

class Recording {
  constructor() {
    this.lanes = [];
    this.connections = [];
    this.words = JSON.parse(byId("words").textContent);
    this.parsedLadders = [];
    this.ladderScripts = document.querySelectorAll("script.ladders");
    this.isCut = false;
    const origin = byId("origin");
    this.origin = origin && this.parse(origin);
    const chunks = [...document.querySelectorAll("script.lives")];
    const base = chunks[0]?.dataset.base ?? "0";
    const lives = chunks.map((script) => this.parse(script));
    this.totals = this.parse(byId("totals")) ?? totalsOfCutPage(base, lives.filter(Boolean).flat());
    lives.forEach((chunk, number) => chunk && this.add(chunk, number));
  }

  parse(script) {
    try {
      const value = JSON.parse(script.textContent);
      script.textContent = "";
      return value;
    } catch {
      this.isCut = true;
      return null;
    }
  }

  add(lives, chunk) {
    lives.forEach((ends, index) => {
      const life = { chunk, index, lanes: [null, null], roles: this.words.roles };
      ends.forEach((end, side) => {
        if (!end) return;
        const lane = new Lane(end, life, side, this.totals);
        life.lanes[side] = lane;
        this.lanes.push(lane);
      });
      life.connection = new Connection(life.lanes.filter(Boolean));
      this.connections.push(life.connection);
    });
  }

  /* The ladder of a life; its chunk is parsed at the first request. */
  ladder(life) {
    const script = this.ladderScripts[life.chunk];
    if (!this.parsedLadders[life.chunk] && script) this.parsedLadders[life.chunk] = this.parse(script);
    return this.parsedLadders[life.chunk]?.[life.index] ?? null;
  }
}

/* A page that was cut short has no totals; these are computed from what arrived. */
function totalsOfCutPage(base, lives) {
  let start = Infinity;
  let end = -Infinity;
  let ends = 0;
  for (const life of lives) {
    for (const { [END.moments]: moments } of life.filter(Boolean)) {
      ends += 1;
      for (let index = 0; index < moments.length; index += MOMENT.length) {
        start = Math.min(start, moments[index + MOMENT.time]);
        end = Math.max(end, moments[index + MOMENT.time]);
      }
    }
  }
  return {
    base, start: ends ? start : 0, end: ends ? end : 0, rows: null, listenerRows: null, listeners: null, shownRows: null,
    lives: lives.length, ends, omitted: 0, unmatched: null, lost: null, gaps: 0, losses: [],
  };
}
