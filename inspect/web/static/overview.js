// The overview: a choice that sends itself, and a chart that says in a line
// what is pointed at. Its columns are one stop of the tab key; the arrows move
// between them.
{
  for (const form of document.querySelectorAll("form[data-sends]")) {
    form.querySelector("button").hidden = true;
    form.addEventListener("change", () => form.requestSubmit());
  }

  for (const chart of document.querySelectorAll(".chart")) {
    const readout = chart.querySelector(".readout"), first = readout.textContent;
    const columns = [...chart.querySelectorAll("a.every")];
    const stop = (at) => {
      for (const column of columns) column.setAttribute("tabindex", column === at ? "0" : "-1");
    };
    const say = ({ target }) => {
      const column = target.closest(".column");
      if (column) readout.textContent = column.querySelector("title").textContent;
    };
    stop(columns.at(-1));
    chart.addEventListener("pointerover", say);
    chart.addEventListener("focusin", say);
    chart.addEventListener("pointerleave", () => { readout.textContent = first; });
    chart.addEventListener("keydown", (event) => {
      const at = columns.indexOf(document.activeElement);
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: columns.length - 1 }[event.key];
      if (at < 0 || to === undefined || !columns[to]) return;
      event.preventDefault();
      stop(columns[to]);
      columns[to].focus();
      say({ target: columns[to] });
    });
  }
}
