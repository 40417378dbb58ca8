// Vitest configuration that records object fixtures; the tests that read them use vitest.config.ts.
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { newSecrets } from "./dev-secrets.mjs";

export default defineConfig(async () => ({
  root: new URL("..", import.meta.url).pathname,
  plugins: [
    cloudflareTest({
      wrangler: { configPath: "./wrangler.toml" },
      miniflare: { bindings: { ...newSecrets(), ENVIRONMENT: "test", MIGRATIONS: await readD1Migrations("migrations") } },
    }),
  ],
  test: {
    include: ["test/worker/objects.record.ts"],
    setupFiles: ["./test/setup.ts"],
    testTimeout: 120_000,
    provide: { recording: process.env["RECORDING"] ?? "" },
  },
}));
