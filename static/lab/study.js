// Pages of a study: parts that change are replaced when the server says so; texts can be copied, and files handed in.

/** Shows the parts that the server sends, by the id of the element that holds each. */
function follow(address, state) {
  const source = new EventSource(address);
  source.addEventListener("open", () => { state.textContent = "live"; });
  source.addEventListener("error", () => { state.textContent = "reconnecting …"; });
  source.addEventListener("fragments", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      const element = document.getElementById(id);
      if (element) replace(element, html);
    }
    tellAges();
  });
}

/** Shows what a part holds now; whatever is open, scrolled or in focus stays so, by its number of its kind. */
function replace(element, html) {
  const kinds = () => ({
    details: [...element.querySelectorAll("details")],
    scrolled: [element, ...element.querySelectorAll(".scroll")],
    reached: [...element.querySelectorAll("a, button, summary, .scroll")],
  });
  const before = kinds();
  const focus = before.reached.indexOf(document.activeElement);
  const opened = before.details.map(({ open }) => open);
  const places = before.scrolled.map(({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop]);
  // The server's own template, with everything in it escaped.
  element.innerHTML = html;
  const after = kinds();
  after.details.forEach((details, n) => { details.open = opened[n] ?? details.open; });
  after.scrolled.forEach((part, n) => part.scrollTo(...(places[n] ?? [0, 0])));
  if (focus >= 0) keepFocus(after.reached[focus]);
}

/** A part that scrolls can be reached only if it says so. */
function keepFocus(element) {
  if (element?.matches(".scroll")) element.setAttribute("tabindex", "0");
  element?.focus({ preventScroll: true });
}

/** Says how long ago people were seen last. */
function tellAges() {
  for (const time of document.querySelectorAll("time.ago")) {
    const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.getAttribute("datetime") ?? "")) / 1000));
    time.textContent = seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ago`;
  }
}

/** Lets a button copy the text of the element that it names. */
function offerCopy(button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy ?? "")?.textContent ?? "";
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

for (const section of document.querySelectorAll("[data-live]")) {
  follow(section.getAttribute("data-live"), document.getElementById("live-state"));
}
/** Puts the text of a chosen file where the form sends it from. */
function offerFile(input) {
  input.addEventListener("change", async () => {
    const into = document.getElementById(input.dataset.into ?? "");
    const [file] = input.files;
    if (file && into instanceof HTMLTextAreaElement) into.value = await file.text();
  });
}

document.querySelectorAll("[data-into]").forEach(offerFile);
if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach(offerCopy);
// Forms come and go with the parts that hold them.
document.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement ? event.target.getAttribute("data-confirm") : null;
  if (question && !confirm(question)) event.preventDefault();
});
tellAges();
setInterval(tellAges, 1000);
