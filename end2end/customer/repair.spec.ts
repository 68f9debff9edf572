import type { Page } from "@playwright/test";
import { picture } from "../support/picture";
import { expect, test } from "../support/test";

/** Books the first item, brought in, at the first free time or at the last; answers with the RMA number. */
async function book(page: Page, fault: string, { photo = false, late = false }): Promise<string> {
  await page.goto("/repairs/new");
  await page.locator("#item").selectOption({ index: 1 });
  await page.locator("input[name=mode][value=bring_in]").check();
  await page.locator("#book-repair button").first().click();

  await expect(page.locator("#fault")).toBeVisible();
  await anotherFault(page);
  await page.locator("#fault").fill(fault);
  if (photo) {
    await page.locator("#photos").setInputFiles(picture());
    await page.locator("button[name=do][value=photos]").click();
    await expect(page.locator(".photos img")).toHaveCount(1);
    await expect(page.locator("#fault")).toHaveValue(fault);
    expect(await page.locator(".photos img").evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth))).toBeGreaterThan(0);
  }
  await unfold(page);
  const slots = page.locator("input[name=slot]:enabled");
  await (late ? slots.last() : slots.first()).check();
  await page.locator("#book-repair button[data-tone=primary]").click();
  await expect(page).toHaveURL(/\/repairs\/RMA-[^/?]+$/);
  await expect(page.getByRole("status")).toBeVisible();
  return page.url().split("/").pop() ?? "";
}

/** Where earlier work on the item is still warranted: it is another fault this time. */
async function anotherFault(page: Page): Promise<void> {
  const answers = page.locator("input[name=same_fault]");
  if ((await answers.count()) > 0) await answers.last().check();
}

/** Later days are folded away. */
async function unfold(page: Page): Promise<void> {
  for (const summary of await page.locator("#slots details > summary").all()) {
    if ((await summary.locator("..").getAttribute("open")) === null) await summary.click();
  }
}

/** The technician's next step, by the form's id. */
async function step(page: Page, verb: string, fields: Record<string, string> = {}): Promise<void> {
  const form = page.locator(`#do-${verb}`);
  const fold = page.locator("details.fold:not([open])", { has: form });
  if ((await fold.count()) > 0) await fold.locator("summary").click();
  for (const [name, value] of Object.entries(fields)) await form.locator(`[name="${name}"]`).fill(value);
  await form.locator("button").last().click();
  await expect(page.getByRole("status"), verb).toBeVisible();
}

test("a repair is booked with a photo, followed, quoted, accepted and handed back", async ({ page, as }) => {
  test.slow();
  await as("customer");
  const rma = await book(page, "It draws several sheets at once & then it jams <always>.", { photo: true });
  await expect(page.getByText("It draws several sheets at once & then it jams <always>.").first()).toBeVisible();

  await as("technician");
  await page.goto(`/desk/repairs/${rma}`);
  await step(page, "receive");
  await step(page, "diagnose", { words: "The pickup roller is worn out." });
  await step(page, "quote", { label_1: "Pickup roller", quantity_1: "1", unit_price_1: "18.50", label_2: "Work", quantity_2: "1", unit_price_2: "45" });

  await as("customer");
  await page.goto("/repairs");
  await page.locator(`a[href='/repairs/${rma}']`).first().click();
  await expect(page.locator("#answer-quote")).toBeVisible();
  await expect(page.getByText(/63[.,]50/).first()).toBeVisible();
  await page.locator("#answer-quote button[value=accept]").click();
  await expect(page.getByRole("status")).toBeVisible();

  await as("technician");
  await page.goto(`/desk/repairs/${rma}`);
  await step(page, "start");
  await step(page, "finish");
  await step(page, "make_ready");
  await step(page, "hand_back");

  await as("customer");
  await page.goto(`/repairs/${rma}`);
  await expect(page.locator(".timeline .step[data-state=done]").nth(5)).toBeVisible();
});

test("what comes on top is declined, and what is covered is done all the same", async ({ page, as }) => {
  test.slow();
  await as("customer");
  const rma = await book(page, "It squeaks.", {});
  await as("technician");
  await page.goto(`/desk/repairs/${rma}`);
  await step(page, "receive");
  await step(page, "diagnose", { words: "The bearing is worn." });
  await step(page, "quote", { label_1: "Bearing", quantity_1: "1", unit_price_1: "80" });
  await as("customer");
  await page.goto(`/repairs/${rma}`);
  await page.locator("#answer-quote button[value=decline]").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("#answer-quote")).toHaveCount(0);
  await as("technician");
  await page.goto(`/desk/repairs/${rma}`);
  await step(page, "start");
  await step(page, "finish");
  await step(page, "make_ready");
  await step(page, "hand_back");
});

test("a thing is sent in without an appointment", async ({ page, as }) => {
  await as("customer");
  await page.goto("/repairs/new");
  await page.locator("#item").selectOption({ index: 1 });
  await page.locator("input[name=mode][value=send_in]").check();
  await page.locator("#book-repair button").first().click();
  await expect(page.locator("input[name=slot]")).toHaveCount(0);
  await anotherFault(page);
  await page.locator("#fault").fill("It does not start any more.");
  await page.locator("#book-repair button[data-tone=primary]").click();
  await expect(page).toHaveURL(/\/repairs\/RMA-[^/?]+$/);
  // Where to send it stands there.
  await expect(page.getByRole("main")).toContainText(/\d{3,}|street|calle|g\./i);
});

test("a technician is asked to come, to an address, at a time when one is free", async ({ page, as }) => {
  await as("customer");
  await page.goto("/repairs/new");
  await page.locator("#item").selectOption({ index: 1 });
  await page.locator("input[name=mode][value=on_site]").check();
  await page.locator("#book-repair button").first().click();
  await anotherFault(page);
  await page.locator("#fault").fill("It leaks on the floor.");
  await page.locator("[name=place]").fill("Mill Lane 3, second floor");
  await unfold(page);
  await page.locator("input[name=slot]:enabled").last().check();
  await page.locator("#book-repair button[data-tone=primary]").click();
  await expect(page).toHaveURL(/\/repairs\/RMA-[^/?]+$/);
  await expect(page.getByText("Mill Lane 3, second floor").first()).toBeVisible();
});

test("a repair is moved to another time and cancelled", async ({ page, as }) => {
  await as("customer");
  const rma = await book(page, "The display stays dark.", { late: true });
  await page.locator(`a[href='/repairs/${rma}?move=1']`).click();
  await unfold(page);
  const slots = page.locator("#move-repair input[name=slot]:enabled");
  await slots.nth((await slots.count()) - 2).check();
  await page.locator("#move-repair button").click();
  await expect(page.getByRole("status")).toBeVisible();

  await page.locator("details.fold", { has: page.locator("#cancel-repair") }).locator("summary").click();
  await page.locator("#cancel-repair button").click();
  await expect(page.getByRole("status")).toBeVisible();
  await expect(page.locator("#cancel-repair")).toHaveCount(0);
});

test("a booking without words comes back with the fault at its field and the photo still there", async ({ page, as }) => {
  await as("customer");
  await page.goto("/repairs/new");
  await page.locator("#item").selectOption({ index: 1 });
  await page.locator("input[name=mode][value=bring_in]").check();
  await page.locator("#book-repair button").first().click();
  await anotherFault(page);
  await page.locator("#photos").setInputFiles(picture(10, 160, 90));
  await page.locator("input[name=slot]:enabled").first().check();
  const slot = await page.locator("input[name=slot]:checked").inputValue();
  await page.locator("#book-repair").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.locator("#book-repair button[data-tone=primary]").click();
  await expect(page.locator("#fault-fault")).not.toBeEmpty();
  await expect(page.locator(".photos img").first()).toBeVisible();
  await expect(page.locator("input[name=slot]:checked")).toHaveValue(slot);
});

test("what is no picture is refused in words", async ({ page, as }) => {
  await as("customer");
  await page.goto("/repairs/new");
  await page.locator("#item").selectOption({ index: 1 });
  await page.locator("input[name=mode][value=bring_in]").check();
  await page.locator("#book-repair button").first().click();
  await page.locator("#photos").setInputFiles({ name: "fault.png", mimeType: "image/png", buffer: Buffer.from("not a picture at all") });
  await page.locator("button[name=do][value=photos]").click();
  await expect(page.locator("#photos-fault")).not.toBeEmpty();
});
