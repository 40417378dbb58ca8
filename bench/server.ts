// The production bundle on workerd itself, without the development proxy, which costs more than the Worker does.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { Miniflare } from "miniflare";
import { newSecrets } from "../scripts/dev-secrets.mjs";

const toTextBindings = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { type: "text" as const, value }]));
const toRateLimitBinding = (namespace: number, limit: number) => ({
  type: "rate-limit" as const,
  namespace: String(namespace),
  simple: { limit, period: 60 as const },
});

const toObjectBinding = (exportName: string) => ({ type: "durable-object" as const, worker: "edgecare", exportName });
const sqlite = { type: "durable-object" as const, storage: "sqlite" as const };

export type BenchServer = { url: URL; env: Env; close(): Promise<void> };
/** `state`: a folder that keeps the stores; `secrets`: those of an earlier start; `main`: another entry than the product's. */
export type BenchOptions = { state?: string; port?: number; secrets?: ReturnType<typeof newSecrets>; main?: string };

/** Builds a bundle as production has it. @returns its path */
export function buildBundle(main?: string): string {
  const outdir = main ? `dist/${main.replaceAll(/[^a-z]+/gi, "-")}` : "dist/worker";
  const args = ["deploy", ...(main ? [main] : []), "--dry-run", "--outdir", outdir];
  const built = spawnSync("wrangler", args, { encoding: "utf8", env: { ...process.env, WRANGLER_SEND_METRICS: "false" } });
  if (built.status !== 0) throw new Error(built.stderr);
  return `${outdir}/${main ? main.replace(/^.*\//, "").replace(/\.ts$/, ".js") : "index.js"}`;
}

/** Where the stores lie: in memory where the machine has such a folder and TMPDIR names none, for a laptop's disk is not D1's. */
function chooseStoresFolder(): string {
  const memory = "/dev/shm";
  if (!process.env.TMPDIR && existsSync(memory)) process.env.TMPDIR = memory;
  return tmpdir();
}

/** Builds the bundle, starts it and applies the migrations where they were not. The rate limits are production's. */
export async function startBench({ state, port, secrets, main }: BenchOptions = {}): Promise<BenchServer> {
  const bundle = main ?? buildBundle();
  if (!state) console.log(`Stores in ${chooseStoresFolder()}`);
  const values = {
    ENVIRONMENT: "test",
    LOG_LEVEL: "CRITICAL",
    CORS_ORIGINS: "",
    DOCS: "",
    ISSUER: "edgecare",
    ACCESS_TOKEN_EXPIRE_MINUTES: "60",
    R2_S3_ENDPOINT: "",
    R2_S3_BUCKET: "",
    ...(secrets ?? newSecrets()),
  };
  const server = new Miniflare({
    ...(state && { resourcePersistencePath: state }),
    ...(port && { port, host: "127.0.0.1" }),
    workers: [
      {
        config: {
          name: "edgecare",
          compatibilityDate: "2026-10-01",
          manifest: {
            mainModule: "index.js",
            modulesRoot: resolve(dirname(bundle)),
            modules: { "index.js": { type: "esm", contents: readFileSync(bundle, "utf8") } },
          },
          exports: { PatientMonitor: sqlite, WardFeed: sqlite },
          env: {
            DB: { type: "d1" },
            KV: { type: "kv" },
            FILES: { type: "r2" },
            PATIENT_MONITOR: toObjectBinding("PatientMonitor"),
            WARD_FEED: toObjectBinding("WardFeed"),
            RATE_PERSON: toRateLimitBinding(1, 100),
            RATE_MACHINE: toRateLimitBinding(2, 6_000),
            RATE_ADDRESS: toRateLimitBinding(3, 300),
            RATE_SIGNUP: toRateLimitBinding(4, 20),
            RATE_IDENTITY: toRateLimitBinding(5, 30),
            ...toTextBindings(values),
          },
        },
      },
    ],
  });
  const url = await server.ready;
  const env: Env = { ...(await server.getBindings<Env>()), ...values };
  const migrated = await env.DB.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'patients'").first();
  for (const file of migrated ? [] : globSync("migrations/*.sql").sort()) {
    const statements = readFileSync(file, "utf8").split("--> statement-breakpoint");
    // biome-ignore lint/plugin: the migrations, as they stand.
    await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
  }
  return { url, env, close: () => server.dispose() };
}
