// Packed tables: the rows that the page does not list, unpacked when a table is first used, made as they are shown.
// Every text of them becomes a text node.

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
const link = (id, content) => make("a", { href: "#" + id }, content);
const linked = (id, content) => (document.getElementById(id) ? link(id, content) : content);

function riskBar(risk) {
  const bar = document.querySelector("svg.riskbar")?.cloneNode(true);
  bar?.querySelector(".fill").setAttribute("width", (100 * Math.min(Math.max(risk, 0), 1)).toFixed(1) + "%");
  return bar;
}

const VERDICTS = ["matching", "template", "retrieved"];
const badge = (verdict) => make("span", { className: "badge " + (VERDICTS.includes(verdict) ? verdict : "none") }, verdict);

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
  verdict: (row) => [row.verdict === null ? note("–") : linked("hit-" + row.prompt_id, badge(row.verdict))],
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

/** The rows of a data block; those that also stand in the page are shown as they stand there. */
async function packedRows(body, listed, heads) {
  const [columns, captions] = await Promise.all([unpack(body.dataset.packed), unpack("packed-captions")]);
  const keys = columns[body.dataset.key];
  const places = new Map(keys.map((key, i) => [String(key), i]));
  const prefixes = body.dataset.links.split(" ");
  const keyOf = (id) => prefixes.filter((prefix) => id.startsWith(prefix)).map((prefix) => id.slice(prefix.length))[0];
  const standing = new Map(listed.map((row) => [places.get(keyOf(row.id)), row]));
  const valueOf = (name, i) => (name === "caption" ? captions[columns.caption[i]] : columns[name][i]);
  const rowOf = (i) => Object.fromEntries(Object.keys(columns).map((name) => [name, valueOf(name, i)]));
  const searched = SEARCHED.filter((name) => name in columns);
  const idOf = (row) => (row.arm === undefined ? "group-" + row.group_id : "prompt-" + row.arm + "-" + row.prompt_id);
  const texts = [];

  function rowElement(i) {
    const row = rowOf(i);
    const cells = heads.map((head) => {
      const name = head.dataset.column, className = TEXT_CELLS.includes(name) ? "text" : head.className;
      return make("td", { className }, ...CELLS[name](row));
    });
    const id = idOf(row), standing = document.getElementById(id);
    return make("tr", { id: standing && !body.contains(standing) ? "" : id }, ...cells);  // of a group that has a card, the card
  }

  return {
    count: keys.length,
    text: (i) => (texts[i] ??= searched.map((name) => valueOf(name, i) || "").join(" ").toLowerCase()),
    values(column) {
      const head = heads[column].dataset.column, name = SORTED_BY[head] || head;
      if (name === "rank") return keys.map((_, i) => i);
      if (name === "caption") return columns.caption.map((place) => captions[place].toLowerCase());
      const nothing = columns[name].some((value) => typeof value === "string") ? "" : -Infinity;
      return columns[name].map((value) => value ?? nothing);
    },
    element: (i) => standing.get(i) || rowElement(i),
    find: (id) => places.get(keyOf(id)) ?? -1,
  };
}
