// What is nicer with a script? Times that stay current, the theme, keys, copying, ticking, and word of new rows.
// Nothing depends on it.
(() => {
  "use strict";
  const root = document.documentElement;
  const all = (what) => document.querySelectorAll(what);
  root.classList.add("scripted");

  // A choice that lasts. A browser may refuse the storage; then it lasts for the page.
  const remember = (name, value) => {
    try {
      return value ? localStorage.setItem(`payments-${name}`, value) : localStorage.getItem(`payments-${name}`);
    } catch {
      return null;
    }
  };

  // The theme: the system's until chosen. This runs before the page is drawn, so that no other theme flashes up.
  const chosen = remember("theme");
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  const switchTheme = () => {
    const now = root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    remember("theme", root.dataset.theme);
  };

  // Times, in the words of the server (views/words.rs); absolute ones as the server wrote them, or in this
  // browser's zone.
  let zone = remember("zone") ?? "server";
  const here = new Intl.DateTimeFormat("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
  });
  const brief = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
  const span = (s) => {
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    const [size, unit] = s < 86400 ? [Math.floor(s / 3600), "hour"] : [Math.floor(s / 86400), "day"];
    return `${size} ${unit}${size === 1 ? "" : "s"}`;
  };
  const tell = () => {
    for (const time of all("time[datetime]")) {
      const seconds = Math.round((Date.now() - Date.parse(time.dateTime)) / 1000);
      const size = Math.abs(seconds);
      if (Number.isNaN(size)) continue;
      time.dataset.server ??= time.title;
      time.title = zone === "here" ? here.format(Date.parse(time.dateTime)) : time.dataset.server;
      const day = time.title.split(",")[0];
      time.textContent =
        size < 10 ? "just now" : size >= 7 * 86400 ? day : seconds < 0 ? `in ${span(size)}` : `${span(size)} ago`;
      // A list has no room for both.
      if (zone === "here" && time.closest(".rows")) time.textContent = brief.format(Date.parse(time.dateTime));
      const exact = time.nextElementSibling;
      if (exact?.matches(".exact")) exact.textContent = time.title.replace(`${time.textContent}, `, "");
    }
    root.dataset.zone = zone;
    for (const button of all("[data-zone-toggle]")) button.setAttribute("aria-pressed", zone === "here");
  };
  const switchZone = () => {
    zone = zone === "here" ? "server" : "here";
    remember("zone", zone);
    tell();
  };

  // New rows are offered, not pushed under the eye; nobody is asked while the tab is hidden or rows are ticked.
  const ask = async () => {
    const [list, offer] = [document.querySelector("[data-newest]"), document.querySelector("[data-fresh]")];
    if (!list || !offer || document.hidden || document.querySelector("[data-tick]:checked")) return;
    const address = new URL(location.href);
    address.searchParams.set("newer_than", list.dataset.newest);
    const answer = await fetch(address).catch(() => null);
    const count = answer?.ok ? (await answer.text()).trim() : "0";
    offer.hidden = count === "0" || !/^\d+\+?$/.test(count);
    offer.querySelector("a").textContent = `Show ${count} new ${offer.dataset.what}${count === "1" ? "" : "s"}`;
  };
  setInterval(ask, 15000);
  setInterval(() => document.hidden || tell(), 15000);
  document.addEventListener("visibilitychange", () => document.hidden || (tell(), ask()));

  document.addEventListener("DOMContentLoaded", () => {
    for (const part of all("[data-theme-toggle], [data-zone-toggle], .keys, .tick-all")) part.hidden = false;
    tell();
  });
  document.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-tick-all]")) return;
    for (const tick of all("[data-tick]")) tick.checked = target.checked;
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
    if (event.target.closest("[data-zone-toggle]")) return switchZone();
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await copy(button.dataset.copy || button.previousElementSibling.textContent);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
    }
    button.focus();
  });

  // Keys, unless somebody types or means the browser's own.
  const step = (by) => {
    const rows = [...all(".row-link")];
    const at = rows.indexOf(document.activeElement?.closest("tr")?.querySelector(".row-link"));
    rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
    return rows.length > 0;
  };
  const keys = {
    "/": () => document.querySelector(".find [type=search]")?.select(),
    r: () => location.reload(),
    t: switchTheme,
    z: switchZone,
    "?": () => document.querySelector(".help")?.showModal(),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
  };
  document.addEventListener("keydown", (event) => {
    const busy = event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]");
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
    if (busy || typing || !keys[event.key] || keys[event.key]() === false) return;
    event.preventDefault();
  });
})();
