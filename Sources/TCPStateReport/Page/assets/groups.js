"use strict";

// How many ends there are of each process, peer and port, and why connections ended; a row chooses it.

const GROUPS = [
  { id: "ends", name: "reason", title: "Ended by" },
  { id: "processes", name: "process", title: "Process" },
  { id: "peers", name: "peer", title: "Peer" },
  { id: "ports", name: "port", title: "Port" },
  { id: "workloads", name: "workload", title: "Container, pod or unit" },
];
const FEW = 8;

class GroupTables {
  constructor(app) {
    this.app = app;
    this.most = new Map(GROUPS.map(({ id }) => [id, FEW]));
    for (const { id } of GROUPS) {
      byId(`${id}-more`).addEventListener("click", () => {
        this.most.set(id, this.most.get(id) === FEW ? 500 : FEW);
        this.draw(this.lanes);
      });
    }
  }

  draw(lanes) {
    this.lanes = lanes;
    for (const group of GROUPS) this.drawTable(group, lanes);
  }

  drawTable({ id, name, title }, lanes) {
    const isEnds = name === "reason";
    const counted = isEnds ? lanes.filter((lane) => lane.data[END.ended] !== null) : lanes;
    const rows = this.count(counted, SELECTS[name].key);
    // Containers aren't known everywhere.
    byId(id).parentElement.hidden = name === "workload" && byId(name).hidden;
    const most = this.most.get(id);
    const more = byId(`${id}-more`);
    more.hidden = rows.length <= FEW;
    more.textContent = most === FEW ? `Show ${number(Math.min(rows.length, 500))}` : `Show ${FEW}`;
    const columns = isEnds ? ["Sockets", "Share"] : ["Sockets", "Open", "Unfinished"];
    byId(id).replaceChildren(
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, title),
        columns.map((column) => element("th", { scope: "col", class: "number" }, column)))),
      element("tbody", {}, rows.length
        ? rows.slice(0, most).map((row) => this.row(name, row, counted.length))
        : element("tr", {}, element("td", { class: "empty", colspan: columns.length + 1 },
          isEnds ? "No connection has ended." : "None."))));
  }

  /* The most sockets first. */
  count(lanes, key) {
    const rows = new Map();
    for (const lane of lanes) {
      const value = key(lane);
      let row = rows.get(value);
      if (!row) rows.set(value, (row = { value, sockets: 0, open: 0, stuck: 0 }));
      row.sockets += 1;
      if (lane.isOpen) row.open += 1;
      if (this.app.stuck.isStuck(lane)) row.stuck += 1;
    }
    return [...rows.values()].sort((a, b) => b.sockets - a.sockets || compare(String(a.value), String(b.value)));
  }

  row(name, { value, sockets, open, stuck }, all) {
    const { filter } = this.app;
    const label = filter.label(name, value);
    const isChosen = filter[name] === `=${value ?? ""}`;
    const cells = name === "reason" ? [number(sockets), share(sockets, all)]
      : [number(sockets), number(open), number(stuck)];
    return element("tr", { class: isChosen ? "chosen" : null },
      element("td", {}, element("button", { type: "button", class: "link", "aria-pressed": String(isChosen),
        "data-value": value ?? "", "aria-label": `Only ${label}`, onclick: () => this.choose(name, value) },
      foreign(label))),
      cells.map((cell, index) => element("td", { class: `number${index === 2 && stuck ? " alarm" : ""}` }, cell)));
  }

  /* The tables are drawn again, so the focus has to be given back. */
  choose(name, value) {
    this.app.filter.toggleValue(name, value);
    const table = byId(GROUPS.find((group) => group.name === name).id);
    [...table.querySelectorAll("button")].find((button) => button.dataset.value === String(value ?? ""))?.focus(
      { preventScroll: true });
  }
}

/* Something is never 0 %. */
function share(count, all) {
  const percent = (count / all) * 100;
  return percent > 0 && percent < 0.05 ? "< 0.1 %" : `${percent.toFixed(1)} %`;
}
