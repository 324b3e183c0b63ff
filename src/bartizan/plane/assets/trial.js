// A file that is chosen is read into the text that it is for; it is sent nowhere before the form is.
"use strict";
document.addEventListener("change", async (event) => {
  const field = event.target;
  const into = field.dataset?.into && document.getElementById(field.dataset.into);
  if (into && field.files?.length) into.value = await field.files[0].text();
});
