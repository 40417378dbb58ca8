// Three test projects: in workerd on real local bindings, on Node (rules, demo, CLI), and on the served product.
import { once } from "node:events";
import { existsSync, globSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { buildRender, RENDER_ASSETS, RENDER_BUNDLE } from "./scripts/build-render.mjs";
import { newSecrets } from "./scripts/dev-secrets.mjs";
import { GUARDS, removeGuard } from "./scripts/lib/guards.mjs";
import { messageCatalogues } from "./scripts/portal-messages.mjs";
import { keepTemporaryFilesInMemory } from "./test/memory-folder.ts";
import { migratedSchema } from "./test/migrated-schema.ts";
import { LongestFirst } from "./test/order.ts";

/** Real and hostile PDFs for tests in workerd, which has no file system; empty if the data folder is absent. */
function sharedPdfs() {
  const data = "../shared/data";
  const paths = existsSync(data) ? globSync("{ecg,hostile}/pdf/**/*.pdf", { cwd: data }).sort() : [];
  return paths.map((path) => ({ path, base64: readFileSync(`${data}/${path}`, "base64") }));
}

/** Published cases of numbers and strings; empty if the data folder is absent. */
function sharedJson(path: string) {
  const file = `../shared/data/${path}`;
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}

/** JSONTestSuite: `y_` must parse, `n_` must not, `i_` may. */
function sharedJsonBodies() {
  const data = "../shared/data/hostile/json/test_parsing";
  const names = existsSync(data) ? globSync("*.json", { cwd: data }).sort() : [];
  return names.map((name) => ({ name, base64: readFileSync(`${data}/${name}`, "base64") }));
}

/** Exports and payloads of wearables as text; empty if the data folder is absent. */
function sharedWearables() {
  const data = "../shared/data/wearables";
  const paths = existsSync(data) ? globSync("**/*.{xml,csv,json}", { cwd: data }).sort() : [];
  return paths.map((path) => ({ path, text: readFileSync(`${data}/${path}`, "utf8").slice(0, 20_000) }));
}

/** Tests that build the product or start it with `npm start`. */
const SERVED = [
  "product",
  "product-live",
  "python-client",
  "living-ward",
  "live-served",
  "direct",
  "pages",
  "bundle",
  "audit-served",
  "documents-served",
  "consents-served",
  "care-served",
  "emergency-served",
  "trust-story",
  "cost",
  "audit-torture",
].map((name) => `test/node/${name}.test.ts`);

/** Removes the guard of access that WITHOUT_GUARD names, for `npm run guards`: its tests must fail. */
function withoutGuard() {
  const name = process.env["WITHOUT_GUARD"];
  const guard = GUARDS.find((known) => known.name === name);
  if (name && !guard) throw new Error(`No guard is called "${name}" (scripts/lib/guards.mjs).`);
  const transform = (source: string, id: string) =>
    guard && id.endsWith(`/${guard.file}`) ? { code: removeGuard(guard, source), map: null } : undefined;
  return { name: "without-guard", enforce: "pre" as const, transform };
}

/** Of the stand-in of a provider of text messages. */
const SMS_ACCOUNT = {
  SMS_ACCOUNT_SID: `AC${"0123456789abcdef".repeat(2)}`,
  SMS_AUTH_TOKEN: crypto.randomUUID().replaceAll("-", ""),
};

keepTemporaryFilesInMemory();
buildRender();

/** A port that is free now. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

// This file is evaluated more than once.
process.env["WEBHOOK_RECEIVER_PORT"] ??= String(await findPort());
const webhookReceiverPort = process.env["WEBHOOK_RECEIVER_PORT"];

/** Days since 1970 choose the cases of sampled matrices (test/long.ts), so that each is tried within a few days. */
process.env["SAMPLE_SEED"] ??= String(Math.floor(Date.now() / 86_400_000));

const migrations = await readD1Migrations("migrations");

export default defineConfig(async () => ({
  test: {
    silent: true,
    // For a busy machine: no test of speed.
    expect: { poll: { timeout: 60_000 } },
    // Until `npm run steady` has passed: a test that needs a second try in CI is named in the summary. Locally there is none.
    retry: process.env["CI"] ? 1 : 0,
    // Modules without a guard are in no cache, for they would be without it in the next run.
    fsModuleCache: !process.env["WITHOUT_GUARD"],
    // Planned for two cores; tests of the served product leave them idle half of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    projects: [
      {
        plugins: [
          withoutGuard(),
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ...newSecrets(),
                ENVIRONMENT: "test",
                // In workerd process.env has the bindings, not the environment of the test run (test/long.ts).
                ...(process.env["VERIFY"] && { VERIFY: process.env["VERIFY"] }),
                // Not the host of the requests: no link may contain that.
                PUBLIC_ORIGIN: "https://edgecare.test",
                MAIL_FROM: "notices@edgecare.test",
                // That of the examples, and test/webhook-receiver.ts.
                WEBHOOK_TEST_ORIGINS: `https://his.example.org,http://127.0.0.1:${webhookReceiverPort}`,
                // The push service of test/worker/push-service.ts and of the examples.
                PUSH_TEST_ORIGINS: "https://push.example.com",
                ...SMS_ACCOUNT,
                SMS_FROM: "+15005550006",
                SMS_API_ORIGIN: "https://sms.test",
                MIGRATIONS: migrations.map(({ name }) => name),
                MIGRATED_SCHEMA: migratedSchema(migrations),
                // The long forms and the sampled cases (test/long.ts).
                VERIFY: process.env["VERIFY"] ?? "",
                SAMPLE_SEED: process.env["SAMPLE_SEED"] ?? "",
                // Links are signed but never opened: nothing listens there.
                R2_S3_ENDPOINT: "https://account.r2.example",
                R2_S3_BUCKET: "edgecare-files",
                R2_S3_ACCESS_KEY_ID: "worker-tests",
                R2_S3_SECRET_ACCESS_KEY: "worker-tests-secret",
              },
              // Mail goes to a stand-in that answers as the mail service's documents say (test/mailbox.ts).
              email: { send_email: [] },
              serviceBindings: {
                MAIL: { name: "mail-service", entrypoint: "MailService" },
                MAILBOX: { name: "mail-service", entrypoint: "Mailbox" },
                RENDER: { name: "edgecare-render", entrypoint: "RenderService" },
                SMS_BOX: { name: "sms-service", entrypoint: "SmsBox" },
              },
              outboundService: "sms-service",
              workers: [
                {
                  name: "edgecare-render",
                  compatibilityDate: "2026-10-01",
                  compatibilityFlags: ["nodejs_compat"],
                  modules: [{ type: "ESModule", path: resolve(RENDER_BUNDLE) }],
                  assets: { directory: resolve(RENDER_ASSETS), binding: "ASSETS" },
                },
                {
                  name: "mail-service",
                  compatibilityDate: "2026-10-01",
                  modules: [{ type: "ESModule", path: resolve("test/stand-ins/mail-service.mjs") }],
                },
                {
                  name: "sms-service",
                  compatibilityDate: "2026-10-01",
                  modules: [{ type: "ESModule", path: resolve("test/stand-ins/sms-service.mjs") }],
                  bindings: SMS_ACCOUNT,
                },
              ],
              // Tests send more requests than a person does; RATE_TEST has production's limit of RATE_PERSON.
              ratelimits: Object.fromEntries(
                [
                  ["RATE_PERSON", 1e6],
                  ["RATE_MACHINE", 1e6],
                  ["RATE_ADDRESS", 1e6],
                  ["RATE_SIGNUP", 1e6],
                  ["RATE_IDENTITY", 1e6],
                  ["RATE_LOGIN", 1e6],
                  ["RATE_OWN_IDENTITY", 1e6],
                  ["RATE_PORTAL_SESSION", 1e6],
                  ["RATE_PORTAL_PERSON", 1e6],
                  ["RATE_TEST", 100],
                  ["RATE_TEST_TEN", 10],
                ].map(([name, limit], i) => [name, { namespace_id: String(9000 + i), simple: { limit, period: 60 } }]),
              ),
            },
          }),
        ],
        // A hash at production's cost takes a fifth of a second. No build of the product uses this configuration.
        resolve: { alias: [{ find: /^.*\/password-cost\.ts$/, replacement: resolve("test/password-cost.ts") }] },
        test: {
          name: "worker",
          // A new worker that loads every module per file costs six seconds of CPU; setup.ts empties the stores instead.
          isolate: false,
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/setup.ts"],
          globalSetup: ["./test/webhook-receiver.ts", "./test/provider-stand-in.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          provide: {
            pdfs: sharedPdfs(),
            jsonBodies: sharedJsonBodies(),
            wearables: sharedWearables(),
            naughtyStrings: sharedJson("hostile/json/blns.json"),
            vectors: {
              aadhaar: sharedJson("vectors/aadhaar/aadhaar_cases.json"),
              verhoeff: sharedJson("vectors/verhoeff/verhoeff_cases.json"),
            },
          },
        },
      },
      {
        plugins: [messageCatalogues("portal/src")],
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          exclude: SERVED,
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "served",
          include: SERVED,
          environment: "node",
          testTimeout: 300_000,
          hookTimeout: 180_000,
          globalSetup: ["./test/node/served.ts"],
          setupFiles: ["./test/node/served-product.ts"],
        },
      },
    ],
  },
}));
