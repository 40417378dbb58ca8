// The production bundle on workerd itself, without the development proxy, which costs more than the Worker does.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { resolve } from "node:path";
import { Miniflare } from "miniflare";
import { newSecrets } from "../scripts/dev-secrets.mjs";

const text = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type: "text" as const, value }]));
const rate = (namespace: number, limit: number) => ({
  type: "rate-limit" as const,
  namespace: String(namespace),
  simple: { limit, period: 60 as const },
});

export type BenchServer = { url: URL; env: Env; close(): Promise<void> };

/** Where the stores lie: in memory where the machine has such a folder and TMPDIR names none, for a laptop's disk is not D1's. */
function storesFolder(): string {
  const memory = "/dev/shm";
  if (!process.env.TMPDIR && existsSync(memory)) process.env.TMPDIR = memory;
  return tmpdir();
}

/** Builds the bundle, starts it on empty stores and applies the migrations. The rate limits are production's. */
export async function startBench(): Promise<BenchServer> {
  const built = spawnSync("npm", ["run", "--silent", "build"], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  console.log(`Stores in ${storesFolder()}`);
  const values = {
    ENVIRONMENT: "test",
    LOG_LEVEL: "CRITICAL",
    CORS_ORIGINS: "",
    DOCS: "",
    ISSUER: "edgecare",
    ACCESS_TOKEN_EXPIRE_MINUTES: "60",
    R2_S3_ENDPOINT: "",
    R2_S3_BUCKET: "",
    ...newSecrets(),
  };
  const server = new Miniflare({
    workers: [
      {
        config: {
          name: "edgecare",
          compatibilityDate: "2026-10-01",
          manifest: {
            mainModule: "index.js",
            modulesRoot: resolve("dist/worker"),
            modules: { "index.js": { type: "esm", contents: readFileSync("dist/worker/index.js", "utf8") } },
          },
          env: {
            DB: { type: "d1" },
            KV: { type: "kv" },
            FILES: { type: "r2" },
            RATE_PERSON: rate(1, 100),
            RATE_MACHINE: rate(2, 6_000),
            RATE_ADDRESS: rate(3, 300),
            RATE_SIGNUP: rate(4, 20),
            RATE_IDENTITY: rate(5, 30),
            ...text(values),
          },
        },
      },
    ],
  });
  const url = await server.ready;
  const env: Env = { ...(await server.getBindings<Env>()), ...values };
  for (const file of globSync("migrations/*.sql").sort()) {
    const statements = readFileSync(file, "utf8").split("--> statement-breakpoint");
    // biome-ignore lint/plugin: the migrations, as they stand.
    await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
  }
  return { url, env, close: () => server.dispose() };
}
