import { openQuestion } from "../support/questions";
import { expect, test } from "../support/test";

test.use({ apart: "ratings" });

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

test("a bad score opens a case that somebody has and that has a time", async ({ page, as }, info) => {
  const href = await openQuestion(page, taken);
  taken.add(href);
  await page.locator("#rate input[type=radio]").nth(0).check();
  await page.locator("#rate button").click();
  await expect(page.locator(".alert[data-tone=good]")).toBeVisible();
  const words = `Nobody called me back (${info.project.name}).`;
  await page.locator("#rate [name=words]").fill(words);
  await page.locator("#rate button").click();

  await as("manager");
  await page.goto("/desk/cases?queue=all");
  const found = async (): Promise<boolean> => {
    for (const link of await page.locator("main a[href^='/desk/cases/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""))) {
      await page.goto(link);
      if ((await page.getByText(words).count()) > 0) return true;
    }
    return false;
  };
  expect(await found(), "a case with the words of the rating").toBe(true);
  const facts = page.locator("dl").first();
  await expect(facts).toBeVisible();
  await expect(facts).not.toContainText("Nobody");
});
