import { rmSync } from "node:fs";
import { Server } from "./server";

/** Seeds the demo company once; every worker starts with a copy of it. */
export default async function seed(): Promise<() => void> {
  const server = await Server.start();
  await server.stop(true);
  process.env.AFTERCARE_E2E_SEED = server.data;
  return () => rmSync(server.data, { recursive: true, force: true });
}
