"use strict";

// The selection in the URL's fragment, so that a link, a reload and the bookmarks keep it: #state=close_wait&least=30s

class Link {
  constructor(app) {
    this.app = app;
    this.timer = null;
    this.text = "";
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.text) this.read();
    });
  }

  /* What differs from the page as it opens. */
  get parameters() {
    const { filter, states, view, whole, clock, area } = this.app;
    const parameters = new URLSearchParams();
    const put = (name, value) => value && parameters.set(name, value);
    put("search", filter.text.trim());
    for (const name of Object.keys(SELECTS)) put(name, filter[name]);
    put("state", [...filter.chosen].map((state) => states.entry(state).key).join(" "));
    put("now", filter.isNow ? "1" : "");
    put("move", filter.move?.map((state) => states.entry(state).key).join(" "));
    put("least", filter.least ? byId("least").value.trim() : "");
    if (this.app.isZoomed) {
      put("from", String(Math.round(view.from - whole.from)));
      put("to", String(Math.round(view.to - whole.from)));
    }
    put("sort", byId("sort").value === "start" ? "" : byId("sort").value);
    put("utc", clock.utc ? "1" : "");
    put("timewait", area.hasTimeWait ? "1" : "");
    put("open", this.app.detail.isOpen ? this.app.detail.lane.id : "");
    return parameters;
  }

  /* Not at once: browsers limit how often the address changes. */
  write() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.text = this.parameters.toString();
      if (this.text !== location.hash.slice(1)) history.replaceState(null, "", `#${this.text}`);
    }, 200);
  }

  /* Chooses what the fragment says; what isn't in this recording is left out. */
  read() {
    const { app } = this;
    const { filter, states, whole } = app;
    const parameters = new URLSearchParams(location.hash.slice(1));
    const get = (name) => parameters.get(name) ?? "";
    filter.clear();
    filter.text = get("search");
    for (const name of Object.keys(SELECTS)) {
      const value = get(name);
      filter[name] = [...byId(name).options].some((option) => option.value === value) ? value : "";
    }
    const numbers = (name) => get(name).split(" ").filter(Boolean).map((key) => states.number(key));
    filter.chosen = new Set(numbers("state").filter((state) => state !== undefined));
    filter.isNow = get("now") === "1";
    const move = numbers("move");
    filter.move = move.length === 2 && !move.includes(undefined) ? move : null;
    byId("least").value = get("least");
    filter.least = parseDuration(get("least"));
    if ([...byId("sort").options].some((option) => option.value === get("sort"))) byId("sort").value = get("sort");
    app.clock.utc = get("utc") === "1";
    app.area.hasTimeWait = get("timewait") === "1";
    const [from, to] = [Number(get("from")), Number(get("to"))];
    app.view = to > from ? app.clamped(whole.from + from, whole.from + to) : { ...whole };
    app.redrawAll();
    const lane = get("open") && app.recording.lanes.find((candidate) => candidate.id === get("open"));
    if (lane) app.open(lane, byId("lanes"));
  }
}
