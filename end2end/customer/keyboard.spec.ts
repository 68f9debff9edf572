// Whole journeys without a pointer: Tab, Enter and Space, letters where something is written, arrows within one choice.
// Wherever the focus stops, one sees where it is.
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../support/test";
import { openQuestion } from "../support/questions";

/** Goes on with Tab until the focus is on `goal`; every stop on the way is seen, and hidden by nothing. */
async function tabTo(page: Page, goal: Locator): Promise<void> {
  for (let stops = 0; stops < 150; stops += 1) {
    await page.keyboard.press("Tab");
    const lost = await page.evaluate(whatIsNotSeen);
    expect(lost, `the focus is seen, ${page.url()}`).toBe("");
    if (await goal.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`no way by keyboard to ${goal}`);
}

/** Says what is wrong with the look of the element that has the focus; nothing where all is well. */
function whatIsNotSeen(): string {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || focused === document.body) return "";
  const shown = [focused, focused.closest<HTMLElement>(".choice, .star, .checkbox, .file, label")].filter((element) => element !== null);
  const name = focused.outerHTML.slice(0, 120);
  const ringed = shown.some((element) => {
    const look = getComputedStyle(element);
    return (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2) || look.boxShadow !== "none";
  });
  if (!ringed) return `no ring: ${name}`;
  const box = (shown.at(-1) ?? focused).getBoundingClientRect();
  const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
  if (bottom - top < 1) return `out of sight: ${name}`;
  const points = [0.25, 0.5, 0.75].map((part) => [box.left + box.width / 2, top + (bottom - top) * part]);
  const free = points.some(([x, y]) => {
    const there = document.elementFromPoint(x, y);
    return there !== null && shown.some((element) => element.contains(there) || there.contains(element));
  });
  return free ? "" : `covered: ${name}`;
}

/** One of several choices: Tab to the group, arrows within it. */
async function choose(page: Page, name: string, value: string): Promise<void> {
  const group = page.locator(`input[name=${name}]`);
  const checked = page.locator(`input[name=${name}]:checked`);
  await tabTo(page, (await checked.count()) > 0 ? checked.first() : group.first());
  for (let turns = 0; turns < 12; turns += 1) {
    if (await page.evaluate(([name, value]) => document.activeElement?.matches(`input[name="${name}"][value="${value}"]`), [name, value])) break;
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Space");
  await expect(page.locator(`input[name=${name}][value="${value}"]`)).toBeChecked();
}

test("one signs in by keyboard", async ({ page }) => {
  await page.goto("/sign-in?next=/account");
  await tabTo(page, page.locator("#email"));
  await page.keyboard.type("customer@example.com");
  await page.keyboard.press("Enter");
  await expect(page.locator("#sign-in-code")).toBeVisible();
  const mail = await page.context().newPage();
  await mail.goto("/demo/mail");
  await mail.locator("main a[href^='/demo/mail/']").first().click();
  const code = (await mail.locator("main").innerText()).match(/\b\d{6}\b/)?.[0] ?? "";
  await mail.close();
  await tabTo(page, page.locator("#code"));
  await page.keyboard.type(code);
  await tabTo(page, page.locator("#sign-in-code button"));
  await page.keyboard.press("Space");
  await expect(page).toHaveURL(/\/account$/);
});

test("the first stop of a page leads past its bars to what it is about", async ({ page, as }) => {
  await as("customer");
  await page.goto("/purchases");
  await tabTo(page, page.locator(".skip-link"));
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();
});

test("one enrols by keyboard", async ({ page, as }) => {
  await as("member");
  await page.goto("/training");
  const classes = await page.locator("main a.card-link[href^='/training/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
  for (const path of classes) {
    await page.goto(path);
    if ((await page.locator("#enrol button").count()) > 0) break;
  }
  await tabTo(page, page.locator("#enrol button").last());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").first()).toBeVisible();
  await expect(page.locator("#cancel-enrolment")).toBeVisible();
});

test("one books a repair by keyboard", async ({ page, as }) => {
  await as("customer");
  await page.goto("/repairs");
  await tabTo(page, page.locator("main a[href='/repairs/new']").first());
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/repairs\/new/);
  await tabTo(page, page.locator("#item"));
  await page.keyboard.press("ArrowDown");
  await expect(page.locator("#item")).not.toHaveValue("");
  await choose(page, "mode", "bring_in");
  await tabTo(page, page.locator("#book-repair button").first());
  await page.keyboard.press("Enter");
  await expect(page.locator("#fault")).toBeVisible();
  // Where earlier work on the item is still warranted: it is another fault this time.
  const answers = page.locator("input[name=same_fault]");
  if ((await answers.count()) > 0) await choose(page, "same_fault", (await answers.last().getAttribute("value")) ?? "");
  await tabTo(page, page.locator("#fault"));
  await page.keyboard.type("It hums and does nothing else.");
  const slot = await page.locator("input[name=slot]:enabled").first().getAttribute("value");
  await choose(page, "slot", slot ?? "");
  await tabTo(page, page.locator("#book-repair button[data-tone=primary]"));
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/repairs\/RMA-[^/?]+$/);
  await expect(page.getByRole("status").first()).toBeVisible();
});

test("one rates by keyboard", async ({ page }) => {
  await openQuestion(page, new Set());
  await choose(page, "score", "4");
  await tabTo(page, page.locator("#rate [name=words]"));
  await page.keyboard.type("Well done.");
  await tabTo(page, page.locator("#rate button"));
  await page.keyboard.press("Enter");
  await expect(page.locator(".alert[data-tone=good]")).toBeVisible();
});

test("one registers a purchase by keyboard", async ({ page, as }) => {
  await as("customer");
  await page.goto("/purchases/register");
  await tabTo(page, page.locator("[name=serial_number]"));
  await page.keyboard.type("KB-2026-0001");
  await tabTo(page, page.locator("[name=proof]"));
  await page.keyboard.type("Bought on the market in Kaunas, receipt 88.");
  await tabTo(page, page.locator("#register-purchase button").last());
  await page.keyboard.press("Space");
  await expect(page.getByRole("status").first()).toBeVisible();
});
