// The upload form works without script. This shows how much of each file has gone, and says at once what is too large.
const form = document.querySelector("form[data-upload]");
const file = form.querySelector("input[type=file]");
const sent = form.querySelector("progress");
const hash = form.querySelector("input[name=sha256]");
const list = form.querySelector("ul.files");
const HASHED = 256 << 20; // bytes; a larger file is not taken into memory

file.addEventListener("change", () => {
  const isLarge = [...file.files].some((it) => it.size > Number(form.dataset.most));
  file.setCustomValidity(isLarge ? form.dataset.large : "");
  if (isLarge) file.reportValidity();
});
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  file.addEventListener(name, () => file.classList.toggle("over", name === "dragenter" || name === "dragover"));
}

// The bytes are hashed before they go, so that a fault on the way is found. Browsers do that at secure addresses alone.
async function digest(chosen) {
  if (!window.crypto?.subtle || chosen.size > HASHED) return "";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function follow(event, bar) {
  const { lengthComputable, loaded, total } = event.detail;
  if (!lengthComputable || bar.value === 1) return; // the answer's own progress follows that of the file
  bar.hidden = false;
  bar.value = total ? loaded / total : 1;
}

// Several files go one after the other, each with its own bar and its own answer.
async function sendEach(files) {
  const lines = files.map(() => form.querySelector("template").content.firstElementChild.cloneNode(true));
  list.replaceChildren(...lines);
  list.hidden = false;
  lines.forEach((line, place) => (line.firstElementChild.textContent = files[place].name));
  for (const [place, line] of lines.entries()) {
    const values = new FormData(form);
    values.set("file", files[place]);
    values.set("sha256", await digest(files[place]));
    values.set("listed", "1");
    htmx.process(line);
    const [bar, answer] = line.querySelectorAll("progress, .answer");
    answer.textContent = "Is sent.";
    line.addEventListener("htmx:xhr:progress", (event) => follow(event, bar));
    await htmx.ajax("POST", form.action, { source: line, target: answer, values }).catch(() => {}); // its answer says why
  }
}

form.addEventListener("htmx:confirm", async (event) => {
  if (event.target !== form || !file.files.length) return;
  event.preventDefault();
  hash.value = "";
  if (file.files.length > 1) {
    if (form.reportValidity()) await sendEach([...file.files]);
    return;
  }
  hash.value = await digest(file.files[0]);
  event.detail.issueRequest();
});

form.addEventListener("htmx:xhr:progress", (event) => event.target === form && follow(event, sent));

// A refusal is shown beside the form, and the file may be sent again.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
  sent.hidden = true;
  sent.value = 0;
});
