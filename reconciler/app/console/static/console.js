"use strict";
// Keeps a page equal to the server's: it is told that something changed, and asks for the page again. Without it every page is whole.
// And keys: `/` searches, `?` shows which keys there are. And times: in the zone of who reads them.
const zoned = (() => {
  const two = n => String(n).padStart(2, "0");
  const day = at => at.toLocaleDateString("en-GB", {day: "2-digit", month: "short"});
  const forms = {
    time: at => `${two(at.getHours())}:${two(at.getMinutes())}`,
    seconds: at => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    day,
    both: at => `${day(at)} ${two(at.getHours())}:${two(at.getMinutes())}`,
    full: at => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())} ${zone(at)}`,
  };
  const zone = at => { const m = -at.getTimezoneOffset(); return m ? `UTC${m < 0 ? "−" : "+"}${two(Math.floor(Math.abs(m) / 60))}:${two(Math.abs(m) % 60)}` : "UTC"; };
  return () => {
    for (const e of document.querySelectorAll("time[datetime]")) {
      const at = new Date(e.dateTime), utc = e.title;
      if (isNaN(at) || e.dataset.zoned) continue;
      e.dataset.zoned = "1";
      const here = forms.full(at);
      e.title = here === utc ? utc : `${here} (${utc})`;
      if (e.dataset.form) e.textContent = here;
    }
    for (const e of document.querySelectorAll("[data-at]")) {
      const at = new Date(e.dataset.at);
      if (!isNaN(at)) e.textContent = forms[e.dataset.form](at) + (e.dataset.rest || "");
    }
    const name = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.getElementById("zone").textContent = name === "UTC" ? "Times are UTC" : `Times are those of ${name || "this machine"} (${zone(new Date())})`;
  };
})();
zoned();
(() => {
  const keys = () => document.getElementById("keys");
  const typing = e => e.target.closest("input, textarea, select, [contenteditable]") || e.ctrlKey || e.metaKey || e.altKey;
  const press = {
    "/": () => { const e = document.querySelector("main input[type=search]"); if (e) { e.focus(); e.select(); } else location.assign(document.querySelector(".brand").href + "#q"); },
    "?": () => keys().open ? keys().close() : keys().showModal(),
  };
  addEventListener("keydown", e => { if (!e.isComposing && !typing(e) && Object.hasOwn(press, e.key)) { e.preventDefault(); press[e.key](); } });
  document.getElementById("hint").hidden = false;
  if (location.hash === "#q") { const e = document.getElementById("q"); if (e) e.focus(); }
})();
(() => {
  if ("still" in document.querySelector("main").dataset) return;
  const TICK = 20000;
  const here = location.pathname + location.search;
  const light = () => document.getElementById("live");
  let lost = false, asking = false, again = false;

  const say = (text, bad) => {
    const place = light();
    if (place && place.textContent !== text) place.textContent = text;
    if (place) place.classList.toggle("lost", bad);
  };

  const swap = text => {
    const news = new DOMParser().parseFromString(text, "text/html");
    const focused = document.activeElement && document.activeElement.getAttribute("href");
    const parts = () => [...document.querySelectorAll("main details")].map((e, place) => [e, `${place} ${e.querySelector("summary").textContent}`]);
    const before = new Map(parts().map(([e, name]) => [name, e.open]));
    for (const part of ["main", ".notices"]) {
      const old = document.querySelector(part), after = news.querySelector(part);
      if (old && after) old.replaceWith(after);
      else if (old) old.remove();
      else if (after) document.querySelector(".top").after(after);
    }
    const where = document.querySelector(".where"), after = news.querySelector(".where");
    if (where && after) { where.replaceWith(after); say(lost ? "not live, trying again" : "live", lost); }
    zoned();
    for (const [e, name] of parts()) if (before.has(name)) e.open = before.get(name);
    if (focused) { const e = document.querySelector(`main a[href="${CSS.escape(focused)}"]`); if (e) e.focus({preventScroll: true}); }
  };

  const busy = () => document.activeElement && document.activeElement.closest("main form") || !getSelection().isCollapsed;

  const refresh = async () => {
    if (document.hidden || busy()) { again = true; return; }
    if (asking) { again = true; return; }
    asking = true; again = false;
    let failed = false;
    try {
      const answer = await fetch(here, {headers: {Accept: "text/html"}, cache: "no-store"});
      const text = await answer.text();
      if (!busy()) swap(text);
    } catch { failed = true; }
    asking = false;
    if (again && !failed) refresh();
  };

  const stream = new EventSource("/live?of=" + encodeURIComponent(here) + "&at=" + encodeURIComponent(document.querySelector("main").dataset.digest || ""));
  stream.addEventListener("open", () => { const back = lost; lost = false; say("live", false); if (back) refresh(); });
  stream.addEventListener("changed", refresh);
  stream.addEventListener("error", () => { lost = true; say(stream.readyState === 2 ? "not live, load it again" : "not live, trying again", true); });
  addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("focusout", () => { if (again) setTimeout(refresh, 200); });
  setInterval(() => { if (!lost) refresh(); }, TICK);
})();
