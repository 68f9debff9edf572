import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { binary, freePort } from "../support/server";
import { expect, test as base } from "@playwright/test";

/** A portal without the demo, which sends its mail to an SMTP server that keeps what it gets. */
type Post = { url: string; letters: ParsedMail[]; refuse: { next: number } };

const test = base.extend<{ post: Post }>({
  post: async ({}, use) => {
    const letters: ParsedMail[] = [];
    const refuse = { next: 0 };
    const smtp = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData(stream, _session, done) {
        simpleParser(stream).then((letter) => {
          if (refuse.next-- > 0) return done(Object.assign(new Error("greylisted, come back"), { responseCode: 451 }));
          letters.push(letter);
          done();
        }, done);
      },
    });
    const smtpPort = await freePort();
    await new Promise<void>((ready) => smtp.listen(smtpPort, "127.0.0.1", ready));
    const data = mkdtempSync(join(tmpdir(), "aftercare-mail-"));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const portal: ChildProcess = spawn(binary, ["serve", "--listen", `127.0.0.1:${port}`, "--data-dir", data, "--public-url", url], {
      cwd: data,
      env: { ...process.env, AFTERCARE_SMTP_URL: `smtp://127.0.0.1:${smtpPort}`, AFTERCARE_MAIL_FROM: "Lumina Works <service@example.com>" },
      stdio: "ignore",
    });
    await expect.poll(async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status, { timeout: 30_000 }).toBe(200);
    await use({ url, letters, refuse });
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
  expect(letter.subject).toMatch(/^\d{6} – jūsų „Aftercare“ kodas$/);
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
