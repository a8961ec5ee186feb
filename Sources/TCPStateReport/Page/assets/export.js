"use strict";

// What is shown, as files: the rows of the connections in the lanes as CSV, which `--read` takes, and a picture as SVG.

const CSV_COLUMNS = ["timestamp", "timestamp_unix_nano", "connection_id", "role", "process_pid", "process_name", "user_id",
  "netns", "local_address", "local_port", "peer_address", "peer_port", "state_old", "state_new", "state_duration_ns",
  "duration_kind", "source", "reason", "bytes_sent", "bytes_received"];

function selectionAsCSV({ lanes, clock, states, recording }) {
  const { roles, reasonNames } = recording.words;
  const rows = [];
  const put = (end, time, old, next, stay, atLeast, source, isLast) => {
    const { data } = end;
    const isEnd = next === TIME_WAIT || next === CLOSED;
    const reason = !isEnd ? null : isLast ? data[END.reason] : data[END.ended];
    const ns = clock.base + BigInt(time);
    rows.push([time, rows.length, [rfc3339(ns), ns, end.id, roles[data[END.role]], data[END.pid], data[END.name],
      data[END.user], data[END.netns], data[END.local], data[END.localPort] || null, data[END.peer],
      data[END.peerPort] || null, states.entry(old).key, states.entry(next).key, stay,
      stay === null ? null : atLeast ? "at_least" : "exact", source, reason === null ? null : reasonNames[reason],
      isLast ? data[END.sent] : null, isLast ? data[END.received] : null]]);
  };
  for (const end of lanes.lanes.flatMap((lane) => lane.ends)) {
    const { data } = end;
    const found = data[END.found];
    const moments = data[END.moments];
    if (found) put(end, found[1], found[0], found[0], null, false, "snapshot", !moments.length);
    for (let index = 0; index < moments.length; index += MOMENT.length) {
      put(end, moments[index + MOMENT.time], moments[index + MOMENT.old], moments[index + MOMENT.new],
        moments[index + MOMENT.stay], moments[index + MOMENT.atLeast] === 1, null, index + MOMENT.length === moments.length);
    }
  }
  rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return `${[CSV_COLUMNS, ...rows.map((row) => row[2])].map((cells) => cells.map(csvCell).join(",")).join("\n")}\n`;
}

/* RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe, as with --excel-safe. */
function csvCell(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (/^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function rfc3339(ns) {
  const second = new Date(Number(ns / 1000000000n) * 1000).toISOString().slice(0, 19);
  return `${second}.${String(ns % 1000000000n).padStart(9, "0")}Z`;
}

const SVG_STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity",
  "font-family", "font-size", "font-weight", "text-anchor", "visibility"];

/* A picture of the page by itself: with the colours that it has here, without what only reacts. */
function pictureAsSVG(drawn) {
  const copy = drawn.cloneNode(true);
  const originals = [drawn, ...drawn.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((node, index) => {
    const style = getComputedStyle(originals[index]);
    const isShown = style.display !== "none" && !node.matches(".reach, .window, .cursor");
    for (const name of node.getAttributeNames()) {
      if (name.startsWith("data-") || name.startsWith("aria-") || ["class", "style", "role", "tabindex"].includes(name)) node.removeAttribute(name);
    }
    if (!isShown) node.setAttribute("data-unseen", "");
    else for (const name of SVG_STYLES) node.style.setProperty(name, style.getPropertyValue(name));
  });
  for (const node of copy.querySelectorAll("[data-unseen]")) node.remove();
  const [x, y, width, height] = drawn.getAttribute("viewBox").split(" ");
  const card = svg("rect", { x, y, width, height });
  card.style.fill = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
  copy.prepend(card);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  return new XMLSerializer().serializeToString(copy);
}

function save(text, type, name) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
