// Before the first paint: the language and theme that this browser was set to.
(() => {
  const kept = JSON.parse(localStorage.getItem("edgecare.preferences") ?? "{}");
  const dark = kept.theme === "dark" || (kept.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
  document.documentElement.lang = kept.language === "hi" ? "hi" : "en";
})();
