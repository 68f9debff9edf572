import { type Page } from "@playwright/test";
import { readCode } from "../support/qr";
import { type Server } from "../support/server";
import { type Role, accessible, expect, fitsASmallPhone, test } from "../support/test";

/** Each project has its own hours: the trainer is one person. */
const hours: Record<string, number> = { phone: 5, desktop: 11, "no-js": 16 };

/** A class with so many walk-ins in it, made by the trainer; each test has a day of its own, since the clock only runs forward; answers with its id. */
async function fullClass(page: Page, title: string, day: string, hour: number, people: number): Promise<string> {
  await page.goto("/desk/classes/new");
  const form = page.locator("#new-class");
  await form.locator("[name=course]").selectOption({ index: 1 });
  await form.locator("[name=title]").fill(title);
  await form.locator("[name^=date]").first().fill(day);
  await form.locator("[name^=starts]").first().fill(`${String(hour).padStart(2, "0")}:00`);
  await form.locator("[name^=ends]").first().fill(`${String(hour).padStart(2, "0")}:45`);
  await form.locator("[name=link]").fill("https://meet.example.com/aftercare");
  await form.locator("[name=capacity]").fill("30");
  await form.locator("[name=price]").fill("0");
  await form.locator("[name=cut_off_hours]").fill("24");
  await form.locator("button[data-tone=primary]").last().click();
  await expect(page).toHaveURL(/\/desk\/classes\/[0-9a-f-]{20,}/);
  const id = /classes\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
  await page.locator("#publish-class button").click();
  await expect(page.locator("#publish-class")).toHaveCount(0);
  const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
  const origin = new URL(page.url()).origin;
  for (let n = 0; n < people; n++) {
    const answer = await fetch(`${origin}/desk/classes/${id}`, {
      method: "POST",
      redirect: "manual",
      headers: { origin, cookie, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ act: "walk_in", email: `room-${day}-${n}@example.org`, name: `Learner ${String(n).padStart(2, "0")}` }),
    });
    expect(answer.status).toBe(303);
  }
  return id;
}

/** Lets the demo's clock run until the room takes marks. */
async function untilOpen(page: Page, as: (role: Role) => Promise<void>, server: Server, id: string): Promise<void> {
  for (let halfDays = 0; halfDays < 40; halfDays++) {
    await as("trainer");
    await page.goto(`/desk/classes/${id}/room`);
    if ((await page.locator("button.room-tap").count()) > 0) return;
    await server.advance("PT12H");
  }
  throw new Error("the room never opened");
}

test("twenty people are checked in with a tap each, and the last tap can be taken back", async ({ page, as, server, scripts }, info) => {
  test.slow();
  await as("trainer");
  const id = await fullClass(page, "Full room", "2026-12-08", hours[info.project.name] ?? 5, 20);
  await untilOpen(page, as, server, id);
  await page.goto(`/desk/classes/${id}`);
  await page.locator(`a[href='/desk/classes/${id}/room']`).click();
  const waiting = page.locator("button.room-tap");
  await expect(waiting).toHaveCount(20);
  if (scripts) await accessible(page);
  let taps = 0;
  for (let left = 20; left > 0; left--) {
    await waiting.first().click();
    taps++;
    await expect(waiting).toHaveCount(left - 1);
  }
  expect(taps, "one tap a person").toBe(20);
  await expect(page.locator(".room-count")).toContainText("20");

  // Again: the other marks. And back.
  const first = page.locator(".room-row").first();
  await first.locator("summary").click();
  await first.locator("button[value=late]").click();
  await expect(first.locator(".badge[data-tone=warn]")).toHaveCount(1);
  await page.locator("#undo button").click();
  await expect(first.locator(".badge[data-tone=good]")).toHaveCount(1);
  await expect(page.locator(".room-count")).toContainText("20");
  if (scripts) await accessible(page);
  if (scripts) await fitsASmallPhone(page);
});

test("a learner's code is opened by the trainer's camera and marks them", async ({ page, as, server, scripts }, info) => {
  test.slow();
  await as("trainer");
  const id = await fullClass(page, "Door with a code", "2026-12-10", hours[info.project.name] ?? 5, 1);
  await as("customer");
  await page.goto(`/training/${id}`);
  await page.locator("#enrol button").click();
  await expect(page.locator(".ticket")).toHaveCount(1);
  await page.locator("details:has(#wish)").locator("summary").scrollIntoViewIfNeeded();
  await page.locator("#wish textarea").fill("How to print on both sides");
  await page.locator("#wish button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await page.locator("details:has(.ticket) summary").click();
  // The picture has arrived, and is one.
  await expect.poll(() => page.locator(".ticket").evaluate((picture: HTMLImageElement) => picture.naturalWidth)).toBeGreaterThan(0);
  const code = (await page.locator(".code").textContent()) ?? "";
  expect(code).toMatch(/^[0-9A-Z]{6}$/);
  const door = scripts ? await readCode(page.locator(".ticket")) : "";
  if (scripts) expect(door).toContain(`${server.url}/desk/check-in/`);
  if (scripts) await accessible(page);
  if (scripts) await fitsASmallPhone(page);

  await untilOpen(page, as, server, id);
  await page.goto(`/desk/classes/${id}`);
  await expect(page.getByText("How to print on both sides")).toBeVisible();
  // What the camera reads leads to a page that is as accessible as any other.
  if (scripts) {
    await page.goto(door);
    await accessible(page);
    await fitsASmallPhone(page);
  }
  await page.goto(`/desk/classes/${id}/room`);
  await page.locator("details:has(#check-in-code) summary").click();
  await page.locator("#check-in-code input[name=code]").fill(code.toLowerCase());
  await page.locator("#check-in-code button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator(".room-count")).toContainText("1");
  await expect(page.locator("button.room-tap")).toHaveCount(1);
});

test("before and after: a letter to all, the sheet to print, the file", async ({ page, as, scripts }, info) => {
  await as("trainer");
  const id = await fullClass(page, "Everything around", "2026-12-28", hours[info.project.name] ?? 5, 2);
  await page.goto(`/desk/classes/${id}`);
  await page.locator("details:has(#write-to-all) summary").click();
  await page.locator("#write-to-all [name=subject]").fill("Bring your cable");
  await page.locator("#write-to-all [name=words]").fill("And your printer.");
  await page.locator("#write-to-all button").click();
  await expect(page.getByRole("status")).toBeVisible();
  if (scripts) await accessible(page);
  if (scripts) await fitsASmallPhone(page);
  await page.goto(`/desk/classes/${id}/sheet`);
  await expect(page.locator(".sheet tbody tr")).toHaveCount(5);
  if (scripts) await accessible(page);
  const file = await page.request.get(`/desk/classes/${id}/roster.csv`);
  expect(file.headers()["content-type"]).toContain("text/csv");
  expect((await file.text()).trim().split("\n")).toHaveLength(3);
});
