// The break page works without script. This presses its buttons by key, and puts a name into a comment.
const shown = document.getElementById("break");
const isOff = () => localStorage.getItem("tieout-keys-off") === "1";
const target = (key) => shown?.ownerDocument.querySelector(`#break [data-key="${key}"]`);

document.addEventListener("keydown", (event) => {
  if (isOff() || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, select, textarea, [contenteditable], [popover]:popover-open")) return;
  const found = /^[a-z]$/.test(event.key) && target(event.key);
  if (!found) return;
  event.preventDefault();
  if (found.matches("textarea")) return found.focus();
  found.click();
  found.closest("details[open]")?.querySelector("form input:not([type=hidden]), form select")?.focus();
});

// A name that completes what stands after the last @.
document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-name]")?.dataset.name;
  const text = name && event.target.closest("form").querySelector("textarea");
  if (!text) return;
  text.value = text.value.replace(/@[\w.+-]*$/, `@${name} `);
  event.target.closest(".people").replaceChildren();
  text.focus();
});
