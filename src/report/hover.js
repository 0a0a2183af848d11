"use strict";
// Values under the pointer. The page is complete without it. (Written without the two characters that XML reserves.)
(function () {
  var tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.appendChild(tip);
  function read(path) {
    return path.dataset.values.split(";").map(function (pair) {
      var cut = pair.indexOf(":");
      return { x: Number(pair.slice(0, cut)), text: pair.slice(cut + 1) };
    });
  }
  document.querySelectorAll("svg.chart").forEach(function (chart) {
    var lines = Array.from(chart.querySelectorAll("path[data-values]")).map(function (path) {
      return { name: path.dataset.name, points: read(path), color: getComputedStyle(path).stroke };
    });
    var data = chart.dataset, low = Number(data.low), high = Number(data.high), left = Number(data.left), right = Number(data.right);
    var rule = document.createElementNS("http://www.w3.org/2000/svg", "path");
    rule.setAttribute("class", "rule");
    chart.appendChild(rule);
    function hide() { tip.hidden = true; rule.removeAttribute("d"); }
    chart.addEventListener("pointerleave", hide);
    chart.addEventListener("pointermove", function (event) {
      var box = chart.getBoundingClientRect(), scale = chart.viewBox.baseVal.width / box.width;
      var wanted = low + ((event.clientX - box.left) * scale - left) / (right - left) * (high - low);
      var nearest = null;
      lines.forEach(function (line) {
        line.points.forEach(function (point) {
          if (nearest === null || Math.abs(nearest - wanted) > Math.abs(point.x - wanted)) { nearest = point.x; }
        });
      });
      if (nearest === null) { return; }
      tip.textContent = "";
      var head = document.createElement("b");
      head.textContent = "iteration " + nearest;
      tip.appendChild(head);
      lines.forEach(function (line) {
        var point = line.points.find(function (p) { return p.x === nearest; });
        if (!point) { return; }
        var row = document.createElement("div"), mark = document.createElement("i");
        mark.style.background = line.color;
        row.appendChild(mark);
        row.appendChild(document.createTextNode((line.name ? line.name + " " : "") + point.text));
        tip.appendChild(row);
      });
      var x = left + (nearest - low) / (high - low) * (right - left);
      rule.setAttribute("d", "M" + x + " 0V" + (chart.viewBox.baseVal.height - 20));
      tip.hidden = false;
      var width = tip.offsetWidth, room = document.documentElement.clientWidth;
      tip.style.left = Math.max(4, Math.min(event.clientX + 14, room - width - 4)) + "px";
      tip.style.top = (event.clientY + 16) + "px";
    });
  });
})();
