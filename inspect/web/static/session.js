// A session that may still change is loaded again until it has settled. Only
// what has changed is put in; what the reader has unfolded stays so.
{
  const parts = ["session-head", "session-findings", "session-panel"];
  const every = 1500;

  const keepOpen = (from, to) => {
    const before = from.querySelectorAll("details"), after = to.querySelectorAll("details");
    before.forEach((d, i) => { if (d.open && after[i]) after[i].open = true; });
  };

  const enliven = (node) => {
    node.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
    node.querySelectorAll(".reload").forEach((link) => link.remove());
  };

  const stops = (node) => [...node.querySelectorAll("a, button, summary, [tabindex]")];

  // What is being marked, perhaps to be copied, stands still.
  const marked = (node) => !getSelection().isCollapsed && getSelection().containsNode(node, true);

  const renew = (fresh) => {
    document.title = fresh.title;
    for (const id of parts) {
      const now = document.getElementById(id), next = fresh.getElementById(id);
      if (!now || !next || shown.get(id) === next.outerHTML || marked(now)) continue;
      shown.set(id, next.outerHTML);
      keepOpen(now, next);
      enliven(next);
      const focused = stops(now).indexOf(document.activeElement);
      now.replaceWith(next);
      stops(next)[focused]?.focus({ preventScroll: true });
    }
  };

  const shown = new Map();
  const again = async () => {
    if (document.hidden || document.querySelector("#session-head .menu[open]")) return setTimeout(again, every);
    try {
      const answer = await fetch(location.pathname + location.search);
      if (answer.ok) renew(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The proxy may be restarting; the next try tells.
    }
    if (document.getElementById("session-head").hasAttribute("data-fresh")) setTimeout(again, every);
  };

  if (document.getElementById("session-head")?.hasAttribute("data-fresh")) {
    for (const id of parts) shown.set(id, document.getElementById(id)?.outerHTML);
    document.querySelectorAll("#session-head .reload").forEach((link) => link.remove());
    setTimeout(again, every);
  }

  // A line that a finding names may stand in a fold.
  const unfold = () => {
    let at = location.hash && document.getElementById(location.hash.slice(1));
    for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
  };
  window.addEventListener("hashchange", unfold);
  unfold();
}
