import { accessible, expect, fitsASmallPhone, test } from "../support/test";

test("an owner asks an employee to join, who sees what it means and accepts; the owner ends it again", async ({ page, as, scripts }) => {
  test.slow();
  await as("owner");
  await page.goto("/training/team");
  await expect(page.locator("#team-summary")).toBeVisible();
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  const form = page.locator("#add-employee");
  await form.getByLabel("Name").fill("Carla of the office");
  await form.getByLabel("E-mail address").fill("customer@example.com");
  await form.getByRole("button").click();
  await expect(page.getByRole("status")).toBeVisible();
  const row = page.locator("#people li", { hasText: "Carla of the office" });
  await expect(row.getByText("Invited", { exact: true })).toBeVisible();

  await as("customer");
  await page.goto("/inbox");
  await page.getByRole("link", { name: /invites you to the team of Petrauskas/ }).first().click();
  await page.locator("a[href*='/invitations/']").click();
  await expect(page.locator("#answer-invitation")).toBeVisible();
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  await page.getByRole("button", { name: "Join the team" }).click();
  await expect(page.getByRole("status")).toBeVisible();

  await as("owner");
  await page.goto("/training/team");
  const member = page.locator("#people li", { hasText: "Carla Moreno" });
  await member.getByRole("link").click();
  await expect(page.locator("#end-membership")).toContainText("stay booked and paid");
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  await page.locator("#end-membership button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("#people li", { hasText: "Carla Moreno" })).toHaveCount(0);
});

test("staff read the matrix of a customer's firm", async ({ page, as, scripts }) => {
  await as("agent");
  await page.goto("/desk/customers?q=rasa");
  await page.getByRole("link", { name: /Rasa/ }).first().click();
  await page.locator("a[href$='/team']").first().click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Petrauskas");
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  await expect(page.locator("main input")).toHaveCount(0);
});
