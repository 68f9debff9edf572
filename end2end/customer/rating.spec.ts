import { openQuestion } from "../support/questions";
import { expect, test } from "../support/test";

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
