// What scripts add to a page: it may not jump while they wake up on a slow line, and photos get smaller before they are sent.
import { writeFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";
import { heavyPicture } from "../support/picture";
import { expect, signIn, test } from "../support/test";

// One page turns into the next here, as it does for most people.
test.use({ contextOptions: { reducedMotion: "no-preference" } });

declare global {
  interface Window {
    shifted: { value: number; what: string }[];
  }
}

/** How far a page may jump in all, by the goals. */
const CLS = 0.02;

/** Notes every jump of the page that nobody's finger caused. */
async function noteJumps(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.shifted = [];
    type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node?: Node }[] };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as Shift[]) {
        const what = entry.sources.map((source) => (source.node instanceof Element ? source.node.outerHTML : String(source.node?.textContent)).slice(0, 80)).join(" | ");
        if (!entry.hadRecentInput) window.shifted.push({ value: entry.value, what });
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

/** Opens a page whose wasm comes only when it has long been read. */
async function openSlowly(page: Page, path: string): Promise<void> {
  let release = (): void => undefined;
  const read = new Promise<void>((done) => (release = done));
  await page.route("**/*.wasm", async (route) => {
    await read;
    await route.continue();
  });
  await page.goto(path, { waitUntil: "load" });
  await expect(page.locator("leptos-island").first()).toBeAttached();
  await expect(page.locator("html")).not.toHaveAttribute("data-alive");
  await painted(page);
  release();
  await expect(page.locator("html")).toHaveAttribute("data-alive");
  await painted(page);
}

async function painted(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))));
}

async function stoodStill(page: Page): Promise<void> {
  const shifted = await page.evaluate(() => window.shifted);
  const sum = shifted.reduce((all, { value }) => all + value, 0);
  expect(sum, `${page.url()}: ${JSON.stringify(shifted)}`).toBeLessThanOrEqual(CLS);
}

async function repairForm(page: Page): Promise<string> {
  await page.goto("/repairs/new");
  const item = await page.locator("#item option").nth(1).getAttribute("value");
  return `/repairs/new?item=${item}&mode=bring_in`;
}

test("a class's page stands still while its seats come alive", async ({ page, as }) => {
  await as("customer");
  await noteJumps(page);
  await page.goto("/training");
  const path = await page.locator("main a.card-link[href^='/training/']").first().getAttribute("href");
  await openSlowly(page, path ?? "");
  await stoodStill(page);
});

test("the seats of a class change on the page while somebody else enrols", async ({ page, as, browser, server }) => {
  await as("customer");
  await page.goto("/training");
  const free = page.locator("main a.card-link[href^='/training/']").filter({ hasText: /\d+ seats left/ });
  const path = (await free.first().getAttribute("href")) ?? "";
  await page.goto(path);
  await expect(page.locator("html")).toHaveAttribute("data-alive");
  const badge = page.locator("leptos-island [aria-live] .badge");
  const left = Number(/\d+/.exec((await badge.textContent()) ?? "")?.[0]);
  let loads = 0;
  page.on("framenavigated", () => (loads += 1));
  const other = await browser.newContext();
  await signIn(other, server, "agent");
  const elsewhere = await other.newPage();
  await elsewhere.goto(server.url + path);
  await elsewhere.locator("#enrol button").click();
  await expect(elsewhere.locator("#cancel-enrolment")).toBeVisible();
  await expect(badge).toContainText(String(left - 1), { timeout: 15_000 });
  expect(loads, "without loading the page again").toBe(0);
  await other.close();
});

for (const path of ["/", "/purchases", "/training", "/repairs", "/cases", "/inbox", "/account"]) {
  test(`${path} stands still while it is read`, async ({ page, as }) => {
    await as("customer");
    await noteJumps(page);
    await page.goto(path, { waitUntil: "load" });
    await painted(page);
    await stoodStill(page);
  });
}

test("the form of a repair stands still while its help with photos comes alive", async ({ page, as }) => {
  await as("customer");
  await noteJumps(page);
  await openSlowly(page, await repairForm(page));
  await stoodStill(page);
});

test("a photo too heavy to be sent is made smaller on the phone, shown, and arrives", async ({ page, as }, info) => {
  test.slow();
  await as("customer");
  await page.goto(await repairForm(page));
  await expect(page.locator("html")).toHaveAttribute("data-alive");
  // What an earlier visit left with its draft is still there.
  const kept = page.locator("form > .photos img");
  const before = await kept.count();
  const heavy = heavyPicture(2600, 2100);
  expect(heavy.buffer.length).toBeGreaterThan(15 * 1024 * 1024);
  // From a file: so many bytes are no message to a browser.
  const file = info.outputPath(heavy.name);
  writeFileSync(file, heavy.buffer);
  await page.locator("#photos").setInputFiles(file);

  const preview = page.locator("leptos-island .photos img");
  await expect(preview).toHaveCount(1, { timeout: 30_000 });
  expect(await longestSide(preview)).toBe(2048);
  const chosen = await page.locator("#photos").evaluate((input: HTMLInputElement) => [...(input.files ?? [])].map((file) => ({ type: file.type, small: file.size < 15 * 1024 * 1024 })));
  expect(chosen).toEqual([{ type: "image/jpeg", small: true }]);

  await page.locator("button[name=do][value=photos]").click();
  await expect(kept).toHaveCount(before + 1);
  expect(await longestSide(kept.last())).toBe(2048);
  await expect(page.locator("#photos-fault")).toHaveCount(0);
});

test("a photo chosen before the scripts came is made smaller when they do", async ({ page, as }) => {
  test.slow();
  await as("customer");
  let release = (): void => undefined;
  const chosen = new Promise<void>((done) => (release = done));
  const path = await repairForm(page);
  await page.route("**/*.wasm", async (route) => {
    await chosen;
    await route.continue();
  });
  await page.goto(path);
  await page.locator("#photos").setInputFiles(heavyPicture(2100, 400));
  release();
  await expect(page.locator("leptos-island .photos img")).toHaveCount(1, { timeout: 30_000 });
  const types = await page.locator("#photos").evaluate((input: HTMLInputElement) => [...(input.files ?? [])].map((file) => file.type));
  expect(types).toEqual(["image/jpeg"]);
});

async function longestSide(image: Locator): Promise<number> {
  return image.evaluate(async (img: HTMLImageElement) => {
    await img.decode();
    return Math.max(img.naturalWidth, img.naturalHeight);
  });
}
