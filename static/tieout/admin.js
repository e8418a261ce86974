// What the admin's own pages leave out: what scrolls takes the keyboard's focus, a hint that has a name has a role, and what
// needs script is shown by it.
const reach = () => {
  for (const it of document.querySelectorAll(".wide, .tall, .results, .inline-group, pre.document")) {
    if (it.scrollWidth > it.clientWidth || it.scrollHeight > it.clientHeight) it.tabIndex = 0;
  }
  for (const it of document.querySelectorAll(".help-tooltip[aria-label]")) it.setAttribute("role", "img");
  for (const it of document.querySelectorAll("[data-live]")) it.hidden = false;
};
addEventListener("load", reach);
addEventListener("resize", reach);
document.addEventListener("htmx:afterSettle", reach);
