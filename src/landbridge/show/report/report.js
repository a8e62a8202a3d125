// Comfort only: the page says everything without it.
(() => {
  "use strict";

  // A tooltip in place of the browser's own, which is slow and small.
  const tip = document.getElementById("tip");
  for (const title of document.querySelectorAll("svg.map > *:not(title):not(desc) title, svg.plot > *:not(title) title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  // What a number means, in which unit it stands in the folder, and on how much estimated input it rests.
  const meanings = new Map();
  for (const row of document.querySelectorAll("tr[data-def]")) meanings.set(row.dataset.def, row.dataset);
  const rests = document.getElementById("rests")?.dataset.all;
  const share = (text) => {
    const [part, whole] = text.split("/").map(Number);
    return `${part} of ${whole} (${Math.round(100 * part / whole)} %)`;
  };
  const told = (cell) => {
    const found = meanings.get(`${cell.dataset.table}.${cell.dataset.column}`);
    if (!found || !found.means) return "";
    const parts = [found.means + (found.unit ? ` (${found.unit}).` : ".")];
    if (cell.dataset.value) parts.push(`In the folder: ${Number(cell.dataset.value)}.`);
    if (cell.dataset.own) parts.push(`Estimates among ${found.own || "its own numbers"}: ${share(cell.dataset.own)}.`);
    if (rests) parts.push(`Among all input: ${share(rests)}.`);
    return parts.join(" ");
  };
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointermove", (event) => {
    const under = event.target instanceof Element && event.target.closest("[data-tip], [data-table]");
    const text = under && (under.dataset.tip || told(under));
    if (!text) { hide(); return; }
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
    const below = event.clientY + 18 + box.height < innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${below ? event.clientY + 18 : event.clientY - box.height - 12}px`;
  });
  document.addEventListener("pointerleave", hide);
  document.addEventListener("scroll", hide, { passive: true });

  // Views of one scenario and year are switched together; what was clicked stays where it is.
  document.addEventListener("change", (event) => {
    const chosen = event.target;
    if (!(chosen instanceof HTMLInputElement) || !chosen.dataset.view) return;
    const label = chosen.nextElementSibling;
    const before = label.getBoundingClientRect().top;
    for (const other of document.querySelectorAll("input[data-view]")) {
      if (other.dataset.view === chosen.dataset.view) other.checked = true;
    }
    scrollBy({ top: label.getBoundingClientRect().top - before, behavior: "instant" });
  });

  // Tables are sorted by their heads. A row that goes on the one above (same passage) has its name written out then.
  const worth = (cell) => {
    if (!cell) return "";
    const raw = cell.dataset.value ?? cell.dataset.sort;
    if (raw !== undefined) return raw === "" ? null : Number.isNaN(Number(raw)) ? raw : Number(raw);
    return cell.textContent.trim();
  };
  const sort = (table, column, head) => {
    const down = head.getAttribute("aria-sort") === "descending";
    for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [worth(row.cells[column]), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null || a === b) return a === b ? 0 : a === null ? 1 : -1;
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
      return down ? order : -order;
    });
    table.classList.add("sorted");
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = table.tHead.rows[table.tHead.rows.length - 1].cells;
    if (table.tBodies[0].rows.length < 3) continue;
    [...heads].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, column, head));
    });
  }

  // On a narrow screen a map starts in its middle.
  for (const sheet of document.querySelectorAll(".sheet")) {
    sheet.scrollLeft = (sheet.scrollWidth - sheet.clientWidth) / 2;
  }

  // Paper cannot be clicked.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
