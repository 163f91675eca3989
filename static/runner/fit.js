/**
 * Scales a screen of fixed design to the room that there is, as one: at most 1, so that images are never enlarged. A
 * transform keeps text sharp and clicks where they belong, and does not change the layout that is measured.
 */

/**
 * @param {HTMLElement} room what it may fill
 * @param {HTMLElement} screen
 * @param {AbortSignal} signal ends it
 * @returns {() => number} the present scale
 */
export function fit(room, screen, signal) {
  let scale = 1;
  const adjust = () => {
    const [width, height] = [screen.offsetWidth, screen.offsetHeight];
    const { clientWidth, clientHeight } = room;
    if (width === 0 || height === 0) return;
    scale = Math.max(0.1, Math.min(1, clientWidth / width, clientHeight / height));
    const left = Math.max(0, Math.round((clientWidth - width * scale) / 2));
    const top = Math.max(0, Math.round((clientHeight - height * scale) / 2));
    screen.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
  };
  const observer = new ResizeObserver(adjust);
  observer.observe(room);
  observer.observe(screen);
  signal.addEventListener("abort", () => observer.disconnect());
  adjust();
  return () => scale;
}
