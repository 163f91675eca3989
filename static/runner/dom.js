/** Functions that make elements, and the rules for keys that hold on every screen. */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | boolean>} [attributes] `true` sets an attribute without a value, `false` leaves it out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** @param {string} label @param {() => void} press @param {string} [look] further classes */
export function button(label, press, look = "") {
  const element = make("button", { type: "button", class: `button ${look}`.trim() }, label);
  element.addEventListener("click", press);
  return element;
}

/**
 * Parses HTML that the server rendered. No other text may be parsed as HTML.
 *
 * @param {string} html
 */
export function serverFragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

/** Whether a key press is meant for the screen: no repeat, no modifier, not in a dialog or a text field. @param {KeyboardEvent} event */
export function isForScreen(event) {
  const target = event.target instanceof Element ? event.target : null;
  const elsewhere = target?.closest("dialog, textarea, input") ?? document.querySelector("dialog[open]");
  const modified = event.ctrlKey || event.altKey || event.metaKey || event.isComposing;
  return !elsewhere && !modified && !event.repeat && !event.defaultPrevented;
}

/**
 * Ignores the repeated presses of a key that is held down, which would also press buttons of the next screen.
 *
 * @param {AbortSignal} signal
 */
export function ignoreHeldKeys(signal) {
  /** @param {KeyboardEvent} event */
  const ignore = (event) => {
    const presses = event.key === "Enter" || event.key === " ";
    if (event.repeat && presses && event.target instanceof HTMLButtonElement) event.preventDefault();
  };
  document.addEventListener("keydown", ignore, { capture: true, signal });
}
