// Makes parts that overflow focusable, so that they can be scrolled by keyboard. Parts that fit are not focusable.
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
