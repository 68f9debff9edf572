import { expect, test } from "../support/test";

/** An article that the demo company sells. */
const SKU = "VACUUM-2";

test("a thing is registered by its serial number, disputed, given to one and refused to the other", async ({ page, as }, info) => {
  test.slow();
  const serial = `RG-${info.project.name}-2026`;
  const ask = async (role: "customer" | "owner", typed: string, proof: string) => {
    await as(role);
    await page.goto("/purchases/register");
    await page.locator("[name=serial_number]").fill(typed);
    await page.locator("[name=proof]").fill(proof);
    await page.locator("#register-purchase button").last().click();
    await expect(page.getByRole("status")).toBeVisible();
    await expect(page.getByText(typed).first()).toBeVisible();
  };
  await ask("customer", serial, "Bought at the fair, receipt 4711.");
  await ask("owner", serial.replaceAll("-", " "), "It stands in our office, invoice 12.");

  await as("agent");
  await page.goto("/desk/registrations");
  const first = page.locator(".card", { hasText: "receipt 4711" });
  const second = page.locator(".card", { hasText: "invoice 12" });
  await expect(second.locator(".alert[data-tone=warn]")).toBeVisible();
  await expect(first.locator(".alert[data-tone=warn]")).toHaveCount(0);
  await first.locator("button[value=accept]").click();
  await expect(page.locator("#sku-fault")).not.toBeEmpty();
  await first.locator("[name=sku]").fill(SKU);
  await first.locator("[name=purchased_on]").fill("2026-11-20");
  await first.locator("button[value=accept]").click();
  await expect(page.getByRole("status")).toBeVisible();
  await second.locator("details.fold", { has: page.locator("[name=why]") }).locator("> summary").click();
  await second.locator("[name=why]").fill("The receipt of the other one is older.");
  await second.locator("button[value=refuse]").click();
  await expect(page.getByRole("status")).toBeVisible();

  await as("customer");
  await page.goto(`/purchases?q=${encodeURIComponent(serial)}`);
  await page.locator("main a.card-link").first().click();
  await expect(page.getByText(serial).first()).toBeVisible();
  await as("owner");
  await page.goto("/purchases/register");
  await expect(page.getByText("The receipt of the other one is older.").first()).toBeVisible();
});
