// The pages of a study: replaces parts when the server sends new ones, copies texts, and puts chosen files into forms.

/** Receives a stream of fragments, and shows each in the element whose id it names. */
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

/**
 * Replaces the content of a part. Details that were open, scroll positions and the focus are kept: an element of the new
 * content corresponds to the old one that has the same number among its kind.
 */
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
  // The HTML comes from the server's own template, which escapes all values.
  element.innerHTML = html;
  const after = kinds();
  after.details.forEach((details, n) => { details.open = opened[n] ?? details.open; });
  after.scrolled.forEach((part, n) => part.scrollTo(...(places[n] ?? [0, 0])));
  if (focus >= 0) keepFocus(after.reached[focus]);
}

/** Moves the focus to an element. A part that scrolls needs a tabindex to take it. */
function keepFocus(element) {
  if (element?.matches(".scroll")) element.setAttribute("tabindex", "0");
  element?.focus({ preventScroll: true });
}

/** Shows how long ago the last sign of life of each participant was. */
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
/** Puts the text of a chosen file into the text field that the form sends. */
function offerFile(input) {
  input.addEventListener("change", async () => {
    const into = document.getElementById(input.dataset.into ?? "");
    const [file] = input.files;
    if (file && into instanceof HTMLTextAreaElement) into.value = await file.text();
  });
}

document.querySelectorAll("[data-into]").forEach(offerFile);
if (navigator.clipboard) document.querySelectorAll("[data-copy]").forEach(offerCopy);
// The document listens for all forms, because live parts replace theirs.
document.addEventListener("submit", (event) => {
  const question = event.target instanceof HTMLFormElement ? event.target.getAttribute("data-confirm") : null;
  if (question && !confirm(question)) event.preventDefault();
});
tellAges();
setInterval(tellAges, 1000);
