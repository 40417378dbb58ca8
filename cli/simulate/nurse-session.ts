// The nurse's API calls that prepare a monitor: log in, register the device, assign it to a patient, create a credential.
import { z } from "zod";
import { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { type ApiResponse, describeError, isRetryable, pause, retryDelay, sendRequest } from "./http.ts";
import { type Measurement, toMeasurement } from "./source.ts";

/** The service, or a proxy in front of it, rejected the set-up; the message says why. */
export class SetupError extends Error {}

export type Monitor = { patient: number; deviceId: string; credentialId: string; token: string; isReplay: boolean };
export type NurseSession = {
  /** The patient's simulated monitor, which stays registered and assigned between runs. */
  setUpMonitor: (patient: number) => Promise<Monitor>;
  /** A monitor of its own for a recording, assigned from `startedAt` (epoch milliseconds, in the past) or from now. */
  setUpReplayMonitor: (patient: number, name: string, startedAt: number | null) => Promise<Monitor>;
  /** Enters a complete set of observations of a patient without a monitor. @param at epoch milliseconds */
  recordObservationSet: (patient: number, at: number, values: readonly Measurement[]) => Promise<void>;
  /** Revokes the credential; takes a replay's monitor out of service. */
  endMonitor: (monitor: Monitor) => Promise<void>;
};

const MAX_TRIES = 6;
/** The access token is refreshed this long before it expires. */
const MARGIN_MS = 60_000;
const PAGE_SIZE = 100;

const Tokens = z.object({ access_token: z.string(), refresh_token: z.string().nullable(), expires_in: z.number() });
const Patient = z.object({ patient_id: z.string() });
const Device = z.object({ device_id: z.string(), patient_id: z.string().nullable(), serial_number: z.string().nullable() });
const Credential = z.object({ credential_id: z.string(), token: z.string() });
const Page = z.object({
  data: z.array(Device),
  meta: z.object({ pagination: z.object({ next_cursor: z.string().nullable() }) }),
});
const Problem = z.object({ title: z.string(), detail: z.string().optional(), code: z.string().optional() });

type RequestInput = { method?: "GET" | "POST" | "DELETE"; json?: object; ifMatch?: string };

function toSetupError(what: string, { status, body }: ApiResponse): SetupError {
  const { data } = Problem.safeParse(body);
  return new SetupError(`${what}: ${status}${data ? ` ${data.detail ?? data.title}` : ""}`);
}

/** Sends a request and retries until the response is final. @throws SetupError when none arrives */
async function requestWithRetry(
  url: URL,
  options: Parameters<typeof sendRequest>[1],
  logLine: (line: string) => void,
): Promise<ApiResponse> {
  for (let attempt = 0; ; attempt++) {
    const last = attempt === MAX_TRIES - 1 || options.signal.aborted;
    let wait: number;
    try {
      const answer = await sendRequest(url, options);
      if (last || !isRetryable(answer.status)) return answer;
      wait = retryDelay(attempt, answer.retryAfterMs);
      if (answer.retryAfterMs) logLine(`rate limited; waiting ${Math.ceil(answer.retryAfterMs / 1_000)} s`);
    } catch (error) {
      if (last) throw new SetupError(`${url.origin} does not respond (another server: --url): ${describeError(error)}`);
      wait = retryDelay(attempt);
    }
    await pause(wait, options.signal);
  }
}

function parseBody<T extends z.ZodType>(schema: T, what: string, body: unknown): z.infer<T> {
  const { data, success } = schema.safeParse(body);
  if (!success) throw new SetupError(`${what}: unexpected response`);
  return data;
}

/** Nurses chart oxygen as a flow: room air is none. */
function toSetSamples(values: readonly Measurement[]): Measurement[] {
  return values.map((value) => (value.code === CODES.inspired_oxygen ? toMeasurement("oxygen_flow", 0) : value));
}

const dataSchema = <T extends z.ZodType>(schema: T) => z.object({ data: schema });

/** Logs in and refreshes the session when needed. @throws SetupError */
export async function logIn(
  base: URL,
  { email, password }: { email: string; password: string },
  signal: AbortSignal,
  logLine: (line: string) => void,
): Promise<NurseSession> {
  const login = { email, password };
  const path = (name: string) => new URL(`/api/v1${name}`, base);

  async function fetchTokens(name: string, json: object): Promise<z.infer<typeof Tokens> & { renewAt: number }> {
    const answer = await requestWithRetry(path(name), { method: "POST", json, signal }, logLine);
    if (answer.status !== 200) throw toSetupError("log in", answer);
    const { data } = parseBody(dataSchema(Tokens), "log in", answer.body);
    return { ...data, renewAt: Date.now() + data.expires_in * 1_000 - MARGIN_MS };
  }

  let tokens = await fetchTokens("/auth/login", login);

  async function renewTokens(): Promise<void> {
    const { refresh_token } = tokens;
    tokens = await (refresh_token ? fetchTokens("/auth/refresh", { refresh_token }) : fetchTokens("/auth/login", login));
  }

  async function request(name: string, input: RequestInput = {}): Promise<ApiResponse> {
    if (Date.now() >= tokens.renewAt) await renewTokens();
    const first = await requestWithRetry(path(name), { ...input, token: tokens.access_token, signal }, logLine);
    if (first.status !== 401) return first;
    await renewTokens();
    return requestWithRetry(path(name), { ...input, token: tokens.access_token, signal }, logLine);
  }

  async function get<T extends z.ZodType>(schema: T, name: string): Promise<z.infer<T>> {
    const answer = await request(name);
    if (answer.status !== 200) throw toSetupError(name, answer);
    return parseBody(schema, name, answer.body);
  }

  async function findDeviceBySerial(serial: string): Promise<string> {
    let cursor: string | null = null;
    do {
      const query: string = new URLSearchParams({
        kind: "bedside_monitor",
        limit: `${PAGE_SIZE}`,
        ...(cursor && { cursor }),
      }).toString();
      const { data, meta }: z.infer<typeof Page> = await get(Page, `/devices?${query}`);
      const found = data.find(({ serial_number }) => serial_number === serial);
      if (found) return found.device_id;
      cursor = meta.pagination.next_cursor;
    } while (cursor);
    throw new SetupError(`device ${serial}: it exists, but is not in the device list`);
  }

  /** @returns the device and the patient to whom it is assigned */
  async function findOrRegisterDevice(patient: number): Promise<z.infer<typeof Device>> {
    const serial = `simulator-${patient}`;
    const response = await registerDevice({ name: `Simulator ${patient}`, serial_number: serial });
    if (response) return response;
    return (await get(dataSchema(Device), `/devices/${await findDeviceBySerial(serial)}`)).data;
  }

  /** @returns null if the hospital has a device with the serial number */
  async function registerDevice(fields: { name: string; serial_number?: string }): Promise<z.infer<typeof Device> | null> {
    const response = await request("/devices", { method: "POST", json: { kind: "bedside_monitor", ...fields } });
    if (response.status === 201) return parseBody(dataSchema(Device), "/devices", response.body).data;
    if (response.status === 409 && fields.serial_number) return null;
    throw toSetupError("register a device", response);
  }

  const findPatientId = async (patient: number) => (await get(dataSchema(Patient), `/patients/${patient}`)).data.patient_id;

  async function assign(deviceId: string, patient: number, json: { patient_id: string; started_at?: string }): Promise<void> {
    const bound = await request(`/devices/${deviceId}/assignments`, { method: "POST", json });
    if (bound.status !== 201) throw toSetupError(`assign the monitor to patient ${patient}`, bound);
  }

  async function issueCredential(deviceId: string, patient: number): Promise<z.infer<typeof Credential>> {
    const issued = await request(`/devices/${deviceId}/credentials`, { method: "POST", json: { name: "simulator" } });
    if (issued.status !== 201) throw toSetupError(`create a credential for the monitor of patient ${patient}`, issued);
    return parseBody(dataSchema(Credential), "credential", issued.body).data;
  }

  async function toMonitor(deviceId: string, patient: number, isReplay: boolean): Promise<Monitor> {
    const { credential_id, token } = await issueCredential(deviceId, patient);
    return { patient, deviceId, credentialId: credential_id, token, isReplay };
  }

  return {
    async setUpMonitor(patient) {
      const patient_id = await findPatientId(patient);
      const device = await findOrRegisterDevice(patient);
      if (device.patient_id !== patient_id) await assign(device.device_id, patient, { patient_id });
      return toMonitor(device.device_id, patient, false);
    },
    async setUpReplayMonitor(patient, name, startedAt) {
      const patient_id = await findPatientId(patient);
      const device = await registerDevice({ name });
      if (!device) throw new SetupError("register a device: unexpected response");
      const start = startedAt === null ? {} : { started_at: new Date(startedAt).toISOString() };
      await assign(device.device_id, patient, { patient_id, ...start });
      return toMonitor(device.device_id, patient, true);
    },
    async recordObservationSet(patient, at, values) {
      const patientId = await findPatientId(patient);
      const json = { effective_at: new Date(at).toISOString(), samples: toSetSamples(values), confirmed_score: 0 };
      const first = await request(`/patients/${patientId}/observation-sets`, { method: "POST", json });
      if (first.status !== 201) throw toSetupError("enter a set of observations", first);
    },
    async endMonitor({ deviceId, credentialId, isReplay }) {
      const ended = await request(isReplay ? `/devices/${deviceId}` : `/devices/${deviceId}/credentials/${credentialId}`, {
        method: "DELETE",
        ...(isReplay && { ifMatch: "*" }),
      });
      if (ended.status !== 200 && ended.status !== 404) throw toSetupError("end the monitor", ended);
    },
  };
}
