// What a nurse does before a monitor can send: logs in, registers the device, binds it, gives it a key.
import { z } from "zod";
import { type Answer, ask, passes, pause, saidBy, waitBefore } from "./http.ts";

/** The service, or whoever answers in its place, does not let the simulator go on; the message says why. */
export class SetupError extends Error {}

export type Monitor = { patient: number; deviceId: string; credentialId: string; token: string };
export type Staff = { monitorOf: (patient: number) => Promise<Monitor>; withdraw: (monitor: Monitor) => Promise<void> };

const TRIES = 6;
/** A token is renewed this long before it ends. */
const MARGIN_MS = 60_000;
const PAGE = 100;

const Tokens = z.object({ access_token: z.string(), refresh_token: z.string().nullable(), expires_in: z.number() });
const Patient = z.object({ patient_id: z.string() });
const Device = z.object({ device_id: z.string(), patient_id: z.string().nullable(), serial_number: z.string().nullable() });
const Credential = z.object({ credential_id: z.string(), token: z.string() });
const Page = z.object({ data: z.array(Device), pagination: z.object({ next_cursor: z.string().nullable() }) });
const Problem = z.object({ title: z.string(), detail: z.string().optional(), code: z.string().optional() });

type Verb = { method?: "GET" | "POST" | "DELETE"; json?: object };

function refusal(what: string, { status, body }: Answer): SetupError {
  const { data } = Problem.safeParse(body);
  return new SetupError(`${what}: ${status}${data ? ` ${data.detail ?? data.title}` : ""}`);
}

/** Asks until an answer comes that will not be another one later. @throws SetupError when none came */
async function insist(url: URL, asked: Parameters<typeof ask>[1], say: (line: string) => void): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const last = attempt === TRIES - 1 || asked.signal.aborted;
    let wait: number;
    try {
      const answer = await ask(url, asked);
      if (last || !passes(answer.status)) return answer;
      wait = waitBefore(attempt, answer.retryAfterMs);
      if (answer.retryAfterMs) say(`the server asks to wait ${Math.ceil(answer.retryAfterMs / 1_000)} s`);
    } catch (error) {
      if (last) throw new SetupError(`${url.origin} does not answer: ${saidBy(error)}`);
      wait = waitBefore(attempt);
    }
    await pause(wait, asked.signal);
  }
}

function parsed<T extends z.ZodType>(schema: T, what: string, body: unknown): z.infer<T> {
  const { data, success } = schema.safeParse(body);
  if (!success) throw new SetupError(`${what}: the answer is not what it should be`);
  return data;
}

const inData = <T extends z.ZodType>(schema: T) => z.object({ data: schema });

/** Logs in, and stays so. @throws SetupError */
export async function logIn(
  base: URL,
  { email, password }: { email: string; password: string },
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Staff> {
  const login = { email, password };
  const path = (name: string) => new URL(`/api/v1${name}`, base);

  async function tokensFrom(name: string, json: object): Promise<z.infer<typeof Tokens> & { until: number }> {
    const answer = await insist(path(name), { method: "POST", json, signal }, say);
    if (answer.status !== 200) throw refusal("log in", answer);
    const { data } = parsed(inData(Tokens), "log in", answer.body);
    return { ...data, until: Date.now() + data.expires_in * 1_000 - MARGIN_MS };
  }

  let tokens = await tokensFrom("/auth/login", login);

  async function renew(): Promise<void> {
    const { refresh_token } = tokens;
    tokens = await (refresh_token ? tokensFrom("/auth/refresh", { refresh_token }) : tokensFrom("/auth/login", login));
  }

  async function request(name: string, verb: Verb = {}): Promise<Answer> {
    if (Date.now() >= tokens.until) await renew();
    const first = await insist(path(name), { ...verb, token: tokens.access_token, signal }, say);
    if (first.status !== 401) return first;
    await renew();
    return insist(path(name), { ...verb, token: tokens.access_token, signal }, say);
  }

  async function get<T extends z.ZodType>(schema: T, name: string): Promise<z.infer<T>> {
    const answer = await request(name);
    if (answer.status !== 200) throw refusal(name, answer);
    return parsed(schema, name, answer.body);
  }

  async function deviceOfSerial(serial: string): Promise<string> {
    let cursor: string | null = null;
    do {
      const query: string = new URLSearchParams({
        kind: "bedside_monitor",
        limit: `${PAGE}`,
        ...(cursor && { cursor }),
      }).toString();
      const { data, pagination }: z.infer<typeof Page> = await get(Page, `/devices?${query}`);
      const found = data.find(({ serial_number }) => serial_number === serial);
      if (found) return found.device_id;
      cursor = pagination.next_cursor;
    } while (cursor);
    throw new SetupError(`device ${serial}: it exists, and no list shows it`);
  }

  /** @returns the device and the patient it is bound to */
  async function deviceFor(patient: number): Promise<z.infer<typeof Device>> {
    const serial = `simulator-${patient}`;
    const json = { kind: "bedside_monitor", name: `Simulator ${patient}`, serial_number: serial };
    const made = await request("/devices", { method: "POST", json });
    if (made.status === 201) return parsed(inData(Device), "/devices", made.body).data;
    if (made.status !== 409) throw refusal("register a device", made);
    return (await get(inData(Device), `/devices/${await deviceOfSerial(serial)}`)).data;
  }

  return {
    async monitorOf(patient) {
      const { patient_id } = (await get(inData(Patient), `/patients/${patient}`)).data;
      const device = await deviceFor(patient);
      const own = `/devices/${device.device_id}`;
      if (device.patient_id !== patient_id) {
        const bound = await request(`${own}/assignments`, { method: "POST", json: { patient_id } });
        if (bound.status !== 201) throw refusal(`bind the monitor of patient ${patient}`, bound);
      }
      const issued = await request(`${own}/credentials`, { method: "POST", json: { name: "simulator" } });
      if (issued.status !== 201) throw refusal(`a credential for the monitor of patient ${patient}`, issued);
      const { credential_id, token } = parsed(inData(Credential), "credential", issued.body).data;
      return { patient, deviceId: device.device_id, credentialId: credential_id, token };
    },
    async withdraw({ deviceId, credentialId }) {
      const ended = await request(`/devices/${deviceId}/credentials/${credentialId}`, { method: "DELETE" });
      if (ended.status !== 200 && ended.status !== 404) throw refusal("revoke a credential", ended);
    },
  };
}
