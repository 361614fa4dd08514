// Links that can copy what they lead to: <a data-copy-from> fetches the text
// and puts it on the clipboard. Where that fails the link is followed.
{
  for (const link of document.querySelectorAll("a[data-copy-from]")) {
    link.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !navigator.clipboard) return;
      event.preventDefault();
      const label = link.textContent;
      try {
        const answer = await fetch(link.href);
        if (!answer.ok) throw new Error(answer.statusText);
        await navigator.clipboard.writeText(await answer.text());
        link.textContent = "Copied";
        setTimeout(() => { link.textContent = label; }, 1500);
      } catch {
        location.href = link.href;
      }
    });
  }
}
