// The upload form works without script. This shows how much has gone, and says at once what is too large.
const form = document.querySelector("form[data-upload]");
const file = form.querySelector("input[type=file]");
const sent = form.querySelector("progress");

file.addEventListener("change", () => {
  const isLarge = file.files[0]?.size > Number(form.dataset.most);
  file.setCustomValidity(isLarge ? form.dataset.large : "");
  if (isLarge) file.reportValidity();
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
