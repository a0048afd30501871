"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const byKey = new Map();
  for (const node of all("[data-key]")) {
    const key = node.dataset.key;
    if (!byKey.has(key)) byKey.set(key, []);
    byKey.get(key).push(node);
  }
  const light = (event, on) => {
    const node = event.target.closest && event.target.closest("[data-key]");
    if (node) for (const other of byKey.get(node.dataset.key)) other.classList.toggle("on", on);
  };
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => light(event, on));
  }
  const value = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a.localeCompare(b, undefined, { numeric: true });
  };
  const sort = (table, place) => {
    const head = table.tHead.rows[0].cells;
    const isUp = head[place].getAttribute("aria-sort") !== "ascending";
    for (const cell of head) cell.removeAttribute("aria-sort");
    head[place].setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort((a, b) => (isUp ? 1 : -1) * compare(value(a, place), value(b, place)));
    table.tBodies[0].append(...rows);
  };
  for (const table of all("table")) {
    if (table.tBodies[0].rows.length < 2) continue;
    Array.from(table.tHead.rows[0].cells).forEach((cell, place) => {
      if (!cell.textContent) return;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cell.textContent;
      button.addEventListener("click", () => sort(table, place));
      cell.replaceChildren(button);
    });
  }
  const table = all("table.ranked").find((each) => each.tBodies[0].rows.length > 10);
  if (table) {
    const keys = Array.from(table.tBodies[0].rows, (row) => row.dataset.key);
    const label = document.createElement("label");
    const input = document.createElement("input");
    label.className = "best";
    input.type = "number";
    input.min = 1;
    input.max = keys.length;
    input.value = keys.length;
    input.addEventListener("input", () => {
      const num = Math.max(1, Number(input.value) || keys.length);
      keys.forEach((key, place) => {
        for (const node of byKey.get(key) || []) node.classList.toggle("off", place >= num);
      });
    });
    label.append("show the best ", input, ` of ${keys.length}`);
    const first = document.querySelector("main h2");
    first.after(label);
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const node of opened) node.open = true;
  });
  addEventListener("afterprint", () => {
    for (const node of opened) node.open = false;
  });
})();
