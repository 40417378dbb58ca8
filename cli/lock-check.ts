// `edgecare audit lock-check`: asks Cloudflare whether the bucket keeps the tiles and checkpoints of the audit logs from change.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";

export const LOCK_CHECK_USAGE = `  audit lock-check [--bucket NAME] [--jurisdiction eu|fedramp]
         check that the R2 bucket has a lock rule for tlog/ (needs CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN)`;

const OK = 0;
const NOT_LOCKED = 1;
const USAGE = 2;

const LOCKED_PREFIX = "tlog/";
/** Segments: the service deletes them when they were merged, and after the retention time. */
const DELETED_PREFIX = "audit/";
const API = "https://api.cloudflare.com/client/v4";
const TIMEOUT_MS = 15_000;
const ADD_RULE = "npx wrangler r2 bucket lock add";

/** https://developers.cloudflare.com/api/resources/r2/subresources/buckets/subresources/locks/methods/get/ */
const LockRule = z.object({
  id: z.string(),
  enabled: z.boolean(),
  prefix: z.string().optional(),
  condition: z.discriminatedUnion("type", [
    z.object({ type: z.literal("Age"), maxAgeSeconds: z.number() }),
    z.object({ type: z.literal("Date"), date: z.string() }),
    z.object({ type: z.literal("Indefinite") }),
  ]),
});
export type LockRule = z.infer<typeof LockRule>;
const Answer = z.object({ success: z.literal(true), result: z.object({ rules: z.array(LockRule).max(1_000).optional() }) });
const Failure = z.object({ errors: z.array(z.object({ code: z.number(), message: z.string() })).min(1) });

/** What is wrong with a bucket's rules; empty when they are as docs/audit-log.md asks. A rule without a prefix covers every file. */
export function findLockProblems(rules: readonly LockRule[]): string[] {
  const active = rules.filter(({ enabled }) => enabled);
  const covering = active.filter(({ prefix = "" }) => LOCKED_PREFIX.startsWith(prefix));
  const problems = active
    .filter(({ prefix = "" }) => DELETED_PREFIX.startsWith(prefix) || prefix.startsWith(DELETED_PREFIX))
    .map(({ id }) => `The rule "${id}" also locks ${DELETED_PREFIX}, where the service deletes merged and expired segments.`);
  if (covering.some(({ condition }) => condition.type === "Indefinite")) return problems;
  const ending = covering.map(
    ({ id, condition }) =>
      `The rule "${id}" locks ${LOCKED_PREFIX} ${condition.type === "Date" ? `until ${condition.date}` : "for some time"} only.`,
  );
  return [...(ending.length > 0 ? ending : [`No active rule locks ${LOCKED_PREFIX}.`]), ...problems];
}

export async function runLockCheck(args: string[]): Promise<number> {
  const options = parseOptions(args);
  const { CLOUDFLARE_ACCOUNT_ID: account, CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_API_BASE_URL: base = API } = process.env;
  if (!options || !account || !token) {
    console.error(options ? "Set CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN." : LOCK_CHECK_USAGE);
    return USAGE;
  }
  const { bucket, jurisdiction } = options;
  const url = `${base}/accounts/${encodeURIComponent(account)}/r2/buckets/${encodeURIComponent(bucket)}/lock`;
  const headers = { Authorization: `Bearer ${token}`, ...(jurisdiction ? { "cf-r2-jurisdiction": jurisdiction } : {}) };
  const answer = await fetchRules(url, headers);
  if (typeof answer === "string") {
    console.error(`The lock rules of ${bucket} are unknown: ${answer}`);
    return USAGE;
  }
  const problems = findLockProblems(answer);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) {
    console.error(`Add a rule: ${ADD_RULE} ${bucket} --name audit-log --prefix ${LOCKED_PREFIX} --retention-indefinite`);
    return NOT_LOCKED;
  }
  console.log(`${bucket}: tiles and checkpoints below ${LOCKED_PREFIX} are locked indefinitely.`);
  return OK;
}

/** @returns the rules, or why there is no answer; never with the token */
async function fetchRules(url: string, headers: Record<string, string>): Promise<LockRule[] | string> {
  try {
    const response = await fetch(url, { headers, redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => null);
    const failure = Failure.safeParse(body);
    if (failure.success) return failure.data.errors.map(({ code, message }) => `${message} (${code})`).join("; ");
    const answer = Answer.safeParse(body);
    if (!response.ok || !answer.success) return `unexpected answer with status ${response.status}`;
    return answer.data.result.rules ?? [];
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const OPTIONS = { bucket: { type: "string" }, jurisdiction: { type: "string" } } as const;

function parseOptions(args: string[]): { bucket: string; jurisdiction: string | undefined } | null {
  try {
    const { values } = parseArgs({ args, options: OPTIONS });
    const bucket = values.bucket ?? findConfiguredBucket();
    return bucket ? { bucket, jurisdiction: values.jurisdiction } : null;
  } catch {
    return null;
  }
}

function findConfiguredBucket(): string | undefined {
  const config = readFileSync(fileURLToPath(import.meta.resolve("../wrangler.toml")), "utf8");
  return /\[\[r2_buckets\]\]\nbinding = "FILES"\nbucket_name = "([^"]+)"/.exec(config)?.[1];
}
