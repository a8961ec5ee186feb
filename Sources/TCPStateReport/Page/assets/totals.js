"use strict";

// The figures at the top, and whether all was seen.

function showTotals(app) {
  const { totals, lanes, isCut } = app.recording;
  const { clock } = app;
  const open = lanes.filter((lane) => lane.isOpen).length;
  const figure = (name, value, key, isAlarm = false) => element("div", { class: isAlarm ? "alarm" : null },
    element("dt", {}, name), element("dd", { "data-figure": key }, value));
  byId("figures").replaceChildren(
    figure("connections", number(totals.lives), "lives"),
    figure("sockets", number(totals.ends), "sockets"),
    figure("rows", number(totals.rows), "rows"),
    figure("open at the end", number(open), "open"),
    figure("unfinished", number(app.stuck.total(lanes)), "stuck"),
    figure("lost", number(totals.lost), "lost", totals.lost > 0),
    figure("unmatched", number(totals.unmatched), "unmatched", totals.unmatched > 0));
  byId("span").textContent = totals.end > totals.start
    ? `${clock.full(totals.start, 0)} to ${sameDay(clock, totals)}, ${duration(totals.end - totals.start)} (${clock.zone})`
    : `${clock.full(totals.start, 0)} (${clock.zone})`;
  const isIncomplete = isCut || totals.lost > 0 || totals.unmatched > 0;
  const note = byId("completeness");
  note.classList.toggle("alarm", isIncomplete);
  note.textContent = completeness(totals);
  const notices = [];
  if (isCut) notices.push("This page was cut short: what is here is shown, its totals are missing.");
  if (totals.omitted) {
    notices.push(`${number(totals.omitted)} connections that had ended are counted above, but not in this page: charts and lanes show the first ${
      number(totals.lives - totals.omitted)}. Filters of the command, such as --process or --for, make a smaller page.`);
  }
  byId("notice").hidden = !notices.length;
  byId("notice").textContent = notices.join(" ");
}

function completeness(totals) {
  if (totals.rows === null) return "";
  const parts = [totals.lost
    ? `${number(totals.lost)} events were lost, at ${number(totals.gaps)} ${totals.gaps === 1 ? "place" : "places"} marked in red: stays around them are lower bounds.`
    : "Nothing was lost: the sequence of rows has no gap."];
  if (totals.unmatched) {
    parts.push(`${number(totals.unmatched)} rows don't begin in the state in which the row before had left their connection.`);
  }
  if (totals.listenerRows) parts.push(`${number(totals.listenerRows)} rows are of listeners, which are not drawn.`);
  return parts.join(" ");
}

function sameDay(clock, totals) {
  const [start, end] = [clock.parts(totals.start), clock.parts(totals.end)];
  return start.date === end.date ? end.clock : `${end.date} ${end.clock}`;
}
