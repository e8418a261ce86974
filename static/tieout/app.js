// Everything works without script. This adds keys, the queue's side preview, and what a browser alone does not do.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("meta[name=csrf-token]");
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});

// 1. Keys: each presses what bears it in `data-key`, on a break's page or beside the queue. A person may switch them off.
const help = document.getElementById("help");
const preview = document.getElementById("preview");
const TYPED = "input:not(.tick), select, textarea, [contenteditable], dialog, [popover]:popover-open";

function press(event) {
  if (event.key === "Escape") return close(event);
  if (document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest(TYPED)) return;
  const letter = /^[a-z]$/i.test(event.key);
  const key = letter ? event.key.toLowerCase() : event.key;
  if (key === "?" && !help) return;
  if (letter && event.shiftKey && key !== "x") return;
  const act = general[key] ?? (rows.length > 0 && moves[key]) ?? null;
  const button = act ? null : letter && bearing(key);
  if (!act && !button) return;
  event.preventDefault();
  if (busy || (event.repeat && !"jk".includes(key))) return;
  if (act) return act(event);
  if (button.matches("textarea")) return button.focus();
  button.click();
  button.closest("details[open]")?.querySelector("form select, form input:not([type=hidden])")?.focus();
}

const general = {
  "?": showHelp,
  "/": () => (document.getElementById("key") ?? document.getElementById("find"))?.focus(),
};

async function showHelp() {
  await htmx.ajax("GET", help.dataset.from, { source: help, target: help });
  if (!help.open) help.showModal();
}

// In the queue a key acts on the selected row alone: not before its preview is there.
function bearing(key) {
  const place = document.getElementById("break") ?? (isShown(current()) ? preview : null);
  const said = key === "u" && document.querySelector("#said [data-undo]");
  return said || place?.querySelector(`[data-key="${key}"]`) || null;
}

function close(event) {
  const open = event.target.closest?.("details[open]");
  if (!open || event.target.closest("dialog")) return;
  open.open = false;
  open.querySelector("summary").focus();
}

document.addEventListener("keydown", press);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-help]") || !help || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  showHelp();
});

// 2. The queue: a row is selected, and shown beside the list.
const rows = [...document.querySelectorAll(".qr[data-preview]")];
const said = document.getElementById("said");
let busy = false; // a decision is on its way
let loading = false; // a row's preview is
const current = () => document.querySelector(".qr.now");
const hasRoom = () => preview && getComputedStyle(preview).display !== "none";
const isShown = (row) => row && preview.querySelector("[data-of]")?.dataset.of === row.dataset.preview;

function mark(row) {
  current()?.classList.remove("now");
  row.classList.add("now");
  row.scrollIntoView({ block: "nearest" });
}

// One request at a time: who moves fast sees the rows passed by only in the list. What comes is swapped and made ready at once,
// so no key meets a form that would leave the page.
async function show() {
  const row = current();
  if (loading || !row || !hasRoom()) return;
  loading = true;
  await htmx.ajax("GET", row.dataset.preview, { source: preview, target: preview, swap: "innerHTML settle:0ms" }).catch(() => {});
  loading = false;
  if (row !== current()) show();
}

function select(row, { focus = false } = {}) {
  if (!row || busy) return;
  if (row !== current()) {
    mark(row);
    show();
  }
  if (focus) row.querySelector("a.key").focus({ preventScroll: true });
}

function move(step) {
  const place = rows.indexOf(current()) + step;
  if (place >= rows.length) return document.querySelector(".pager a[href]")?.focus();
  select(rows[Math.max(place, 0)], { focus: true });
}

// The rows after the selected one, then those before it.
const others = () => {
  const place = rows.indexOf(current());
  return [...rows.slice(place + 1), ...rows.slice(0, Math.max(place, 0))].filter((it) => !it.classList.contains("settled"));
};

function tick(event) {
  const box = current()?.querySelector(".tick");
  box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
}

function nextAlike() {
  const like = others().find((it) => it.dataset.like === current()?.dataset.like);
  if (like) return select(like, { focus: true });
  bearing("n")?.click();
}

const moves = {
  j: () => move(1),
  k: () => move(-1),
  o: () => current()?.querySelector("a.key").click(),
  x: tick,
  n: nextAlike,
};

// A plain click selects where there is room; a second one, or a click with a key held, opens the page as any link does.
function click(event) {
  const row = event.currentTarget;
  if (event.target.closest(".tick")) return;
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !hasRoom()) return;
  if (row === current()) return;
  event.preventDefault();
  select(row);
}

// What was decided beside the list is said, may be undone from there, and the next row is selected.
function decided(path) {
  const shown = preview.querySelector("[data-of]");
  if (!shown || preview.querySelector("[data-refused]")) return;
  const row = rows.find((it) => it.dataset.preview === shown.dataset.of);
  const settled = shown.dataset.state !== "review";
  row?.classList.toggle("settled", settled);
  tell(shown.dataset.said, preview.querySelector("form:has([data-undo])"));
  if (path.includes("/decide/") || (path.includes("/confirm/") && settled)) advance();
  else if (row && row !== current()) mark(row);
  if (document.activeElement === document.body || !settled) current()?.querySelector("a.key").focus({ preventScroll: true });
}

function advance() {
  const place = rows.indexOf(current());
  const next = others()[0];
  if (next && rows.indexOf(next) > place) return select(next, { focus: true });
  const pager = document.querySelector(".pager a[href]");
  (pager ?? current()?.querySelector("a.key"))?.focus({ preventScroll: true });
}

function tell(words, undo) {
  said.hidden = false;
  said.querySelectorAll("form").forEach((it) => it.remove());
  said.firstElementChild.textContent = words;
  if (!undo) return;
  said.append(undo);
  setTimeout(() => undo.remove(), 1000 * undo.dataset.seconds);
}

if (preview && rows.length) {
  preview.hidden = false;
  rows.forEach((row) => row.addEventListener("click", click));
  const posts = (event) => event.detail.target === preview && event.detail.requestConfig.verb === "post";
  document.addEventListener("htmx:beforeRequest", (event) => posts(event) && (busy = true));
  document.addEventListener("htmx:afterRequest", (event) => posts(event) && (busy = false));
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (!posts(event) || event.detail.failed) return;
    busy = false;
    decided(event.detail.pathInfo.requestPath);
  });
  if (hasRoom()) select(rows[0]);
}

// On a break's page, too, what was done is said, and the focus stays where one decides.
document.addEventListener("htmx:afterSettle", (event) => {
  const shown = document.getElementById("break");
  if (event.detail.requestConfig?.verb !== "post" || event.detail.target?.id !== "break" || !shown) return;
  document.getElementById("told").textContent = shown.dataset.said ?? "";
  if (document.activeElement === document.body) shown.querySelector(".decide")?.focus({ preventScroll: true });
});

// 3. How many rows are checked, and one box for all of the page.
const bulk = document.getElementById("bulk");
if (bulk) {
  const ticks = [...document.querySelectorAll('.tick[form="bulk"]')];
  const all = bulk.querySelector("#all");
  const told = bulk.querySelector("#checked");
  const plain = told.textContent;
  let last = null;
  const count = () => {
    const checked = ticks.filter((tick) => tick.checked);
    ticks.forEach((tick) => tick.closest(".qr, tr").classList.toggle("sel", tick.checked));
    bulk.classList.toggle("some", checked.length > 0);
    told.textContent = checked.length ? `${checked.length} checked` : plain;
    all.firstElementChild.checked = checked.length === ticks.length;
  };
  all.hidden = false;
  all.addEventListener("change", (event) => {
    ticks.forEach((tick) => (tick.checked = event.target.checked));
    count();
  });
  ticks.forEach((tick) =>
    tick.addEventListener("click", (event) => {
      if (event.shiftKey && last) {
        const [from, to] = [ticks.indexOf(last), ticks.indexOf(tick)].sort((a, b) => a - b);
        ticks.slice(from, to + 1).forEach((each) => (each.checked = tick.checked));
      }
      last = tick;
      count();
    }),
  );
  count();
}

// 4. A name that completes what stands after the last @ of a comment.
document.addEventListener("click", (event) => {
  const name = event.target.closest("[data-name]")?.dataset.name;
  const text = name && event.target.closest("form").querySelector("textarea");
  if (!text) return;
  text.value = text.value.replace(/@[\w.+-]*$/, `@${name} `);
  event.target.closest(".people").replaceChildren();
  text.focus();
});

// 5. What needs script is shown by it, and the links to a break's override and undo open their forms.
document.querySelectorAll("[data-live]").forEach((it) => (it.hidden = false));
if (["#override", "#undo"].includes(location.hash)) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
