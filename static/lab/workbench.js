// The exclusion workbench: shows the effect of the bounds while they are typed, and puts them into the page's address, so
// that the address can be sent to a colleague.
const form = /** @type {HTMLFormElement} */ (document.getElementById("bounds"));

/** The page asks the server so long after the last keystroke, and not after each. */
const PAUSE_MS = 250;
let timer = 0;
let asked = 0;

/** Replaces every part of this page by the same part of another page. Open details stay open. */
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
  // The fields have changed since this request, so that a newer one is on its way.
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

// Saving sends what the fields hold, also if its effect was not shown yet.
document.getElementById("save")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of new FormData(form)) formData.set(name, value);
});

form.addEventListener("input", ({ target }) => {
  clearTimeout(timer);
  if (target instanceof HTMLSelectElement) form.requestSubmit();
  else timer = setTimeout(look, PAUSE_MS);
});
