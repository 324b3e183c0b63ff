// Keys for who would rather not reach for the mouse. Every page reads and works without this file.
"use strict";
(() => {
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  const rows = () => [...document.querySelectorAll("tr[data-row]")];
  let chosen = -1;

  function choose(next) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement?.closest("tr[data-row]"));
    if (at >= 0 && at !== chosen) { next += at - chosen; all[chosen]?.classList.remove("chosen"); chosen = at; }
    all[chosen]?.classList.remove("chosen");
    chosen = Math.max(0, Math.min(next, all.length - 1));
    const row = all[chosen];
    row.classList.add("chosen");
    row.scrollIntoView({ block: "nearest" });
    row.querySelector("a")?.focus();
  }

  function help() {
    let dialog = document.getElementById("keys");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "keys";
      dialog.setAttribute("aria-labelledby", "keys-title");
      const title = Object.assign(document.createElement("h2"), { id: "keys-title", textContent: "Keys" });
      const list = document.createElement("dl");
      list.className = "facts";
      for (const [key, what] of [["/", "search"], ["j, k", "next, previous row"], ["Enter", "open the row"], ["g f", "fleet"], ["g i", "findings"], ["g w", "waivers"], ["Esc", "close this"]]) {
        list.append(Object.assign(document.createElement("dt"), { textContent: key }), Object.assign(document.createElement("dd"), { textContent: what }));
      }
      const close = Object.assign(document.createElement("button"), { textContent: "Close" });
      close.addEventListener("click", () => dialog.close());
      dialog.append(title, list, close);
      document.body.append(dialog);
    }
    if (!dialog.open) dialog.showModal();
  }

  const places = { f: "/", i: "/findings", w: "/waivers" };
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (going && places[event.key]) { location.href = places[event.key]; return; }
    going = event.key === "g";
    if (event.key === "/") { event.preventDefault(); document.getElementById("search")?.focus(); }
    else if (event.key === "j") choose(chosen + 1);
    else if (event.key === "k") choose(chosen - 1);
    else if (event.key === "?") help();
  });

  // The button beside a command copies it; without scripts there is none.
  function copies(root) {
    for (const code of root.querySelectorAll("[data-copy]:not([data-ready])")) {
      code.dataset.ready = "";
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
      button.setAttribute("aria-label", `Copy: ${code.dataset.copy || "the command"}`);
      button.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(code.textContent); button.textContent = "Copied"; }
        catch { getSelection().selectAllChildren(code); button.textContent = "Selected"; }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      code.after(button);
    }
  }
  copies(document);
  document.addEventListener("htmx:load", (event) => { chosen = -1; copies(event.target); });

  // A form marked so is sent when a choice in it changes; without scripts it has a button.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-eager]");
    if (form) form.requestSubmit();
  });
})();
