document.addEventListener("DOMContentLoaded", () => {
  const totals = JSON.parse(document.getElementById("totals").textContent);
  document.getElementById("completeness").textContent =
    `${totals.rows} rows, ${totals.ends} connections, ${totals.lost} lost, ${totals.unmatched} unmatched`;
});
