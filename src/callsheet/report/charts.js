// Curves over steps, and parallel coordinates: drawn by ECharts from what the table shows.
"use strict";

const LINES = 40;       // curves that are drawn where none is ticked
const MOST_LINES = 200;
const AXES = 10;
const charts = {};

function chart(id) {
  const place = find(id);
  place.hidden = false;
  if (!charts[id]) charts[id] = echarts.init(place, null, { renderer: "canvas" });
  return charts[id];
}

function look() {
  const ink = token("ink"), soft = token("soft"), line = token("line");
  return {
    ink, soft, line,
    axis: { axisLine: { lineStyle: { color: line } }, axisLabel: { color: soft, hideOverlap: true }, nameTextStyle: { color: soft },
            splitLine: { lineStyle: { color: line, opacity: 0.6 } }, axisTick: { lineStyle: { color: line } } },
    // Rich text is drawn, not parsed: a name can hold anything.
    tooltip: { renderMode: "richText", confine: true, backgroundColor: token("band"), borderColor: line,
               textStyle: { color: ink, fontSize: 12, fontFamily: "monospace" } },
  };
}

const plainText = (text) => String(text).replace(/[{}|]/g, " ");

function drawnRows(curves) {
  const having = view.shown.filter((row) => curves[row]);
  const ticked = [...view.ticked].filter((row) => curves[row]);
  const chosen = ticked.length ? ticked : having.slice(0, LINES);
  const rows = chosen.slice(0, MOST_LINES);
  const said = ticked.length
    ? `${plural(rows.length, "ticked run")}${rows.length < chosen.length ? ` of ${chosen.length}` : ""}.`
    : rows.length < having.length
      ? `The first ${rows.length} of ${plural(having.length, "run")} of the table: filter, sort, or tick the ones to draw.`
      : `${plural(rows.length, "run")} of the table.`;
  return { rows, said };
}

function drawCurves() {
  const names = Object.keys(data.curves);
  const metric = find("metric").value;
  if (!names.length) {
    find("curves-said").textContent = "No run has curves: what a function appends to metrics.jsonl in ${run.dir} is drawn here.";
    find("curves").hidden = true;
    return;
  }
  const curves = data.curves[metric];
  const { rows, said } = drawnRows(curves);
  mark(rows);
  const logY = find("log-y").checked, logX = find("log-x").checked;
  let left = 0;
  const keep = (x, y) => {
    const kept = !(logY && y !== null && y <= 0) && !(logX && x <= 0);
    left += kept ? 0 : 1;
    return kept;
  };
  const series = rows.map((row, place) => {
    const [xs, ys] = curves[row];
    const points = xs.map((x, n) => [x, ys[n]]).filter(([x, y]) => keep(x, y));
    const { color, type } = lineOf(place);
    return { name: data.details[row].id, type: "line", data: points, showSymbol: points.length < 2, symbolSize: 5, animation: false,
             lineStyle: { width: rows.length > 12 ? 1.2 : 2, type }, itemStyle: { color }, emphasis: { focus: "series" },
             triggerLineEvent: true };
  });
  find("curves-said").textContent = said + (left ? ` ${plural(left, "point")} not above zero cannot stand on a log scale.` : "");
  const style = look();
  chart("curves").setOption({
    backgroundColor: "transparent",
    grid: { left: 8, right: 24, top: 36, bottom: rows.length <= 12 ? 64 : 34, containLabel: true },
    legend: { show: rows.length <= 12, type: "scroll", bottom: 0, textStyle: { color: style.ink }, pageTextStyle: { color: style.soft },
              pageIconColor: style.ink, icon: "roundRect" },
    tooltip: { ...style.tooltip, trigger: "axis", formatter: (points) => curveTip(points, rows.length) },
    xAxis: { type: logX ? "log" : "value", name: "step", nameLocation: "middle", nameGap: 24, ...style.axis, splitLine: { show: false }, scale: true, min: "dataMin", max: "dataMax" },
    yAxis: { type: logY ? "log" : "value", name: plainText(metric), nameTextStyle: { color: style.soft, align: "left" }, scale: true, ...style.axis, nameGap: 12 },
    series,
  }, { notMerge: true });
}

// Once all colours are taken, lines are dashed, then dotted.
function lineOf(place) {
  return { color: COLOURS[place % COLOURS.length], type: ["solid", "dashed", "dotted"][Math.floor(place / COLOURS.length) % 3] };
}

// The dots of the table have the colours of the lines; those of dashed and dotted lines are rings.
function mark(rows) {
  const lines = new Map(rows.map((row, place) => [row, lineOf(place)]));
  for (const dot of document.querySelectorAll("#runs .swatch")) {
    const { color, type } = lines.get(Number(dot.dataset.row)) || { color: "transparent", type: "solid" };
    dot.style.border = `2px ${type === "dotted" ? "dotted" : "solid"} ${color}`;
    dot.style.background = type === "solid" ? color : "";
  }
}

function curveTip(points, count) {
  const having = points.filter((point) => point.value && point.value[1] !== null);
  if (!having.length) return "";
  having.sort((a, b) => b.value[1] - a.value[1]);
  const lines = having.slice(0, 12).map((point) => `${short(point.value[1]).padStart(10)}  ${point.seriesName}`);
  if (having.length > 12) lines.push(`and ${having.length - 12} more`);
  return [`step ${short(having[0].value[0])}`, ...lines].join("\n");
}

function axisFor(index, numeric, place) {
  const column = data.columns[index];
  const values = data.rows.map((row) => row[index]).filter((value) => value !== null && value !== undefined && value !== "");
  const label = { name: plainText(column.name), dim: place };
  if (!numeric) {
    const categories = [...new Set(values.map((value) => written(value, column)))];
    return { ...label, type: "category", data: categories };
  }
  const numbers = values.filter(isNumber);
  let low = Infinity, high = -Infinity;
  for (const value of numbers) { low = Math.min(low, value); high = Math.max(high, value); }
  const log = low > 0 && high / low >= 10;
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  const ticks = distinct.length <= 6 ? { customValues: distinct } : {};
  return { ...label, type: log ? "log" : "value", min: low, max: high, splitNumber: 4,
           axisLabel: { formatter: short, ...ticks }, axisTick: ticks };
}

function eligible() {
  const counts = (value, column) => value !== null && !(column.numeric && isUndrawn(value));
  const distinct = (index) => new Set(data.rows.map((row) => row[index]).filter((value) => counts(value, data.columns[index]))).size;
  const found = data.columns.map((column, index) => ({ column, index })).filter(({ column, index }) => {
    if (column.kind === "run") return false;
    const count = distinct(index);
    return count > 1 && (column.numeric || count <= 24);
  });
  return found;
}

function parallelColumns() {
  const found = eligible();
  const values = found.filter(({ column }) => column.kind === "value");
  const outcomes = found.filter(({ column }) => column.kind !== "value" && column.numeric);
  const room = Math.max(AXES - Math.min(outcomes.length, 4), 1);
  return [...values.slice(0, room), ...outcomes.slice(0, AXES - Math.min(values.length, room))].map(({ index }) => index);
}

function drawParallel() {
  const columns = parallelColumns();
  if (columns.length < 2) {
    find("parallel-said").textContent = "Nothing differs in two places: there are no two axes to draw.";
    find("parallel").hidden = true;
    find("colour").parentElement.hidden = true;
    return;
  }
  const colour = columns.indexOf(Number(find("colour").value));
  const rows = view.shown.filter((row) => columns.some((index) => data.rows[row][index] !== null));
  const narrow = find("parallel").clientWidth < 560;
  const style = look();
  const axes = columns.map((index, place) => {
    const axis = axisFor(index, data.columns[index].numeric, place);
    const label = { color: style.ink, width: narrow ? 120 : 110, overflow: "truncate", fontSize: 12 };
    const above = narrow ? { align: "right", verticalAlign: "bottom", padding: [0, 0, 6, 0] } : {};
    return { ...axis, z: 10, nameLocation: "end", nameGap: narrow ? 0 : 15, nameTextStyle: { ...label, ...above }, nameTruncate: { maxWidth: narrow ? 240 : 120 },
             axisLine: { lineStyle: { color: style.soft } }, axisTick: { ...axis.axisTick, lineStyle: { color: style.soft } },
             axisLabel: { ...axis.axisLabel, color: style.ink, backgroundColor: token("paper"), padding: [1, 3], borderRadius: 3, hideOverlap: true, showMinLabel: true, showMaxLabel: true },
             splitLine: { show: false }, areaSelectStyle: { width: 18, color: token("mark"), opacity: 0.25, borderColor: token("mark") } };
  });
  const numbers = data.rows.map((row) => row[columns[colour]]).filter(isNumber);
  const low = Math.min(...numbers), high = Math.max(...numbers);
  chart("parallel").setOption({
    backgroundColor: "transparent",
    tooltip: style.tooltip,
    parallel: { layout: narrow ? "vertical" : "horizontal", left: narrow ? 24 : 60, right: narrow ? 24 : 130, top: 40, bottom: narrow ? 80 : 30,
                axisExpandable: false },
    parallelAxis: axes,
    visualMap: { type: "continuous", show: numbers.length > 0, min: low, max: high, dimension: colour, calculable: false, seriesIndex: 0,
                 orient: narrow ? "horizontal" : "vertical", left: narrow ? "center" : "right", bottom: narrow ? 0 : "center", itemWidth: 10,
                 text: [short(high), short(low)], textStyle: { color: style.soft }, inRange: { color: ["#7b68c8", "#2a9d8f", "#e9b93b"] } },
    series: [{ type: "parallel", progressive: 500, animation: false,
               inactiveOpacity: 0.05, activeOpacity: 0.9, lineStyle: { width: rows.length > 200 ? 1 : 2, opacity: rows.length > 500 ? 0.35 : 0.75 },
               data: rows.map((row) => ({ name: plainText(data.details[row].id), row, value: columns.map((index) => parallelValue(row, index)),
                                          ...lineWithout(row, columns, columns[colour], style.soft) })) }],
  }, { notMerge: true });
  const have = eligible().length;
  const fewer = columns.length < have ? ` ${columns.length} of ${have} axes are drawn.` : "";
  find("parallel-said").textContent = `Each line is a run. Drag along an axis to keep the runs that pass there, here and in the table.${fewer}${leftOut(rows, columns)}`;
}

const lacks = (row, index) => data.columns[index].numeric && isUndrawn(data.rows[row][index]);

// Their lines cross an axis where nothing is: they are dotted, and it is said.
function leftOut(rows, columns) {
  const left = rows.filter((row) => columns.some((index) => lacks(row, index))).length;
  const names = columns.filter((index) => rows.some((row) => lacks(row, index))).map((index) => data.columns[index].name);
  return left ? ` ${plural(left, "run")}, dotted, ${left === 1 ? "is" : "are"} left out where nan or inf cannot be drawn: ${names.join(", ")}.` : "";
}

// Without a number to be coloured by, a line would not be seen at all.
function lineWithout(row, columns, colour, grey) {
  const type = columns.some((index) => lacks(row, index)) ? { type: "dotted" } : {};
  const plain = colour !== undefined && !isNumber(data.rows[row][colour]);
  return plain ? { visualMap: false, lineStyle: { ...type, color: grey } } : { lineStyle: type };
}

function parallelValue(row, index) {
  const value = data.rows[row][index];
  if (value === null || value === "") return "-";
  if (data.columns[index].numeric) return isNumber(value) ? value : "-";
  return written(value, data.columns[index]);
}

function brushed() {
  const series = charts.parallel.getModel().getSeries()[0];
  const rows = series.option.data;
  const normal = series.getRawIndicesByActiveState("normal").length;
  const active = series.getRawIndicesByActiveState("active");
  view.brushed = normal === rows.length ? null : new Set(active.map((n) => rows[n].row));
  find("unbrush").hidden = view.brushed === null;
  choose();
  drawTable();
  drawCurves();
}
