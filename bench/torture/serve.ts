// One server process group for the torture tests, on stores that outlive it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import { type Objects, startBench } from "../server.ts";

export type ServeOptions = {
  state: string;
  port: number;
  /** The bundle to serve. */
  main: string;
  objects: Objects;
  /** Patients of the world, with a device each. */
  patients: number;
  /** Replaces production's value in every rate limit. */
  rateLimit?: number;
};

const { patients, ...options }: ServeOptions = JSON.parse(process.argv[2] ?? "");
const secretsFile = join(options.state, "secrets.json");
const worldFile = join(options.state, "world.json");

if (!existsSync(secretsFile)) writeFileSync(secretsFile, JSON.stringify(newSecrets()));
const secrets = JSON.parse(readFileSync(secretsFile, "utf8"));
const { env } = await startBench({ ...options, secrets });
if (!existsSync(worldFile)) {
  // Loads the schema and its libraries, which restarts do not need.
  const { createWorld } = await import("./world.ts");
  writeFileSync(worldFile, JSON.stringify(await createWorld(env, patients)));
}
console.log("ready");
