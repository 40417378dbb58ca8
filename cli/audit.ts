// `edgecare audit verify`: checks audit logs in a folder and names the first event that is not as it was.
import { readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseRing } from "../verifier/bytes.ts";
import { verifierKeysOf } from "../verifier/note.ts";
import type { Checked } from "../verifier/part.ts";
import type { LogSource } from "../verifier/source.ts";
import { verifyLog } from "../verifier/verify-log.ts";
import { AuditFolder } from "./audit-source.ts";

export const AUDIT_USAGE = `  audit verify DIR [--log ID] [--checkpoint FILE] [--keys FILE]
         check the audit logs in .wrangler/state/v3, or in a folder with tlog/ and audit/
         --log         this log alone: a hospital's id, or none
         --checkpoint  a checkpoint saved earlier; its log must continue it
         --keys        AUDIT_KEYS and AUDIT_SIGNING_KEYS as lines of .dev.vars, both; without the option only tiles, checkpoints
                       and open rows are checked, and no signature`;

const [OK, PROBLEM, USAGE] = [0, 1, 2];

/** Ends the command with exit code 2. */
class UsageError extends Error {}

type Keys = { auditKeys: string; signingKeys: string };
type Request = { only: string | undefined; saved: string | null; keys: Keys | null };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Names of files and logs may be anybody's. */
const print = (line: string): void => console.log(line.replaceAll(/\p{Cc}/gu, "?"));

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}`);
  }
}

function readKeys(file: string): Keys {
  const text = readText(file);
  const find = (name: string) =>
    [...text.matchAll(new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=[ \\t]*['"]?([^'"\\r\\n]*)`, "gm"))]
      .at(-1)?.[1]
      ?.trim();
  const keys = { AUDIT_KEYS: find("AUDIT_KEYS"), AUDIT_SIGNING_KEYS: find("AUDIT_SIGNING_KEYS") };
  const missing = Object.entries(keys).flatMap(([name, value]) => (value ? [] : [name]));
  if (missing.length > 0)
    throw new UsageError(`${file} has no line ${missing.map((name) => `${name}=…`).join(" and no line ")}.`);
  for (const [name, ring] of Object.entries(keys)) {
    try {
      parseRing(ring ?? "");
    } catch (error) {
      throw new UsageError(`${name} in ${file}: ${messageOf(error)}.`);
    }
  }
  return { auditKeys: keys.AUDIT_KEYS ?? "", signingKeys: keys.AUDIT_SIGNING_KEYS ?? "" };
}

function readSaved(file: string): { saved: string; logId: string } {
  const saved = `${readText(file).trimEnd()}\n`;
  const [, logId] = /^edgecare\/audit\/(\S+)\n/.exec(saved) ?? [];
  if (logId === undefined) throw new UsageError(`${file} is no checkpoint of an audit log.`);
  return { saved, logId };
}

function parse(args: string[]) {
  const options = { log: { type: "string" }, checkpoint: { type: "string" }, keys: { type: "string" } } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

export async function runAudit(args: string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return USAGE;
  }
}

async function run(args: string[]): Promise<number> {
  const { positionals, values } = parse(args);
  const [command, path, ...more] = positionals;
  if (command !== "verify" || path === undefined || more.length > 0) throw new UsageError(`usage:\n${AUDIT_USAGE}`);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new UsageError(`${path} is not a folder.`);
  const keys = values.keys === undefined ? null : readKeys(values.keys);
  const saved = values.checkpoint === undefined ? null : readSaved(values.checkpoint);
  const only = values.log ?? saved?.logId;
  if (saved && only !== saved.logId) throw new UsageError(`${values.checkpoint} is a checkpoint of the log ${saved.logId}.`);
  const result = await verifyFolder(path, { only, saved: saved?.saved ?? null, keys });
  if (saved && values.log === undefined) print(`Only the log of the checkpoint, ${saved.logId}, was checked.`);
  return result;
}

async function verifyFolder(path: string, request: Request): Promise<number> {
  const folder = new AuditFolder(path);
  try {
    for (const line of folder.unreadable) print(line);
    let result = folder.unreadable.length > 0 ? PROBLEM : OK;
    const logs = folder.logs().filter((logId) => request.only === undefined || logId === request.only);
    if (logs.length === 0 && result === OK) throw new UsageError(`${path} has no such audit log.`);
    for (const logId of logs) if (!(await verifyOne(folder, logId, request))) result = PROBLEM;
    return result;
  } finally {
    folder.close();
  }
}

/** @returns whether no problem was found */
async function verifyOne(folder: AuditFolder, logId: string, { saved, keys }: Request): Promise<boolean> {
  try {
    const verifierKeys = keys && (await verifierKeysOf(keys.signingKeys, logId));
    const source = folder.source(logId, { verifierKeys, auditKeys: keys?.auditKeys ?? null, savedCheckpoint: saved });
    const { problem, checked } = await verifyLog(source);
    if (!problem) {
      const verdict = keys ? "intact" : "intact as far as it was checked without keys";
      print(`${logId}: ${verdict} (${await countsOf(source, checked)})`);
      return true;
    }
    const at = problem.seq === null ? "" : ` at event ${problem.seq}`;
    print(`${logId}: ${problem.kind}${at}: ${problem.detail}`);
  } catch (error) {
    print(`${logId}: unreadable: ${messageOf(error)}`);
  }
  return false;
}

async function countsOf(source: LogSource, { events, endSeq, checkpoints }: Checked): Promise<string> {
  const pruned = source.prunedUpTo > 0 ? `, pruned up to ${source.prunedUpTo}` : "";
  const counts = `${events} events opened of ${endSeq}, ${checkpoints} checkpoints${pruned}`;
  const closed = source.isCopy ? ((await source.segments(0, Number.MAX_SAFE_INTEGER)).at(-1)?.end ?? 0) : endSeq;
  return closed < endSeq ? `${counts}; ${endSeq - closed} events are only in the log's object, or missing` : counts;
}
