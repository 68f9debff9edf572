import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const binary = process.env.AFTERCARE_BIN ?? join(root, "target/debug/aftercare");

/** Where every server's clock starts: a Tuesday morning in winter. */
export const NOW = "2026-12-01T09:00:00Z";

/** The running product, with a database of its own. */
export class Server {
  private constructor(
    readonly url: string,
    readonly data: string,
    private readonly process: ChildProcess,
    private readonly log: string[],
  ) {}

  /** `from`: a data directory to start with a copy of; without one the demo company is seeded. */
  static async start(from?: string): Promise<Server> {
    const data = mkdtempSync(join(tmpdir(), "aftercare-e2e-"));
    if (from) cpSync(from, data, { recursive: true });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const log: string[] = [];
    const child = spawn(binary, ["serve", "--demo", "--listen", `127.0.0.1:${port}`, "--data-dir", data, "--public-url", url], {
      env: { ...process.env, AFTERCARE_CLOCK: NOW, RUST_BACKTRACE: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text: Buffer) => log.push(text.toString()));
    const server = new Server(url, data, child, log);
    for (let waited = 0; waited < 120_000; waited += 100) {
      if (child.exitCode !== null) throw new Error(`aftercare ended with ${child.exitCode}:\n${server.tail()}`);
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      if (answer?.ok) return server;
      await new Promise((done) => setTimeout(done, 100));
    }
    await server.stop();
    throw new Error(`aftercare is not ready after two minutes:\n${server.tail()}`);
  }

  /** The end of what it logged. */
  tail(): string {
    return this.log.join("").split("\n").slice(-40).join("\n");
  }

  /** A post as the browser itself would send it from a page of ours. */
  async post(path: string, fields: Record<string, string>, cookie?: string): Promise<Response> {
    return fetch(this.url + path, {
      method: "POST",
      redirect: "manual",
      headers: { origin: this.url, "content-type": "application/x-www-form-urlencoded", ...(cookie ? { cookie } : {}) },
      body: new URLSearchParams(fields),
    });
  }

  /** Moves the demo's clock, an ISO 8601 duration at a time. */
  async advance(duration: string): Promise<void> {
    const answer = await this.post("/demo/clock", { advance: duration });
    if (answer.status >= 400) throw new Error(`the clock answered ${answer.status}`);
  }

  async stop(keep = false): Promise<void> {
    if (this.process.exitCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGTERM");
      const late = setTimeout(() => this.process.kill("SIGKILL"), 12_000);
      await ended;
      clearTimeout(late);
    }
    if (!keep) rmSync(this.data, { recursive: true, force: true });
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? done(address.port) : failed(new Error("no port"))));
    });
  });
}
