import type { Page } from "@playwright/test";
import { expect, test } from "../support/test";

/** The link of a feedback request, as it stands in some customer's mail; the `nth` one that is still open. */
async function openQuestion(page: Page, taken: Set<string>): Promise<string> {
  await page.goto("/demo/mail");
  for (let pages = 0; pages < 10; pages += 1) {
    const mails = await page.locator("main a[href^='/demo/mail/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    const next = await page.locator("a[rel=next]").getAttribute("href", { timeout: 500 }).catch(() => null);
    for (const mail of mails) {
      await page.goto(mail);
      const link = page.locator("main a[href*='/rate/']");
      if ((await link.count()) === 0) continue;
      const href = new URL((await link.first().getAttribute("href")) ?? "", page.url()).pathname;
      if (taken.has(href)) continue;
      await page.goto(href);
      if ((await page.locator("#rate").count()) > 0 && (await page.locator("#rate input:checked").count()) === 0) return href;
    }
    if (!next) break;
    await page.goto(next);
  }
  throw new Error("no open question in the mail of the demo");
}

const taken = new Set<string>();

test("an answer without a score is asked again", async ({ page }) => {
  await openQuestion(page, taken);
  await page.locator("#rate").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.locator("#rate button").click();
  await expect(page.getByRole("alert")).toBeVisible();
});

test("one tap rates, without signing in; words can follow", async ({ page }) => {
  const href = await openQuestion(page, taken);
  taken.add(href);
  // Opening the link (twice) changed nothing.
  await page.goto(href);
  expect(await page.locator("#rate input:checked").count()).toBe(0);
  await page.locator("#rate input[type=radio]").nth(4).check();
  await page.locator("#rate button").click();
  await expect(page.locator(".alert[data-tone=good]")).toBeVisible();
  await page.locator("#rate [name=words]").fill("Kind and quick. Ačiū!");
  await page.locator("#rate button").click();
  await page.goto(href);
  await expect(page.locator("#rate [name=words]")).toHaveValue("Kind and quick. Ačiū!");
});

test("a link that is none says so and leads to people", async ({ page }) => {
  const answer = await page.goto("/rate/not-a-token");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});
