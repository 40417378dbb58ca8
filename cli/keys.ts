// `edgecare keys`: generate a full set of secrets, or the next ring of one. Only keys go to standard output.
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { newSecrets } from "../scripts/dev-secrets.mjs";
import { parseCheckpointSigners } from "../src/platform/checkpoint-signers.ts";
import { parseKeyRing, parseMacKeyRing } from "../src/platform/crypto.ts";
import { parseMacKeys } from "../src/platform/mac-keys.ts";
import { parseSigningKeys } from "../src/platform/signing-keys.ts";
import { advanceRing, findOldestKeyId, RING_NAMES, RingError, type RingName, STAGES, type Stage } from "./key-rings.ts";
import { fetchKeyStatus, formatKeyStatus } from "./key-status.ts";
import { ServiceError } from "./service.ts";

export const KEYS_USAGE = `  keys new   print a new value for every secret, as NAME='value' lines
  keys status [--url http://localhost:8787]
         print what is sealed under each key of FIELD_KEYS (EDGECARE_TOKEN: access token of a platform administrator)
  keys rotate ${RING_NAMES.join("|")} --stage ${STAGES.join("|")} [--force] [--url URL]
         read the current ring from standard input and print the next one:
         add    add a new key that is not used yet
         sign   move the newest key to the front, so that it signs and seals from now on
         drop   remove the oldest key (FIELD_KEYS, IDENTITY_KEYS and AUDIT keys: only with --force, as stored data need it;
                FIELD_KEYS also with --url, if the service has nothing under it)`;

const OK = 0;
const REFUSED = 1;
const USAGE = 2;

/** What has to pass after the stage `sign`, and the last step. */
const AFTER_SIGN: Record<RingName, string> = {
  JWT_KEYS: "wait for the lifetime of an access token (ACCESS_TOKEN_EXPIRE_MINUTES), then run --stage drop.",
  FIELD_KEYS: "the service seals its data again; when edgecare keys status says so, run --stage drop --url URL.",
  IDENTITY_KEYS: "keep the old keys: numbers are indexed with them.",
  AUDIT_KEYS: "keep the old keys until segments_to_reseal of GET /audit-events/retention is 0 for every log.",
  AUDIT_SIGNING_KEYS: "keep the old keys: checkpoints are verified with them.",
  LINK_KEY: "wait a day, in which links, codes and mail of before are used, then run --stage drop.",
  REFRESH_KEY: "wait 7 days, after which a session without use ends, then run --stage drop.",
};

const NEXT_STEP: Record<Stage, (name: RingName) => string> = {
  add: () => "Deploy it, wait one minute until every location has it, then run --stage sign.",
  sign: (name) => `Deploy it; ${AFTER_SIGN[name]}`,
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
  LINK_KEY: parseMacKeys,
  REFRESH_KEY: parseMacKeys,
};

/** @throws Error when the Worker would reject this ring */
async function validateRing(name: RingName, ring: string): Promise<void> {
  await PARSERS[name](ring);
}

/** Whether the service has counted nothing under the key that `drop` removes. @throws ServiceError */
async function isOldestFree(ring: string, url: string): Promise<boolean> {
  const oldest = findOldestKeyId("FIELD_KEYS", ring);
  const status = await fetchKeyStatus(url);
  return status.keys.some(({ key_id, can_be_dropped }) => key_id === oldest && can_be_dropped);
}

async function printStatus(url: string): Promise<number> {
  for (const line of formatKeyStatus(await fetchKeyStatus(url))) console.log(line);
  return OK;
}

type Rotation = { name: RingName; stage: Stage; force: boolean; url: string | undefined };

async function rotateRing({ name, stage, force, url }: Rotation): Promise<number> {
  const currentRing = extractRing(await text(process.stdin), name);
  try {
    await validateRing(name, currentRing);
  } catch {
    console.error(`Standard input is not a valid ${name} ring.`);
    return REFUSED;
  }
  try {
    const isChecked = name === "FIELD_KEYS" && stage === "drop" && url !== undefined;
    const next = advanceRing(name, currentRing, stage, force || (isChecked && (await isOldestFree(currentRing, url))));
    await validateRing(name, next);
    console.log(next);
  } catch (error) {
    if (!(error instanceof RingError || error instanceof ServiceError)) throw error;
    console.error(error.message);
    return REFUSED;
  }
  console.error(NEXT_STEP[stage](name));
  return OK;
}

async function runStatus(url = "http://localhost:8787"): Promise<number> {
  try {
    return await printStatus(url);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    console.error(error.message);
    return REFUSED;
  }
}

const OPTIONS = {
  stage: { type: "string" },
  force: { type: "boolean", default: false },
  url: { type: "string" },
} as const;

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
  const { force = false, url } = parsedArgs?.values ?? {};
  if (subcommand === "rotate" && name && stage && extra.length === 0) return rotateRing({ name, stage, force, url });
  if (subcommand === "status" && ringArgument === undefined && !stage && !force) return runStatus(url);
  console.error(`usage: edgecare keys …\n\n${KEYS_USAGE}`);
  return USAGE;
}
