"use strict";

// The only place that creates elements. Text is only ever set as text, because names come from other people.

const byId = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  return fill(made, attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function fill(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined) made.append(child);
  }
  return made;
}

/* Foreign text, isolated so that right-to-left text doesn't reorder what is around it. */
const foreign = (text, className = null) => element("bdi", { class: className, dir: "ltr" }, text);

/* Addresses and ports in one line: an address may be cut short with an ellipsis, its port is whole. */
function endpointParts(text) {
  const port = text === UNKNOWN ? "" : portOf(text);
  return [element("span", { class: "address" }, text.slice(0, text.length - port.length)), element("span", { class: "port" }, port)];
}

const Tip = {
  show(x, y, ...content) {
    const tip = byId("tip");
    tip.replaceChildren(...content);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, x + 16 + width > innerWidth ? x - width - 16 : x + 16)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 14, innerHeight - height - 6))}px`;
  },
  hide() {
    byId("tip").hidden = true;
  },
};
