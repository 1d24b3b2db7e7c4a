// Fill the page, and let its parts follow each other.
"use strict";

function refresh({ filtered = false } = {}) {
  choose();
  drawTable();
  drawCurves();
  if (filtered) drawParallel();
}

function summary() {
  const state = data.columns.findIndex((column) => column.kind === "run" && column.name === "state");
  const counts = new Map();
  for (const row of data.rows) counts.set(row[state], (counts.get(row[state]) || 0) + 1);
  const states = [...counts].map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ");
  const parts = [`${plural(data.rows.length, "run")}: ${states}`, data.filter ? `filter: ${data.filter}` : "", `written ${data.made.replace("T", " ").slice(0, 16)}`];
  return parts.filter(Boolean).join("  ·  ");
}

function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
  select.parentElement.hidden = pairs.length === 0;
}

function fill() {
  find("title").textContent = data.title;
  find("summary").textContent = summary();
  find("notes").hidden = data.notes.length === 0;
  find("notes").replaceChildren(...data.notes.map((note) => element("li", {}, note)));
  const kinds = ["result", "metrics", "value"];
  const outcome = kinds.map((kind) => data.columns.find((column) => column.kind === kind && column.numeric)).find(Boolean);
  if (outcome) {
    const numbers = data.rows.map((row) => row[data.columns.indexOf(outcome)]).filter(isNumber).sort((a, b) => a - b);
    find("filter-example").textContent = `${outcome.name}<${short(numbers[Math.floor(numbers.length / 2)])}`;
  }
  const metrics = Object.keys(data.curves);
  options(find("metric"), metrics.map((name) => [name, name]), metrics.find((name) => /loss/i.test(name)) || metrics[0]);
  for (const id of ["log-x", "log-y"]) find(id).parentElement.hidden = metrics.length === 0;
  const axes = parallelColumns().filter((index) => data.columns[index].numeric);
  const best = axes.filter((index) => data.columns[index].kind === "result").pop();
  options(find("colour"), axes.map((index) => [String(index), data.columns[index].name]), String(best === undefined ? axes[axes.length - 1] : best));
}

function listen() {
  let waiting = 0;
  find("filter").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { unbrush(); refresh({ filtered: true }); }, 120);
  });
  find("more").addEventListener("click", () => { view.room += 500; drawTable(); });
  find("untick").addEventListener("click", () => { view.ticked.clear(); drawTable(); drawCurves(); });
  for (const id of ["metric", "log-x", "log-y"]) find(id).addEventListener("change", drawCurves);
  find("colour").addEventListener("change", () => { unbrush(); refresh({ filtered: true }); });
  find("unbrush").addEventListener("click", () => { unbrush(); refresh({ filtered: true }); });
  find("close").addEventListener("click", () => find("run").close());
  find("run").addEventListener("click", (event) => { if (event.target === find("run")) find("run").close(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { drawCurves(); drawParallel(); });
  let width = innerWidth;
  addEventListener("resize", () => {
    for (const one of Object.values(charts)) one.resize();
    if ((width < 600) !== (innerWidth < 600)) drawParallel();
    width = innerWidth;
  });
  if (charts.parallel) charts.parallel.on("axisareaselected", brushed);
  if (charts.curves) charts.curves.on("click", (point) => openRun(data.details.findIndex((run) => run.id === point.seriesName)));
}

function unbrush() {
  view.brushed = null;
  find("unbrush").hidden = true;
}

fill();
refresh({ filtered: true });
listen();
