"use strict";

// Values for people, written as the command's tables write them.

const UNKNOWN = "–";

const number = (value) => (value === null ? UNKNOWN : value.toLocaleString("en-US"));

/* `2 rows`, `1 row` */
const counted = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

/* Three significant digits below a minute, then two units. A lower bound is truncated, not rounded. */
function duration(ns, atLeast = false) {
  if (ns === null) return UNKNOWN;
  const prefix = atLeast ? "≥ " : "";
  if (ns < 1e3) return `${prefix}${Math.floor(ns)} ns`;
  for (const [unit, name, limit] of [[1e3, "µs", 1e3], [1e6, "ms", 1e3], [1e9, "s", 60]]) {
    for (const digits of [2, 1, 0]) {
      const scale = 10 ** digits;
      const scaled = (ns / unit) * scale;
      const whole = atLeast ? Math.floor(scaled + 1e-9) : Math.round(scaled);
      if (whole < 1000 && whole < limit * scale) return `${prefix}${(whole / scale).toFixed(digits)} ${name}`;
    }
  }
  const seconds = Math.max(Math.floor(ns / 1e9), 60);
  if (seconds < 3600) return `${prefix}${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  if (seconds < 86400) return `${prefix}${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} m`;
  return `${prefix}${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

/* `250ms`, `1.5 s`, `5m`, a number of seconds; as nanoseconds, null for anything else. */
function parseDuration(text) {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|sec|m|min|h|d|)\s*$/i.exec(text);
  const units = { ns: 1, us: 1e3, "µs": 1e3, ms: 1e6, s: 1e9, sec: 1e9, "": 1e9, m: 60e9, min: 60e9, h: 3600e9, d: 86400e9 };
  return parts && Number(parts[1]) * units[parts[2].toLowerCase()];
}

/* 100 µs, 1 ms: for axes, whose numbers are round. */
function roundDuration(ns) {
  for (const [unit, name] of [[86400e9, "d"], [3600e9, "h"], [60e9, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
    if (ns >= unit * 0.999) return `${Math.round(ns / unit)} ${name}`;
  }
  return `${Math.round(ns)} ns`;
}

function bytes(count) {
  return count === null ? UNKNOWN : `${number(count)} B`;
}

const endpoint = (address, port) =>
  address === null && !port
    ? UNKNOWN
    : `${address !== null && address.includes(":") ? `[${address}]` : address ?? "*"}:${port || "*"}`;

/* `:443`, or `]:443` of an IPv6 address. */
const portOf = (text) => text.slice(text.lastIndexOf(text.includes("]:") ? "]:" : ":"));

const ownerText = (name, pid) =>
  name === null && pid === null ? UNKNOWN : name === null ? `${pid}` : pid === null ? name : `${name}/${pid}`;

/* Times in nanoseconds after a base as clock times, in the viewer's zone or UTC. */
class Clock {
  constructor(base) {
    this.base = BigInt(base);
    this.utc = false;
  }

  parts(offset) {
    const ns = this.base + BigInt(Math.round(offset));
    const date = new Date(Number(ns / 1000000n));
    const fraction = (ns % 1000000000n).toString().padStart(9, "0");
    const two = (value) => String(value).padStart(2, "0");
    return this.utc
      ? {
        date: date.toISOString().slice(0, 10),
        clock: `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`,
        fraction,
      }
      : {
        date: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
        clock: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
        fraction,
      };
  }

  full(offset, digits = 6) {
    const { date, clock, fraction } = this.parts(offset);
    return `${date} ${clock}${digits ? "." + fraction.slice(0, digits) : ""}`;
  }

  /* With as many digits as the step of an axis needs. */
  tick(offset, step) {
    const { clock, fraction } = this.parts(offset);
    if (step >= 60e9) return clock.slice(0, 5);
    if (step >= 1e9) return clock;
    const digits = step >= 1e6 ? 3 : step >= 1e3 ? 6 : 9;
    return `${clock.slice(3)}.${fraction.slice(0, digits)}`;
  }

  /* How far local time is ahead of UTC at the base, in nanoseconds; ticks fall on round local times. */
  get shift() {
    const minutes = this.utc ? 0 : -new Date(Number(this.base / 1000000n)).getTimezoneOffset();
    return minutes * 60e9;
  }

  get zone() {
    if (this.utc) return "UTC";
    return Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
  }
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500]
  .flatMap((step) => [step, step * 1e3, step * 1e6])
  .concat([1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].map((s) => s * 1e9))
  .concat([1, 2, 7, 14, 30, 90, 365].map((d) => d * 86400e9))
  .sort((a, b) => a - b);

/* At most `most` round times between `from` and `to`. */
function timeTicks(clock, from, to, most) {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? STEPS[STEPS.length - 1];
  // Only the time of day decides where round times are.
  const phase = Number(clock.base % 86400000000000n) + clock.shift;
  const ticks = [];
  for (let tick = Math.ceil((from + phase) / step) * step - phase; tick <= to && ticks.length <= most; tick += step) {
    ticks.push(tick);
  }
  return { step, ticks };
}

function niceCeiling(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((nice) => nice >= value - 1e-9);
}
