import type { Page } from "@playwright/test";

/** The link of a feedback request, as it stands in some customer's mail; the `nth` one that is still open. */
export async function openQuestion(page: Page, taken: Set<string>): Promise<string> {
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
