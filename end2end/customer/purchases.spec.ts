import { expect, test } from "../support/test";

test("a purchase says what is covered, by what, because of what, and until when", async ({ page, as }) => {
  await as("customer");
  await page.goto("/purchases");
  await page.locator("main a.card-link").first().click();
  await expect(page).toHaveURL(/\/purchases\/[0-9a-f-]{20,}/);
  await expect(page.locator(".periods, .alert, .badge").first()).toBeVisible();
});

test("registering never says whether an order exists", async ({ page, as }) => {
  await as("customer");
  const ask = async (order: string) => {
    await page.goto("/purchases/register");
    const form = page.locator("#register-purchase");
    await form.locator("[name=order_number]").fill(order);
    await form.locator("[name=email]").fill("someone-else@example.com");
    await form.locator("button[value=order]").click();
    return (await page.locator("main").innerText()).replaceAll(order, "");
  };
  const [one, other] = [await ask("A-1"), await ask("NO-SUCH-ORDER-77")];
  expect(one).toEqual(other);
});

test("an empty registration comes back with what is missing", async ({ page, as }) => {
  await as("customer");
  await page.goto("/purchases/register");
  await page.locator("#register-purchase").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.locator("#register-purchase button[value=order]").click();
  await expect(page.getByRole("alert")).toBeVisible();
});
