import type { Page } from "@playwright/test";
import { accessible, expect, fitsASmallPhone, test } from "../support/test";

/** Each project has its own hour: the trainer is one person. */
const hours: Record<string, number> = { phone: 6, desktop: 12, "no-js": 17 };

const clock = (hour: number, minutes = 0) => `${String(hour).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;

/** Looks at a page as axe and a small phone do; both need scripts. */
async function looksRight(page: Page, scripts: boolean): Promise<void> {
  if (!scripts) return;
  await accessible(page);
  await fitsASmallPhone(page);
}

test("a trainer plans a class, takes a free time, moves it, and opens one that was asked for", async ({ page, as, scripts }, info) => {
  test.slow();
  const hour = hours[info.project.name] ?? 9;
  const plan = async (title: string) => {
    await page.goto("/desk/classes/new");
    const form = page.locator("#new-class");
    await form.locator("[name=course]").selectOption({ index: 1 });
    await form.locator("[name=title]").fill(title);
    await form.locator("[name=date_1]").fill("2027-02-10");
    await form.locator("[name=starts_1]").fill(clock(hour));
    await form.locator("[name=ends_1]").fill(clock(hour + 1));
    await form.locator("[name=link]").fill("https://meet.example.com/aftercare");
    await form.locator("button[name=then]").click();
  };
  await as("trainer");
  await plan("Planning rehearsal");
  await expect(page).toHaveURL(/\/desk\/classes\/[0-9a-f-]{20,}/);
  const first = page.url();

  // The same time again is taken: a free one is proposed, and one tap takes it.
  await plan("Planning rehearsal two");
  await expect(page.getByRole("alert")).toContainText("Planning rehearsal");
  await looksRight(page, scripts);
  await page.locator("button[name=shift]").first().click();
  await expect(page).toHaveURL(/\/desk\/classes\/[0-9a-f-]{20,}/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Planning rehearsal two");

  // The first moves to another day; its learner finds it there.
  await as("member");
  await page.goto(first.replace("/desk/classes/", "/training/"));
  await page.locator("#enrol button").click();
  await expect(page.locator("#cancel-enrolment")).toBeVisible();
  await as("trainer");
  await page.goto(`${first}/edit`);
  await page.locator("[name=date_1]").fill("2027-02-17");
  await page.locator("#edit-class button[data-tone=primary]").last().click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("main")).toContainText("17 February");
  await as("member");
  await page.goto("/inbox");
  await expect(page.locator("main")).toContainText("has moved");

  // Somebody asks for a class: the times that suit most, one tap, and a seat is held for them.
  await page.goto("/training/ask");
  await page.locator("main a[href^='/training/ask/']").last().click();
  const course = /ask\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
  for (const day of [1, 2, 3, 4, 5]) await page.locator(`[name=time][value='${day}-morning']`).check();
  await page.locator("[name=language]").first().selectOption("");
  await page.locator("#ask-for-class button").click();
  await expect(page.locator("#withdraw-wish")).toBeVisible();
  await as("trainer");
  await page.goto("/desk/demand");
  await page.locator(`main a[href='/desk/demand/${course}']`).click();
  await looksRight(page, scripts);
  await page.locator("#find-times [name=link]").fill("https://meet.example.com/aftercare");
  await page.locator("#find-times button").click();
  await expect(page.locator("#best-times li").first()).toBeVisible();
  await looksRight(page, scripts);
  await page.locator("#best-times button").first().click();
  await expect(page).toHaveURL(/\/desk\/classes\/[0-9a-f-]{20,}/);
  await expect(page.getByRole("status")).toBeVisible();
  const opened = page.url();
  await as("member");
  await page.goto(opened.replace("/desk/classes/", "/training/"));
  await expect(page.locator("#accept-offer")).toBeVisible();
});

test("a learner asks for a class where no date suits, and takes the wish back", async ({ page, as, scripts }) => {
  await as("owner");
  await page.goto("/training");
  await page.locator("a[href='/training/ask']").click();
  await page.locator("main a[href^='/training/ask/']").last().click();
  await looksRight(page, scripts);
  await page.locator("#ask-for-class button").click();
  await expect(page.locator("#time-fault")).toBeVisible();
  await page.locator("[name=time][value='2-morning']").check();
  await page.locator("#ask-for-class button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("[name=time][value='2-morning']")).toBeChecked();
  await looksRight(page, scripts);
  await page.locator("#withdraw-wish button").click();
  await expect(page.locator("#withdraw-wish")).toHaveCount(0);
});

test("a trainer's absence and a manager's rules", async ({ page, as, scripts }, info) => {
  await as("trainer");
  await page.goto("/desk/availability");
  const day = 1 + Object.keys(hours).indexOf(info.project.name);
  await page.locator("[name=from]").fill(`2027-07-0${day}T08:00`);
  await page.locator("[name=until]").fill(`2027-07-0${day}T18:00`);
  await page.locator("#absence button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await looksRight(page, scripts);
  await as("manager");
  await page.goto("/desk/settings/training");
  await page.locator("[name=offer_hours]").fill("24");
  await page.locator("#class-rules button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await looksRight(page, scripts);
});
