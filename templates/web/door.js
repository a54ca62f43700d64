"use strict";

// textual-serve's terminal makes its input when the page has loaded, and does not give it the focus.
function type() {
  const input = document.querySelector("#terminal textarea");
  if (input && document.body.classList.contains("-loaded") && !document.body.classList.contains("-closed")) {
    input.focus();
  }
}

window.addEventListener("focus", type);

// It marks the body when its connection is there, and when it has gone.
new MutationObserver(() => {
  const ended = document.getElementById("ended");
  const marks = document.body.classList;
  if (marks.contains("-closed") && !ended.open) {
    ended.showModal();
  } else if (marks.contains("-loaded") && document.activeElement === document.body) {
    type();
  }
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });

document.getElementById("again").addEventListener("click", () => window.location.assign("/"));
