
// Keys: j and k go through the list, / goes to the filter, g and a letter to a
// page, ? shows them all. None acts while something is being written.
{
  const help = document.getElementById("keys");
  const opener = document.getElementById("keys-open");
  const pages = { s: "/", o: "/overview", e: "/explain", c: "/check", a: "/causes" };
  let going = 0; // until when a letter behind g counts

  const writing = (e) => e.closest("input, textarea, select, [contenteditable]");

  function move(by) {
    const links = [...document.querySelectorAll("#sessions a.whole")];
    if (!links.length) return false;
    const row = document.activeElement.closest("#sessions tbody tr");
    const at = links.indexOf(row?.querySelector("a.whole"));
    const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))];
    next.focus({ preventScroll: true });
    next.closest("tr").scrollIntoView({ block: "nearest" });
    return true;
  }

  function act(key) {
    if (Date.now() < going) {
      going = 0;
      if (pages[key]) location.href = pages[key];
      return Boolean(pages[key]);
    }
    switch (key) {
      case "j": return move(1);
      case "k": return move(-1);
      case "ArrowDown":
      case "ArrowUp":
        return Boolean(document.activeElement.closest("#sessions")) && move(key === "ArrowDown" ? 1 : -1);
      case "/": {
        const filter = document.querySelector("input[type=search]");
        filter?.focus();
        filter?.select();
        return Boolean(filter);
      }
      case "g":
        going = Date.now() + 1200;
        return true;
      case "p":
        document.querySelector("#pause:not([hidden])")?.click();
        return true;
      case "?":
        help.showModal();
        return true;
    }
    return false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || help.open || writing(event.target)) return;
    if (act(event.key)) event.preventDefault();
  });
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  help.addEventListener("click", (event) => { if (event.target === help) help.close(); });
}
