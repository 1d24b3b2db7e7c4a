// The table: filtered by words and comparisons, sorted by any column, drawn a few hundred rows at a time.
"use strict";

const COMPARISON = /^(.+?)(!=|<=|>=|=|<|>|~)(.*)$/;

function columnNamed(name) {
  const exact = data.columns.findIndex((column) => column.name === name || `${column.kind}.${column.name}` === name);
  return exact >= 0 ? exact : data.columns.findIndex((column) => column.name.endsWith(`.${name}`));
}

function comparison(name, sign, said) {
  const index = columnNamed(name);
  if (index < 0 && name !== "run" && name !== "id") return null;
  const wanted = said.trim() !== "" && Number.isFinite(Number(said)) ? Number(said) : said.toLowerCase();
  return (row) => {
    const value = index < 0 ? data.details[row].id : data.rows[row][index];
    if (value === null || value === undefined) return sign === "!=";
    const text = String(value).toLowerCase();
    if (sign === "~") return text.includes(said.toLowerCase());
    const same = isNumber(value) && isNumber(wanted) ? value === wanted : text === String(said).toLowerCase();
    if (sign === "=") return same;
    if (sign === "!=") return !same;
    if (isNumber(value) !== isNumber(wanted)) return false;
    const mine = isNumber(value) ? value : text;
    return { "<": mine < wanted, "<=": mine <= wanted, ">": mine > wanted, ">=": mine >= wanted }[sign];
  };
}

function tests(text) {
  const found = { all: [], unknown: [] };
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const parts = COMPARISON.exec(word);
    if (parts && parts[3] !== "") {
      const test = comparison(parts[1], parts[2], parts[3]);
      if (test) found.all.push(test); else found.unknown.push(parts[1]);
    } else {
      const wanted = word.toLowerCase();
      found.all.push((row) => data.details[row].id.includes(wanted)
        || data.columns.some((column, n) => written(data.rows[row][n], column).toLowerCase().includes(wanted)));
    }
  }
  return found;
}

function ordered(rows) {
  if (!view.sort) return rows;
  const { column, down } = view.sort;
  const value = (row) => (column < 0 ? data.details[row].id : data.rows[row][column]);
  const missing = (x) => x === null || x === undefined || x === "";
  return rows.sort((a, b) => {
    const x = value(a), y = value(b);
    if (missing(x) || missing(y)) return missing(x) - missing(y);
    if (isNumber(x) !== isNumber(y)) return isNumber(x) ? -1 : 1;
    const difference = isNumber(x) ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
    return down ? -difference : difference;
  });
}

function choose() {
  const { all, unknown } = tests(find("filter").value);
  find("filter").classList.toggle("wrong", unknown.length > 0);
  let rows = data.rows.map((_, row) => row);
  if (view.brushed) rows = rows.filter((row) => view.brushed.has(row));
  view.shown = ordered(rows.filter((row) => all.every((test) => test(row))));
  const said = `${view.shown.length.toLocaleString("en")} of ${plural(data.rows.length, "run")}`;
  find("count").textContent = unknown.length ? `no column ${unknown.join(", ")}` : said;
}

function sortBy(column) {
  const numeric = column >= 0 && data.columns[column].numeric;
  const same = view.sort && view.sort.column === column;
  view.sort = { column, down: same ? !view.sort.down : numeric && data.columns[column].kind !== "run" };
  refresh();
}

function head(column, index) {
  const sorted = view.sort && view.sort.column === index;
  const arrow = sorted ? (view.sort.down ? " ↓" : " ↑") : "";
  const group = { value: "value", result: "result", metrics: "last of metric" }[column.kind] || "\u00a0";
  return element(
    "th",
    { scope: "col", class: column.numeric ? "number" : "", "aria-sort": sorted ? (view.sort.down ? "descending" : "ascending") : null },
    element("button", { type: "button", onclick: () => sortBy(index) }, element("span", { class: "group" }, group), column.name + arrow),
  );
}

function tableRow(row) {
  const { id } = data.details[row];
  const tick = element("input", { type: "checkbox", "aria-label": `Draw the curves of ${id}`, onchange: (event) => {
    if (event.target.checked) view.ticked.add(row); else view.ticked.delete(row);
    drawTicks();
    drawCurves();
  } });
  tick.checked = view.ticked.has(row);
  const name = element("div", { class: "name" }, tick, element("span", { class: "swatch", "data-row": row }),
    element("button", { type: "button", class: "open", onclick: () => openRun(row) }, id));
  const cells = data.columns.map((column, n) => {
    const text = written(data.rows[row][n], column);
    const kind = column.kind === "run" && column.name === "state" ? `state ${/^\w+$/.test(text) ? text : ""}` : column.numeric ? "number" : "";
    return element("td", { class: text === "-" ? `${kind} none` : kind, title: text.length > 24 ? text : null }, text);
  });
  return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
}

function drawTicks() {
  find("untick").hidden = view.ticked.size === 0;
  find("untick").textContent = `Untick ${view.ticked.size}`;
}

function drawTable() {
  const columns = [{ name: "run", kind: "run", numeric: false }, ...data.columns];
  const heads = element("thead", {}, element("tr", {}, ...columns.map((column, n) => head(column, n - 1))));
  const body = element("tbody", {}, ...view.shown.slice(0, view.room).map(tableRow));
  find("runs").replaceChildren(heads, body);
  const left = view.shown.length - view.room;
  find("more").hidden = left <= 0;
  find("more").textContent = `Show ${Math.min(left, 500)} more`;
  drawTicks();
}
