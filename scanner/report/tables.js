// Tables: sorted by a click on a head, searched, and turned in pages. Rows that are listed stand in the page; those of
// a packed table are unpacked when it is first used, and made as they are shown.
const ROWS_OF_A_PAGE = 50;

/** The content of a data block: base64 of gzipped JSON. */
const unpack = (() => {
  const done = new Map();
  async function read(id) {
    const text = atob(document.getElementById(id).textContent);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  }
  return (id) => {
    if (!done.has(id)) done.set(id, read(id));
    return done.get(id);
  };
})();

// What the cells of packed rows hold, by the head's data-column: texts and elements. `row` gives a column's value.
const note = (text) => make("span", { className: "note" }, text);
const quoted = (text) => (text ? make("bdi", { className: "caption" }, text) : note("no caption"));
const dash = (value, digits) => (value === null ? "–" : digits === undefined ? counted(value) : value.toFixed(digits));
const link = (id, ...content) => make("a", { href: "#" + id }, ...content);

function riskBar(risk) {
  const bar = document.querySelector("svg.riskbar")?.cloneNode(true);
  bar?.querySelector(".fill").setAttribute("width", (100 * Math.min(Math.max(risk, 0), 1)).toFixed(1) + "%");
  return bar;
}

const badge = (verdict) => make("span", { className: "badge " + (["matching", "template", "retrieved"].includes(verdict) ? verdict : "none") }, verdict);

const CELLS = {
  rank: (row) => [String(row.rank), row.arm === "control" ? note("control") : null],
  picture: () => [],
  prompt: (row) => [quoted(row.caption), note(row.reason)],
  caption: (row) => [quoted(row.caption)],
  copies: (row) => [row.group_id === null ? counted(row.copies) : link("group-" + row.group_id, counted(row.copies))],
  risk: (row) => [row.risk === null ? null : riskBar(row.risk), " ", dash(row.risk, 2), row.risk_class ? note(row.risk_class) : null],
  score: (row) => [dash(row.score, 2), row.triage_passed === null ? null : note(row.triage_passed ? "passed" : "held back")],
  generated: (row) => [dash(row.generated)],
  decision: (row) => [row.decision || (row.score === null ? "not tried" : "not attacked")],
  verdict: (row) => [row.verdict === null ? note("–") : document.getElementById("hit-" + row.prompt_id) ? link("hit-" + row.prompt_id, badge(row.verdict)) : badge(row.verdict)],
  group: (row) => [link("group-" + row.group_id, counted(row.copies))],
  top_caption_share: (row) => [row.top_caption_share === null ? "–" : (100 * row.top_caption_share).toFixed(0) + "\u00a0%"],
  min_similarity: (row) => [dash(row.min_similarity, 2)],
  distinct_images: (row) => [dash(row.distinct_images)],
  distinct_captions: (row) => [dash(row.distinct_captions)],
  hits: (row) => [row.hits ? counted(row.hits) : "–"],
};
const TEXT_CELLS = ["prompt", "caption"];
const SORTED_BY = { prompt: "caption", group: "copies" };
const SEARCHED = ["arm", "caption", "reason", "risk_class", "decision", "verdict"];

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

/** The rows of a data block; those that also stand in the page are shown as they stand there. */
async function packedRows(body, listed, heads) {
  const [columns, captions] = await Promise.all([unpack(body.dataset.packed), unpack("packed-captions")]);
  const keys = columns[body.dataset.key];
  const places = new Map(keys.map((key, i) => [String(key), i]));
  const prefixes = body.dataset.links.split(" ");
  const keyOf = (id) => prefixes.filter((prefix) => id.startsWith(prefix)).map((prefix) => id.slice(prefix.length))[0];
  const standing = new Map(listed.map((row) => [places.get(keyOf(row.id)), row]));
  const rowOf = (i) => ({ ...Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]])), caption: captions[columns.caption[i]] });
  const searched = SEARCHED.filter((name) => name in columns);
  const idOf = (row) => (row.arm === undefined ? "group-" + row.group_id : "prompt-" + row.arm + "-" + row.prompt_id);
  const texts = [];

  function rowElement(i) {
    const row = rowOf(i);
    const cells = heads.map((head) => {
      const name = head.dataset.column;
      return make("td", { className: TEXT_CELLS.includes(name) ? "text" : head.classList.contains("r") ? "r" : "" }, ...CELLS[name](row));
    });
    const id = idOf(row);
    return make("tr", { id: document.getElementById(id) ? "" : id }, ...cells);
  }

  return {
    count: keys.length,
    text: (i) => (texts[i] ??= searched.map((name) => (name === "caption" ? captions[columns.caption[i]] : columns[name][i]) || "").join(" ").toLowerCase()),
    values(column) {
      const name = heads[column].dataset.column;
      if (name === "rank") return keys.map((_, i) => i);
      const values = columns[SORTED_BY[name] || name];
      if (name === "prompt" || name === "caption") return values.map((place) => captions[place].toLowerCase());
      const nothing = values.some((value) => typeof value === "string") ? "" : -Infinity;
      return values.map((value) => value ?? nothing);
    },
    element: (i) => standing.get(i) || rowElement(i),
    find: (id) => places.get(keyOf(id)) ?? -1,
  };
}

function enhance(table) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const listed = all("tr", body);
  const input = body.id ? document.querySelector('input[data-filters="' + body.id + '"]') : null;
  const status = input?.closest("p").querySelector("output");
  const packed = body.dataset.packed;
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
    place.textContent = rows() ? counted(first + 1) + "–" + counted(last) + " of " + counted(rows()) + " " + (body.dataset.what || "rows") : "none";
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
      place.textContent = "This browser can't unpack the table (" + error.name + "): the listed rows are shown, all of them stand in the run's parquet files.";
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
    place.textContent = "1–" + ROWS_OF_A_PAGE + " of " + counted(total) + " " + body.dataset.what;
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
