// `edgecare keys`: generate a full set of secrets, or the next ring of one. Only keys go to standard output.
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { newSecrets } from "../scripts/dev-secrets.mjs";
import { parseCheckpointSigners } from "../src/platform/checkpoint-signers.ts";
import { parseKeyRing, parseMacKeyRing } from "../src/platform/crypto.ts";
import { parseSigningKeys } from "../src/platform/signing-keys.ts";
import { advanceRing, RING_NAMES, RingError, type RingName, STAGES, type Stage } from "./key-rings.ts";

export const KEYS_USAGE = `  keys new   print a new value for every secret, as NAME='value' lines
  keys rotate ${RING_NAMES.join("|")} --stage ${STAGES.join("|")} [--force]
         read the current ring from standard input and print the next one:
         add    add a new key that is not used yet
         sign   move the newest key to the front, so that it signs and seals from now on
         drop   remove the oldest key (all but JWT_KEYS: only with --force, as stored data need it)`;

const OK = 0;
const REFUSED = 1;
const USAGE = 2;

const NEXT_STEP: Record<Stage, (name: RingName) => string> = {
  add: () => "Deploy it, wait one minute until every location has it, then run --stage sign.",
  sign: (name) =>
    name === "JWT_KEYS"
      ? "Deploy it, wait for the lifetime of an access token (ACCESS_TOKEN_EXPIRE_MINUTES), then run --stage drop."
      : name === "AUDIT_KEYS"
        ? "Deploy it, and keep the old keys until segments_to_reseal of GET /audit-events/retention is 0 for every log."
        : "Deploy it, and keep the old keys: existing sealed, indexed and signed data need them.",
  drop: () => "Deploy it.",
};

/** The value alone, or the NAME='value' line of .dev.vars. */
function extractRing(input: string, name: RingName): string {
  const line = input.trim();
  return line.startsWith(`${name}=`) ? line.slice(name.length + 1).replace(/^'(.*)'$/s, "$1") : line;
}

const PARSERS: Record<RingName, (ring: string) => Promise<unknown>> = {
  JWT_KEYS: parseSigningKeys,
  FIELD_KEYS: parseKeyRing,
  IDENTITY_KEYS: parseMacKeyRing,
  AUDIT_KEYS: parseKeyRing,
  AUDIT_SIGNING_KEYS: parseCheckpointSigners,
};

/** @throws Error when the Worker would reject this ring */
async function validateRing(name: RingName, ring: string): Promise<void> {
  await PARSERS[name](ring);
}

async function rotateRing(name: RingName, stage: Stage, force: boolean): Promise<number> {
  const currentRing = extractRing(await text(process.stdin), name);
  try {
    await validateRing(name, currentRing);
  } catch {
    console.error(`Standard input is not a valid ${name} ring.`);
    return REFUSED;
  }
  try {
    const next = advanceRing(name, currentRing, stage, force);
    await validateRing(name, next);
    console.log(next);
  } catch (error) {
    if (!(error instanceof RingError)) throw error;
    console.error(error.message);
    return REFUSED;
  }
  console.error(NEXT_STEP[stage](name));
  return OK;
}

const OPTIONS = { stage: { type: "string" }, force: { type: "boolean", default: false } } as const;

function parseArguments(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch {
    return null;
  }
}

export async function runKeys(args: string[]): Promise<number> {
  const parsedArgs = parseArguments(args);
  const [subcommand, ringArgument, ...extra] = parsedArgs?.positionals ?? [];
  const name = RING_NAMES.find((ring) => ring === ringArgument);
  const stage = STAGES.find((known) => known === parsedArgs?.values.stage);
  if (subcommand === "new" && args.length === 1) {
    for (const [secret, value] of Object.entries(newSecrets())) console.log(`${secret}='${value}'`);
    return OK;
  }
  if (subcommand === "rotate" && name && stage && extra.length === 0)
    return rotateRing(name, stage, parsedArgs?.values.force ?? false);
  console.error(`usage: edgecare keys …\n\n${KEYS_USAGE}`);
  return USAGE;
}
