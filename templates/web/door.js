"use strict";

// textual-serve's terminal marks the body when its connection has gone.
new MutationObserver(() => {
  const ended = document.getElementById("ended");
  if (document.body.classList.contains("-closed") && !ended.open) {
    ended.showModal();
  }
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });

document.getElementById("again").addEventListener("click", () => window.location.assign("/"));
