import { expect, test } from "../support/test";

test("a complaint is written, answered at the desk, and ends when the customer says so", async ({ page, as }) => {
  await as("customer");
  await page.goto("/help");
  await page.locator("a[href='/cases/new?kind=complaint']").click();
  await page.locator("input[name=kind][value=complaint]").check();
  await page.locator("#new-case [name=subject]").fill("The train was an hour late");
  await page.locator("#new-case [name=words]").fill("We missed the last connection and had to take a taxi.");
  await page.locator("#new-case button").last().click();
  await expect(page).toHaveURL(/\/cases\/[0-9a-f-]{20,}/);
  await expect(page.getByText("We missed the last connection").first()).toBeVisible();
  const path = new URL(page.url()).pathname;

  await as("agent");
  await page.goto(`/desk${path}`);
  await page.locator("#answer [name=words]").fill("That should not have happened. We pay the taxi back.");
  await page.locator("#answer button").nth(1).click();
  await expect(page.getByRole("status")).toBeVisible();

  await as("customer");
  await page.goto(path);
  await expect(page.getByText("We pay the taxi back").first()).toBeVisible();
  await page.locator("#confirm-case button").click();
  await expect(page.getByRole("status")).toBeVisible();
});

test("a case without words comes back with its faults and what was typed", async ({ page, as }) => {
  await as("customer");
  await page.goto("/cases/new");
  await page.locator("#new-case [name=subject]").fill("Half a thought");
  await page.locator("#new-case").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.locator("#new-case button").last().click();
  await expect(page.locator("#words-fault")).not.toBeEmpty();
  await expect(page.locator("#new-case [name=subject]")).toHaveValue("Half a thought");
});
