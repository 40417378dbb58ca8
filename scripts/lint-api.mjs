// Writes the OpenAPI document to dist/openapi.json and runs two linters on it.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { app } from "../src/app.ts";
import { buildOpenApiDocument } from "../src/service/openapi-routes.ts";

const path = "dist/openapi.json";
mkdirSync("dist", { recursive: true });
writeFileSync(path, `${JSON.stringify(buildOpenApiDocument(app), null, 2)}\n`);

const linters = [
  ["redocly", ["lint", path]],
  ["spectral", ["lint", path, "--ruleset", ".spectral.yaml", "--fail-severity", "hint"]],
];
// Disables telemetry and update checks of both linters.
const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", SCARF_ANALYTICS: "false" };
const failed = linters.filter(([command, args]) => spawnSync(command, args, { stdio: "inherit", env }).status !== 0);
process.exitCode = failed.length > 0 ? 1 : 0;
