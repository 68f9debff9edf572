import { type BrowserContext, type Page } from "@playwright/test";
import { newestLetter } from "../support/command";
import { expect, test } from "../support/test";

/** A fresh class with two seats, three weeks from now, made by the trainer; answers with its id. */
async function newClass(page: Page, title: string, capacity: number, hour: number, days = 21): Promise<string> {
  await page.goto("/desk/classes/new");
  const form = page.locator("#new-class");
  await form.locator("[name=course]").selectOption({ index: 1 });
  await form.locator("[name=title]").fill(title);
  const day = new Date(Date.parse("2026-12-01T00:00:00Z") + days * 86_400_000).toISOString().slice(0, 10);
  await form.locator("[name^=date]").first().fill(day);
  await form.locator("[name^=starts]").first().fill(`${String(hour).padStart(2, "0")}:00`);
  await form.locator("[name^=ends]").first().fill(`${String(hour).padStart(2, "0")}:45`);
  await form.locator("[name=link]").fill("https://meet.example.com/aftercare");
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

type As = (role: "customer" | "owner" | "member" | "trainer" | "technician" | "agent" | "manager" | "admin") => Promise<void>;

async function enrol(page: Page, as: As, role: Parameters<As>[0], id: string): Promise<void> {
  await as(role);
  await page.goto(`/training/${id}`);
  await page.locator("#enrol button").click();
  await expect(page.getByRole("status")).toBeVisible();
}

/** Each project has its own hours, and each test its own day: the trainer is one person. */
const hours: Record<string, number> = { phone: 6, desktop: 12, "no-js": 17, "no-wasm": 17 };

test("one enrols, the next waits, a freed seat is offered and taken", async ({ page, as }, info) => {
  test.slow();
  await as("trainer");
  const id = await newClass(page, "Waitlist rehearsal", 1, hours[info.project.name]);
  await enrol(page, as, "customer", id);
  await expect(page.locator("#cancel-enrolment")).toBeVisible();
  await page.goto("/training/mine");
  await expect(page.locator(`a[href='/training/${id}']`).first()).toBeVisible();

  await enrol(page, as, "owner", id);
  await expect(page.locator("#cancel-enrolment")).toBeVisible();

  await as("customer");
  await page.goto(`/training/${id}`);
  await page.locator("#cancel-enrolment button").click();
  await expect(page.getByRole("status")).toBeVisible();

  await as("owner");
  await page.goto(`/training/${id}`);
  await page.locator("#accept-offer button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("#cancel-enrolment")).toBeVisible();
});

test("the trainer makes a class, fills it, marks who came and closes it", async ({ page, as, server }, info) => {
  test.slow();
  await as("trainer");
  const id = await newClass(page, "Attendance rehearsal", 5, hours[info.project.name] + 1, 1);
  await enrol(page, as, "customer", id);
  await enrol(page, as, "owner", id);

  await server.advance("PT33H");
  await as("trainer");
  await page.goto(`/desk/classes/${id}`);
  const rows = page.locator("form[aria-label]");
  await expect(rows).toHaveCount(2);
  await rows.first().locator("button[value=present]").click();
  await expect(page.locator("form[aria-label] button[data-tone=primary]")).toHaveCount(1);
  await page.locator("#mark-rest button").click();
  await expect(page.locator("form[aria-label] button[data-tone=primary]")).toHaveCount(2);
  await page.locator("#close-class button").click();
  await expect(page.locator("#close-class")).toHaveCount(0);

  await as("customer");
  await page.goto("/training/mine");
  await page.locator("a[href^='/certificates/']").first().click();
  await expect(page.locator(".alert")).toBeVisible();
});

test("a class that the trainer cancels is told with its reason, and costs nobody a seat", async ({ page, as }, info) => {
  await as("trainer");
  const id = await newClass(page, "Called off", 3, hours[info.project.name], 23);
  await enrol(page, as, "customer", id);
  await as("trainer");
  await page.goto(`/desk/classes/${id}`);
  const form = page.locator("form", { has: page.locator("input[name=act][value=cancel], button[value=cancel]") }).last();
  const fold = page.locator("details:not([open])", { has: form });
  if ((await fold.count()) > 0) await fold.last().locator("summary").click();
  await form.locator("[name=why]").fill("The room was flooded.");
  await form.getByRole("button").last().click();
  await expect(page.getByRole("status")).toBeVisible();
  await as("customer");
  await page.goto(`/training/${id}`);
  await expect(page.locator("#cancel-enrolment, #enrol")).toHaveCount(0);
  const letter = await newestLetter(page, /Called off/);
  expect(letter.text).toContain("The room was flooded.");
});

test("the catalogue narrows by language and says when nothing is left", async ({ page, as }) => {
  await as("customer");
  await page.goto("/training");
  await page.locator("#q").fill("no class is called like this");
  await page.locator("form[role=search] button").click();
  await expect(page.locator(".empty")).toBeVisible();
});

test("the calendar file is offered for a class, and a private feed can be made and taken back", async ({ page, as, context }) => {
  await as("customer");
  await page.goto("/training/mine");
  const form = page.locator("#calendar-feed");
  if ((await form.locator("button[value=revoke]").count()) === 0) await form.locator("button").click();
  const address = await page.locator("#calendar-feed [name=feed]").inputValue();
  const feed = await fetch(address);
  expect(feed.headers.get("content-type")).toContain("text/calendar");
  expect(await feed.text()).toContain("BEGIN:VCALENDAR");
  await page.locator("#calendar-feed button[value=revoke]").click();
  expect((await fetch(address)).status).toBe(404);
  expect((context satisfies BrowserContext).pages().length).toBeGreaterThan(0);
});
