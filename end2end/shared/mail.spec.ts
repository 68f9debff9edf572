import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ICAL from "ical.js";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { binary, freePort } from "../support/server";
import { expect, test as base } from "@playwright/test";

/** A portal without the demo, which sends its mail to an SMTP server that keeps what it gets. */
type Post = { url: string; data: string; letters: ParsedMail[]; raw: string[]; refuse: { next: number } };

const test = base.extend<{ post: Post }>({
  post: async ({}, use) => {
    const letters: ParsedMail[] = [];
    const raw: string[] = [];
    const refuse = { next: 0 };
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData(stream, _session, done) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const source = Buffer.concat(chunks);
          simpleParser(source).then((letter) => {
            if (refuse.next-- > 0) return done(Object.assign(new Error("greylisted, come back"), { responseCode: 451 }));
            letters.push(letter);
            raw.push(source.toString("utf8"));
            done();
          }, done);
        });
      },
    });
    const smtpPort = await freePort();
    await new Promise<void>((ready) => smtp.listen(smtpPort, "127.0.0.1", ready));
    const data = mkdtempSync(join(tmpdir(), "aftercare-mail-"));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // It is about noon at the company: what waits for the reader's morning waits for none.
    const ahead = 12 - new Date().getUTCHours();
    // A zone named with a minus is ahead of UTC.
    const zone = ahead === 0 ? "Etc/GMT" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
    const portal: ChildProcess = spawn(binary, ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", data, "--public-url", url], {
      cwd: data,
      env: { ...process.env, AFTERCARE_ZONE: zone, AFTERCARE_SMTP_URL: `smtp://127.0.0.1:${smtpPort}`, AFTERCARE_MAIL_FROM: "Lumina Works <service@example.com>" },
      stdio: "ignore",
    });
    await expect.poll(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status, { timeout: 30_000 }).toBe(200);
    await use({ url, data, letters, raw, refuse });
    const ended = new Promise((done) => portal.once("exit", done));
    portal.kill("SIGTERM");
    await ended;
    await new Promise<void>((closed) => smtp.close(() => closed()));
    rmSync(data, { recursive: true, force: true });
  },
});

test.use({ locale: "lt-LT" });

test("a letter leaves by SMTP, whole and in the reader's language, and its link signs in", async ({ page, post }) => {
  await page.goto(`${post.url}/sign-in`);
  await page.locator("#email").fill("zmogus@example.org");
  await page.locator("#sign-in button[type=submit]").click();
  await expect(page).toHaveURL(/\/sign-in\/code$/);
  await expect.poll(() => post.letters.length, { timeout: 15_000 }).toBe(1);
  const [letter] = post.letters;
  expect(letter.from?.text).toContain("service@example.com");
  expect(letter.subject).toMatch(/^\d{6} – jūsų prisijungimo kodas \(Aftercare\)$/);
  expect(letter.text).toContain("naršyklėje");
  const link = letter.text?.match(/http:\/\/\S+\/sign-in\/link\/\S+/)?.[0] ?? "";
  await page.goto(link);
  await page.getByRole("main").getByRole("button").click();
  await page.goto(`${post.url}/account`);
  await expect(page.locator("#account")).toBeVisible();
});

test("a mail server that asks to come back gets the letter later, once", async ({ page, post }) => {
  post.refuse.next = 1;
  await page.goto(`${post.url}/sign-in`);
  await page.locator("#email").fill("late@example.org");
  await page.locator("#sign-in button[type=submit]").click();
  await expect.poll(() => post.letters.length, { timeout: 30_000 }).toBe(1);
  expect(post.letters[0].messageId).toMatch(/^<[0-9a-f]{32}@example\.com>$/);
});

test("an invitation is taken by calendars, and its end comes after it though the first try failed", async ({ page, post }) => {
  test.slow();
  const command = (...args: string[]): string =>
    execFileSync(binary, args, { encoding: "utf8", env: { ...process.env, AFTERCARE_DATA_DIR: post.data, AFTERCARE_PUBLIC_URL: post.url } });
  const enter = async (email: string): Promise<void> => {
    const link = /http\S+/.exec(command("sign-in-link", email))?.[0] ?? "";
    await page.context().clearCookies();
    await page.goto(link);
    await page.getByRole("main").getByRole("button").click();
  };
  const send = async (path: string, form: Record<string, string>): Promise<string> => {
    const answer = await page.request.post(post.url + path, { form, headers: { origin: post.url }, maxRedirects: 0 });
    expect(answer.status(), await answer.text()).toBe(303);
    return answer.headers().location ?? "";
  };
  command("staff", "add", "trainer@example.org", "--name", "Tina Trainer", "--role", "trainer");
  await enter("trainer@example.org");
  await send("/desk/courses/new", { title: "Printers", language: "en", pass_percent: "80", summary: "", products: "" });
  await page.goto(`${post.url}/desk/classes/new`);
  const course = await page.locator("[name=course] option").last().getAttribute("value");
  const day = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
  const times = { date_1: day, starts_1: "09:00", ends_1: "11:00", zone: "Europe/Madrid" };
  const location = await send("/desk/classes/new", {
    course: course ?? "", title: "Printers; for all", language: "en", link: "https://meet.example.com/x", capacity: "5", price: "0", cut_off_hours: "24", ...times,
  });
  await send(location, { act: "publish" });

  post.refuse.next = 1;
  await send(location, { act: "walk_in", email: "ann@example.org", name: "Ann Öztürk" });
  await enter("ann@example.org");
  await send(location.replace("/desk/classes/", "/training/"), { act: "cancel" });
  await expect.poll(() => post.letters.length, { timeout: 60_000 }).toBe(2);

  const calendars = post.letters.map((letter) => letter.attachments.find((part) => part.filename === "invite.ics")?.content.toString("utf8") ?? "");
  const line = (at: number, key: string): string => new RegExp(`^${key}[:;](.*)$`, "m").exec(calendars[at].replaceAll("\r\n ", ""))?.[1].trim() ?? "";
  expect([line(0, "METHOD"), line(1, "METHOD")]).toEqual(["REQUEST", "CANCEL"]);
  expect(line(0, "UID")).not.toBe("");
  expect(line(1, "UID")).toBe(line(0, "UID"));
  expect(Number(line(1, "SEQUENCE"))).toBeGreaterThan(Number(line(0, "SEQUENCE")));
  // As a program that did not write them reads them.
  const events = calendars.map((text) => {
    const calendar = new ICAL.Component(ICAL.parse(text));
    ICAL.TimezoneService.register(new ICAL.Timezone(calendar.getFirstSubcomponent("vtimezone") ?? undefined));
    return new ICAL.Event(calendar.getFirstSubcomponent("vevent") ?? undefined);
  });
  expect(events.map((event) => [event.uid, event.summary, event.duration.toSeconds()])).toEqual([
    [line(0, "UID"), "Printers; for all", 7200],
    [line(0, "UID"), "Printers; for all", 7200],
  ]);
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/Madrid", dateStyle: "short", timeStyle: "short" });
  expect(clock.format(events[0].startDate.toJSDate()), "by the zone that the letter brings along").toBe(`${day} 09:00`);
  expect(events[1].sequence).toBeGreaterThan(events[0].sequence);
  expect(line(0, "ATTENDEE")).toContain("Ann Öztürk");
  expect(line(0, "SUMMARY")).toBe("Printers\\; for all");
  for (const [at, method] of ["REQUEST", "CANCEL"].entries()) {
    expect(post.raw[at]).toMatch(new RegExp(`content-type: text/calendar;[^]{0,60}method=${method}`, "i"));
    expect(post.raw[at]).toMatch(/content-type: multipart\/alternative/i);
    expect(calendars[at].split("\r\n").every((text) => Buffer.byteLength(text) <= 75)).toBe(true);
  }
});
