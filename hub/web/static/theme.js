// Runs before the first paint, so that a dark page never flashes white.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const wanted = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = () => document.documentElement.setAttribute("data-bs-theme", wanted() || (dark.matches ? "dark" : "light"));
  apply();
  dark.addEventListener("change", apply);
})();
