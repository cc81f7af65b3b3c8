// Tables: sorted by a click on a head, searched, and turned in pages. Its rows are those that
// stand in the page, or those of a packed table (packed.js).
const ROWS_OF_A_PAGE = 50;

/** The rows that stand in the page. */
function listedRows(body) {
  const rows = all("tr", body);
  const texts = [];
  const valueOf = (cell) => (cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent.trim().toLowerCase());
  return {
    count: rows.length,
    text: (i) => (texts[i] ??= rows[i].textContent.toLowerCase()),
    values: (column) => rows.map((row) => valueOf(row.cells[column])),
    element: (i) => rows[i],
    find: (id) => rows.findIndex((row) => row.id === id),
  };
}

function enhance(table) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const listed = all("tr", body);
  const input = body.id ? document.querySelector('input[data-filters="' + body.id + '"]') : null;
  const status = input?.closest("p").querySelector("output");
  const packed = body.dataset.packed, what = body.dataset.what || "rows";
  const total = packed ? Number(body.dataset.rows) : listed.length;
  let source = packed ? null : listedRows(body);
  let order = null;  // places of all rows, sorted; null as they come
  let matching = null;  // places of the rows that the filter lets through, in that order; null: all
  let page = 0;

  const previous = make("button", { type: "button", className: "more" }, "Previous");
  const next = make("button", { type: "button", className: "more" }, "Next");
  const number = make("input", { type: "number", min: 1, value: 1 });
  const place = make("output");
  place.setAttribute("aria-live", "polite");
  const pager = make("p", { className: "pager" }, previous, next, make("label", {}, "Page ", number), place);

  const rows = () => matching?.length ?? total;
  const pages = () => Math.max(1, Math.ceil(rows() / ROWS_OF_A_PAGE));
  const at = (n) => (matching ? matching[n] : order ? order[n] : n);

  function show() {
    page = Math.min(Math.max(page, 0), pages() - 1);
    const first = page * ROWS_OF_A_PAGE, last = Math.min(first + ROWS_OF_A_PAGE, rows());
    const shown = [];
    for (let n = first; n < last; n += 1) shown.push(source.element(at(n)));
    body.replaceChildren(...shown);
    body.closest(".scroll").scrollTop = 0;
    place.textContent = rows() ? counted(first + 1) + "–" + counted(last) + " of " + counted(rows()) + " " + what : "none";
    if (status) status.textContent = matching ? counted(rows()) + " of " + counted(total) : "";
    number.value = page + 1;
    number.max = pages();
    previous.disabled = page === 0;
    next.disabled = page === pages() - 1;
    pager.hidden = total <= ROWS_OF_A_PAGE;
  }

  async function ready() {
    if (source) return true;
    body.setAttribute("aria-busy", "true");
    try {
      source = await packedRows(body, listed, heads);
    } catch (error) {
      place.textContent = "This browser can't unpack the table (" + error.name + "). All rows stand in the run's parquet files.";
      return false;
    } finally {
      body.removeAttribute("aria-busy");
    }
    return true;
  }

  function match() {
    const words = input ? wordsOf(input) : [];
    matching = null;
    if (!words.length) return;
    matching = [];
    for (let n = 0; n < source.count; n += 1) {
      const i = order ? order[n] : n, text = source.text(i);
      if (words.every((word) => text.includes(word))) matching.push(i);
    }
  }

  async function turn(to) {
    if (!(await ready())) return;
    page = to;
    show();
  }

  async function sort(column, head) {
    if (!(await ready())) return;
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const values = source.values(column);
    order = Array.from(values.keys());
    order.sort((a, b) => ((values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0) * (down ? -1 : 1)) || a - b);
    match();
    page = 0;
    show();
  }

  heads.forEach((head, column) => {
    if (head.hasAttribute("data-no-sort")) return;
    const button = make("button", { type: "button" }, ...Array.from(head.childNodes));
    button.addEventListener("click", () => sort(column, head));
    head.append(button);
  });
  previous.addEventListener("click", () => turn(page - 1));
  next.addEventListener("click", () => turn(page + 1));
  number.addEventListener("change", () => turn(Math.trunc(Number(number.value)) - 1));
  let asked = 0;
  input?.addEventListener("input", async () => {
    const mine = (asked += 1);
    if (!(await ready()) || mine !== asked) return;
    match();
    page = 0;
    show();
  });
  body.closest(".scroll").after(pager);
  if (source) show();
  else {
    listed.slice(ROWS_OF_A_PAGE).forEach((row) => row.remove());
    place.textContent = "1–" + ROWS_OF_A_PAGE + " of " + counted(total) + " " + what;
    previous.disabled = true;
    body.closest("details")?.addEventListener("toggle", () => source || turn(0), { once: true });
  }

  finders.push(async (id, target) => {
    if (target && !body.contains(target)) return null;
    if (target) return target;
    if (packed && !body.dataset.links.split(" ").some((prefix) => id.startsWith(prefix))) return null;
    if (!(await ready())) return null;
    const found = source.find(id);
    if (found < 0) return null;
    if (input) input.value = "";
    match();
    page = Math.floor((order ? order.indexOf(found) : found) / ROWS_OF_A_PAGE);
    show();
    return body.rows[(order ? order.indexOf(found) : found) % ROWS_OF_A_PAGE];
  });
  beforePrint.push(() => { if (listed.length) body.replaceChildren(...listed); });
  afterPrint.push(() => { if (source) show(); else listed.slice(ROWS_OF_A_PAGE).forEach((row) => row.remove()); });
}

all("table.sortable").forEach(enhance);
