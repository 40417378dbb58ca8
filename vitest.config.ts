// Three kinds of tests: inside workerd on real local bindings, on Node (rules, demo, CLI), and on the product as it is served.
import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { newSecrets } from "./scripts/dev-secrets.mjs";
import { LongestFirst } from "./test/order.ts";

/** Real and hostile PDFs for tests in workerd, which has no files; none where the folder beside the project is absent. */
function sharedPdfs() {
  const data = "../shared/data";
  const paths = existsSync(data) ? globSync("{ecg,hostile}/pdf/**/*.pdf", { cwd: data }).sort() : [];
  return paths.map((path) => ({ path, base64: readFileSync(`${data}/${path}`, "base64") }));
}

/** Published cases of numbers and strings; empty where the folder beside the project is absent. */
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

/** Tests that build the product or start it, as `npm start` does. */
const SERVED = ["product", "product-live", "live-served", "direct", "pages", "bundle", "cost"].map(
  (name) => `test/node/${name}.test.ts`,
);

export default defineConfig(async () => ({
  test: {
    silent: true,
    // Two cores are the measure; the tests of the served product leave them idle half of their time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ...newSecrets(),
                ENVIRONMENT: "test",
                MIGRATIONS: await readD1Migrations("migrations"),
                // Links are signed, and never followed: nothing answers there.
                R2_S3_ENDPOINT: "https://account.r2.example",
                R2_S3_BUCKET: "edgecare-files",
                R2_S3_ACCESS_KEY_ID: "worker-tests",
                R2_S3_SECRET_ACCESS_KEY: "worker-tests-secret",
              },
              // Tests ask far more than a person; RATE_TEST has the limit that production's RATE_PERSON has.
              ratelimits: Object.fromEntries(
                [
                  ["RATE_PERSON", 1e6],
                  ["RATE_MACHINE", 1e6],
                  ["RATE_ADDRESS", 1e6],
                  ["RATE_SIGNUP", 1e6],
                  ["RATE_IDENTITY", 1e6],
                  ["RATE_TEST", 100],
                ].map(([name, limit], i) => [name, { namespace_id: String(9000 + i), simple: { limit, period: 60 } }]),
              ),
            },
          }),
        ],
        // A hash at production's cost takes a fifth of a second. No build of the product reads this file.
        resolve: { alias: [{ find: /^.*\/password-cost\.ts$/, replacement: resolve("test/password-cost.ts") }] },
        test: {
          name: "worker",
          // A worker that starts and loads every module for each file costs six seconds of one core; setup.ts empties the stores.
          isolate: false,
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          provide: {
            pdfs: sharedPdfs(),
            jsonBodies: sharedJsonBodies(),
            naughtyStrings: sharedJson("hostile/json/blns.json"),
            vectors: {
              aadhaar: sharedJson("vectors/aadhaar/aadhaar_cases.json"),
              verhoeff: sharedJson("vectors/verhoeff/verhoeff_cases.json"),
            },
          },
        },
      },
      {
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
        },
      },
    ],
  },
}));
