// Everything works without script. This adds the CSRF token to htmx requests, and shows the queue's selected row beside the list.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector("meta[name=csrf-token]");
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});

const KEYS_OFF = "tieout-keys-off";
const preview = document.getElementById("preview");
const keys = document.getElementById("keys");
const rows = [...document.querySelectorAll(".qr[data-preview]")];
const current = () => document.querySelector(".qr.now");
const hasRoom = () => preview && getComputedStyle(preview).display !== "none";
const keysAreOff = () => localStorage.getItem(KEYS_OFF) === "1";

function select(row) {
  if (!row || row === current()) return;
  current()?.classList.remove("now");
  row.classList.add("now");
  row.scrollIntoView({ block: "nearest" });
  htmx.ajax("GET", row.dataset.preview, { source: preview, target: preview }).catch(() => {}); // the next row overtook it
}

function move(step) {
  const place = rows.indexOf(current()) + step;
  const row = rows[Math.min(Math.max(place, 0), rows.length - 1)];
  select(row);
  row?.querySelector("a.key").focus({ preventScroll: true });
}

// A plain click selects where there is room; a second one, or a click with a key held, opens the page as any link does.
function click(event) {
  const row = event.currentTarget;
  if (event.target.closest(".tick")) return;
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || !hasRoom()) return;
  if (row === current()) return;
  event.preventDefault();
  select(row);
}

function press(event) {
  if (keysAreOff() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input:not(.tick), select, textarea, [popover]:popover-open")) return;
  const actions = {
    j: () => move(1),
    k: () => move(-1),
    o: () => current()?.querySelector("a.key").click(),
    x: () => current()?.querySelector(".tick")?.click(),
    u: () => preview.querySelector("form [data-undo]")?.click(),
    "/": () => document.getElementById("key").focus(),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
}

function showKeys() {
  const button = keys.querySelector("button");
  button.textContent = keysAreOff() ? "switch keys on" : "switch keys off";
  keys.classList.toggle("off", keysAreOff());
}

// How many rows are checked, and one box for all of the page.
const bulk = document.getElementById("bulk");
if (bulk) {
  const ticks = [...document.querySelectorAll(".qr > .tick")];
  const all = bulk.querySelector("#all");
  const told = bulk.querySelector("#checked");
  const plain = told.textContent;
  let last = null;
  const count = () => {
    const checked = ticks.filter((tick) => tick.checked);
    ticks.forEach((tick) => tick.parentElement.classList.toggle("sel", tick.checked));
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

if (preview && rows.length) {
  preview.hidden = false;
  keys.hidden = false;
  showKeys();
  keys.querySelector("button").addEventListener("click", () => {
    localStorage.setItem(KEYS_OFF, keysAreOff() ? "0" : "1");
    showKeys();
  });
  rows.forEach((row) => row.addEventListener("click", click));
  document.addEventListener("keydown", press);
  // What was decided in the preview is no longer to be done in the list.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== preview) return;
    const state = preview.querySelector("[data-state]")?.dataset.state;
    current()?.classList.toggle("settled", state !== "review" && event.detail.requestConfig.verb === "post");
  });
  if (hasRoom()) select(rows[0]);
}

// What needs script is shown by it.
document.querySelectorAll("[data-live]").forEach((it) => (it.hidden = false));
// The links to a break's override and undo open their forms.
if (["#override", "#undo"].includes(location.hash)) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
