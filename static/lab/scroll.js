// Parts that are wider than the window can be reached, and moved, by keyboard; those that fit are no stop on the way.
function mark() {
  for (const part of document.querySelectorAll(".scroll, pre")) {
    const overflows = part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight;
    if (overflows) part.setAttribute("tabindex", "0");
    else part.removeAttribute("tabindex");
  }
}

mark();
addEventListener("resize", mark);
document.querySelector("main")?.addEventListener("toggle", mark, true);
new MutationObserver(mark).observe(document.body, { childList: true, subtree: true });
