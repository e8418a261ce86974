// The upload form works without script. This shows how much has gone, and says at once what is too large.
const form = document.querySelector("form[data-upload]");
const file = form.querySelector("input[type=file]");
const sent = form.querySelector("progress");
const hash = form.querySelector("input[name=sha256]");
const HASHED = 256 << 20; // bytes; a larger file is not taken into memory

file.addEventListener("change", () => {
  const isLarge = file.files[0]?.size > Number(form.dataset.most);
  file.setCustomValidity(isLarge ? form.dataset.large : "");
  if (isLarge) file.reportValidity();
});

// The bytes are hashed before they go, so that a fault on the way is found. Browsers do that at secure addresses alone.
form.addEventListener("htmx:confirm", async (event) => {
  const chosen = file.files[0];
  hash.value = "";
  if (!window.crypto?.subtle || !chosen || chosen.size > HASHED) return;
  event.preventDefault();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
  hash.value = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  event.detail.issueRequest();
});

form.addEventListener("htmx:xhr:progress", (event) => {
  const { lengthComputable, loaded, total } = event.detail;
  if (!lengthComputable || sent.value === 1) return; // the answer's own progress follows that of the file
  sent.hidden = false;
  sent.value = total ? loaded / total : 1;
});

// A refusal is shown beside the form, and the file may be sent again.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status < 400) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
  sent.hidden = true;
  sent.value = 0;
});
