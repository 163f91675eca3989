/** The trial screen: its layout and the looks of its states. Decisions and measurements are made in trial.js. */
import { button, make } from "./dom.js";

/** @import { Images } from "./images.js" */
/** @import { Study, Texts, Trial } from "./types.js" */

/** The design of the reference experiment, in px: largest side of an image, gap between references, height of their grid. */
const LARGEST_PX = 224;
const GAP_PX = 10;
const GRID_PX = 3 * LARGEST_PX + 2 * GAP_PX;

/** @typedef {"left" | "right"} Side */

export class TrialView {
  /** The element that is put into the page. */
  root;
  /** The element that is scaled to the window. */
  screen;
  /** The element that gets the focus when the trial begins. */
  heading;
  /** @type {HTMLButtonElement[]} From 0 at the left. */
  buttons = [];
  continueButton;
  /** Size of the base image and the queries in the design, divided by the size of the image files; at most 1. */
  shrink;
  #arrows;
  #footer;
  #queries;

  /**
   * @param {{study: Study, texts: Texts, images: Images}} world
   * @param {Trial} trial its images must be loaded
   * @param {string} title such as "Trial 3 of 21"
   */
  constructor({ study, texts, images }, trial, title) {
    const levels = study.trial.confidence_levels;
    const { references } = trial;
    const picture = pictures(images, study);
    this.shrink = shrinkage(study, LARGEST_PX);
    this.heading = make("h1", { class: "unseen", tabindex: "-1" }, title);
    this.continueButton = button(texts.continue_label, () => {}, "primary");
    this.#queries = {
      left: this.#query("left", picture(trial.left, "Left image"), levels, study.trial.keys),
      right: this.#query("right", picture(trial.right, "Right image"), levels, study.trial.keys),
    };
    this.#arrows = make("div", { class: "trial-arrows" }, arrow("left", texts), arrow("right", texts));
    this.#footer = make("div", { class: "trial-footer" }, this.#arrows);
    this.screen = make("div", { class: "trial-screen" });
    if (references.length > 0) this.screen.append(referenceBlock(references, texts, picture));
    this.screen.append(
      make(
        "div",
        { class: "trial-right" },
        make("h2", {}, references.length > 0 ? texts.base_title : texts.base_title_alone),
        picture(trial.base, "Base image"),
        make("h2", { class: "trial-question" }, texts.question),
        make("div", { class: "trial-queries" }, this.#queries.left, this.#queries.right),
        this.#footer,
      ),
    );
    this.root = make("section", { class: "trial", "aria-label": title }, this.heading, this.screen);
    this.root.style.visibility = "hidden";
  }

  /** @param {Side} side @param {HTMLImageElement} image @param {number} levels @param {string[]} keys */
  #query(side, image, levels, keys) {
    const name = side === "left" ? "Left image" : "Right image";
    const row = make("div", { class: "trial-numbers" });
    for (let i = 0; i < levels; i++) {
      const label = side === "left" ? levels - i : i + 1;
      const number = button(String(label), () => {}, "number");
      number.setAttribute("aria-label", `${name}, confidence ${label} of ${levels}`);
      const key = keys[this.buttons.length];
      if (key) number.setAttribute("aria-keyshortcuts", key);
      this.buttons.push(number);
      row.append(number);
    }
    return make("div", { class: "trial-query", role: "group", "aria-label": name }, image, row);
  }

  /** Makes the whole screen visible at once. */
  reveal() {
    this.root.style.visibility = "";
  }

  /** Frames the chosen image and locks all buttons. @param {number} response @param {Side} side */
  choose(response, side) {
    this.#queries[side].classList.add("chosen");
    this.buttons.forEach((number, i) => {
      number.setAttribute("aria-disabled", "true");
      number.setAttribute("aria-pressed", String(i === response));
    });
  }

  /** Replaces the arrows by the button Continue. */
  offerContinue() {
    this.showBelow(this.continueButton);
  }

  /** Replaces the arrows by other content. @param {Node[]} content */
  showBelow(...content) {
    this.#footer.replaceChildren(...content);
  }
}

/** @param {Images} images @param {Study} study */
function pictures(images, study) {
  const { image_width_px: width, image_height_px: height } = study;
  /** @param {string} address @param {string} alt @param {number} [largest] longest side in px */
  return (address, alt, largest = LARGEST_PX) => {
    const image = images.element(address);
    const shrink = shrinkage(study, largest);
    image.alt = alt;
    image.width = Math.round(width * shrink);
    image.height = Math.round(height * shrink);
    return image;
  };
}

/** @param {Study} study @param {number} largest side in px */
function shrinkage({ image_width_px: width, image_height_px: height }, largest) {
  return Math.min(1, largest / Math.max(width, height));
}

/** @param {string[]} references @param {Texts} texts @param {ReturnType<typeof pictures>} picture */
function referenceBlock(references, texts, picture) {
  const columns = Math.ceil(Math.sqrt(references.length));
  const largest = Math.min(LARGEST_PX, (GRID_PX - (columns - 1) * GAP_PX) / columns);
  const grid = make("div", { class: "trial-grid" });
  grid.style.gridTemplateColumns = `repeat(${columns}, auto)`;
  grid.append(...references.map((address, i) => picture(address, `Reference image ${i + 1}`, largest)));
  const title = make("h2", { id: "references-title" }, texts.references_title);
  return make("div", { class: "trial-left", role: "group", "aria-labelledby": "references-title" }, title, grid);
}

/** @param {Side} side @param {Texts} texts */
function arrow(side, texts) {
  return make("p", { class: `trial-arrow ${side}` }, make("span", {}, texts.more_confident));
}
