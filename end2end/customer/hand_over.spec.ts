import type { Page } from "@playwright/test";
import { expect, test } from "../support/test";

/** Opens the latest offer's letter and the page it leads to; its address is the one that the demo was seeded under. */
async function openOffer(page: Page): Promise<void> {
  await page.goto("/inbox");
  await page.getByRole("link", { name: /gives you/ }).first().click();
  const link = await page.locator("main a.button").getAttribute("href");
  await page.goto(new URL(link ?? "", page.url()).pathname);
}

test("a piece goes to somebody else, who takes it over, and back to nobody who does not want it", async ({ page, as }) => {
  await as("customer");
  await openOffer(page);
  await page.locator("#take-item button[value=take]").click();
  await expect(page.getByRole("status")).toContainText("yours now");

  // Given on: the wrong address is said at the form, and what was typed stays.
  await page.locator('main a[href^="/purchases/give/"]').click();
  await page.locator("#give-item [name=email]").fill("customer@example.com");
  await page.locator("#give-item button").click();
  await expect(page.locator("#give-item [name=email]")).toHaveValue("customer@example.com");
  await page.locator("#give-item [name=email]").fill("member@example.com");
  await page.locator("#give-item button").click();
  await expect(page.locator("#keep-item")).toBeVisible();

  await as("member");
  await openOffer(page);
  const offer = page.url();
  await page.locator("#take-item button[value=decline]").click();
  await expect(page).toHaveURL(/\/purchases$/);
  await page.goto(offer);
  await expect(page.locator("#take-item")).toHaveCount(0);
});
