// One run: what is known of it, and its spec as a tree in which each value says who set it.
"use strict";

const textAt = (number) => data.texts[number];

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function cellsOf(row, kinds) {
  return data.columns.map((column, n) => [column, data.rows[row][n]])
    .filter(([column, value]) => kinds.includes(column.kind) && value !== null)
    .map(([column, value]) => [column.name, isNumber(value) && column.kind !== "run" ? value : written(value, column)]);
}

function leaf([, name, value, said, replaced]) {
  const origin = textAt(said);
  const set = /^(command line|sweep|override)/.test(origin);
  const before = replaced.map(([was, by]) => element("div", { class: "was" }, `replaced ${textAt(was)}   ${textAt(by)}`));
  return element("div", { class: "leaf" }, element("span", {}, `${textAt(name)} = ${textAt(value)}`),
    element("span", { class: set ? "origin set" : "origin" }, origin), ...before);
}

function tree(lines) {
  const root = element("div", {});
  const holders = [root];
  for (const line of lines) {
    const [depth, name, value, , , holds] = line;
    const holder = holders[Math.min(depth, holders.length - 1)];
    holders.length = Math.min(depth, holders.length - 1) + 1;
    if (!holds) {
      holder.append(leaf(line));
      continue;
    }
    const inside = element("div", {});
    holder.append(element("details", { open: depth === 0 },
      element("summary", {}, textAt(name), element("span", { class: "value" }, `  ${textAt(value)}`)), inside));
    holders.push(inside);
  }
  return root;
}

function specOf(details) {
  if (!details.spec) return element("p", { class: "hint" }, `Not kept in this page: callsheet show ${details.id} --origins`);
  if (!details.spec.length) return element("p", { class: "hint" }, "This run has recorded no spec.");
  const spec = element("div", { class: "spec" }, tree(details.spec));
  const all = (open) => () => spec.querySelectorAll("details").forEach((one) => { one.open = open; });
  const tools = element("div", { class: "tools" }, element("button", { type: "button", onclick: all(true) }, "Open all"),
    element("button", { type: "button", onclick: all(false) }, "Close all"));
  return element("div", {}, spec, tools);
}

function tracker([name, url, id]) {
  const safe = /^https?:\/\//i.test(url);
  return [name, safe ? element("a", { href: url, rel: "noreferrer noopener" }, url) : [url, id].filter(Boolean).join("  ") || "yes"];
}

function openRun(row) {
  const details = data.details[row];
  find("run-head").textContent = `Run ${details.id}`;
  const results = cellsOf(row, ["result", "metrics"]);
  const body = [
    facts(cellsOf(row, ["run"])),
    ...(results.length ? [element("h3", {}, "Result"), facts(results)] : []),
    ...(details.trackers.length ? [element("h3", {}, "Trackers"), facts(details.trackers.map(tracker))] : []),
    element("h3", {}, "Spec"), specOf(details),
    element("h3", {}, "Record"), facts(details.facts),
  ];
  find("run-body").replaceChildren(...body);
  find("run").showModal();
  find("run").scrollTop = 0;
}
