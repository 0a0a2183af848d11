"use strict";
// Puts what the server sends of a run that goes on into the place of what the page shows. What the reader has done stays: the focus, what is open, where a table
// was scrolled to, an episode that is being read.
(function () {
  var controls = document.getElementById("controls"), pause = document.getElementById("pause"), connection = document.getElementById("connection");
  var held = new Map(), paused = false, revision = document.body.dataset.revision;
  controls.hidden = false;

  // An episode that the reader has opened.
  document.addEventListener("click", function (event) {
    var summary = event.target.closest ? event.target.closest("details[data-key] > summary") : null;
    if (summary && !summary.parentNode.open) { summary.parentNode.setAttribute("data-read", ""); }
    if (summary && summary.parentNode.open) { summary.parentNode.removeAttribute("data-read"); }
  });

  function isRead(node) {
    return node.nodeType === 1 && node.open && (node.hasAttribute("data-read") || node.matches(":hover") || node.contains(document.activeElement));
  }
  function keyOf(node) { return node.nodeType === 1 ? node.id || node.getAttribute("data-key") : null; }
  function alike(old, next) { return old.nodeType === next.nodeType && old.nodeName === next.nodeName && keyOf(old) === keyOf(next); }

  function attributes(old, next) {
    Array.from(next.attributes).forEach(function (one) {
      if (one.name === "open") { return; }
      if (old.getAttribute(one.name) !== one.value) { old.setAttribute(one.name, one.value); }
    });
    Array.from(old.attributes).forEach(function (one) {
      if (one.name !== "open" && one.name !== "data-read" && !next.hasAttribute(one.name)) { old.removeAttribute(one.name); }
    });
  }

  function morph(old, next) {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== next.nodeValue) { old.nodeValue = next.nodeValue; }
      return;
    }
    if (old.isEqualNode(next)) { return; }
    attributes(old, next);
    var keyed = new Map();
    Array.from(old.childNodes).forEach(function (child) { if (keyOf(child)) { keyed.set(keyOf(child), child); } });
    var at = old.firstChild;
    Array.from(next.childNodes).forEach(function (child) {
      var known = keyOf(child) ? keyed.get(keyOf(child)) : null;
      // What is no longer sent goes, but for what is being read.
      while (at && !known && keyOf(at) && isRead(at)) { at = at.nextSibling; }
      if (known && alike(known, child)) {
        if (known !== at) { old.insertBefore(known, at); } else { at = at.nextSibling; }
        morph(known, child);
      } else if (at && alike(at, child)) {
        var here = at;
        at = at.nextSibling;
        morph(here, child);
      } else {
        old.insertBefore(child, at);
      }
    });
    while (at) {
      var gone = at;
      at = at.nextSibling;
      if (!isRead(gone)) { gone.remove(); }
    }
  }

  function put(part) {
    var old = document.getElementById(part.id), holder = document.createElement("template");
    holder.innerHTML = part.html;
    if (old && holder.content.firstElementChild) { morph(old, holder.content.firstElementChild); }
  }

  function say(words) { connection.textContent = words; }

  function hear(event) {
    var news = JSON.parse(event.data);
    revision = event.lastEventId;
    document.title = news.title;
    news.parts.forEach(function (part) { if (paused) { held.set(part.id, part); } else { put(part); } });
    say(paused ? "paused; there is news" : "");
  }

  function connect() {
    var source = new EventSource("events?have=" + encodeURIComponent(revision));
    source.addEventListener("open", function () { if (!paused) { say(""); } });
    source.addEventListener("parts", hear);
    source.addEventListener("error", function () {
      say("connection lost; it is tried again");
      if (source.readyState === EventSource.CLOSED) { setTimeout(connect, 3000); }
    });
    // A page that is put away and taken out again does not hear of what went on.
    addEventListener("pagehide", function () { source.close(); }, { once: true });
  }

  pause.addEventListener("click", function () {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    say(paused ? "paused" : "");
    if (!paused) { held.forEach(put); held.clear(); }
  });
  addEventListener("pageshow", function (event) { if (event.persisted) { connect(); } });
  connect();
})();
