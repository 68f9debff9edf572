import { type Page } from "@playwright/test";
import { accessible, expect, fitsASmallPhone, test } from "../support/test";

// Without scripts the page cannot tell when its animations have ended, which axe waits for.

/** Each project has its own day: the trainer is one person, and so is everybody of the firm. */
const days: Record<string, number> = { phone: 74, desktop: 78, "no-js": 82, "no-wasm": 86 };

/** A free class that the trainer opens at ten o'clock, so many days from now; answers with its id. */
async function newClass(page: Page, title: string, capacity: number, inDays: number): Promise<string> {
  await page.goto("/desk/classes/new");
  const form = page.locator("#new-class");
  await form.locator("[name=course]").selectOption({ index: 1 });
  await form.locator("[name=title]").fill(title);
  const day = new Date(Date.parse("2026-12-01T00:00:00Z") + inDays * 86_400_000).toISOString().slice(0, 10);
  await form.locator("[name^=date]").first().fill(day);
  await form.locator("[name^=starts]").first().fill("10:00");
  await form.locator("[name^=ends]").first().fill("11:00");
  await form.locator("[name=link]").fill("https://meet.example.com/firm");
  await form.locator("[name=capacity]").fill(String(capacity));
  await form.locator("[name=price]").fill("0");
  await form.locator("[name=cut_off_hours]").fill("24");
  await form.locator("button[data-tone=primary]").last().click();
  await expect(page).toHaveURL(/\/desk\/classes\/[0-9a-f-]{20,}/);
  const id = /classes\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
  await page.locator("#publish-class button").click();
  await expect(page.locator("#publish-class")).toHaveCount(0);
  return id;
}

test("an owner enrols two, names a seat later, swaps a person and gives a seat back", async ({ page, as, scripts }, info) => {
  test.slow();
  await as("trainer");
  const id = await newClass(page, "Team rehearsal", 5, days[info.project.name]);

  await as("owner");
  await page.goto(`/training/${id}`);
  await page.locator(`a[href='/training/${id}/group']`).click();
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  const ask = page.locator("#ask-group");
  await ask.getByLabel("Jonas Kazlauskas").check();
  await ask.locator("[name=unnamed]").fill("1");
  await ask.getByRole("button").click();
  await expect(page.getByText("2 seats are booked at once.")).toBeVisible();
  await page.locator("#enrol-group button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("[data-seat=name]")).toHaveCount(1);
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);

  const name = page.locator("[data-seat=name]");
  await name.locator("select").selectOption({ label: "Ieva Stankevičienė" });
  await name.getByRole("button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("[data-seat=swap]")).toHaveCount(2);

  await page.getByText("Change: Jonas Kazlauskas").click();
  const swap = page.locator("li", { hasText: "Change: Jonas Kazlauskas" }).locator("[data-seat=swap]");
  await swap.locator("select").selectOption({ label: "Mantas Žukauskas" });
  await swap.getByRole("button").click();
  await expect(page.getByText("Change: Mantas Žukauskas")).toBeVisible();

  await page.getByText("Change: Mantas Žukauskas").click();
  await page.locator("li", { hasText: "Change: Mantas Žukauskas" }).locator("[data-seat='give-back'] button").click();
  await expect(page.locator("[data-seat=swap]")).toHaveCount(1);
});

test("a group waits together, is offered its seats as one, and its owner accepts", async ({ page, as, scripts }, info) => {
  test.slow();
  await as("trainer");
  const id = await newClass(page, "Team in line", 2, days[info.project.name] + 1);
  for (const role of ["customer", "member"] as const) {
    await as(role);
    await page.goto(`/training/${id}`);
    await page.locator("#enrol button").click();
    await expect(page.getByRole("status")).toBeVisible();
  }

  await as("owner");
  await page.goto(`/training/${id}/group`);
  const ask = page.locator("#ask-group");
  await ask.getByLabel("Jonas Kazlauskas").check();
  await ask.getByLabel("Ieva Stankevičienė").check();
  await ask.getByRole("button").click();
  await expect(page.getByText("2 people join the waitlist.")).toBeVisible();
  await page.locator("#enrol-group button").click();
  await expect(page.getByText(/2 people wait together, from place 1/)).toBeVisible();

  for (const role of ["customer", "member"] as const) {
    await as(role);
    await page.goto(`/training/${id}`);
    await page.locator("#cancel-enrolment button").click();
    await expect(page.getByRole("status")).toBeVisible();
  }

  await as("owner");
  await page.goto(`/training/${id}/group`);
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  await page.locator("[data-offer=accept] button").click();
  await expect(page.locator("[data-seat=swap]")).toHaveCount(2);
  await expect(page.locator("[data-offer=accept]")).toHaveCount(0);
});

test("from the matrix the owner enrols whoever is missing", async ({ page, as, scripts }) => {
  await as("owner");
  await page.goto("/training");
  await page.locator("a[href='/training/team']").click();
  if (scripts) await accessible(page);
  await fitsASmallPhone(page);
  const box = page.locator("table input[type=checkbox]").first();
  const form = await box.getAttribute("form");
  await box.check();
  await page.locator(`#${form} button`).click();
  await expect(page).toHaveURL(/\/training\/[0-9a-f-]+\/group\?/);
  await expect(page.locator("#enrol-group, .alert").first()).toBeVisible();
});
