"use strict";
// The page holds no decision of its own: a key is answered once the server has written it down, and what stands here is
// read back from it. Texts of the data set are only ever set as text.

const $ = (id) => document.getElementById(id);
const KINDS = {hit: "hits", unverified: "compared, not verified", memorised: "memorised pictures", group: "duplicate groups"};
const STATES = {all: "all", unreviewed: "not reviewed", accepted: "accepted", rejected: "rejected", unsure: "unsure", disputed: "disputed"};
const KEYS = {a: "accepted", r: "rejected", u: "unsure", x: "withdrawn"};
const ZOOMS = [1, 2, 4, 8];
const KEPT_PICTURES = 120;

const view = {zoom: 0, flip: null, difference: false, mirrored: false, whole: false, made: 0};
const drafts = new Map();   // notes that no decision carries yet, by item
const pictures = new Map(); // by address, a promise of {src, state, sentence}
let state = null, queue = null, place = 0, item = null, shown = 0, ahead = new Map(), work = Promise.resolve();

// --- asking the server

async function ask(path, options) {
  let answer;
  try { answer = await fetch(path, options); }
  catch { throw new Error("The review has ended, or can't be reached; start scanner review again. Nothing that was decided is lost."); }
  const content = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.error), {status: answer.status});
  return content;
}

function picture(path) {
  if (!pictures.has(path)) {
    pictures.set(path, load(path));
    if (pictures.size > KEPT_PICTURES) forget(pictures.keys().next().value);
  }
  return pictures.get(path);
}

async function load(path) {
  const answer = await fetch(path).catch(() => null);
  if (!answer || !answer.ok) { pictures.delete(path); return {src: null, state: "gone", sentence: "The picture can't be had from the server."}; }
  const told = {state: answer.headers.get("X-State"), sentence: decodeURIComponent(answer.headers.get("X-Sentence") || "")};
  const content = await answer.blob();
  return {...told, src: content.size ? URL.createObjectURL(content) : null};
}

function forget(path) {
  pictures.get(path).then((found) => found.src && URL.revokeObjectURL(found.src));
  pictures.delete(path);
}

// --- the queue

async function filter(include) {
  const asked = new URLSearchParams({show: $("show").value, state: $("state").value});
  if (include) asked.set("include", include);
  queue = await ask("queue?" + asked);
  ahead.clear();
  await show(queue.at);
}

function fetched(n) {
  if (!ahead.has(n)) {
    const coming = ask("item?" + new URLSearchParams({queue: queue.queue, n}));
    coming.catch(() => ahead.delete(n));
    ahead.set(n, coming);
  }
  return ahead.get(n);
}

async function show(n) {
  const mine = ++shown;
  if (!queue.length) return showNothing();
  place = Math.min(Math.max(n, 0), queue.length - 1);
  let next;
  try { next = await fetched(place); }
  catch (error) {
    if (error.status !== 404) throw error;
    return filter(item && item.item); // the server has begun anew, or has forgotten this queue
  }
  if (mine !== shown) return;
  item = next;
  Object.assign(view, {flip: null, mirrored: false, whole: false, made: 0});
  pan(50, 50);
  remember();
  await render();
  for (const near of [...ahead.keys()]) if (Math.abs(near - place) > 2) ahead.delete(near);
  prefetch(place + 1);
}

function showNothing() {
  item = null;
  for (const id of ["stage", "others", "facts", "sources", "said"]) $(id).replaceChildren();
  $("kind").textContent = ""; $("note").value = "";
  $("caption").textContent = "Nothing here is left to show. Choose what else to look at above.";
  $("item").dataset.item = "";
  progress(); remember(); pressed();
}

function prefetch(n) {
  if (n >= queue.length) return;
  fetched(n).then((coming) => addresses(coming).forEach(picture)).catch(() => {});
}

function addresses(one) {
  if (one.group) return one.group.members.map((member) => `picture/${one.item}/member/${member.sample_id}`);
  const made = one.pair.generations[0];
  const found = [`picture/${one.item}/compared`];
  if (made) found.push(`picture/${one.item}/made/${made.image_index}`);
  if (made && view.difference) found.push(`picture/${one.item}/difference/${made.image_index}`);
  return found;
}

function remember() {
  const at = new URLSearchParams({show: $("show").value, state: $("state").value});
  if (item) at.set("item", item.item);
  history.replaceState(null, "", "#" + at);
}

// --- what is shown

const element = (tag, content, properties = {}) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...[content].flat(Infinity).filter((one) => one !== null && one !== undefined));
  return made;
};
const known = (value) => value !== null && value !== undefined;
const number = (value) => !known(value) ? "–" : typeof value === "boolean" ? (value ? "yes" : "no") : value.toLocaleString("en");
const decimal = (value, digits = 3) => known(value) ? value.toFixed(digits) : "–";
const percent = (value) => known(value) ? (100 * value).toFixed(1) + "\u00a0%" : "–";
const plural = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

async function render() {
  const one = item, mine = shown;
  $("kind").textContent = one.group ? "Duplicate group" : one.kind === "hit" ? `Hit: ${one.verdict}` : one.kind === "memorised" ? `Without a prompt: ${one.verdict}` : "Compared at full steps, not verified";
  if (one.arm === "control") $("kind").textContent += " · control arm";
  $("caption").textContent = one.caption ?? (one.kind === "memorised" ? "" : "no caption");
  $("note").value = drafts.get(one.item) ?? (one.mine && one.mine.note) ?? "";
  said(); facts(); sources(); progress(); pressed();
  await (one.group ? members(one) : pair(one));
  if (mine !== shown) return;
  $("item").scrollTop = 0;
  $("item").dataset.item = one.item;
}

function said() {
  const line = [];
  if (item.mine) line.push(element("span", item.mine.decision, {className: "said " + item.mine.decision}));
  for (const other of item.others) line.push(element("span", [element("bdi", other.reviewer), ": ", element("span", other.decision, {className: other.decision}), other.note ? ` “${other.note}”` : null]));
  if (!item.mine && item.others_count) line.push(element("span", `${plural(item.others_count, "other reviewer has", "other reviewers have")} decided; shown once you have`));
  $("said").replaceChildren(...line.flatMap((one, n) => n ? [" · ", one] : [one]));
}

async function frame(path, {label, note = null, className = ""}) {
  const found = await picture(path);
  const image = found.src ? element("img", [], {src: found.src, alt: label, draggable: false}) : null;
  if (image) await image.decode().catch(() => {});
  if (image && image.naturalWidth <= 64) image.classList.add("pixels");
  const inside = image ?? element("span", found.sentence || "not available", {className: "missing"});
  const lines = [element("b", label), note ? element("span", [" ", note]) : null];
  if (image && found.sentence) lines.push(element("br"), element("span", found.sentence, {className: "wrong"}));
  return element("figure", [element("div", inside, {className: "frame"}), element("figcaption", lines)], {className});
}

async function pair(one) {
  const mine = shown, made = one.pair.generations[view.made], original = one.pair.original;
  const turned = view.mirrored ? "?mirrored=1" : "", base = `picture/${one.item}/`;
  const size = original && original.width ? `${original.width} × ${original.height}` : null;
  const wanted = [made
    ? frame(base + `made/${made.image_index}`, {label: "Generation", note: [made.seed === null ? "seed not known" : `seed ${made.seed}`, known(made.distance) ? ` · ${decimal(made.distance)}` : null]})
    : element("figure", [element("div", element("span", "The generation is not stored in the run.", {className: "missing"}), {className: "frame"}), element("figcaption", element("b", "Generation"))]),
    frame(base + (view.whole ? "original" : "compared") + turned, {label: "Original", note: [view.whole || !state.difference ? size : "as the model saw it", view.mirrored ? ", mirrored" : null]})];
  if (view.difference && made) wanted.push(frame(base + `difference/${made.image_index}` + turned, {label: "Difference", note: "× 3; black is equal", className: "beside"}));
  const frames = await Promise.all(wanted);
  if (mine !== shown) return;
  const grid = element("div", frames, {className: "pair"});
  if (view.flip !== null) { grid.classList.add("flip"); frames[1 - view.flip].classList.add("under"); }
  $("stage").replaceChildren(grid);
  zoom(); others(one);
}

async function others(one) {
  if (one.pair.generations.length < 2) return $("others").replaceChildren();
  const mine = shown;
  const buttons = await Promise.all(one.pair.generations.map(async (made, n) => {
    const found = await picture(`picture/${one.item}/made/${made.image_index}`);
    const button = element("button", [found.src ? element("img", [], {src: found.src, alt: ""}) : null, element("span", `${n + 1} · ${decimal(made.distance)}`)], {type: "button", title: made.seed === null ? "seed not known" : `seed ${made.seed}`});
    button.setAttribute("aria-pressed", String(n === view.made));
    button.addEventListener("click", () => act(String(n + 1)));
    return button;
  }));
  if (mine === shown && item === one) $("others").replaceChildren(...buttons);
}

async function members(one) {
  const mine = shown, medoid = one.group.members[0];
  const frames = await Promise.all(one.group.members.map((member, n) => {
    const path = n && view.flip === 1 ? `member/${medoid.sample_id}` : n && view.difference ? `apart/${member.sample_id}` : `member/${member.sample_id}`;
    const label = n === 0 ? "Medoid" : view.flip === 1 ? "Medoid here" : plural(member.rows, "row", "rows");
    const note = [n === 0 ? plural(member.rows, "row", "rows") + " · " : null, known(member.similarity) ? `cosine ${decimal(member.similarity, 2)} · ` : null, member.width ? `${member.width} × ${member.height} · ` : null, element("bdi", `${member.shard}/${member.key}`)];
    return frame(`picture/${one.item}/` + path, {label, note, className: n === 0 ? "medoid" : ""});
  }));
  if (mine !== shown) return;
  const left = one.group.pictures - one.group.members.length;
  $("stage").replaceChildren(element("div", frames, {className: "members"}), ...(left > 0 ? [element("p", `${plural(left, "further picture", "further pictures")} of this group, more alike than these, are not shown.`, {className: "quietly"})] : []));
  $("others").replaceChildren();
  zoom();
}

function facts() {
  const one = item.group ?? item.pair, told = one.facts;
  const lines = item.group
    ? [["copies", number(told.copies)], ["different pictures", number(told.distinct_images)], ["different captions", number(told.distinct_captions)], ["top caption's share", percent(told.top_caption_share)], ["caption entropy, bits", decimal(told.caption_entropy, 2)], ["least cosine to medoid", decimal(told.min_similarity, 2)], ["median cosine", decimal(told.median_similarity, 2)], ["split from group", known(told.split_from) ? number(told.split_from) : null]]
    : item.kind === "memorised"
      ? [["adaptive l2", decimal(told.adaptive_l2)], ["plain l2", decimal(told.l2)], ["images within the threshold", number(told.generations)], ["images below 1", number(told.candidates)], ["copies", number(one.copies)]]
      : [["agreeing", `${number(told.agreeing)} of ${number(told.evidence)}`], ["normalised l2", decimal(told.normalised_l2)], ["to reconstruction", decimal(told.reconstruction_l2)], ["largest tile", decimal(told.tile_l2)], ["plain l2", decimal(told.l2)], ["paper's rule", `${number(told.paper_rule)} (${decimal(told.paper_l2)})`], ["copy similarity", decimal(told.copy_similarity)], ["layout covers", known(told.template_area) ? percent(told.template_area) : null], ["to the layout", known(told.template_l2) ? decimal(told.template_l2) : null], ["masked region", known(told.masked_share) ? decimal(told.masked_share, 2) : null], ["lies there", known(told.placement) ? `${told.placement} (${decimal(told.placement_l2)})` : null], ["k", number(told.k)], ["copies", number(one.copies)]];
  $("facts").replaceChildren(...lines.filter(([, value]) => value !== null).map(([name, value]) => element("div", [element("dt", name), element("dd", value)])));
}

function sources() {
  const lines = [];
  const add = (sample) => {
    lines.push(element("p", ["Original: ", element("bdi", `${sample.shard}/${sample.key}`), sample.caption && sample.caption !== item.caption ? [" · its own caption: ", element("bdi", sample.caption)] : null].flat()));
    if (sample.url) lines.push(element("p", [element("bdi", sample.url), " ", sample.link ? element("a", "open ↗", {href: sample.link, target: "_blank", rel: "noopener noreferrer"}) : "(not a web address: no link)"]));
  };
  if (item.pair && item.pair.original) add(item.pair.original);
  if (item.group) for (const [caption, rows] of item.group.captions) lines.push(element("p", [`${plural(rows, "row", "rows")}: `, element("bdi", caption)]));
  $("sources").replaceChildren(...lines);
}

function progress() {
  const decided = Object.values(state.decided_by_kind).reduce((sum, n) => sum + n, 0);
  $("place").textContent = queue.length ? `${(place + 1).toLocaleString("en")} of ${queue.length.toLocaleString("en")}` : "0 of 0";
  $("left").textContent = `${decided.toLocaleString("en")} reviewed, ${(state.items - decided).toLocaleString("en")} not`;
  $("bar").value = state.items ? decided / state.items : 0;
}

function pressed() {
  for (const button of document.querySelectorAll("[data-key]")) {
    const key = button.dataset.key, on = {z: view.zoom > 0, f: view.flip !== null, d: view.difference, h: view.mirrored, o: view.whole}[key];
    if (key in KEYS && key !== "x") button.setAttribute("aria-pressed", String(Boolean(item && item.mine && item.mine.decision === KEYS[key])));
    else if (on !== undefined) button.setAttribute("aria-pressed", String(on));
    button.disabled = !item || ((key === "h" || key === "o") && Boolean(item.group));
  }
}

function zoom() {
  const stage = $("stage").firstElementChild;
  if (!stage) return;
  stage.classList.toggle("zoomed", view.zoom > 0);
  stage.style.setProperty("--zoom", ZOOMS[view.zoom]);
}

function pan(x, y) {
  $("stage").style.setProperty("--x", x + "%");
  $("stage").style.setProperty("--y", y + "%");
}

// --- keys

async function decide(decision) {
  const one = item, note = $("note").value.trim() || null;
  const body = JSON.stringify({item: one.item, decision, note: decision === "withdrawn" ? null : note});
  const answer = await ask("decide", {method: "POST", headers: {"Content-Type": "application/json"}, body, keepalive: true});
  const {decided, decided_by_kind, ...told} = answer;
  Object.assign(state, {decided, decided_by_kind});
  Object.assign(one, told);
  drafts.delete(one.item);
}

async function answer(key) {
  if (key === "?") return $("help").showModal();
  if (key in KEYS) {
    if (!item) return;
    await decide(KEYS[key]);
    if (key === "x" || place + 1 >= queue.length) return render();
    return show(place + 1);
  }
  if (key === "j" || key === "ArrowRight") return show(place + 1);
  if (key === "k" || key === "ArrowLeft") return show(place - 1);
  if (key === "Home") return show(0);
  if (key === "End") return show(queue.length - 1);
  if (!item) return;
  if (key === "n") return $("note").focus();
  if (key === "z") view.zoom = (view.zoom + 1) % ZOOMS.length;
  else if (key === "f") view.flip = view.flip === 1 ? 0 : 1;
  else if (key === "d") view.difference = !view.difference;
  else if (key === "h" && item.pair) view.mirrored = !view.mirrored;
  else if (key === "o" && item.pair) view.whole = !view.whole;
  else if (key === "Escape") Object.assign(view, {flip: null, zoom: 0});
  else if (/^[1-8]$/.test(key) && item.pair && item.pair.generations[key - 1]) view.made = key - 1;
  else return;
  pressed();
  await (item.group ? members(item) : pair(item));
}

// One after the other: a key that is pressed while another is answered means the item that stands here by then.
function act(key) {
  work = work.then(() => answer(key)).then(() => { $("alarm").hidden = true; }, alarm);
  return work;
}

function alarm(error) {
  $("alarm").textContent = error.message;
  $("alarm").hidden = false;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.target === $("note")) {
    if (key === "Enter") { event.preventDefault(); $("note").blur(); if (item && item.mine) work = work.then(() => decide(item.mine.decision)).then(render).catch(alarm); }
    if (key === "Escape") $("note").blur();
    return;
  }
  if (event.target.matches("select") || (event.target.matches("button, a") && (key === "Enter" || key === " "))) return;
  if (event.repeat && !key.startsWith("Arrow")) return; // a key held down decides once
  if (/^(arrowleft|arrowright|home|end)$/i.test(key)) event.preventDefault();
  if (key === "n") event.preventDefault();
  act(key);
});
$("note").addEventListener("input", () => { if (item) drafts.set(item.item, $("note").value); });
for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", () => { act(button.dataset.key); button.blur(); });
for (const select of ["show", "state"]) $(select).addEventListener("change", () => { work = work.then(() => filter(null)).catch(alarm); $(select).blur(); });
$("stage").addEventListener("pointermove", (event) => {
  const over = event.target.closest(".frame");
  if (!over || !view.zoom) return;
  const box = over.getBoundingClientRect();
  pan(100 * (event.clientX - box.left) / box.width, 100 * (event.clientY - box.top) / box.height);
});
$("help-button").addEventListener("click", () => act("?"));
$("agreement-button").addEventListener("click", () => { work = work.then(agreement).catch(alarm); });
addEventListener("beforeunload", (event) => { if ([...drafts.values()].some((note) => note.trim())) event.preventDefault(); });

async function agreement() {
  const found = await ask("review");
  const table = (head, rows) => element("table", [element("thead", element("tr", head.map((one) => element("th", one, {scope: "col"})))), element("tbody", rows.map(([name, ...cells]) => element("tr", [element("th", name, {scope: "row"}), ...cells.map((cell) => element("td", cell))])))]);
  const kinds = found.counts.map((one) => [KINDS[one.kind] + (one.arm === "control" ? ", control arm" : ""), ...["items", "accepted", "rejected", "disputed", "unsure", "unreviewed"].map((name) => number(one[name]))]);
  const parts = [table(["By all reviewers", "there are", "accepted", "rejected", "disputed", "unsure", "not reviewed"], kinds)];
  if (found.agreement.length) parts.push(table(["Two reviewers", "both judged", "alike", "share", "Cohen's kappa"], found.agreement.map((one) => [`${one.first} and ${one.second}`, number(one.both), number(one.same), percent(one.share), decimal(one.kappa, 2)])));
  else parts.push(element("p", "Agreement is shown once two reviewers have judged the same items (scanner review RUN --reviewer NAME).", {className: "quietly"}));
  $("tables").replaceChildren(...parts);
  $("agreement").showModal();
}

// --- the beginning

async function begin() {
  state = await ask("state");
  document.title = `Review of ${state.run}`;
  $("run").textContent = state.run; $("reviewer").textContent = state.reviewer;
  const options = [["all", `everything (${state.items.toLocaleString("en")})`]];
  for (const [kind, n] of Object.entries(state.kinds)) {
    options.push([kind, `${KINDS[kind]} (${n.toLocaleString("en")})`]);
    if (kind === "hit" && Object.keys(state.verdicts).length > 1) for (const [verdict, m] of Object.entries(state.verdicts)) options.push([verdict, `\u00a0\u00a0${verdict} (${m.toLocaleString("en")})`]);
  }
  $("show").replaceChildren(...options.map(([value, text]) => element("option", text, {value})));
  $("state").replaceChildren(...Object.entries(STATES).map(([value, text]) => element("option", text, {value})));
  const before = new URLSearchParams(location.hash.slice(1));
  for (const select of ["show", "state"]) if ([...$(select).options].some((option) => option.value === before.get(select))) $(select).value = before.get(select);
  await filter(before.get("item"));
}

work = begin().catch(alarm);
