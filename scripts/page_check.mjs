// Called by scripts/page-check.sh: node page_check.mjs LIVE FINISHED REPORT PID FOLDER
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [live, finished, report, pid, folder] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "page-check-"));
const flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM,
  args: flags.split(" "),
  viewport: { width: 1100, height: 900 },
});
let passed = 0;
async function check(what, work) {
  try {
    await work();
  } catch (error) {
    console.error(`FAILED: ${what}`);
    throw error;
  }
  passed += 1;
  console.log(`ok: ${what}`);
}

// A page, with all that it says that it should not: errors, and what it asks of others.
async function open(address) {
  const page = await browser.newPage();
  const wrong = [];
  const origin = address.startsWith("file:") ? "file://" : new URL(address).origin;
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) { wrong.push(`console: ${message.text()}`); } });
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("request", (request) => { if (!request.url().startsWith(origin)) { wrong.push(`asks ${request.url()}`); } });
  page.on("response", (response) => { if (response.status() >= 400) { wrong.push(`${response.status()} ${response.url()}`); } });
  await page.goto(address);
  return { page, wrong };
}
const shot = (page, name, fullPage = true) => page.screenshot({ path: join(folder, `${name}.png`), fullPage });
const focused = (page) => page.evaluate(() => {
  const here = document.activeElement;
  return here.id || here.className.baseVal || here.className || here.getAttribute("href") || here.tagName;
});
// With Tab to the first element that matches.
async function tabTo(page, selector, most = 200) {
  for (let step = 0; step < most; step += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) { return; }
  }
  assert.fail(`no ${selector} within ${most} steps of the Tab key, but ${await focused(page)}`);
}
const points = (page) => page.evaluate(() => {
  const paths = Array.from(document.querySelectorAll("#curves svg.chart path[data-values]"));
  return Math.max(0, ...paths.map((path) => path.dataset.values.split(";").length));
});
const until = (page, test, argument) => page.waitForFunction(test, argument, { timeout: 60000, polling: 100 });
const grown = (page, before) => until(page, (before) => {
  const paths = Array.from(document.querySelectorAll("#curves svg.chart path[data-values]"));
  return Math.max(0, ...paths.map((path) => path.dataset.values.split(";").length)) > before;
}, before);

async function draws(page) {
  const charts = await page.$$eval("svg.chart", (all) => all.map((chart) => {
    const box = chart.getBoundingClientRect();
    return { width: box.width, height: box.height, marks: chart.querySelectorAll("path[d], circle").length, title: chart.querySelector("title").textContent };
  }));
  assert.ok(charts.length >= 10, `${charts.length} charts`);
  for (const chart of charts) { assert.ok(chart.width > 100 && chart.height > 60 && chart.marks > 0, JSON.stringify(chart)); }
  assert.ok(charts.some((chart) => chart.title.startsWith("Entropy in its corridor")));
}

// What a WCAG audit would ask of colours: 4.5 to 1 for text.
const contrasts = (page) => page.evaluate(() => {
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) { return color; }
    }
    return [255, 255, 255];
  };
  const low = [];
  document.querySelectorAll("body *").forEach((node) => {
    const text = Array.from(node.childNodes).some((child) => child.nodeType === 3 && child.nodeValue.trim());
    if (!text || !node.getClientRects().length || node.closest("svg, script, style")) { return; }
    const [a, b] = [light(parts(getComputedStyle(node).color)), light(ground(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) { low.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)} ${node.textContent.slice(0, 30)}`); }
  });
  return low;
});

async function narrow(page, name) {
  await page.setViewportSize({ width: 360, height: 740 });
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(size[0] <= size[1], `the page is ${size[0]} wide in a window of ${size[1]}`);
  const small = await page.$$eval("button, summary", (all) => all.filter((one) => one.getClientRects().length && one.getBoundingClientRect().height < 24).length);
  assert.equal(small, 0, "places to press are at least 24 high");
  await shot(page, `${name}-narrow`);
  await page.setViewportSize({ width: 1100, height: 900 });
}

async function dark(page, name) {
  for (const scheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme: scheme });
    const ground = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number));
    assert.ok(scheme === "dark" ? Math.max(...ground) < 60 : Math.min(...ground) > 200, `${scheme}: ${ground}`);
    assert.deepEqual(await contrasts(page), [], `${scheme}: text that is hard to see`);
    await shot(page, `${name}-${scheme}`);
  }
}

async function keyboard(page) {
  await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 0); });
  await tabTo(page, "nav a");
  await tabTo(page, "svg.chart");
  const tip = page.locator(".tip");
  assert.ok(await tip.isVisible(), "a chart that has the focus says its last values");
  const last = await tip.textContent();
  await page.keyboard.press("ArrowLeft");
  const earlier = await tip.textContent();
  assert.match(earlier, /^iteration \d+/);
  assert.notEqual(earlier, last);
  await page.keyboard.press("Home");
  assert.match(await tip.textContent(), /^iteration [01](?!\d)/);
  await page.keyboard.press("Escape");
  assert.ok(!(await tip.isVisible()));
  // Not one of the latest episodes, which others take the place of while the run goes on.
  await tabTo(page, "#pipelines summary, #episodes summary");
  const state = () => page.evaluate(() => document.activeElement.parentElement.open);
  const before = await state();
  await page.keyboard.press("Enter");
  assert.equal(await state(), !before, "Enter opens and shuts");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "what has the focus is seen to have it");
}

// A run that goes on.
{
  const { page, wrong } = await open(live);
  await check("the page of a run draws", async () => {
    assert.equal(await page.textContent("h1"), "A corridor");
    assert.equal(await page.textContent(".state b"), "running");
    await draws(page);
    assert.ok((await page.$$("#latest details")).length > 0);
    assert.match(await page.textContent("#latest"), /score/);
    assert.match(await page.textContent("#stages"), /\/4000 iterations.*about .* left/);
  });
  await check("it is brought up to date while one looks", async () => {
    await page.evaluate(() => { window.same = document.querySelector("h1"); });
    for (let round = 0; round < 3; round += 1) { await grown(page, await points(page)); }
    assert.ok(await page.evaluate(() => window.same === document.querySelector("h1")), "it is the same page");
  });
  await check("the pointer finds values, also in what was drawn anew", async () => {
    const chart = await page.locator("#curves svg.chart").first();
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    assert.match(await page.textContent(".tip"), /^iteration \d+/);
    await page.mouse.move(2, 2);
  });
  await check("the keyboard", () => keyboard(page));
  await check("the focus stays where it is", async () => {
    await page.evaluate(() => document.activeElement.blur());
    await tabTo(page, "#curves svg.chart");
    await page.evaluate(() => { window.focused = document.activeElement; window.at = scrollY; });
    await grown(page, await points(page));
    assert.ok(await page.evaluate(() => window.focused === document.activeElement && window.focused.isConnected && window.at === scrollY));
  });
  await check("an episode that is read stays", async () => {
    await page.locator("#latest details").nth(1).locator("summary").focus();
    await page.keyboard.press("Enter");
    const key = await page.evaluate(() => document.activeElement.parentElement.dataset.key);
    const first = await page.getAttribute("#latest details", "data-key");
    await page.evaluate(() => document.activeElement.blur());
    await until(page, ([key, first]) => {
      const keys = Array.from(document.querySelectorAll("#latest details")).map((one) => one.dataset.key);
      return keys.includes(key) && !keys.includes(first);
    }, [key, first]);
    assert.ok(await page.evaluate((key) => document.querySelector(`[data-key="${key}"]`).open, key));
    await page.locator(`[data-key="${key}"] > summary`).press("Enter");
    await page.evaluate(() => document.activeElement.blur());
    await until(page, (key) => !document.querySelector(`[data-key="${key}"]`), key);
  });
  await check("it can be paused, with the keyboard", async () => {
    await page.focus("#pause");
    await page.keyboard.press("Space");
    assert.equal(await page.getAttribute("#pause", "aria-pressed"), "true");
    const before = await points(page);
    await until(page, () => document.getElementById("connection").textContent.includes("news"));
    assert.equal(await points(page), before);
    await page.keyboard.press("Space");
    await grown(page, before);
  });
  await check("a narrow window", () => narrow(page, "live"));
  await check("dark and light", () => dark(page, "live"));
  await check("no page of a stranger can look", async () => {
    const server = createServer((_, response) => { response.setHeader("content-type", "text/html"); response.end("<!DOCTYPE html><title>stranger</title>"); });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    const stranger = await browser.newPage();
    for (const host of ["127.0.0.1", "localhost"]) {
      await stranger.goto(`http://${host}:${server.address().port}/`);
      const got = await stranger.evaluate(async (live) => {
        const found = [];
        const element = (name, address) => new Promise((done) => {
          const node = document.createElement(name);
          node.onload = () => done("loaded");
          node.onerror = () => done("refused");
          node.src = address;
          document.body.appendChild(node);
        });
        for (const path of ["", "events", "page.js"]) {
          found.push(await fetch(live + path).then((answer) => answer.text(), () => "refused"));
          found.push(await fetch(live + path, { mode: "no-cors" }).then((answer) => answer.text(), () => "refused"));
        }
        found.push(await element("script", `${live}page.js`));
        await element("iframe", live);
        let inside = "refused";
        try { inside = frames[0].document.body.textContent; } catch { /* what is expected */ }
        found.push(inside);
        return found;
      }, live);
      assert.ok(got.every((one) => one === "refused" || one === ""), JSON.stringify(got));
    }
    await stranger.close();
    server.close();
  });
  await check("the end of the run is seen", async () => {
    process.kill(Number(pid), "SIGTERM");
    await until(page, () => document.querySelector(".state b").textContent === "interrupted");
    assert.match(await page.title(), /^stopped: /);
  });
  await check("no error in the console, and nothing asked of others", async () => assert.deepEqual(wrong, []));
  await page.close();
}

// What is finished: by its server, and as a file.
for (const [name, address] of [["finished", finished], ["report", pathToFileURL(report).href]]) {
  const { page, wrong } = await open(address);
  await check(`${name}: draws`, async () => {
    await draws(page);
    assert.match(await page.textContent("#results"), /after A corridor/);
    assert.match(await page.textContent("#curves"), /Thin lines: single seeds/);
  });
  await check(`${name}: the keyboard`, () => keyboard(page));
  await check(`${name}: a narrow window`, () => narrow(page, name));
  await check(`${name}: dark and light`, () => dark(page, name));
  await check(`${name}: no error in the console, and nothing asked of others`, async () => assert.deepEqual(wrong, []));
  await page.close();
}
await browser.close();
rmSync(profile, { recursive: true, force: true });
console.log(`${passed} checks; screenshots in ${folder}`);
