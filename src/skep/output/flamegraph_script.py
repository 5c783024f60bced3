"""What makes a flame graph answer to the mouse: zoom and search, in the SVG itself."""

from __future__ import annotations

SCRIPT = """
"use strict";
(function () {
  var svg = document.documentElement;
  var frames = [].slice.call(svg.querySelectorAll("g.f"));
  var width = +svg.getAttribute("data-width"), left = +svg.getAttribute("data-left");
  var all = +svg.getAttribute("data-total"), zoomed = null;
  var found = document.getElementById("found");
  function number(frame, name) { return +frame.getAttribute("data-" + name); }
  function nameOf(frame) { return frame.getAttribute("data-name"); }
  function place(frame, x, w) {
    var rect = frame.querySelector("rect"), text = frame.querySelector("text");
    var room = Math.floor((w - 4) / 7), name = nameOf(frame);
    rect.setAttribute("x", x.toFixed(2));
    rect.setAttribute("width", w.toFixed(2));
    text.setAttribute("x", (x + 3).toFixed(2));
    text.textContent = room < 3 ? "" :
      name.length <= room ? name : name.slice(0, room - 2) + "..";
  }
  function zoom(target) {
    var x0 = number(target, "x"), w0 = number(target, "w"), d0 = number(target, "d");
    zoomed = d0 ? target : null;
    frames.forEach(function (frame) {
      var x = number(frame, "x"), w = number(frame, "w"), d = number(frame, "d");
      var outer = d < d0 && x <= x0 && x + w >= x0 + w0;
      var inner = d >= d0 && x >= x0 && x + w <= x0 + w0;
      frame.style.display = outer || inner ? "" : "none";
      frame.style.opacity = outer ? 0.5 : 1;
      if (outer) { place(frame, left, width); }
      if (inner) { place(frame, left + (x - x0) / w0 * width, w / w0 * width); }
    });
    document.getElementById("reset").style.display = zoomed ? "" : "none";
  }
  function search(term) {
    var test = null, end = -1, sum = 0;
    try { test = term ? new RegExp(term) : null; }
    catch (error) { test = {test: function (n) { return n.indexOf(term) >= 0; }}; }
    frames.slice().sort(function (a, b) {
      return number(a, "x") - number(b, "x") || number(a, "d") - number(b, "d");
    }).forEach(function (frame) {
      var rect = frame.querySelector("rect");
      var is = test && number(frame, "d") > 0 && test.test(nameOf(frame));
      var fill = is ? "rgb(230,0,230)" : frame.getAttribute("data-fill");
      rect.setAttribute("fill", fill);
      if (is && number(frame, "x") >= end) {
        sum += number(frame, "w");
        end = number(frame, "x") + number(frame, "w");
      }
    });
    found.textContent = test ? "matched: " + (100 * sum / all).toFixed(1) + "%" : "";
  }
  function ask() {
    var term = window.prompt("Search (regular expression; empty to clear)", "");
    if (term !== null) { search(term); }
  }
  frames.forEach(function (frame) {
    frame.addEventListener("click", function () { zoom(frame); });
  });
  document.getElementById("reset").addEventListener("click", function () {
    zoom(frames[0]);
  });
  document.getElementById("search").addEventListener("click", ask);
  window.addEventListener("keydown", function (event) {
    if (event.key === "F3" || ((event.ctrlKey || event.metaKey) && event.key === "f")) {
      event.preventDefault();
      ask();
    }
    if (event.key === "Escape") { zoom(frames[0]); search(""); }
  });
})();
"""
"""Frames are placed by their counts (data-x, data-w) and depths (data-d); text from the
traced system is only ever set as text."""
