// The production bundle on workerd itself, without the development proxy, which costs more than the Worker does.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Miniflare } from "miniflare";
import { z } from "zod";
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

const WithObjects = z.object({
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
});

/** Durable Object classes in the checkout's `wrangler.toml`: as exports, and as bindings by name. */
export async function readObjects(root = ".") {
  // Takes a second of CPU time.
  const { unstable_readConfig } = await import("wrangler");
  const config: unknown = unstable_readConfig({ config: join(root, "wrangler.toml") }, { hideWarnings: true });
  const { bindings } = WithObjects.parse(config).durable_objects;
  return {
    exports: Object.fromEntries(bindings.map(({ class_name }) => [class_name, sqlite])),
    bindings: Object.fromEntries(bindings.map(({ name, class_name }) => [name, toObjectBinding(class_name)])),
  };
}

export type Objects = Awaited<ReturnType<typeof readObjects>>;

export type BenchServer = { url: URL; env: Env; inspector: URL | null; close(): Promise<void> };
export type BenchOptions = {
  /** A folder for the stores; in memory without it. */
  state?: string;
  port?: number;
  /** Secrets of an earlier start on the same stores. */
  secrets?: ReturnType<typeof newSecrets>;
  /** An existing bundle; without it, the product is built. */
  main?: string;
  /** The checkout of the bundle: its `wrangler.toml` and migrations are used. */
  root?: string;
  /** What `readObjects` has returned for this checkout. */
  objects?: Objects;
  /** Replaces production's value in every rate limit. */
  rateLimit?: number;
  /** Opens workerd's inspector. */
  inspect?: boolean;
  /** Serves the static files too, from `dist/public`. */
  assets?: boolean;
  /** Replaces `CRITICAL`. */
  logLevel?: string;
  /** Called for each line that the Worker logs; without it, lines go to standard output. */
  onLog?: (message: string) => void;
};

/**
 * Builds a production bundle.
 * @param main an entry other than the product's  @param root a checkout other than this one
 * @param isReadable not minified, for who changes its text  @returns its path
 */
export function buildBundle(main?: string, root = ".", isReadable = false): string {
  const outdir = isReadable ? "dist/readable" : main ? `dist/${main.replaceAll(/[^a-z]+/gi, "-")}` : "dist/worker";
  const args = ["deploy", ...(main ? [main] : []), "--dry-run", "--outdir", outdir, ...(isReadable ? ["--minify=false"] : [])];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  // wrangler.toml names the folder of the static files, which a new checkout does not have.
  mkdirSync(join(root, "dist/public"), { recursive: true });
  const built = spawnSync("wrangler", args, { encoding: "utf8", cwd: root, env });
  if (built.status !== 0) throw new Error(built.stderr);
  return join(root, outdir, main ? main.replace(/^.*\//, "").replace(/\.ts$/, ".js") : "index.js");
}

/** Folder of the stores: in memory if possible and unless TMPDIR is set, because a laptop's disk is not comparable with D1's. */
export function chooseStoresFolder(): string {
  const memory = "/dev/shm";
  if (!process.env.TMPDIR && existsSync(memory)) process.env.TMPDIR = memory;
  return tmpdir();
}

/** Builds the bundle, starts it and applies pending migrations. */
export async function startBench(options: BenchOptions = {}): Promise<BenchServer> {
  const { state, port, secrets, main, root = ".", rateLimit, inspect, assets, logLevel, onLog } = options;
  const bundle = main ?? buildBundle();
  if (!state) console.log(`Stores in ${chooseStoresFolder()}`);
  const values = {
    ENVIRONMENT: "test",
    LOG_LEVEL: logLevel ?? "CRITICAL",
    PUBLIC_ORIGIN: "",
    CORS_ORIGINS: "",
    DOCS: "",
    ISSUER: "edgecare",
    ACCESS_TOKEN_EXPIRE_MINUTES: "60",
    R2_S3_ENDPOINT: "",
    R2_S3_BUCKET: "",
    ...(secrets ?? newSecrets()),
  };
  const objects = options.objects ?? (await readObjects(root));
  const server = new Miniflare({
    ...(state && { resourcePersistencePath: state }),
    ...(port && { port, host: "127.0.0.1" }),
    ...(inspect && { inspectorPort: 0 }),
    ...(onLog && { handleStructuredLogs: ({ message }) => onLog(message) }),
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
          exports: objects.exports,
          ...(assets && { assets: { directory: resolve(root, "dist/public"), hasUserWorker: true, runWorkerFirst: true } }),
          env: {
            ...(assets && { ASSETS: { type: "assets" as const } }),
            DB: { type: "d1" },
            KV: { type: "kv" },
            FILES: { type: "r2" },
            ...objects.bindings,
            RATE_PERSON: toRateLimitBinding(1, rateLimit ?? 100),
            RATE_MACHINE: toRateLimitBinding(2, rateLimit ?? 6_000),
            RATE_ADDRESS: toRateLimitBinding(3, rateLimit ?? 300),
            RATE_SIGNUP: toRateLimitBinding(4, rateLimit ?? 20),
            RATE_IDENTITY: toRateLimitBinding(5, rateLimit ?? 30),
            RATE_LOGIN: toRateLimitBinding(6, rateLimit ?? 30),
            RATE_OWN_IDENTITY: toRateLimitBinding(7, rateLimit ?? 5),
            RATE_PORTAL_SESSION: toRateLimitBinding(8, rateLimit ?? 600),
            RATE_PORTAL_PERSON: toRateLimitBinding(9, rateLimit ?? 1_200),
            ...toTextBindings(values),
          },
        },
      },
    ],
  });
  const url = await server.ready;
  const env: Env = { ...(await server.getBindings<Env>()), ...values };
  const migrated = await env.DB.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'patients'").first();
  for (const file of migrated ? [] : globSync("migrations/*.sql", { cwd: root }).sort()) {
    const statements = readFileSync(join(root, file), "utf8").split("--> statement-breakpoint");
    // biome-ignore lint/plugin: constant SQL from the migrations.
    await env.DB.batch(statements.map((statement) => env.DB.prepare(statement)));
  }
  const inspector = inspect ? await server.getInspectorURL() : null;
  return { url, env, inspector, close: () => server.dispose() };
}
