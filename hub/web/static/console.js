// Keyboard, theme and local time. Everything works without it.
(() => {
  const root = document.documentElement;

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const box = document.getElementById("search");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    }
    if (event.key === "Escape" && typing) { event.target.blur(); }
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) { return; }
    const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", next);
    try { localStorage.setItem("theme", next); } catch { /* the choice lasts for this page */ }
  });

  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-check-all]");
    if (!all) { return; }
    for (const box of all.closest("form").querySelectorAll("input[name=id]")) { box.checked = all.checked; }
  });

  const localise = (part) => {
    for (const time of part.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) {
        time.dataset.local = "1";
        time.title = `${at.toLocaleString()} here · ${time.dataset.utc || time.dateTime}`;
      }
    }
  };
  localise(document);
  document.addEventListener("htmx:after:swap", () => localise(document));
})();
