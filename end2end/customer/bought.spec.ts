// What somebody bought: found, narrowed, paged through, explained, and claimed by its order.
import { enterAs, importPurchases, newestLetter } from "../support/command";
import { expect, test } from "../support/test";

test("many purchases are searched, narrowed to what is covered, and paged through", async ({ page, context, server }, info) => {
  const who = `many-${info.project.name}-${info.workerIndex}@example.com`;
  const order = `MANY-${info.project.name}`;
  const rows = Array.from({ length: 45 }, (_, n) => {
    const day = n < 5 ? "2026-11-0" + (n + 1) : `2019-01-${String((n % 28) + 1).padStart(2, "0")}`;
    return `${order}-${n},${who},Many Things,${day},${day},Kettle No. ${n},goods,LT,${order}-S${n},${n < 5 ? 24 : 0}`;
  });
  importPurchases(server, order, rows);
  await enterAs(page, context, server, who);
  await page.goto("/purchases");
  const cards = page.locator("main a.card-link");
  const seen = new Set<string>();
  for (let pages = 1; pages <= 4; pages++) {
    for (const href of await cards.evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""))) seen.add(href);
    const next = page.locator("a[rel=next]");
    if ((await next.count()) === 0) break;
    await next.click();
    await expect(page).toHaveURL(/after=/);
  }
  expect(seen.size, "every purchase once, over the pages").toBe(45);

  await page.goto("/purchases");
  await page.locator("a[href='/purchases?covered=yes']").click();
  await expect(cards).toHaveCount(5);
  await page.getByRole("searchbox").fill("No. 3");
  await page.getByRole("search").getByRole("button").click();
  await expect(cards).toHaveCount(1);
  await expect(cards).toContainText("Kettle No. 3");

  // By which guarantee, because of what, until when: in so many words.
  await cards.click();
  const main = page.getByRole("main");
  await expect(main).toContainText("legal guarantee");
  await expect(main).toContainText("4 November 2028");
  await expect(main).toContainText(`${order}-S3`);
  await expect(main).toContainText("Maker’s warranty");
});

test("an order is claimed by its number once its address is proven, and the buyer's name is never told", async ({ page, as, server }, info) => {
  test.slow();
  const order = `CLAIM-${info.project.name}-${info.workerIndex}`;
  const buyer = `buyer-${info.project.name}-${info.workerIndex}@example.com`;
  importPurchases(server, order, [`${order},${buyer},Somebody Else,2026-11-02,2026-11-04,Toaster for a gift,goods,LT,${order}-S,24`]);
  await as("customer");
  await page.goto("/purchases/register");
  await page.locator("#register-purchase [name=order_number]").fill(order);
  await page.locator("#register-purchase [name=email]").fill(buyer);
  await page.locator("#register-purchase button[value=order]").click();
  await expect(page.locator("#register-purchase-code")).toBeVisible();
  await expect(page.getByRole("main")).not.toContainText("Somebody Else");
  const waiting = page.url();
  await page.goto("/purchases?q=gift");
  await expect(page.locator("main a.card-link")).toHaveCount(0);

  const letter = await newestLetter(page, new RegExp(`\\b\\d{6}\\b`));
  const code = /\b\d{6}\b/.exec(letter.text)?.[0] ?? "";
  await page.goto(waiting);
  const form = page.locator("#register-purchase-code");
  await form.locator("[name=code]").fill(code === "000000" ? "000001" : "000000");
  await form.getByRole("button").first().click();
  await expect(page.locator("#code-fault")).not.toBeEmpty();
  await form.locator("[name=code]").fill(code);
  await form.getByRole("button").first().click();
  await expect(page.getByRole("status")).toBeVisible();
  await page.goto("/purchases?q=gift");
  await expect(page.locator("main a.card-link")).toHaveCount(1);
});
