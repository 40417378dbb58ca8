// One hash of all files that a build is made of.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";

function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesIn(`${path}/${name}`));
}

/** @param {string[]} paths files and folders */
export function sourcesHash(paths) {
  const hash = createHash("sha256");
  for (const file of paths.flatMap(filesIn)) hash.update(`${file}\0`).update(readFileSync(file)).update("\0");
  return hash.digest("hex");
}
