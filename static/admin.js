// What is nicer with a script? Times that stay current, the theme, keys and copying. Nothing depends on it.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");

  // The theme: the system's until chosen. A browser may refuse the storage; then the choice lasts for the page. This
  // runs before the page is drawn, so that no other theme flashes up.
  const remember = (theme) => {
    try {
      return theme ? localStorage.setItem("payments-theme", theme) : localStorage.getItem("payments-theme");
    } catch {
      return null;
    }
  };
  const chosen = remember();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  const switchTheme = () => {
    const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    remember(root.dataset.theme);
  };

  // Times, in the words of the server (views/words.rs).
  const span = (s) => {
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    const [size, unit] = s < 86400 ? [Math.floor(s / 3600), "hour"] : [Math.floor(s / 86400), "day"];
    return `${size} ${unit}${size === 1 ? "" : "s"}`;
  };
  const tell = () => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const seconds = Math.round((Date.now() - Date.parse(time.dateTime)) / 1000);
      const size = Math.abs(seconds);
      if (Number.isNaN(size)) continue;
      const day = time.title.split(",")[0];
      time.textContent =
        size < 10 ? "just now" : size >= 7 * 86400 ? day : seconds < 0 ? `in ${span(size)}` : `${span(size)} ago`;
    }
  };
  setInterval(() => document.hidden || tell(), 15000);
  document.addEventListener("visibilitychange", () => document.hidden || tell());

  document.addEventListener("DOMContentLoaded", () => {
    for (const part of document.querySelectorAll("[data-theme-toggle], .keys")) part.hidden = false;
    tell();
  });

  // Copying; without HTTPS there is no clipboard object, but a selected field still copies.
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("copying was refused");
  };
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-theme-toggle]")) return switchTheme();
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await copy(button.dataset.copy);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
    }
    button.focus();
  });

  // Keys, unless somebody types or means the browser's own.
  const keys = {
    "/": () => document.querySelector("input[type=search]")?.select(),
    r: () => location.reload(),
    t: switchTheme,
    "?": () => document.querySelector(".help")?.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    const busy = event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]");
    if (busy || event.target.closest("input, select, textarea, [contenteditable]") || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
