// An audit event as it leaves the service in a file: what the reader's list shows, and the patients that the reader may be shown.
import { toCsvRecord } from "./csv.ts";
import type { ShownEvent } from "./schemas.ts";

/** `patient_ids`: only patients whom the reader may see. */
export type ExportedEvent = ShownEvent & { patient_ids: string[] };

type Column = [name: string, value: (event: ExportedEvent) => string | number | null];

const COLUMNS: readonly Column[] = [
  ["id", ({ id }) => id],
  ["log", ({ log }) => log],
  ["seq", ({ seq }) => seq],
  ["recorded", ({ recorded }) => recorded],
  ["event", ({ event }) => event],
  ["action", ({ action }) => action],
  ["outcome", ({ outcome }) => outcome],
  ["reason", ({ reason }) => reason],
  ["actor_kind", ({ actor }) => actor.kind],
  ["actor_id", ({ actor }) => actor.id],
  ["actor_role", ({ actor }) => actor.role],
  ["hospital_id", (event) => event.hospital_id],
  ["actor_hospital_id", (event) => event.actor_hospital_id],
  ["basis", ({ basis }) => basis],
  ["purpose", ({ purpose }) => purpose],
  ["entity_type", ({ entity }) => entity?.type ?? null],
  ["entity_id", ({ entity }) => entity?.id ?? null],
  ["patient_ids", (event) => event.patient_ids.join(" ")],
  ["request_id", (event) => event.request_id],
  ["ip", ({ ip }) => ip],
  ["detail", ({ detail }) => (detail ? JSON.stringify(detail) : null)],
];

export const CSV_HEADER = toCsvRecord(COLUMNS.map(([name]) => name));

export const toCsvLine = (event: ExportedEvent): string => toCsvRecord(COLUMNS.map(([, value]) => value(event)));
