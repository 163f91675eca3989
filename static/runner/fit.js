/**
 * Scales a screen of fixed design, as a whole, to the size of its container. The scale is at most 1, so that images are
 * never enlarged. A CSS transform does this, because it keeps text sharp and leaves the layout that is measured unchanged.
 */

/**
 * @param {HTMLElement} container
 * @param {HTMLElement} screen
 * @param {AbortSignal} signal ends the scaling
 * @returns {() => number} the present scale
 */
export function fit(container, screen, signal) {
  let scale = 1;
  const adjust = () => {
    const [width, height] = [screen.offsetWidth, screen.offsetHeight];
    const { clientWidth, clientHeight } = container;
    if (width === 0 || height === 0) return;
    scale = Math.max(0.1, Math.min(1, clientWidth / width, clientHeight / height));
    const left = Math.max(0, Math.round((clientWidth - width * scale) / 2));
    const top = Math.max(0, Math.round((clientHeight - height * scale) / 2));
    screen.style.transform = `translate(${left}px, ${top}px) scale(${scale})`;
  };
  const observer = new ResizeObserver(adjust);
  observer.observe(container);
  observer.observe(screen);
  signal.addEventListener("abort", () => observer.disconnect());
  adjust();
  return () => scale;
}
