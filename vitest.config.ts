// Two kinds of tests: inside workerd on real local bindings, and on Node (demo, CLI, the served product).
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { newSecrets } from "./scripts/dev-secrets.mjs";

export default defineConfig(async () => ({
  test: {
    reporters: ["default", "./scripts/summary-reporter.mjs"],
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: { ...newSecrets(), ENVIRONMENT: "test", MIGRATIONS: await readD1Migrations("migrations") },
            },
          }),
        ],
        test: { name: "worker", include: ["test/worker/**/*.test.ts"], setupFiles: ["./test/setup.ts"], testTimeout: 60_000 },
      },
      {
        test: { name: "node", include: ["test/node/**/*.test.ts"], environment: "node", testTimeout: 120_000, hookTimeout: 120_000 },
      },
    ],
  },
}));
