// The exclusion workbench: what the bounds do is shown while they are typed, and the address follows, so that it can be sent to
// a colleague.
const form = /** @type {HTMLFormElement} */ (document.getElementById("bounds"));

/** A person who types is not interrupted by every digit. */
const PAUSE_MS = 250;
let timer = 0;
let asked = 0;

/** Replaces every part of this page by the same part of another one; what was unfolded stays so. */
function take(page) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = page.querySelector(`[data-part="${part.getAttribute("data-part")}"]`);
    if (!fresh) continue;
    if (part.querySelector("details[open]")) fresh.querySelector("details")?.setAttribute("open", "");
    part.replaceWith(fresh);
  }
}

async function look() {
  const mine = ++asked;
  const address = `${location.pathname}?${new URLSearchParams(new FormData(form))}`;
  const reply = await fetch(address).catch(() => undefined);
  const page = new DOMParser().parseFromString((await reply?.text()) ?? "", "text/html");
  // Whoever went on typing has asked again.
  if (mine !== asked) return;
  if (reply?.ok) {
    take(page);
    history.replaceState(null, "", address);
  } else {
    const said = page.querySelector("[data-problem]") ?? page.querySelector("h1");
    const words = said?.textContent ?? "The server cannot be reached.";
    document.getElementById("summary").textContent = words;
  }
}

// What stands in the fields is saved, looked at or not.
document.getElementById("save")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of new FormData(form)) formData.set(name, value);
});

form.addEventListener("input", ({ target }) => {
  clearTimeout(timer);
  if (target instanceof HTMLSelectElement) form.requestSubmit();
  else timer = setTimeout(look, PAUSE_MS);
});
