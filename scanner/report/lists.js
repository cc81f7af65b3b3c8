// Lists of cards: the first of them until the list is opened, what its filter matches, in a chosen order.
for (const list of all("[data-first]")) {
  const input = document.querySelector('input[data-filters="' + list.id + '"]');
  const order = document.querySelector('select[data-orders="' + list.id + '"]');
  const status = input.closest("p").querySelector("output");
  const rows = all("[data-row]", list);
  let shorter = rows.length > Number(list.dataset.first);
  const more = make("button", { type: "button", className: "more" }, "Show all " + counted(rows.length) + " " + list.dataset.what);

  function update() {
    const words = wordsOf(input);
    const first = shorter && !words.length ? Number(list.dataset.first) : rows.length;
    let shown = 0;
    rows.forEach((row, at) => {
      const text = words.length ? row.textContent.toLowerCase() : "";
      row.hidden = at >= first || !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    });
    status.textContent = words.length ? counted(shown) + " of " + counted(rows.length) : "";
    more.hidden = !shorter || words.length > 0;
  }

  function open() {
    shorter = false;
    update();
  }

  function sort() {
    const [, sign, name] = order.value.match(/^(-?)(.*)$/);
    const worth = (row) => (row.dataset[name] === undefined ? Infinity : Number(row.dataset[name]) * (sign ? -1 : 1));
    rows.sort((a, b) => (worth(a) - worth(b)) || (a.dataset.rank - b.dataset.rank));
    list.append(...rows);
    update();
  }

  input.addEventListener("input", update);
  if (order) order.addEventListener("change", sort);
  more.addEventListener("click", () => {
    const next = rows.find((row) => row.hidden);
    open();
    if (next) next.querySelector("a, button")?.focus({ preventScroll: true });
  });
  if (shorter) list.after(more);
  update();

  finders.push((id, target) => {
    if (!target || !list.contains(target)) return null;
    if (target.closest("[data-row]")?.hidden) {
      input.value = "";
      open();
    }
    return target;
  });
  let before;
  beforePrint.push(() => {
    before = [input.value, shorter];
    input.value = "";
    open();
  });
  afterPrint.push(() => {
    [input.value, shorter] = before;
    update();
  });
}
