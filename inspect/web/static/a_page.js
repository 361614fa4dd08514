// The script of all pages. Each file of this directory is one block of it.
"use strict";

// Copy buttons: <button data-copy="ID"> copies the text of the element with
// that id. They are hidden where no script runs.
{
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      await navigator.clipboard.writeText(from.textContent);
      const label = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}
