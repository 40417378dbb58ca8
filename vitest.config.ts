// Two kinds of tests: inside workerd on real local bindings, and on Node (demo, CLI, the served product).
import { existsSync, globSync, readFileSync } from "node:fs";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { newSecrets } from "./scripts/dev-secrets.mjs";

/** Real and hostile PDFs for tests in workerd, which has no files; none where the folder beside the project is absent. */
function sharedPdfs() {
  const data = "../shared/data";
  const paths = existsSync(data) ? globSync("{ecg,hostile}/pdf/**/*.pdf", { cwd: data }).sort() : [];
  return paths.map((path) => ({ path, base64: readFileSync(`${data}/${path}`, "base64") }));
}

export default defineConfig(async () => ({
  test: {
    silent: true,
    // Vitest would leave one core idle.
    maxWorkers: 2,
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { ...newSecrets(), ENVIRONMENT: "test", MIGRATIONS: await readD1Migrations("migrations") },
              // Tests ask far more than a person; RATE_TEST has the limit that production's RATE_PERSON has.
              ratelimits: Object.fromEntries(
                [
                  ["RATE_PERSON", 1e6],
                  ["RATE_MACHINE", 1e6],
                  ["RATE_ADDRESS", 1e6],
                  ["RATE_TEST", 100],
                ].map(([name, limit], i) => [name, { namespace_id: String(9000 + i), simple: { limit, period: 60 } }]),
              ),
            },
          }),
        ],
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          setupFiles: ["./test/setup.ts"],
          testTimeout: 60_000,
          provide: { pdfs: sharedPdfs() },
        },
      },
      {
        test: {
          name: "node",
          include: ["test/node/**/*.test.ts"],
          environment: "node",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
}));
