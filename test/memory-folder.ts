// A folder in memory for the temporary files of a test run: its stores write much, and nothing of it must last.
import { existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";

/** Linux's file system in memory. */
const MEMORY = "/dev/shm";
/** Bytes that must be free there: several times what a whole run writes. */
const ROOM = 2e9;

function hasRoom(): boolean {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > ROOM;
}

/** Sets TMPDIR for this process and its children, until it ends, and compiles commands that run often once. A TMPDIR that is set already stays. */
export function keepTemporaryFilesInMemory(): void {
  if (process.env["TMPDIR"] || !hasRoom()) return;
  const folder = mkdtempSync(`${MEMORY}/edgecare-tests-`);
  process.env["TMPDIR"] = folder;
  process.env["NODE_COMPILE_CACHE"] = `${folder}/compiled`;
  // Killed servers leave files.
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
}
