// `edgecare audit verify`: checks audit logs in a folder and names the first event that is not as it was.
import { existsSync, readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseRing } from "../verifier/bytes.ts";
import { verifierKeysOf } from "../verifier/note.ts";
import { verifyLog } from "../verifier/verify-log.ts";
import { AuditFolder } from "./audit-source.ts";

export const AUDIT_USAGE = `  audit verify DIR [--log ID] [--checkpoint FILE] [--keys FILE]
         check the audit logs in .wrangler/state/v3, or in a folder with tlog/ and audit/
         --log         this log alone: a hospital's id, or none
         --checkpoint  a checkpoint saved earlier; its log must continue it
         --keys        AUDIT_KEYS and AUDIT_SIGNING_KEYS as lines of .dev.vars; without them only tiles, checkpoints and open rows
                       are checked, and no signature`;

const [OK, PROBLEM, USAGE] = [0, 1, 2];

/** The value of a line `NAME='…'` of .dev.vars; null if the file has none. */
function readKey(text: string, name: string): string | null {
  const [, value] = new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*['"]?([^'"\\n]+)`, "m").exec(text) ?? [];
  return value ?? null;
}

type Keys = { audit: string; signing: string };

/** Both rings of a file. @returns a text that says what is wrong with it */
async function readKeys(file: string): Promise<Keys | string> {
  const text = readFileSync(file, "utf8");
  const [audit, signing] = [readKey(text, "AUDIT_KEYS"), readKey(text, "AUDIT_SIGNING_KEYS")];
  if (audit === null) return `${file} has no line AUDIT_KEYS=…`;
  if (signing === null) return `${file} has no line AUDIT_SIGNING_KEYS=…`;
  try {
    parseRing(audit);
    await verifierKeysOf(signing, "none");
  } catch {
    return `The keys of ${file} are malformed.`;
  }
  return { audit, signing };
}

const refuse = (message: string): number => {
  console.error(message);
  return USAGE;
};

export async function runAudit(args: string[]): Promise<number> {
  const options = { log: { type: "string" }, checkpoint: { type: "string" }, keys: { type: "string" } } as const;
  const parse = () => parseArgs({ args, options, allowPositionals: true });
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const [command, folder, ...more] = parsed.positionals;
  const { log, checkpoint, keys } = parsed.values;
  if (command !== "verify" || folder === undefined || more.length > 0) return refuse(`usage:\n${AUDIT_USAGE}`);
  const missing = [folder, checkpoint, keys].find((path) => path !== undefined && !existsSync(path));
  if (missing !== undefined) return refuse(`${missing} does not exist.`);
  const saved = checkpoint === undefined ? null : `${readFileSync(checkpoint, "utf8").trimEnd()}\n`;
  const logOfSaved = saved === null ? undefined : /^edgecare\/audit\/(\S+)\n/.exec(saved)?.[1];
  if (saved !== null && logOfSaved === undefined) return refuse(`${checkpoint} is no checkpoint of an audit log.`);
  if (!statSync(folder).isDirectory()) return refuse(`${folder} is not a folder.`);
  const ring = keys === undefined ? null : await readKeys(keys);
  if (typeof ring === "string") return refuse(ring);
  let opened: AuditFolder;
  try {
    opened = new AuditFolder(folder);
  } catch (error) {
    console.log(`${folder}: unreadable: ${error instanceof Error ? error.message : String(error)}`);
    return PROBLEM;
  }
  return verifyFolder(opened, log ?? logOfSaved, saved, ring);
}

async function verifyFolder(folder: AuditFolder, only: string | undefined, saved: string | null, keys: Keys | null) {
  try {
    const logs = folder.logs();
    const asked = logs.filter((logId) => only === undefined || logId === only);
    if (asked.length === 0) return refuse("The folder has no such audit log.");
    let result = OK;
    for (const logId of asked) if (!(await verifyOne(folder, logId, saved, keys))) result = PROBLEM;
    if (asked.length < logs.length) console.log(`${logs.length - asked.length} other logs of the folder were not checked.`);
    return result;
  } finally {
    folder.close();
  }
}

/** Prints what was found. @returns whether the log is intact */
async function verifyOne(
  folder: AuditFolder,
  logId: string,
  savedCheckpoint: string | null,
  keys: Keys | null,
): Promise<boolean> {
  try {
    const verifierKeys = keys && (await verifierKeysOf(keys.signing, logId));
    const source = folder.source(logId, { verifierKeys, auditKeys: keys?.audit ?? null, savedCheckpoint });
    const { problem, checked } = await verifyLog(source);
    if (problem) {
      const at = problem.seq === null ? "" : ` at event ${problem.seq}`;
      console.log(`${logId}: ${problem.kind}${at}: ${problem.detail}`);
      return false;
    }
    const counts = [
      `${checked.events} events opened of ${checked.endSeq}`,
      `${checked.checkpoints} checkpoints`,
      ...(source.prunedUpTo > 0 ? [`pruned up to ${source.prunedUpTo}`] : []),
      ...(source.hasOpenRows ? [] : ["events that are in no segment yet are not in this copy"]),
      ...(keys ? [] : ["without keys: no signature checked, no segment opened"]),
    ];
    console.log(`${logId}: intact (${counts.join(", ")})`);
    return true;
  } catch (error) {
    console.log(`${logId}: unreadable: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
