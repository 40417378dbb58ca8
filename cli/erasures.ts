// `edgecare erasures`: keep the certificates of erasures outside of backups, and apply them to a restored one.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chunk, maxBy } from "es-toolkit/array";
import { z } from "zod";
import { fetchJson, openService, type Service, ServiceError } from "./service.ts";
import { pause } from "./simulate/http.ts";

export const ERASURES_USAGE = `  erasures save FILE [--url http://localhost:8787]
         append the certificates of erasures that FILE does not have, one per line (EDGECARE_TOKEN: access token of a platform
         administrator). Keep FILE outside of the backups.
  erasures apply FILE [--url http://localhost:8787] [--no-wait]
         after a backup was restored: erase the patients of FILE again, and wait until none is left. May be stopped and repeated.
         --no-wait    begin all erasures, and leave the rest to the service`;

const OK = 0;
const REFUSED = 1;
const USAGE = 2;

/** Of a request, as the service limits them. */
const CERTIFICATES_PER_REQUEST = 20;
/** The job runs every minute; in a small deployment all is erased sooner. */
const FIRST_POLL_MS = 500;
const MAX_POLL_MS = 15_000;
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

/** @throws ServiceError naming the line that is no certificate */
function readCertificates(file: string): Certificate[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.flatMap((line, i) => {
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

async function applyCertificates(service: Service, file: string, isWaiting: boolean): Promise<number> {
  const certificates = readCertificates(file);
  if (certificates.length === 0) throw new ServiceError(`${file} has no certificates.`);
  let { erasing, refused } = await applyOnce(service, certificates);
  console.log(`${certificates.length} certificates: ${erasing.length} to erase again, ${refused} refused`);
  for (let ms = FIRST_POLL_MS; isWaiting && erasing.length > 0; ms = Math.min(MAX_POLL_MS, 2 * ms)) {
    await pause(ms, new AbortController().signal);
    ({ erasing } = await applyOnce(service, erasing));
    console.log(`${erasing.length} left`);
  }
  if (refused > 0) console.error("Refused certificates are of another deployment, or AUDIT_SIGNING_KEYS has lost their key.");
  return refused > 0 ? REFUSED : OK;
}

function parseArguments(args: string[]) {
  const options = { url: { type: "string", default: "http://localhost:8787" }, "no-wait": { type: "boolean" } } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [action, file, ...extra] = positionals;
    return file && extra.length === 0 && (action === "apply" || (action === "save" && !values["no-wait"]))
      ? { action, file, url: values.url, isWaiting: !values["no-wait"] }
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
  const { action, file, url, isWaiting } = request;
  try {
    const service = openService(url);
    if (action === "apply") return await applyCertificates(service, file, isWaiting);
    console.log(`${await saveCertificates(service, file)} certificates added to ${file}`);
    return OK;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    console.error(error.message);
    return REFUSED;
  }
}
