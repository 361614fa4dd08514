// The catalogue narrows as one types: what the server would answer, at once.
{
  for (const form of document.querySelectorAll("form[data-narrows]")) {
    const list = document.getElementById(form.dataset.narrows);
    const field = form.querySelector("input"), shown = form.querySelector("[data-shown]"), none = document.querySelector("[data-none]");
    const causes = [...list.querySelectorAll("[data-words]")];
    // A page that came filtered has not all causes: then the server searches.
    if (field.value !== "") continue;
    form.querySelector("button").hidden = true;
    const narrow = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let n = 0;
      for (const cause of causes) {
        cause.hidden = !words.every((word) => cause.dataset.words.includes(word));
        if (!cause.hidden) n++;
      }
      for (const family of list.children) family.hidden = !family.querySelector("[data-words]:not([hidden])");
      shown.textContent = n === 1 ? "1 cause" : n + " causes";
      none.hidden = n > 0;
    };
    field.addEventListener("input", narrow);
    form.addEventListener("submit", (event) => {
      const left = causes.filter((cause) => !cause.hidden);
      if (left.length !== 1) return;
      event.preventDefault();
      location.href = left[0].querySelector("a").href;
    });
  }
}
