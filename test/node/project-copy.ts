// A project folder of links to this one, with its own secrets and wrangler.toml: what a test changes there reloads no other server.
import { copyFileSync, existsSync, readdirSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { createStateFolder } from "./server.ts";

const COPIED = [".dev.vars", "wrangler.toml"];
const LEFT_OUT = [".git", ".wrangler", ...COPIED];

/** @returns the folder; `deleteStateFolder` deletes it, and nothing behind its links */
export function createProjectCopy(): string {
  const folder = createStateFolder();
  for (const name of readdirSync("."))
    if (!LEFT_OUT.includes(name) && existsSync(name)) symlinkSync(resolve(name), join(folder, name));
  for (const name of COPIED) copyFileSync(name, join(folder, name));
  return folder;
}
