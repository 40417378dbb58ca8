// `edgecare erasures`: keep the certificates of erasures outside of backups, and apply them to a restored one.
import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import { parseArgs } from "node:util";
import { chunk, maxBy } from "es-toolkit/array";
import { z } from "zod";
import { fetchJson, openService, type Service, ServiceError } from "./service.ts";
import { pause } from "./simulate/http.ts";

export const ERASURES_USAGE = `  erasures save FILE [--url http://localhost:8787]
         append the certificates of erasures that FILE does not have, one per line (EDGECARE_TOKEN: access token of a platform
         administrator). Keep FILE outside of the backups.
  erasures apply FILE [--url http://localhost:8787] [--no-wait] [--polls 400]
         after a backup was restored: erase the patients of FILE again, and wait until none is left. May be stopped and repeated.
         --no-wait    begin all erasures, and leave the rest to the service
         --polls      give up after this many requests, up to 15 s apart, in which no erasure ended`;

const OK = 0;
const REFUSED = 1;
const USAGE = 2;

/** Of a request, as the service limits them. */
const CERTIFICATES_PER_REQUEST = 20;
/** The job runs every minute; in a small deployment all is erased sooner. */
const FIRST_POLL_MS = 500;
const MAX_POLL_MS = 15_000;
/** 100 minutes: an erasure may wait an hour for files that are being written. */
const POLLS_WITHOUT_PROGRESS = "400";
/** `erased_at` is when a run of the job began; a run takes minutes, so a certificate may be listed before one that is older. */
const OVERLAP_MS = 3_600_000;

const Certificate = z.looseObject({
  erasure_id: z.uuid(),
  erased_at: z.iso.datetime(),
  signed_text: z.string(),
  signature: z.looseObject({ key_id: z.string(), value: z.string() }),
});
type Certificate = z.infer<typeof Certificate>;

const Listed = z.object({ data: z.object({ certificates: z.array(Certificate), has_more: z.boolean() }) });
const Applied = z.object({ data: z.object({ erasures: z.array(z.object({ state: z.string() })) }) });

/** The lines of a file, and what follows its last line feed: a certificate of an editor's last line, or a part of one. */
function readLines(file: string): { lines: string[]; rest: string } {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return { rest: lines.pop() ?? "", lines };
}

const isCertificate = (line: string): boolean => Certificate.safeParse(parseLine(line)).success;

/** Ends the last line, so that a certificate can follow it: a part of a line, which an interrupted write left, is deleted. */
function endLastLine(file: string): void {
  const { lines, rest } = readLines(file);
  if (rest === "") return;
  if (isCertificate(rest)) appendFileSync(file, "\n");
  else truncateSync(file, Buffer.byteLength(lines.map((line) => `${line}\n`).join("")));
}

/** A part of a last line is left out. @throws ServiceError naming the line that is no certificate */
function readCertificates(file: string): Certificate[] {
  const { lines, rest } = readLines(file);
  return [...lines, ...(isCertificate(rest) ? [rest] : [])].flatMap((line, i) => {
    if (line.trim() === "") return [];
    const parsed = Certificate.safeParse(parseLine(line));
    if (!parsed.success) throw new ServiceError(`Line ${i + 1} of ${file} is no certificate.`);
    return [parsed.data];
  });
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** An erasure that was repeated after a restore has another certificate with the same id. */
const toKey = ({ erasure_id, erased_at }: Certificate): string => `${erasure_id} ${erased_at}`;

/** Where the list is read on: before the latest certificate, because older ones may have been listed after it. */
function findStart(certificates: readonly Certificate[]): Pick<Certificate, "erased_at" | "erasure_id"> | null {
  const latest = maxBy([...certificates], ({ erased_at }) => Date.parse(erased_at));
  return latest ? { ...latest, erased_at: new Date(Date.parse(latest.erased_at) - OVERLAP_MS).toISOString() } : null;
}

/** Goes on where the file ends, so that an interrupted run can be repeated. @returns how many were added */
async function saveCertificates(service: Service, file: string): Promise<number> {
  const known = readCertificates(file);
  endLastLine(file);
  const keys = new Set(known.map(toKey));
  let last = findStart(known);
  for (let saved = 0; ; ) {
    const after = last ? `?erased_after=${encodeURIComponent(last.erased_at)}&after_id=${last.erasure_id}` : "";
    const { certificates, has_more } = (await fetchJson(service, `/admin/erasures${after}`, Listed)).data;
    const added = certificates.filter((certificate) => !keys.has(toKey(certificate)));
    appendFileSync(file, added.map((certificate) => `${JSON.stringify(certificate)}\n`).join(""));
    saved += added.length;
    last = certificates.at(-1) ?? last;
    if (!has_more) return saved;
  }
}

/** The certificates whose erasure is not finished, and the number of those that the service refused. */
async function applyOnce(service: Service, certificates: readonly Certificate[]) {
  const erasing: Certificate[] = [];
  let refused = 0;
  for (const some of chunk([...certificates], CERTIFICATES_PER_REQUEST)) {
    const json = {
      certificates: some.map(({ signed_text, signature: { key_id, value } }) => ({ signed_text, key_id, signature: value })),
    };
    const { erasures } = (await fetchJson(service, "/admin/erasures/apply", Applied, json)).data;
    if (erasures.length !== some.length) throw new ServiceError("The service is of another version.");
    erasing.push(...some.filter((_, i) => erasures[i]?.state === "erasing"));
    refused += erasures.filter(({ state }) => state === "refused").length;
  }
  return { erasing, refused };
}

/** @param polls without progress, after which the command gives up; 0: it does not wait */
async function applyCertificates(service: Service, file: string, polls: number): Promise<number> {
  const certificates = readCertificates(file);
  if (certificates.length === 0) throw new ServiceError(`${file} has no certificates.`);
  let { erasing, refused } = await applyOnce(service, certificates);
  console.log(`${certificates.length} certificates: ${erasing.length} to erase again, ${refused} refused`);
  let idle = 0;
  for (let ms = FIRST_POLL_MS; idle < polls && erasing.length > 0; ms = Math.min(MAX_POLL_MS, 2 * ms)) {
    await pause(ms, new AbortController().signal);
    const before = erasing.length;
    ({ erasing } = await applyOnce(service, erasing));
    idle = erasing.length < before ? 0 : idle + 1;
    console.log(`${erasing.length} left`);
  }
  const isStuck = polls > 0 && erasing.length > 0;
  if (isStuck) {
    const ids = erasing.map(({ erasure_id }) => erasure_id).join("\n");
    console.error(`Gave up after ${polls} requests without progress. Erasures that have not ended:\n${ids}`);
  }
  if (refused > 0) console.error("Refused certificates are of another deployment, or AUDIT_SIGNING_KEYS has lost their key.");
  return refused > 0 || isStuck ? REFUSED : OK;
}

const Polls = z.coerce.number().int().min(1).max(1_000_000);

function parseArguments(args: string[]) {
  const options = {
    url: { type: "string", default: "http://localhost:8787" },
    "no-wait": { type: "boolean" },
    polls: { type: "string" },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [action, file, ...extra] = positionals;
    const polls = values["no-wait"] ? 0 : Polls.parse(values.polls ?? POLLS_WITHOUT_PROGRESS);
    const isPlain = !values["no-wait"] && values.polls === undefined;
    return file && extra.length === 0 && (action === "apply" || (action === "save" && isPlain))
      ? { action, file, url: values.url, polls }
      : null;
  } catch {
    return null;
  }
}

export async function runErasures(args: string[]): Promise<number> {
  const request = parseArguments(args);
  if (!request) {
    console.error(`usage: edgecare erasures …\n\n${ERASURES_USAGE}`);
    return USAGE;
  }
  const { action, file, url, polls } = request;
  try {
    const service = openService(url);
    if (action === "apply") return await applyCertificates(service, file, polls);
    console.log(`${await saveCertificates(service, file)} certificates added to ${file}`);
    return OK;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    console.error(error.message);
    return REFUSED;
  }
}
