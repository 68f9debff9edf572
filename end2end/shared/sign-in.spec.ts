import { expect, test } from "../support/test";

test("a code from the mail signs in, and one lands where one wanted to go", async ({ page, scripts }) => {
  await page.goto("/account");
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.locator("#sign-in").getByRole("textbox").fill("customer@example.com");
  await page.locator("#sign-in").getByRole("button").click();
  await expect(page.locator("#sign-in-code")).toBeVisible();

  const mail = await page.context().newPage();
  await mail.goto("/demo/mail");
  await mail.locator("main a[href^='/demo/mail/']").first().click();
  const code = (await mail.locator("main").innerText()).match(/\b\d{6}\b/)?.[0] ?? "";
  expect(code).toMatch(/^\d{6}$/);
  await mail.close();

  // A wrong code first: the page comes back with the fault at its field.
  await page.locator("#code").fill(code === "000000" ? "000001" : "000000");
  await page.locator("#sign-in-code").getByRole("button").click();
  await expect(page.locator("#code")).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator("#code-fault")).not.toBeEmpty();

  await page.locator("#code").fill(code);
  await page.locator("#sign-in-code").getByRole("button").click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.locator("#account [name=name]")).not.toHaveValue("");
  expect(scripts === true || scripts === false).toBe(true);
});

test("what is not an address is said at its field, and stays to be mended", async ({ page }) => {
  await page.goto("/sign-in");
  await page.locator("#sign-in [name=email]").fill("ann@");
  await page.locator("#sign-in").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.locator("#sign-in").getByRole("button").click();
  await expect(page.locator("#email")).toHaveValue("ann@");
  await expect(page.locator("#email-fault")).not.toBeEmpty();
});

test("an unknown address is answered like a known one", async ({ page }) => {
  await page.goto("/sign-in");
  await page.locator("#sign-in [name=email]").fill("nobody-knows-me@example.com");
  await page.locator("#sign-in").getByRole("button").click();
  await expect(page.locator("#sign-in-code")).toBeVisible();
});

test("what one sets for oneself is kept, and every browser can be signed out", async ({ page, as }) => {
  await as("customer");
  await page.goto("/account");
  await page.locator("#account [name=phone]").fill("+370 600 11223");
  await page.locator("#account").getByRole("button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("#account [name=phone]")).toHaveValue("+370 600 11223");
  await page.locator("form[action='/sign-out'] button").click();
  await page.goto("/account");
  await expect(page).toHaveURL(/\/sign-in/);
});

test("the language menu changes every word, and the choice is kept", async ({ page }) => {
  await page.goto("/sign-in");
  await page.locator("#language").selectOption("lt");
  await page.locator(".language-menu button").click();
  await expect(page.locator("html")).toHaveAttribute("lang", "lt");
  await page.goto("/sign-in");
  await expect(page.locator("html")).toHaveAttribute("lang", "lt");
});

test("an unknown address of the portal is a page that helps", async ({ page, as }) => {
  await as("customer");
  const answer = await page.goto("/no/such/page");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
});
