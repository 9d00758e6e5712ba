// Two things the theme leaves open: what scrolls sideways can be reached with the keyboard, and searching works from
// a folder, where a browser forbids one page to read another for an excerpt.
const SCROLLS = "pre, .math, .table-wrapper, .output.text_html";

function reachable() {
  for (const part of document.querySelectorAll(SCROLLS)) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}

if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
document.addEventListener("DOMContentLoaded", reachable);
window.addEventListener("load", reachable);
window.addEventListener("resize", reachable);
document.addEventListener("toggle", reachable, true); // a hint that opens: "toggle" does not bubble
