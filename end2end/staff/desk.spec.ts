import { expect, test } from "../support/test";

test("the manager's list of the neglected can be emptied, one tap a row", async ({ page, as }) => {
  await as("manager");
  await page.goto("/desk/neglected");
  const rows = page.locator("button[name=do][value=take]");
  const before = await rows.count();
  expect(before, "the demo has somebody who is neglected").toBeGreaterThan(0);
  await rows.first().click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(rows).toHaveCount(before - 1);
});

test("every role starts on its own page, and finds a customer on one screen", async ({ page, as }) => {
  for (const role of ["trainer", "technician", "agent", "manager"] as const) {
    await as(role);
    await page.goto("/desk");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  }
  await as("agent");
  await page.goto("/desk/customers");
  await page.getByRole("searchbox").fill("carla");
  await page.getByRole("searchbox").press("Enter");
  await page.locator("main a[href^='/desk/customers/']").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Carla");
});

test("a customer does not get behind the desk", async ({ page, as }) => {
  await as("customer");
  for (const path of ["/desk", "/desk/repairs", "/desk/customers", "/desk/neglected"]) {
    const answer = await page.goto(path);
    expect([403, 404], path).toContain(answer?.status());
  }
});
