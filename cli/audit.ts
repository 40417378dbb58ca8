// `edgecare audit verify`: checks audit logs in a folder and names the first event that is not as it was.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
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

function readKey(file: string | undefined, name: string): string | null {
  if (file === undefined) return null;
  const [, value] = new RegExp(`^${name}=['"]?([^'"\\n]*)`, "m").exec(readFileSync(file, "utf8")) ?? [];
  return value ?? null;
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
  return verifyFolder(new AuditFolder(folder), log ?? logOfSaved, saved, keys);
}

async function verifyFolder(folder: AuditFolder, only: string | undefined, saved: string | null, keys: string | undefined) {
  try {
    const logs = folder.logs().filter((logId) => only === undefined || logId === only);
    if (logs.length === 0) return refuse("The folder has no such audit log.");
    let result = OK;
    for (const logId of logs) {
      const signingKeys = readKey(keys, "AUDIT_SIGNING_KEYS");
      const verifierKeys = signingKeys === null ? null : await verifierKeysOf(signingKeys, logId);
      const source = folder.source(logId, { verifierKeys, auditKeys: readKey(keys, "AUDIT_KEYS"), savedCheckpoint: saved });
      const { problem, checked } = await verifyLog(source);
      const pruned = source.prunedUpTo > 0 ? `, pruned up to ${source.prunedUpTo}` : "";
      const counts = `${checked.events} events opened of ${checked.endSeq}, ${checked.checkpoints} checkpoints${pruned}`;
      if (problem) {
        const at = problem.seq === null ? "" : ` at event ${problem.seq}`;
        console.log(`${logId}: ${problem.kind}${at}: ${problem.detail}`);
      } else console.log(`${logId}: intact (${counts})`);
      if (problem) result = PROBLEM;
    }
    return result;
  } finally {
    folder.close();
  }
}
