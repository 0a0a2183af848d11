"use strict";
// Values under the pointer, and with the arrow keys in a chart that has the focus. The page is complete without it. (Written without the two characters that
// XML reserves. Nothing is kept of a chart but what it says itself: it may be drawn anew at any time.)
(function () {
  var tip = document.createElement("div"), shown = null, read = new WeakMap();
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.appendChild(tip);
  function pairs(path) {
    var known = read.get(path), values = path.dataset.values;
    if (known) { if (known.values === values) { return known.points; } }
    var points = new Map(values.split(";").map(function (pair) {
      var cut = pair.indexOf(":");
      return [Number(pair.slice(0, cut)), pair.slice(cut + 1)];
    }));
    read.set(path, { values: values, points: points });
    return points;
  }
  function lines(chart) {
    return Array.from(chart.querySelectorAll("path[data-values]")).map(function (path) {
      return { name: path.dataset.name, points: pairs(path), color: getComputedStyle(path).stroke };
    });
  }
  function places(all) {
    var found = new Set();
    all.forEach(function (line) { line.points.forEach(function (_, x) { found.add(x); }); });
    return Array.from(found).sort(function (a, b) { return a - b; });
  }
  function scale(chart) {
    var data = chart.dataset, box = chart.getBoundingClientRect();
    var low = Number(data.low), left = Number(data.left), step = (Number(data.right) - left) / (Number(data.high) - low);
    var unit = box.width / chart.viewBox.baseVal.width;
    return {
      box: box,
      value: function (at) { return low + ((at - box.left) / unit - left) / step; },
      inside: function (value) { return left + (value - low) * step; },
      outside: function (value) { return box.left + (left + (value - low) * step) * unit; }
    };
  }
  function hide() {
    tip.hidden = true;
    if (shown) { if (shown.rule) { shown.rule.remove(); } }
    shown = null;
  }
  function show(chart, x, all, at) {
    hide();
    var rule = document.createElementNS("http://www.w3.org/2000/svg", "path");
    rule.setAttribute("class", "rule");
    rule.setAttribute("d", "M" + scale(chart).inside(x) + " 0V" + (chart.viewBox.baseVal.height - 20));
    chart.appendChild(rule);
    shown = { chart: chart, x: x, rule: rule };
    tip.textContent = "";
    var head = document.createElement("b");
    head.textContent = "iteration " + x;
    tip.appendChild(head);
    all.forEach(function (line) {
      var text = line.points.get(x);
      if (text === undefined) { return; }
      var row = document.createElement("div"), mark = document.createElement("i");
      mark.style.background = line.color;
      row.appendChild(mark);
      row.appendChild(document.createTextNode((line.name ? line.name + " " : "") + text));
      tip.appendChild(row);
    });
    tip.hidden = false;
    var width = tip.offsetWidth, room = document.documentElement.clientWidth;
    tip.style.left = Math.max(4, Math.min(at.x + 14, room - width - 4)) + "px";
    tip.style.top = (at.y + 16) + "px";
  }
  function chartOf(target) { return target.closest ? target.closest("svg.chart[data-low]") : null; }
  document.addEventListener("pointermove", function (event) {
    var chart = chartOf(event.target);
    if (!chart) {
      if (shown) { if (shown.chart !== document.activeElement) { hide(); } }
      return;
    }
    var all = lines(chart), wanted = scale(chart).value(event.clientX), nearest = null;
    places(all).forEach(function (x) {
      if (nearest === null || Math.abs(nearest - wanted) > Math.abs(x - wanted)) { nearest = x; }
    });
    if (nearest !== null) { show(chart, nearest, all, { x: event.clientX, y: event.clientY }); }
  });
  document.documentElement.addEventListener("pointerleave", hide);
  function step(chart, key) {
    var all = lines(chart), known = places(all), last = known.length - 1, here = last;
    if (last === -1) { return; }
    if (shown) { if (shown.chart === chart) { if (known.indexOf(shown.x) !== -1) { here = known.indexOf(shown.x); } } }
    if (key === "ArrowLeft") { here = Math.max(0, here - 1); }
    if (key === "ArrowRight") { here = Math.min(last, here + 1); }
    if (key === "Home") { here = 0; }
    if (key === "End") { here = last; }
    var place = scale(chart);
    show(chart, known[here], all, { x: place.outside(known[here]), y: place.box.top });
  }
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") { hide(); }
    var chart = chartOf(event.target);
    if (!chart || event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (["ArrowLeft", "ArrowRight", "Home", "End"].indexOf(event.key) === -1) { return; }
    event.preventDefault();
    step(chart, event.key);
  });
  document.addEventListener("focusin", function (event) {
    var chart = chartOf(event.target);
    if (!chart) { return; }
    if (chart.matches(":focus-visible")) { step(chart, ""); }
  });
  document.addEventListener("focusout", hide);
})();
