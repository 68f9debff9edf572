// The one file that operators install: its policy, its packed wasm, what a first and a second visit load.
import { expect, signIn, test } from "../support/test";

/** By the goals, in bytes as they go over the line. */
const SCRIPTS = 90 * 1024;
const PAGE_AND_STYLE = 25 * 1024;

test("the policy is strict on every kind of answer, and the nonce is nowhere but where it belongs", async ({ page, context, server }) => {
  await signIn(context, server, "customer");
  const doors = ["/", "/purchases", "/training", "/repairs/new", "/cases/new", "/account", "/no/such/page", "/sign-in"];
  for (const door of doors) {
    const answer = await page.goto(door);
    const policy = answer?.headers()["content-security-policy"] ?? "";
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
    expect(nonce.length, door).toBeGreaterThan(15);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval(?!')|\*/);
    const html = (await answer?.text()) ?? "";
    expect(html.replaceAll(`nonce="${nonce}"`, ""), `${door}: the nonce only in nonce=`).not.toContain(nonce);
    expect(html, `${door}: no style of its own`).not.toMatch(/ style="/);
  }
});

test("markup that somebody smuggled in runs nothing", async ({ browser, server }) => {
  // Its own browser: the refusal is said on the console.
  const context = await browser.newContext();
  await signIn(context, server, "customer");
  const page = await context.newPage();
  await page.goto(`${server.url}/account`);
  const refused = page.evaluate(() => new Promise<string>((done) => document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective), { once: true })));
  await page.evaluate(() => {
    const smuggled = document.createElement("div");
    smuggled.innerHTML = "<img src='/nothing.png' onerror='document.title = \"broken in\"'>";
    document.body.append(smuggled);
  });
  expect(await refused).toMatch(/^script-src/);
  expect(await page.title()).not.toBe("broken in");
  await context.close();
});

test("the packed wasm wakes the islands, and a first visit weighs what the goals allow", async ({ page, context, server }) => {
  await signIn(context, server, "customer");
  await page.goto("/training");
  const path = (await page.locator("main a.card-link[href^='/training/']").first().getAttribute("href")) ?? "";
  const sizes = new Map<string, number>();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  const urls = new Map<string, string>();
  devtools.on("Network.responseReceived", ({ requestId, response }) => urls.set(requestId, new URL(response.url).pathname));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(urls.get(requestId) ?? "", encodedDataLength));
  await page.goto(path);
  await expect(page.locator("html")).toHaveAttribute("data-alive");
  const of = (what: RegExp): number => [...sizes].filter(([url]) => what.test(url)).reduce((all, [, size]) => all + size, 0);
  const scripts = of(/\.(wasm|js)$/);
  const page_and_style = of(/\.css$/) + (sizes.get(path) ?? 0);
  test.info().annotations.push({ type: "bytes", description: `scripts ${scripts}, page and style ${page_and_style}` });
  expect(scripts).toBeGreaterThan(0);
  expect(scripts).toBeLessThanOrEqual(SCRIPTS);
  expect(page_and_style).toBeLessThanOrEqual(PAGE_AND_STYLE);
});

test("a second visit loads no asset again", async ({ page, context, server }) => {
  await signIn(context, server, "customer");
  await page.goto("/training");
  const path = (await page.locator("main a.card-link[href^='/training/']").first().getAttribute("href")) ?? "";
  await page.goto(path);
  await expect(page.locator("html")).toHaveAttribute("data-alive");
  const again: string[] = [];
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  const cached = new Set<string>();
  devtools.on("Network.requestServedFromCache", ({ requestId }) => cached.add(requestId));
  devtools.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.url.includes("/assets/") && !cached.has(requestId) && !response.fromDiskCache) again.push(response.url);
  });
  await page.goto("/training");
  await page.goto(path);
  await expect(page.locator("html")).toHaveAttribute("data-alive");
  expect(again).toEqual([]);
});

test("what is asked for in brotli comes in brotli, for good", async ({ page, server }) => {
  await page.goto("/sign-in");
  const style = await page.locator("link[rel=stylesheet]").getAttribute("href");
  const answer = await fetch(server.url + style, { headers: { "accept-encoding": "br" } });
  expect(answer.headers.get("content-encoding")).toBe("br");
  expect(answer.headers.get("cache-control")).toContain("immutable");
  expect((await answer.text()).length).toBeGreaterThan(1000);
});
