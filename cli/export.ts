// `edgecare export`: writes medical histories as Fernet tokens, which systems that keep them so can read.
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { z } from "zod";
import { FernetError, type FernetKey, importFernetKey, sealFernet } from "../src/platform/fernet.ts";
import { fetchJson, openService, type Service, ServiceError } from "./service.ts";

export const EXPORT_USAGE = `  export --fernet KEY|- [--patient ID]... [--url http://localhost:8787]
         print one JSON line per patient: patient_id, patient_number and medical_history as a Fernet token, or null
         --fernet    the key of the system that reads it (ENCRYPTION_KEY); -: read it from standard input
         --patient   these patients alone; without the option all that the person may see
         EDGECARE_TOKEN   access token of a person who may read the patients`;

const [OK, REFUSED, USAGE] = [0, 1, 2];

const OPTIONS = {
  fernet: { type: "string" },
  patient: { type: "string", multiple: true },
  url: { type: "string", default: "http://localhost:8787" },
} as const;

function parseArguments(args: string[]) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch {
    return null;
  }
}

const PatientResponse = z.object({
  data: z.object({ patient_id: z.string(), patient_number: z.number(), medical_history: z.string().nullable() }),
});
const PatientPage = z.object({
  data: z.array(z.object({ patient_id: z.string() })),
  meta: z.object({ pagination: z.object({ next_cursor: z.string().nullable() }) }),
});

async function* listPatientIds(service: Service): AsyncGenerator<string> {
  for (let cursor: string | null = ""; cursor !== null; ) {
    const path = `/patients?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page: z.output<typeof PatientPage> = await fetchJson(service, path, PatientPage);
    for (const { patient_id } of page.data) yield patient_id;
    cursor = page.meta.pagination.next_cursor;
  }
}

async function formatPatient(service: Service, key: FernetKey, id: string): Promise<string> {
  const { data } = await fetchJson(service, `/patients/${encodeURIComponent(id)}`, PatientResponse);
  const { medical_history: history, ...patient } = data;
  const token = history === null ? null : await sealFernet(key, new Uint8Array(new TextEncoder().encode(history)), Date.now());
  return JSON.stringify({ ...patient, medical_history: token });
}

export async function runExport(args: string[]): Promise<number> {
  const options = parseArguments(args);
  if (!options?.fernet) {
    console.error(`usage: edgecare export …\n\n${EXPORT_USAGE}`);
    return USAGE;
  }
  try {
    const key = await importFernetKey(options.fernet === "-" ? (await text(process.stdin)).trim() : options.fernet);
    const service = openService(options.url);
    for await (const id of options.patient ?? listPatientIds(service)) console.log(await formatPatient(service, key, id));
    return OK;
  } catch (error) {
    if (!(error instanceof ServiceError || error instanceof FernetError)) throw error;
    console.error(error.message);
    return REFUSED;
  }
}
