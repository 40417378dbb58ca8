import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { app } from "../../src/app.ts";

it("answers", async () => {
  const response = await app.fetch(new Request("http://localhost/health"), env);
  expect(response.status).toBe(200);
});
