"use strict";
// What all parts of the script share, deep links, printing, and the marks of the navigation. Without this script the
// page shows everything that it lists, unsorted.
document.documentElement.classList.remove("no-js");

const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

/** An element with properties and children; texts become text nodes, never markup. */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const counted = (n) => n.toLocaleString("en");
const wordsOf = (input) => input.value.toLowerCase().split(/\s+/).filter(Boolean);

// Each finder brings an element that a list or a table hides into the page: id → element, null, or a promise of these.
const finders = [];
const beforePrint = [];
const afterPrint = [];

function idOfHash() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";  // a broken escape names nothing
  }
}

// A link to a hit, a group or a prompt reaches it even where a filter, a long list or a closed block hides it.
async function reveal() {
  const id = idOfHash();
  let target = id ? document.getElementById(id) : null;
  for (const find of id ? finders : []) target = (await find(id, target)) || target;
  if (!target) return;
  for (let block = target.closest("details"); block; block = block.parentElement.closest("details")) block.open = true;
  all(".found").forEach((element) => element.classList.remove("found"));
  if (!target.matches("section")) {
    target.classList.add("found");
    if (target.tabIndex < 0) target.tabIndex = -1;
    target.focus({ preventScroll: true });
  }
  target.scrollIntoView();
}

addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", () => location.hash && reveal());

// On paper stands all that the page lists, with its blocks open, but for the small ones of each row of a table.
let opened = [];
addEventListener("beforeprint", () => {
  beforePrint.forEach((prepare) => prepare());
  opened = all("details:not([open], .js-only)").filter((block) => !block.closest("table"));
  opened.forEach((block) => { block.open = true; });
});
addEventListener("afterprint", () => {
  opened.forEach((block) => { block.open = false; });
  afterPrint.forEach((restore) => restore());
});

{
  const links = all("nav a");
  const watcher = new IntersectionObserver((entries) => {
    const seen = entries.find((entry) => entry.isIntersecting);
    if (!seen) return;
    links.forEach((link) => (link.hash === "#" + seen.target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  }, { rootMargin: "-20% 0px -75% 0px" });
  all("main > section").forEach((section) => watcher.observe(section));
}
