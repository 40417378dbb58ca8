// A counting client: sends audited reads and writes, and notes what became of each.
import { mulberry32 } from "../../cli/random.ts";
import type { World } from "./world.ts";

const READS = ["patient.list", "patient.read", "report.list"] as const;
type Kind = (typeof READS)[number] | "patient.create" | "patient.update";

/**
 * `answered`: a response of 2xx began, so that its body may have reached the client. `refused`: another response.
 * `unanswered`: the connection ended before, and the request may have taken effect.
 */
export type Outcome = "answered" | "refused" | "unanswered";
type Entry = { kind: Kind; outcome: Outcome };
/** Every request by its id, which a write also stores in a name of the patient. */
export class Ledger extends Map<string, Entry> {
  answered = 0;
}

export const isRead = (kind: string): boolean => READS.some((read) => read === kind);

type Request = { kind: Kind; path: string; method?: "POST" | "PATCH"; json?: object };
/** A patient that this client has created and not changed yet. */
type Client = { name: string; random: () => number; token: string; patients: string[]; unchanged: string[]; sent: number };

const RETRY_MS = 20;

export function createClients(count: number, seed: number, { nurse, patients }: World): Client[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `torture-${i}`,
    random: mulberry32(seed * 1_000 + i),
    token: nurse,
    patients: patients.map(({ id }) => id),
    unchanged: [],
    sent: 0,
  }));
}

/** Sends one request after another until the server is to be killed. */
export async function sendUntil(client: Client, url: string, ledger: Ledger, isStopped: () => boolean): Promise<void> {
  while (!isStopped()) {
    const id = `${client.name}-${++client.sent}`;
    const outcome = await send(client, url, id, ledger);
    if (outcome !== "answered") await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function send(client: Client, url: string, id: string, ledger: Ledger): Promise<Outcome> {
  const { kind, path, method = "GET", json } = nextRequest(client, id);
  const entry: Entry = { kind, outcome: "unanswered" };
  ledger.set(id, entry);
  const headers = {
    Authorization: `Bearer ${client.token}`,
    "X-Request-Id": id,
    ...(json && { "Content-Type": "application/json" }),
    ...(method === "PATCH" && { "If-Match": '"1"' }),
  };
  try {
    const response = await fetch(url + path, { method, headers, ...(json && { body: JSON.stringify(json) }) });
    entry.outcome = response.ok ? "answered" : "refused";
    ledger.answered += 1;
    const { data } = (await response.json()) as { data?: { patient_id: string } };
    if (kind === "patient.create" && response.ok && data) client.unchanged.push(data.patient_id);
  } catch (error) {
    // Killed: `outcome` says whether the response had begun.
    if (isNotSent(error)) ledger.delete(id);
  }
  return entry.outcome;
}

const isNotSent = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && Reflect.get(error.cause, "code") === "ECONNREFUSED";

/** Three of four requests are reads. */
function nextRequest({ random, patients, unchanged }: Client, id: string): Request {
  const patient = () => patients[Math.floor(random() * patients.length)] ?? "";
  const drawn = random();
  if (drawn < 0.25) return { kind: "patient.list", path: "/patients" };
  if (drawn < 0.5) return { kind: "patient.read", path: `/patients/${patient()}` };
  if (drawn < 0.75) return { kind: "report.list", path: "/reports" };
  const created = drawn < 0.87 ? unchanged.pop() : undefined;
  if (created) return { kind: "patient.update", path: `/patients/${created}`, method: "PATCH", json: { first_name: id } };
  const json = { first_name: "Kiran", last_name: id, duplicate_reason: "Another person" };
  return { kind: "patient.create", path: "/patients", method: "POST", json };
}
