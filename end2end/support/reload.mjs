// `make dev`: stands in front of the server and loads the open pages again when it is told (SIGHUP) that a new build is
// up. The product itself knows nothing of this.
//
//   node reload.mjs 3000 3001     listens on 3000, asks 3001
import { createServer, request } from "node:http";

const [front, back] = process.argv.slice(2).map(Number);
const open = new Set();
const EVENTS = "/.reload";

process.on("SIGHUP", () => {
  for (const page of open) page.write("data: again\n\n");
});

createServer((asked, answer) => {
  if (asked.url === EVENTS) {
    answer.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).write(": here\n\n");
    open.add(answer);
    asked.on("close", () => open.delete(answer));
    return;
  }
  // Nothing packed, so that the tag can be put in.
  const headers = { ...asked.headers, "accept-encoding": "identity" };
  const passed = request({ host: "127.0.0.1", port: back, method: asked.method, path: asked.url, headers }, (got) => {
    const html = (got.headers["content-type"] ?? "").startsWith("text/html");
    if (!html) {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
      return;
    }
    const nonce = /'nonce-([^']+)'/.exec(got.headers["content-security-policy"] ?? "")?.[1] ?? "";
    const tag = `<script nonce="${nonce}">new EventSource("${EVENTS}").onmessage = () => location.reload()</script>`;
    const parts = [];
    got.on("data", (part) => parts.push(part));
    got.on("end", () => {
      const { "content-length": _, ...rest } = got.headers;
      answer.writeHead(got.statusCode ?? 502, rest);
      answer.end(Buffer.concat(parts).toString("utf8").replace("</head>", `${tag}</head>`));
    });
  });
  passed.on("error", () => answer.writeHead(503, { "content-type": "text/plain", "retry-after": "1" }).end("The next build is starting.\n"));
  asked.pipe(passed);
}).listen(front, "127.0.0.1");
