import { type Page } from "@playwright/test";
import { Server } from "../support/server";
import { accessible, expect, fitsASmallPhone, type Role, signIn, test } from "../support/test";

/** A fresh class of two sessions, made by the trainer; answers with its id. */
async function newClass(page: Page, base: string, title: string, days: number): Promise<string> {
  await page.goto(`${base}/desk/classes/new`);
  const form = page.locator("#new-class");
  await form.locator("[name=course]").selectOption({ index: 1 });
  await form.locator("[name=title]").fill(title);
  await form.locator("details > summary").first().click();
  for (let n = 0; n < 2; n += 1) {
    const day = new Date(Date.parse("2026-12-01T00:00:00Z") + (days + n) * 86_400_000).toISOString().slice(0, 10);
    await form.locator("[name^=date]").nth(n).fill(day);
    await form.locator("[name^=starts]").nth(n).fill("06:00");
    await form.locator("[name^=ends]").nth(n).fill("06:45");
  }
  await form.locator("[name=link]").fill("https://meet.example.com/aftercare");
  await form.locator("[name=capacity]").fill("5");
  await form.locator("[name=price]").fill("0");
  await form.locator("[name=cut_off_hours]").fill("24");
  await form.locator("button[data-tone=primary]").last().click();
  await expect(page).toHaveURL(/\/desk\/classes\/[0-9a-f-]{20,}/);
  const id = /classes\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
  await page.locator("#publish-class button").click();
  await expect(page.locator("#publish-class")).toHaveCount(0);
  return id;
}

/** The page as axe and a small phone see it; both look by scripts. */
async function looked(page: Page, scripts: boolean): Promise<void> {
  if (!scripts) return;
  await accessible(page);
  await fitsASmallPhone(page);
}

test("from home to a seat in three taps", async ({ page, as }) => {
  await as("owner");
  await page.goto("/");
  let taps = 0;
  const tap = async (target: ReturnType<Page["locator"]>) => {
    taps += 1;
    await target.click();
  };
  await tap(page.locator("main a[href='/training']"));
  await expect(page).toHaveURL(/\/training$/);
  const free = page.locator("main a.card-link[href^='/training/']").filter({ hasText: /left/ });
  await tap(free.last());
  // What it costs is said before.
  await expect(page.locator(".card, .alert").filter({ has: page.locator("#enrol") })).toBeVisible();
  await tap(page.locator("#enrol button"));
  await expect(page.locator("#cancel-enrolment")).toBeVisible();
  expect(taps).toBeLessThanOrEqual(3);
  await page.locator("#cancel-enrolment button").click();
  await expect(page.locator("#cancel-enrolment")).toHaveCount(0);
});

test("the catalogue narrows by a form, and what is on can be taken off", async ({ page, as, scripts }) => {
  test.slow();
  await as("customer");
  await page.goto("/training");
  await looked(page, scripts);
  await page.locator("form[role=search] summary").click();
  await page.locator("#level").selectOption("advanced");
  await page.locator("#how").selectOption("in_person");
  await page.locator("form[role=search] button").click();
  await expect(page.locator(".chip")).toHaveCount(2);
  await expect(page.locator("main a.card-link").filter({ hasText: "Beginner" })).toHaveCount(0);
  expect(await page.locator("main a.card-link").filter({ hasText: "Advanced" }).count()).toBeGreaterThan(0);
  await looked(page, scripts);
  await page.locator(".chip").first().click();
  await expect(page.locator(".chip")).toHaveCount(1);
  await page.goto("/training?q=nothing+is+called+like+this&level=beginner");
  await expect(page.locator(".empty")).toBeVisible();
  await looked(page, scripts);
});

test("a course says what it teaches, what comes before, and hands out its materials", async ({ page, as, scripts }, info) => {
  test.slow();
  await as("trainer");
  await page.goto("/desk/courses");
  await looked(page, scripts);
  await page.locator("main a.card-link").filter({ hasText: "Your printer, every day" }).click();
  await looked(page, scripts);
  const address = page.url();
  await page.locator("main a[href$='/materials']").click();
  await looked(page, scripts);
  const title = `Notes for ${info.project.name}`;
  await page.locator("#title").fill(title);
  await page.locator("#file").setInputFiles({ name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4\n%%EOF") });
  await page.locator("input[name=audience][value=everyone]").check();
  await page.locator("#add-material button[type=submit]").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.getByRole("link", { name: title })).toBeVisible();

  await as("member");
  await page.goto(address.replace("/desk/", "/training/"));
  await expect(page.locator(".syllabus li")).toHaveCount(3);
  await looked(page, scripts);
  const file = page.waitForEvent("download");
  await page.getByRole("link", { name: title }).click();
  expect((await file).suggestedFilename()).toBe("notes.pdf");
});

test("one says that one is late, misses a session, makes it up and gets the certificate", async ({ page, context, scripts }) => {
  test.setTimeout(300_000);
  // A server of its own: this journey goes on for a week, and the others stay where they are.
  const own = await Server.start(process.env.AFTERCARE_E2E_SEED);
  const as = (role: Role) => signIn(context, own, role);
  const open = (path: string) => page.goto(own.url + path);
  await as("trainer");
  const home = await newClass(page, own.url, "Session rehearsal", 2);
  const host = await newClass(page, own.url, "Make-up rehearsal", 6);
  await as("member");
  await open(`/training/${home}`);
  await page.locator("#enrol button").click();
  await expect(page.locator("#cancel-enrolment")).toBeVisible();
  await page.locator("details:has(#announce) > summary").click();
  await page.locator("#announce [name=words]").fill("My bus is late.");
  await page.locator("#announce button[type=submit]").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.getByText("My bus is late.")).toBeVisible();
  await looked(page, scripts);

  await as("trainer");
  await open(`/desk/classes/${home}`);
  await expect(page.getByText("My bus is late.")).toBeVisible();
  await own.advance("P4D");
  await as("trainer");
  for (const [tab, mark] of [["present"], ["absent"]].map(([mark], at) => [at, mark] as const)) {
    await open(`/desk/classes/${home}`);
    await page.locator("main nav a").nth(tab).click();
    await page.locator(`form[aria-label] button[value=${mark}]`).first().click();
    await expect(page.locator("form[aria-label] button[data-tone=primary]")).toHaveCount(1);
  }
  await page.locator("#close-class button").click();
  await expect(page.locator("#close-class")).toHaveCount(0);

  await as("member");
  await open(`/training/${home}`);
  await page.locator(`a[href='/training/${home}/make-up']`).click();
  await looked(page, scripts);
  await page.locator("label.choice").filter({ hasText: "Make-up rehearsal" }).click();
  await page.locator("form:has(label.choice) button[type=submit]").click();
  await expect(page.getByRole("status")).toBeVisible();
  await looked(page, scripts);

  await own.advance("P4D");
  await as("trainer");
  await open(`/desk/classes/${host}`);
  await page.locator("main nav a").nth(1).click();
  await page.locator("form[action^='/desk/make-ups/'] button[value=present]").click();
  await expect(page.locator("form[action^='/desk/make-ups/'] button[data-tone=primary]")).toHaveCount(1);

  await as("member");
  await open("/training/mine");
  await page.locator("a.card-link[href^='/certificates/']").filter({ hasText: "Session rehearsal" }).first().click();
  await expect(page.locator(".certificate .qr")).toBeVisible();
  await looked(page, scripts);
  const file = page.waitForEvent("download");
  await page.locator("a[href$='certificate.pdf']").click();
  expect((await file).suggestedFilename()).toMatch(/\.pdf$/);
  await own.stop();
});
