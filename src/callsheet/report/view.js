// What the page shows, and the small things that its parts share. No value ever becomes markup: text nodes only.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);

const view = {
  shown: [],            // rows of the table, by their number in the data, filtered and sorted
  ticked: new Set(),    // rows whose curves are drawn
  brushed: null,        // rows that the parallel coordinates leave, null for all
  sort: null,           // {column, down}
  room: 200,            // rows that the table draws
};

const find = (id) => document.getElementById(id);

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined) made.append(child instanceof Node ? child : String(child));
  }
  return made;
}

const isNumber = (value) => typeof value === "number";

// JSON has no numbers for these: they come as texts. They are numbers that are not drawn.
const isUndrawn = (value) => value === "nan" || value === "inf" || value === "-inf";

function plural(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

function short(number) {
  if (Number.isInteger(number) && Math.abs(number) < 1e9) return String(number);
  return String(Number(number.toPrecision(4)));
}

function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  for (const [size, unit, below, name] of [[86400, "d", 3600, "h"], [3600, "h", 60, "m"], [60, "m", 1, "s"]]) {
    if (whole >= size) {
      return Math.floor(whole / size) + unit + String(Math.floor((whole % size) / below)).padStart(2, "0") + name;
    }
  }
  return `${whole}s`;
}

function moment(seconds) {
  const at = new Date(seconds * 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

function written(value, column) {
  if (value === null || value === undefined || value === "") return "-";
  if (isNumber(value) && column.kind === "run") {
    if (column.name === "duration") return duration(value);
    if (column.name === "started") return moment(value);
  }
  if (isNumber(value)) return short(value);
  if (value === true) return "True";
  if (value === false) return "False";
  return String(value);
}

function isNumeric(index) {
  const column = data.columns[index];
  if (column.kind === "run") return column.name === "number" || column.name === "duration";
  const values = data.rows.map((row) => row[index]);
  return values.some(isNumber) && values.every((value) => !value || isNumber(value) || isUndrawn(value));
}

data.columns.forEach((column, index) => { column.numeric = isNumeric(index); });

// Tell lines apart on white and on black alike.
const COLOURS = ["#2f7ed8", "#e0711c", "#2aa05a", "#c2379d", "#8d6bd8", "#b8860b", "#0f9aa8", "#d0433f", "#7a8b2f", "#7f7f7f", "#5a7fd6", "#a0522d"];

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
