// Links that can copy what they lead to: <a data-copy-from> fetches the text
// and puts it on the clipboard. Where that fails the link is followed.
{
  const fetched = async (address) => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.text();
  };

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-copy-from]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !navigator.clipboard) return;
    event.preventDefault();
    const label = link.textContent;
    try {
      await navigator.clipboard.writeText(await fetched(link.href));
      link.textContent = "Copied";
      setTimeout(() => { link.textContent = label; }, 1500);
    } catch {
      location.href = link.href;
    }
  });
}
