"use strict";

// Pointer and keyboard input on the lanes.

class LanesInput {
  constructor(view) {
    this.view = view;
    this.app = view.app;
    this.drag = null;
    const { box } = view;
    box.addEventListener("pointerdown", (event) => this.begin(event));
    box.addEventListener("pointermove", (event) => this.move(event));
    box.addEventListener("pointerup", (event) => this.end(event));
    box.addEventListener("pointercancel", () => this.cancel());
    box.addEventListener("pointerleave", () => Tip.hide());
    box.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    box.addEventListener("keydown", (event) => this.key(event));
  }

  begin(event) {
    if (event.button !== 0) return;
    // The browser handles the scroll bar.
    if (event.clientX > this.view.box.getBoundingClientRect().left + this.view.box.clientWidth) return;
    this.drag = { x: event.clientX, from: this.app.view.from, to: this.app.view.to, moved: false };
  }

  move(event) {
    const { drag } = this;
    if (drag && (drag.moved || Math.abs(event.clientX - drag.x) > 4)) {
      if (!drag.moved) this.view.box.setPointerCapture(event.pointerId);
      drag.moved = true;
      document.documentElement.classList.add("dragging");
      this.view.box.classList.add("moving");
      Tip.hide();
      const by = ((drag.x - event.clientX) / this.view.plot) * (drag.to - drag.from);
      this.app.show(drag.from + by, drag.to + by, false);
      return;
    }
    this.showTip(event);
  }

  end(event) {
    const wasMoved = this.drag?.moved ?? true;
    this.cancel();
    if (wasMoved) {
      this.app.settle();
      return;
    }
    const found = this.view.at(event.clientX, event.clientY);
    if (!found) return;
    this.view.choose(found.index);
    this.app.open(found.end, this.view.box);
  }

  cancel() {
    this.drag = null;
    this.view.box.classList.remove("moving");
    document.documentElement.classList.remove("dragging");
  }

  showTip(event) {
    const found = event.pointerType === "touch" ? null : this.view.at(event.clientX, event.clientY);
    if (!found) {
      Tip.hide();
      return;
    }
    const { lane, end, time } = found;
    const { states } = this.app;
    const content = [
      element("div", {}, foreign(lane.owner, "owner")),
      element("div", { class: "quiet" }, foreign(`${lane.local} ${lane.arrow} ${lane.peer}`)),
      lane.ends.length > 1 ? element("div", { class: "quiet" }, end.side ? "server" : "client") : null,
    ].filter(Boolean);
    const hairline = time === null ? 0 : (2 / this.view.plot) * (this.app.view.to - this.app.view.from);
    for (const { start, end: until, state, stay, atLeast } of time === null ? [] : end.segments) {
      if (time < start - hairline || time > until + hairline) continue;
      content.push(element("div", {}, states.swatch(state), ` ${states.name(state)} `, duration(stay, atLeast)));
    }
    Tip.show(event.clientX, event.clientY, ...content);
  }

  wheel(event) {
    const { app, view } = this;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const x = event.clientX - view.box.getBoundingClientRect().left - view.label;
      app.zoom(Math.exp(event.deltaY * 0.004), view.time(Math.max(0, Math.min(view.plot, x))));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      const by = (event.deltaX || event.deltaY) / view.plot;
      app.pan(by);
    }
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { app, view } = this;
    const page = Math.max(1, Math.floor(view.box.clientHeight / view.row) - 1);
    const actions = {
      ArrowDown: () => view.choose(view.chosen + 1),
      ArrowUp: () => view.choose(view.chosen < 0 ? 0 : view.chosen - 1),
      PageDown: () => view.choose(view.chosen + page),
      PageUp: () => view.choose(view.chosen - page),
      Home: () => view.choose(0),
      End: () => view.choose(view.lanes.length - 1),
      ArrowLeft: () => app.pan(-0.2),
      ArrowRight: () => app.pan(0.2),
      Enter: () => view.lanes[view.chosen] && app.open(view.lanes[view.chosen].ends[0], view.box),
      z: () => view.lanes[view.chosen] && app.zoomTo(view.lanes[view.chosen]),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
