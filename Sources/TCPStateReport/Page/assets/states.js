"use strict";

// The states' names and letters come with the data. page.css has the colours, by machine name.

// The kernel's numbers of the states that the page treats specially; a test compares them with the table in the code.
const ESTABLISHED = 1;
const TIME_WAIT = 6;
const CLOSED = 7;
const LISTEN = 10;
/* States a connection may stay in: ESTABLISHED is at work, TIME-WAIT ends by itself. */
const SETTLED = new Set([ESTABLISHED, TIME_WAIT, CLOSED, LISTEN]);

class States {
  constructor(table) {
    this.order = table.map(([number]) => number).filter((number) => number !== CLOSED && number !== LISTEN);
    this.entries = new Map(table.map(([number, name, letter, key]) => [number, { name, letter, key }]));
    this.colors = new Map();
  }

  entry(number) {
    return this.entries.get(number) ?? { name: `UNKNOWN(${number})`, letter: "?", key: "unknown" };
  }

  name(number) {
    return number === null ? UNKNOWN : this.entry(number).name;
  }

  /* The number of a state by its machine name; undefined for none. */
  number(key) {
    for (const [number, entry] of this.entries) if (entry.key === key) return number;
    return undefined;
  }

  /* The colour for SVG and HTML, which follows the theme by itself. */
  variable(number) {
    return `var(--${this.entry(number).key})`;
  }

  /* The colour for a canvas. */
  color(number) {
    const key = this.entry(number).key;
    if (!this.colors.has(key)) {
      this.colors.set(key, getComputedStyle(document.documentElement).getPropertyValue(`--${key}`).trim());
    }
    return this.colors.get(key);
  }

  /* A text colour that is readable on the state's colour, by WCAG's relative luminance. */
  ink(number) {
    const channels = this.color(number).slice(1).match(/../g) ?? ["0", "0", "0"];
    const [red, green, blue] = channels.map((hex) => {
      const value = parseInt(hex, 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#14181c" : "#ffffff";
  }

  /* null for CLOSED and LISTEN, which are never drawn. */
  swatch(number) {
    if (number === CLOSED || number === LISTEN) return null;
    const made = element("span", { class: "swatch", "aria-hidden": "true" }, this.entry(number).letter);
    made.style.background = this.variable(number);
    made.style.color = this.ink(number);
    return made;
  }

  forgetColors() {
    this.colors.clear();
  }
}
