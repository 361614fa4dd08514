// The script of all pages. Each file of this directory is one block of it.
"use strict";

// Copy buttons: <button data-copy="ID"> copies the text of the element with
// that id. They are hidden where no script runs.
{
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  document.body.append(said);

  // Only a site on this machine or with TLS may use the clipboard directly.
  async function copy(from) {
    try {
      await navigator.clipboard.writeText(from.textContent);
      return "Copied";
    } catch {
      getSelection().selectAllChildren(from);
      return "Selected: press Ctrl+C";
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button || button.dataset.label) return;
    button.dataset.label = button.textContent;
    button.textContent = said.textContent = await copy(document.getElementById(button.dataset.copy));
    setTimeout(() => {
      button.textContent = button.dataset.label;
      delete button.dataset.label;
      said.textContent = "";
    }, 1500);
  });
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}
