"use strict";

// The states' names and letters come with the data; colours are page.css's, by the machine name.

// By the kernel's numbers.
const ESTABLISHED = 1;
const TIME_WAIT = 6;
const CLOSED = 7;
const LISTEN = 10;
/* In these a connection may stay: ESTABLISHED works, TIME-WAIT ends by itself. */
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

  /* For SVG and HTML, follows the theme by itself. */
  variable(number) {
    return `var(--${this.entry(number).key})`;
  }

  /* For a canvas. */
  color(number) {
    const key = this.entry(number).key;
    if (!this.colors.has(key)) {
      this.colors.set(key, getComputedStyle(document.documentElement).getPropertyValue(`--${key}`).trim());
    }
    return this.colors.get(key);
  }

  /* What can be read on the state's colour: WCAG's relative luminance decides. */
  ink(number) {
    const channels = this.color(number).slice(1).match(/../g) ?? ["0", "0", "0"];
    const [red, green, blue] = channels.map((hex) => {
      const value = parseInt(hex, 16) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#14181c" : "#ffffff";
  }

  /* null for CLOSED and LISTEN, which nothing is drawn in. */
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
