
// The filter completes the word that is being written: a combobox with a
// listbox, as WAI-ARIA describes it. Its words are those of the datalist, which
// serves where no script runs.
{
  const input = document.getElementById("q");
  const list = document.getElementById("words");
  if (input && list) {
    const words = [...list.options].map((option) => option.value);
    const box = document.createElement("ul");
    box.className = "choices";
    box.id = "choices";
    box.hidden = true;
    box.setAttribute("role", "listbox");
    box.setAttribute("aria-label", "Words for the filter");
    input.after(box);
    input.removeAttribute("list");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", "choices");
    let chosen = -1;

    // word is what stands around the caret, without the sign that turns it round.
    function word() {
      const at = input.selectionStart;
      let begin = input.value.lastIndexOf(" ", at - 1) + 1;
      if (/[-!]/.test(input.value[begin] ?? "")) begin++;
      return { begin, end: at, text: input.value.slice(begin, at).toLowerCase() };
    }

    // fitting are the keys until one is written, then its values. A value may be
    // met in its middle.
    function fitting(text) {
      if (!text) return words.filter((w) => w.endsWith(":"));
      const colon = text.indexOf(":");
      if (colon < 0) {
        const keys = words.filter((w) => w.endsWith(":") && w.startsWith(text));
        return keys.concat(words.filter((w) => !w.endsWith(":") && w.includes(text)));
      }
      const key = text.slice(0, colon + 1), value = text.slice(colon + 1).replaceAll("*", "");
      const all = words.filter((w) => w.startsWith(key) && w !== key && w.slice(key.length).includes(value) && w !== text);
      return all.sort((a, b) => b.startsWith(text) - a.startsWith(text));
    }

    function hide() {
      box.hidden = true;
      chosen = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function offer() {
      const found = fitting(word().text).slice(0, 40);
      box.replaceChildren(...found.map((text, i) => {
        const item = document.createElement("li");
        item.id = "choice-" + i;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.textContent = text;
        return item;
      }));
      hide();
      if (found.length) {
        box.hidden = false;
        input.setAttribute("aria-expanded", "true");
      }
    }

    function choose(n) {
      box.children[chosen]?.setAttribute("aria-selected", "false");
      chosen = (n + box.children.length) % box.children.length;
      const item = box.children[chosen];
      item.setAttribute("aria-selected", "true");
      item.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", item.id);
    }

    function take(item) {
      const { begin, end } = word();
      const text = item.textContent, tail = text.endsWith(":") ? "" : " ";
      input.setRangeText(text + tail, begin, end, "end");
      input.focus();
      if (tail) hide();
      else offer();
    }

    input.addEventListener("input", offer);
    input.addEventListener("click", () => { if (box.hidden) offer(); });
    input.addEventListener("blur", hide);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !box.hidden) {
        hide();
        event.preventDefault();
      } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (box.hidden) offer();
        if (box.hidden) return;
        choose(event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? -1 : chosen - 1);
        event.preventDefault();
      } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0 && !box.hidden) {
        take(box.children[chosen]);
        event.preventDefault();
      }
    });
    box.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the input keeps the focus
      const item = event.target.closest("li");
      if (item) take(item);
    });
  }
}
