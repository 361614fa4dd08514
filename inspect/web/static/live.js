
// The list of sessions goes on as they come. The stream's events are those of
// page_sessions_live.go. Without this the page has a link to load it again.
{
  const table = document.getElementById("sessions");
  const most = 200; // rows
  if (table && table.dataset.live) {
    const body = table.tBodies[0];
    const pulse = document.getElementById("pulse");
    const pause = document.getElementById("pause");
    const arrived = document.getElementById("arrived");
    const counts = document.getElementById("counts");
    const newest = table.hasAttribute("data-newest");
    const waiting = new Map(); // rows that came while the list stood still, by id
    let address = new URL(table.dataset.live, location.href);
    let source = null, paused = false, missed = 0, tries = 0, again = 0;

    let aimed = 0; // until when the list keeps still below a pointer that moves in it

    const stopped = () => paused || !newest || scrollY > 240;
    const still = () => stopped() || Date.now() < aimed;

    function say(kind, text) {
      if (pulse.className === "pulse " + kind) return;
      pulse.className = "pulse " + kind;
      pulse.textContent = text;
    }

    function status() {
      if (!source || source.readyState !== EventSource.OPEN) return;
      if (paused) say("paused", "Paused");
      else say("live", "Live");
    }

    // place puts a row where its time belongs. One that is older than all of a
    // full page stands on a later page.
    function place(row) {
      const old = document.getElementById(row.id);
      if (old) {
        const focused = old.contains(document.activeElement);
        old.replaceWith(row);
        if (focused) row.querySelector("a").focus({ preventScroll: true });
        return;
      }
      let next = body.firstElementChild;
      while (next && next.dataset.at > row.dataset.at) next = next.nextElementSibling;
      if (!next && body.rows.length >= 50) return;
      row.classList.add("fresh");
      body.insertBefore(row, next);
    }

    function show() {
      for (const row of waiting.values()) place(row);
      waiting.clear();
      while (body.rows.length > most) body.lastElementChild.remove();
      announce();
    }

    function announce() {
      const n = waiting.size + missed;
      arrived.hidden = n === 0 || !stopped();
      arrived.firstElementChild.textContent = n + " new — show";
    }

    function rows(event) {
      if (table.hasAttribute("data-first")) {
        location.reload();
        return;
      }
      const holder = document.createElement("template");
      holder.innerHTML = event.data;
      for (const row of [...holder.content.querySelectorAll("tr")]) {
        if (document.getElementById(row.id)) place(row);
        else {
          waiting.delete(row.id);
          waiting.set(row.id, row);
        }
      }
      table.hidden = false;
      document.getElementById("unselected")?.remove();
      for (const id of waiting.keys()) { // the latest are enough: the others are counted
        if (waiting.size <= most) break;
        waiting.delete(id);
        missed++;
      }
      if (still()) announce();
      else show();
    }

    function gone(event) {
      for (const id of event.data.split("\n")) {
        waiting.delete("s-" + id);
        document.getElementById("s-" + id)?.remove();
      }
      announce();
    }

    function left(event) {
      missed += Number(event.data);
      if (event.lastEventId) address.searchParams.set("after", event.lastEventId);
      if (missed && !stopped()) missed = 0; // they have passed: the counts have them
      announce();
    }

    function open() {
      close();
      source = new EventSource(address);
      source.addEventListener("open", () => { tries = 0; status(); });
      source.addEventListener("rows", rows);
      source.addEventListener("gone", gone);
      source.addEventListener("missed", left);
      source.addEventListener("counts", (event) => {
        if (counts && !counts.contains(document.activeElement)) counts.innerHTML = event.data;
      });
      source.addEventListener("error", () => {
        say("lost", "The connection to smtp-proxy is lost, trying again");
        if (source.readyState !== EventSource.CLOSED) return;
        again = setTimeout(open, Math.min(30000, 1000 * 2 ** tries++)); // the browser has given up
      });
    }

    function close() {
      clearTimeout(again);
      if (source) source.close();
    }

    function toggle() {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
      if (!paused && !still()) show();
      status();
    }

    // A row is not to move away from who is about to click it.
    body.addEventListener("pointermove", () => { aimed = Date.now() + 1500; });
    setInterval(() => { if (waiting.size && !still()) show(); }, 500);

    pulse.hidden = false;
    pause.hidden = !newest || table.hasAttribute("data-first");
    pause.addEventListener("click", toggle);
    document.getElementById("reload").hidden = true;
    arrived.addEventListener("click", () => {
      if (!newest || missed) {
        location.href = "/" + (address.searchParams.has("q") ? "?q=" + encodeURIComponent(address.searchParams.get("q")) : "");
        return;
      }
      scrollTo({ top: 0 });
      show();
    });
    addEventListener("scroll", () => { if (waiting.size && !still()) show(); }, { passive: true });
    // A browser has few connections to one site: a page that nobody sees gives
    // its back, and catches up when it is looked at again.
    document.addEventListener("visibilitychange", () => {
      close();
      if (!document.hidden) open();
    });
    addEventListener("pagehide", close);
    addEventListener("pageshow", (event) => { if (event.persisted) open(); });
    say("", "Connecting");
    if (!document.hidden) open();

    // Sessions that run show for how long.
    const took = (ms) => ms < 60000 ? Math.floor(ms / 1000) + " s" : Math.floor(ms / 60000) + "m " + String(Math.floor(ms / 1000) % 60).padStart(2, "0") + "s";
    setInterval(() => {
      for (const cell of body.querySelectorAll("[data-since]")) cell.textContent = "for " + took(Math.max(0, Date.now() - Date.parse(cell.dataset.since)));
    }, 1000);
  }
}

// A time says how long ago it was when it is pointed at.
{
  const ago = (s) => s < 90 ? Math.round(s) + " seconds" : s < 5400 ? Math.round(s / 60) + " minutes" : s < 172800 ? Math.round(s / 3600) + " hours" : Math.round(s / 86400) + " days";
  document.addEventListener("pointerover", (event) => {
    const row = event.target.closest?.("tr[data-at]");
    const time = row?.querySelector("time");
    if (!time) return;
    time.dataset.stamp ??= time.title;
    time.title = time.dataset.stamp + ", " + ago(Math.max(0, (Date.now() - Date.parse(row.dataset.at)) / 1000)) + " ago";
    row.querySelector(".whole").title = time.title;
  });
}
