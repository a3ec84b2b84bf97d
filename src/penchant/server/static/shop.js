// What htmx leaves to the page: where the focus goes when its button left with its item, and a word when nobody answers.
"use strict";

(() => {
  let held = null;

  document.addEventListener("htmx:before:request", () => {
    const button = document.activeElement;
    const card = button && button.closest(".card");
    held = card
      ? { list: card.closest(".list").id, place: [...card.parentNode.children].indexOf(card), act: button.dataset.act }
      : null;
  });

  document.addEventListener("htmx:after:swap", () => {
    const lost = !document.activeElement || document.activeElement === document.body;
    if (!held || !lost) return;
    const list = document.getElementById(held.list);
    const cards = list ? [...list.querySelectorAll(".card")] : [];
    const card = cards[Math.min(held.place, cards.length - 1)];
    const next = card && card.querySelector(`[data-act="${held.act}"]`);
    (next || list || document.getElementById("main")).focus({ preventScroll: true });
    held = null;
  });

  document.addEventListener("htmx:error", (event) => {
    if (event.detail && event.detail.ctx && event.detail.ctx.response) return;
    document.getElementById("status").textContent = "The server does not answer. Nothing was changed; try again.";
  });
})();
