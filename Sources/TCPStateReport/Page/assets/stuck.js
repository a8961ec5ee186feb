"use strict";

// Sockets still in a state that lasts until a program or the peer acts, the longest first.

class StuckTable {
  constructor(app) {
    this.app = app;
    this.table = byId("stuck");
    this.most = 10;
    byId("stuck-more").addEventListener("click", () => {
      this.most = this.most === 10 ? 500 : 10;
      this.draw(this.lanes);
    });
  }

  draw(lanes) {
    this.lanes = lanes;
    const stuck = lanes.filter((lane) => this.isStuck(lane))
      .sort((a, b) => b.age - a.age || a.id.localeCompare(b.id));
    byId("stuck-note").textContent = stuck.length
      ? `${number(stuck.length)} ${stuck.length === 1 ? "was" : "were"} in a state that lasts until a program or the peer acts.`
      : "None were in a state that lasts until a program or the peer acts.";
    const more = byId("stuck-more");
    more.hidden = stuck.length <= 10;
    more.textContent = this.most === 10 ? `Show ${number(Math.min(stuck.length, 500))}` : "Show 10";
    if (!stuck.length) {
      this.table.replaceChildren();
      return;
    }
    this.table.replaceChildren(
      element("thead", {}, element("tr", {}, element("th", { class: "number", scope: "col" }, "For"),
        ...["State", "Process"].map((name) => element("th", { scope: "col" }, name)),
        element("th", { scope: "col", class: "wide" }, "Local"), element("th", { scope: "col" }, "Peer"))),
      element("tbody", {}, stuck.slice(0, this.most).map((lane) => this.row(lane))));
  }

  isStuck(lane) { return lane.isOpen && !SETTLED.has(lane.state); }

  total(lanes) { return lanes.filter((lane) => this.isStuck(lane)).length; }

  row(lane) {
    return element("tr", { "data-id": lane.id, onclick: () => this.app.open(lane, this.table) },
      element("td", { class: "number" }, duration(lane.age, lane.ageIsBound)),
      element("td", {}, this.app.states.swatch(lane.state), this.app.states.name(lane.state)),
      element("td", {}, element("button", { type: "button", "aria-label": `Steps of ${lane.owner}` }, foreign(lane.owner, "owner"))),
      element("td", { class: "wide" }, this.endpoint(lane.local)),
      element("td", {}, element("div", { class: "narrow" }, this.endpoint(lane.local)), this.endpoint(lane.peer)));
  }

  endpoint(text) { return element("bdi", { class: "ends", dir: "ltr", title: text }, endpointParts(text)); }
}
