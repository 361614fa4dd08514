// A form that takes its time says so, and is sent once.
{
  for (const form of document.querySelectorAll("form[data-check]")) {
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (!button) return;
      // Its name and value are sent first: a disabled button sends none.
      setTimeout(() => {
        for (const b of document.querySelectorAll("form[data-check] button")) b.disabled = true;
        button.textContent = "Checking …";
      });
    });
  }
  // Back from the answer, the form is one to send again.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
