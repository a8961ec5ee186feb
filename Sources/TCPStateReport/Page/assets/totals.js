"use strict";

// The figures at the top, and whether the recording is complete.

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
  byId("origin-note").replaceChildren(...origin(app.recording));
  const isIncomplete = isCut || totals.lost > 0 || totals.unmatched > 0;
  const note = byId("completeness");
  note.classList.toggle("alarm", isIncomplete);
  note.textContent = completeness(totals);
  const notices = [];
  if (isCut) notices.push("This page was cut short: it shows what is there, and the totals are missing.");
  if (totals.omitted) {
    notices.push(`${counted(totals.omitted, "ended connection")} ${totals.omitted === 1 ? "is" : "are"} counted above but left out of this page: charts and lanes show the first ${
      number(totals.lives - totals.omitted)}. For a smaller page, filter when you make it, with --process for example, or record for less time with --for.`);
  }
  byId("notice").hidden = !notices.length;
  byId("notice").textContent = notices.join(" ");
}

/* The host, and how the page was made; a recording doesn't say where it is from. */
function origin({ origin: from }) {
  if (!from) return [];
  const parts = [
    from.host && ["Host ", foreign(from.host)], from.kernel && ["Linux ", foreign(from.kernel)],
    from.recordings.length && ["Recording ", foreign(from.recordings.join(", ")), " of a host that it doesn't name"],
    [foreign(from.version)], ["Made by ", foreign(from.command)],
  ];
  return parts.filter(Boolean).map((part) => element("span", {}, part));
}

function completeness(totals) {
  if (totals.rows === null) return "";
  const parts = [totals.lost
    ? `${counted(totals.lost, "event")} ${totals.lost === 1 ? "was" : "were"} lost, at ${counted(totals.gaps, "place")} marked in red; the stays this affects are lower bounds.`
    : "Nothing was lost: the sequence of rows has no gaps."];
  if (totals.unmatched) {
    parts.push(`${counted(totals.unmatched, "row")} ${totals.unmatched === 1 ? "doesn't" : "don't"} start in the state in which the previous row left the connection.`);
  }
  if (totals.listenerRows) {
    parts.push(`${counted(totals.listenerRows, "row")} ${totals.listenerRows === 1 ? "belongs" : "belong"} to listeners, which are not drawn.`);
  }
  return parts.join(" ");
}

function sameDay(clock, totals) {
  const [start, end] = [clock.parts(totals.start), clock.parts(totals.end)];
  return start.date === end.date ? end.clock : `${end.date} ${end.clock}`;
}
