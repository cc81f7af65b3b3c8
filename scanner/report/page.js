"use strict";
// Sorting, filtering, long lists and deep links. Without this script the page shows everything, unsorted.
(function () {
  document.documentElement.classList.remove("no-js");
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  const valueOf = (cell) => (cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.textContent.trim().toLowerCase());

  function sortBy(table, column, head) {
    const down = head.getAttribute("aria-sort") === "ascending";
    all("th", table).forEach((th) => th.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = Array.from(table.tBodies[0].rows, (row) => [valueOf(row.cells[column]), row]);
    rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }

  all("table.sortable").forEach((table) => {
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      if (head.hasAttribute("data-no-sort")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortBy(table, column, head));
      head.append(button);
    });
  });

  // A list shows what its filter matches; without one, its first rows until it is opened.
  function update(list) {
    const rows = all("[data-row]", list);
    const input = document.querySelector('input[data-filters="' + list.id + '"]');
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const first = list.dataset.first === undefined || words.length ? rows.length : Number(list.dataset.first);
    let shown = 0;
    rows.forEach((row, at) => {
      const text = words.length ? row.textContent.toLowerCase() : "";
      row.hidden = at >= first || !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    });
    input.closest("p").querySelector("output").textContent = words.length ? shown + " of " + rows.length : "";
    const more = list.nextElementSibling;
    if (more && more.matches("button.more")) more.hidden = first >= rows.length;
  }

  function open(list) {
    delete list.dataset.first;
    update(list);
  }

  const lists = all("input[data-filters]").map((input) => {
    const list = document.getElementById(input.dataset.filters);
    input.addEventListener("input", () => update(list));
    const count = all("[data-row]", list).length;
    if (count > Number(list.dataset.first)) {
      const more = document.createElement("button");
      more.type = "button";
      more.className = "more";
      more.textContent = "Show all " + count + " " + list.dataset.what;
      more.addEventListener("click", () => open(list));
      list.after(more);
      update(list);
    }
    return list;
  });

  // A link to a hit or a group reaches it even where a filter, a long list or a closed block hides it.
  function reveal() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const list = lists.find((one) => one.contains(target));
    if (list && target.hidden) {
      document.querySelector('input[data-filters="' + list.id + '"]').value = "";
      open(list);
    }
    const block = target.closest("details");
    if (block) block.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  addEventListener("beforeprint", () => {
    lists.forEach(open);
    all("details").forEach((block) => { block.open = true; });
  });

  const links = all("nav a");
  const watcher = new IntersectionObserver((entries) => {
    const seen = entries.find((entry) => entry.isIntersecting);
    if (!seen) return;
    links.forEach((link) => (link.hash === "#" + seen.target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
  }, { rootMargin: "-20% 0px -75% 0px" });
  all("main > section").forEach((section) => watcher.observe(section));
})();
