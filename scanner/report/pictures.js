// Pictures: opened larger, an original beside what was made of it and their difference; shown one by one where the page
// is blurred. All pictures of a card or of a table's row are one set: they show the same thing and are shown together.
{
  const blurred = document.documentElement.classList.contains("blurred");
  const SETS = ".strip, .both, .group, .thumb, [data-row]";
  const setOf = (image) => image.closest(SETS) || image.parentElement;
  const isShown = (set) => !blurred || set.hasAttribute("data-shown");
  const firstOf = (set) => set.querySelector("img");
  const images = all("main img");
  const sets = Array.from(new Set(images.map(setOf)));

  // What a picture is looked at beside: the original, or the group's own picture.
  function baseOf(image) {
    const set = setOf(image);
    const base = set.querySelector(".original img, .medoid img") || (set.matches(".both") ? firstOf(set) : null);
    return base === image ? null : base;
  }

  const isStep = (image) => baseOf(image) !== null || all("img", setOf(image)).every((other) => other === image || baseOf(other) !== image);

  function stepsBeside(image) {
    const list = image.closest("[data-first], tbody, section");
    return all("img", list).filter((one) => one.getClientRects().length && isStep(one) && isShown(setOf(one)));
  }

  const panes = make("div", { className: "panes" });
  const title = make("p", { className: "title" });
  const back = make("button", { type: "button", className: "more" }, "Previous");
  const on = make("button", { type: "button", className: "more", autofocus: true }, "Next");
  const close = make("button", { type: "button", className: "more" }, "Close");
  const place = make("output");
  const dialog = make("dialog", { className: "zoom" }, make("p", { className: "pager" }, back, on, close, place), title, panes);
  dialog.setAttribute("aria-label", "Picture");
  document.body.append(dialog);
  let step = null;

  const pane = (element, words) => make("figure", {}, element, make("figcaption", {}, words));

  function enlarged(image) {
    const copy = make("img", { src: image.src, alt: image.alt, width: image.width, height: image.height });
    if (image.classList.contains("small")) copy.className = "small";
    return copy;
  }

  const namesOf = (image) => image.closest("figure")?.querySelector("figcaption")?.innerText.trim().replace(/\s*\n\s*/g, ", ") || image.alt;

  // Where an original of another shape lies in the square that the target was shown: as its transform puts it there.
  const FITS = {
    crop: (from, width, height) => [Math.max(width / from.naturalWidth, height / from.naturalHeight), "cut at its middle"],
    pad: (from, width, height) => [Math.min(width / from.naturalWidth, height / from.naturalHeight), "on white"],
  };

  // |a − b| at one size, three times as strong: black is equal.
  function difference(base, image, fit) {
    const width = image.naturalWidth, height = image.naturalHeight;
    const canvas = make("canvas", { width, height });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "Difference of the two pictures");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const alike = Math.abs(base.naturalWidth * height - base.naturalHeight * width) < 0.02 * base.naturalWidth * height;
    const [scale, words] = alike || !(fit in FITS) ? [null, alike ? "" : "squeezed to its shape"] : FITS[fit](base, width, height);
    const w = scale ? base.naturalWidth * scale : width, h = scale ? base.naturalHeight * scale : height;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.drawImage(base, (width - w) / 2, (height - h) / 2, w, h);
    context.globalCompositeOperation = "difference";
    context.drawImage(image, 0, 0, width, height);
    const drawn = context.getImageData(0, 0, width, height);
    for (let at = 0; at < drawn.data.length; at += 1) if (at % 4 !== 3) drawn.data[at] *= 3;
    context.putImageData(drawn, 0, 0);
    return pane(canvas, "Difference, × 3; black is equal" + (words ? "; the first picture " + words : ""));
  }

  function draw(image) {
    step = image;
    const base = baseOf(image), set = setOf(image), row = image.closest("[data-row], tr");
    title.replaceChildren(row?.querySelector(".caption")?.cloneNode(true) || image.alt);
    const alone = pane(enlarged(image), namesOf(image));
    const compared = base && set.matches(".strip, .both");
    panes.replaceChildren(...(base ? [pane(enlarged(base), namesOf(base)), alone] : [alone]));
    if (compared) panes.append(difference(base, image, set.closest("[data-fit]")?.dataset.fit));
    const steps = stepsBeside(image), at = steps.indexOf(image);
    place.textContent = at + 1 + " of " + steps.length;
    back.disabled = at <= 0;
    on.disabled = at === steps.length - 1;
  }

  function move(by) {
    const steps = stepsBeside(step);
    const to = steps[steps.indexOf(step) + by];
    if (to) draw(to);
  }

  function zoom(image) {
    draw(isStep(image) ? image : all("img", setOf(image)).find((one) => baseOf(one) === image));
    dialog.showModal();
  }

  back.addEventListener("click", () => move(-1));
  on.addEventListener("click", () => move(1));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  });
  dialog.addEventListener("close", () => {
    panes.replaceChildren();
    const stop = firstOf(setOf(step));
    stop.scrollIntoView({ block: "nearest" });
    stop.focus({ preventScroll: true });
  });

  // Of each set one picture is a stop of the tab key; the arrows reach the others.
  function openable(set, yes) {
    const stop = firstOf(set);
    if (yes) {
      stop.tabIndex = 0;
      stop.setAttribute("role", "button");
      stop.setAttribute("aria-haspopup", "dialog");
    } else ["tabindex", "role", "aria-haspopup"].forEach((name) => stop.removeAttribute(name));
    set.classList.toggle("openable", yes);
  }

  const buttons = new Map();
  function setShown(set, yes) {
    set.toggleAttribute("data-shown", yes);
    buttons.get(set).setAttribute("aria-pressed", String(yes));
    openable(set, yes);
  }

  for (const set of sets) {
    openable(set, !blurred);
    if (!blurred) continue;
    const button = make("button", { type: "button", className: "reveal" }, "Show");
    button.setAttribute("aria-pressed", "false");
    const said = set.querySelector("[data-sensitive]") ? " (the data say people or NSFW)" : "";
    button.setAttribute("aria-label", "Show: " + firstOf(set).alt + said);
    button.addEventListener("click", () => setShown(set, !set.hasAttribute("data-shown")));
    buttons.set(set, button);
    firstOf(set).after(button);
    set.classList.toggle("sensitive", said !== "");
    setShown(set, false);
  }

  for (const image of images) {
    image.addEventListener("click", () => (isShown(setOf(image)) ? zoom(image) : setShown(setOf(image), true)));
    image.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      zoom(image);
    });
  }

  const everything = document.getElementById("show-pictures");
  everything?.addEventListener("click", () => {
    const yes = everything.getAttribute("aria-pressed") !== "true";
    everything.setAttribute("aria-pressed", String(yes));
    sets.forEach((set) => setShown(set, yes && !set.classList.contains("sensitive")));
  });
}
