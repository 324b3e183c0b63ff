"use strict";
// Without this script the page shows everything; with it, what is asked for.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const cards = [...document.querySelectorAll("section.card[data-namespace]")].map((node) => ({
    node,
    namespace: node.dataset.namespace,
    rows: [...node.querySelectorAll("tbody tr")].map((row) => ({ row, level: row.dataset.level, policy: row.dataset.policy, text: null })),
    title: node.querySelector("header").textContent.toLowerCase(),
  }));
  const total = cards.reduce((sum, card) => sum + card.rows.length, 0);
  const shown = form.querySelector("output");

  const apply = () => {
    const levels = new Set([...form.querySelectorAll("input[name=level]:checked")].map((box) => box.value));
    const policy = form.policy.selectedIndex > 0 ? form.policy.value : null;
    const namespace = form.namespace.selectedIndex > 0 ? form.namespace.value : null;
    const words = form.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const card of cards) {
      let here = 0;
      const inside = namespace === null || card.namespace === namespace;
      for (const item of card.rows) {
        let visible = inside && levels.has(item.level) && (policy === null || item.policy === policy);
        if (visible && words.length) {
          item.text ??= `${card.title} ${item.row.textContent.toLowerCase()}`;
          visible = words.every((word) => item.text.includes(word));
        }
        item.row.hidden = !visible;
        here += visible;
      }
      card.node.hidden = here === 0;
      count += here;
    }
    shown.value = `${count.toLocaleString("en")} of ${total.toLocaleString("en")} shown`;
  };

  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(apply, 80); });
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
