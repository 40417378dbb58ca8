// The two production bundles of the comparison: this checkout's, and that of an earlier commit in a temporary worktree.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildBundle } from "../server.ts";

export type Bundle = { name: string; root: string; main: string };

const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();

/** wrangler refuses to build without the folder of static files; the Worker's code does not depend on its content. */
function build(name: string, root: string): Bundle {
  mkdirSync(join(root, "dist/public"), { recursive: true });
  return { name, root, main: buildBundle(undefined, root) };
}

/** Dependencies of the commit: this checkout's if the lockfile is the same, otherwise installed with `npm ci`. */
function addDependencies(commit: string, root: string): void {
  const isSame = git("diff", "--name-only", commit, "--", "package-lock.json") === "";
  console.log(`Dependencies of ${commit}: ${isSame ? "this checkout's (same package-lock.json)" : "npm ci"}`);
  if (isSame) symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  else execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: "ignore" });
}

/** @returns both bundles, and a function that removes the worktree */
export function buildBundles(commit: string): { head: Bundle; base: Bundle; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-cpu-"));
  const root = join(folder, "base");
  const remove = () => {
    git("worktree", "remove", "--force", root);
    rmSync(folder, { recursive: true, force: true });
  };
  git("worktree", "add", "--detach", root, commit);
  try {
    addDependencies(commit, root);
    return { head: build("this checkout", "."), base: build(commit, root), remove };
  } catch (error) {
    remove();
    throw error;
  }
}
