// The other ways in and out: the link of the mail, and ending a session from another browser.
import { newestLetter } from "../support/command";
import { expect, signIn, test } from "../support/test";

test("the link in the mail signs in by its button, in whatever browser it is opened", async ({ page, browser, server }) => {
  await page.goto("/purchases");
  await page.locator("#sign-in [name=email]").fill("customer@example.com");
  await page.locator("#sign-in").getByRole("button").click();
  await expect(page.locator("#sign-in-code")).toBeVisible();
  const letter = await newestLetter(page, /\b\d{6}\b/);
  const link = letter.links.find((href) => href.includes("/sign-in/link/")) ?? "";
  expect(link).toContain(server.url);

  const other = await browser.newContext({ locale: "en-GB" });
  const elsewhere = await other.newPage();
  // Looking at it, twice, uses nothing up and signs nobody in.
  for (let n = 0; n < 2; n++) await elsewhere.goto(link);
  expect((await other.cookies()).map((cookie) => cookie.name)).not.toContain("aftercare");
  await elsewhere.getByRole("main").getByRole("button").click();
  await elsewhere.goto(`${server.url}/account`);
  await expect(elsewhere.locator("#account")).toBeVisible();
  // Once.
  const again = await browser.newContext();
  const late = await again.newPage();
  await late.goto(link);
  const button = late.getByRole("main").getByRole("button");
  if ((await button.count()) > 0) await button.click();
  await late.goto(`${server.url}/account`);
  await expect(late).toHaveURL(/\/sign-in/);
  await again.close();
  await other.close();
});

test("a session in another browser is ended from the account, and this one goes on", async ({ page, as, browser, server }) => {
  const other = await browser.newContext({ userAgent: "Lost-Phone/1.0" });
  await signIn(other, server, "customer");
  const elsewhere = await other.newPage();
  await elsewhere.goto(`${server.url}/account`);
  await expect(elsewhere.locator("#account")).toBeVisible();
  await as("customer");
  await page.goto("/account");
  const ends = page.locator("form[action$='/end'] button");
  const before = await ends.count();
  for (let left = before; left > 0; left--) {
    await ends.first().click();
    await expect(page.getByRole("status")).toBeVisible();
    await expect(ends).toHaveCount(left - 1);
  }
  await elsewhere.goto(`${server.url}/account`);
  await expect(elsewhere).toHaveURL(/\/sign-in/);
  await page.goto("/account");
  await expect(page.locator("#account")).toBeVisible();
  await other.close();
});
