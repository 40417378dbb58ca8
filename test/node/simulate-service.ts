// A stand-in of the service for tests of the simulator, which fails on request. Its answers are examples of the OpenAPI document,
// and both sides are checked against that document.
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { findRequestFaults, findStandInFaults, standInExample } from "./stand-in.ts";

export type WireSample = { code: string; value: number; unit: string; effective_at: string; seq: number };
/** Outcome of a batch: normal response, refused before or connection dropped after it was stored, or one sample left out. */
export type InjectedFault =
  | "none"
  | "503"
  | "429"
  | "502-after"
  | "dropped-before"
  | "dropped-after"
  | "half-answered"
  | "gone"
  | "400";
const REFUSALS: Partial<Record<InjectedFault, { status: number; headers?: Record<string, string> }>> = {
  "503": { status: 503 },
  "429": { status: 429, headers: { "Retry-After": "1" } },
  "400": { status: 400 },
  gone: { status: 401 },
};
/** A status, and the body as JSON. */
type Reply = [status: number, body: object];
type Device = { id: string; serial: string | null; patient: string | null; startedAt: string | null; isActive: boolean };

/** The id of the nth patient, and of a device that is not the simulator's. */
export const patientId = (n: number): string => `0193a5b0-0000-7000-8000-${String(n).padStart(12, "0")}`;
export const OTHER = "0193a5b0-0000-7000-9000-000000000001";

export type Service = {
  url: string;
  /** Samples stored as new, by device and sequence number. */
  taken: Map<string, { sample: WireSample; patient: string | null; sentAt: string | null; receivedAt: number }>;
  devices: Map<string, Device>;
  requests: string[];
  credentials: Map<string, string>;
  batches: number;
  /** What did not fit the OpenAPI document: requests of the simulator and answers of the stand-in. */
  faults: Set<string>;
  stop: () => Promise<void>;
  start: () => Promise<void>;
};

export type ServiceBehaviour = {
  /** Outcome per batch, by its index among the batches of its device. */
  mishap?: (batch: number) => InjectedFault;
  /** Lifetime of an access token in seconds. */
  tokenLife?: number;
  /** Of a socket: closed after this many frames without an acknowledgement; delay of acknowledgements. */
  cutAfterFrames?: number;
  mute?: (connection: number) => boolean;
  ackEveryMs?: number;
  /** Of a socket: the reason why a sample is not stored; null if it is. */
  refused?: (sample: WireSample) => string | null;
  status?: (sample: WireSample) => { status: string; reason?: string; message?: string };
};

function unmasked(frame: Buffer): { text: string; opcode: number; length: number } | null {
  if (frame.length < 6) return null;
  const short = (frame[1] ?? 0) & 127;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthBytes + 4;
  if (frame.length < start) return null;
  const size = lengthBytes === 0 ? short : lengthBytes === 2 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  if (frame.length < start + size) return null;
  const mask = frame.subarray(start - 4, start);
  const payload = Buffer.from(frame.subarray(start, start + size).map((byte, i) => byte ^ (mask[i % 4] ?? 0)));
  return { text: payload.toString(), opcode: (frame[0] ?? 0) & 15, length: start + size };
}

function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, payload.length]), payload]);
}

/** Listens on its own port, which stays the same over `stop` and `start`. */
export async function startService(behaviour: ServiceBehaviour = {}): Promise<Service> {
  const tokens = new Map<string, number>();
  const refreshTokens = new Set<string>();
  let port = 0;
  let server = createServer();
  let sockets = 0;
  const open = new Set<Duplex>();
  const batchesOf = new Map<string, number>();
  const service: Service = {
    url: "",
    taken: new Map(),
    devices: new Map([[OTHER, { id: OTHER, serial: "other-1", patient: null, startedAt: null, isActive: true }]]),
    requests: [],
    credentials: new Map(),
    batches: 0,
    faults: new Set(),
    stop,
    start,
  };

  function take(device: Device, samples: WireSample[], sentAt: string | null) {
    return samples.map((sample, index) => {
      const key = `${device.id} ${sample.seq}`;
      const before = service.taken.get(key);
      if (before) return { index, status: "duplicate" };
      service.taken.set(key, { sample, patient: device.patient, sentAt, receivedAt: Date.now() });
      if (device.startedAt !== null && sample.effective_at < device.startedAt)
        return { index, status: "quarantined", reason: "not_bound_then", message: "Quarantined" };
      return { index, ...(behaviour.status?.(sample) ?? { status: "stored", observation_id: `${index}-${randomUUID()}` }) };
    });
  }

  function pair() {
    const [access, refresh] = [`a-${randomUUID()}`, `r-${randomUUID()}`];
    const life = behaviour.tokenLife ?? 900;
    tokens.set(access, Date.now() + life * 1_000);
    refreshTokens.add(refresh);
    return { access_token: access, refresh_token: refresh, expires_in: life };
  }

  function observe(device: Device, body: { samples: WireSample[]; sent_at: string }, response: ServerResponse): void {
    const batch = batchesOf.get(device.id) ?? 0;
    batchesOf.set(device.id, batch + 1);
    service.batches++;
    const mishap = behaviour.mishap?.(batch) ?? "none";
    const refusal = REFUSALS[mishap];
    if (refusal) {
      const { status, headers = {} } = refusal;
      response.writeHead(status, headers).end(JSON.stringify({ title: "Refused", status, code: "x" }));
      return;
    }
    if (mishap === "dropped-before") {
      response.destroy();
      return;
    }
    const results = take(device, body.samples, body.sent_at);
    if (mishap === "dropped-after") response.destroy();
    else if (mishap === "502-after") response.writeHead(502).end("<html>bad gateway</html>");
    else {
      const reported = mishap === "half-answered" ? results.slice(0, Math.ceil(results.length / 2)) : results;
      const answer = documented("POST", "/observations", 200, { patient_id: device.patient, results: reported });
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answer[1]));
    }
  }

  /** The document's example of the answer with these members of `data`; a list has one example per item. */
  function documented(method: string, path: string, status: number, data: object | object[], pagination?: object): Reply {
    const answer = standInExample(method, path, status, data, pagination);
    for (const fault of findStandInFaults(method, path, status, answer)) service.faults.add(fault);
    return [status, answer];
  }

  const problem = (status: number, title: string): Reply => [status, { title, status, code: "x" }];
  const shown = ({ id, serial, patient, isActive }: Device) => ({
    device_id: id,
    kind: "bedside_monitor",
    serial_number: serial,
    patient_id: patient,
    is_active: isActive,
  });

  function staff(method: string, path: string, body: Record<string, string>): Reply {
    const [, deviceId = "", what] = /^\/devices\/([^/?]+)(?:\/(\w+))?/.exec(path) ?? [];
    const device = service.devices.get(deviceId);
    if (method === "GET" && path.startsWith("/patients/")) {
      const number = Number(path.slice("/patients/".length));
      if (number > 100) return problem(404, "Not found");
      return documented(method, "/patients/{patient_id}", 200, { patient_id: patientId(number), patient_number: number });
    }
    if (method === "POST" && path === "/devices") {
      const serial = body["serial_number"] ?? null;
      if (serial !== null && [...service.devices.values()].some((known) => known.serial === serial))
        return problem(409, "Resource already exists");
      const made = { id: randomUUID(), serial, patient: null, startedAt: null, isActive: true };
      service.devices.set(made.id, made);
      return documented(method, "/devices", 201, shown(made));
    }
    if (method === "GET" && path.startsWith("/devices?")) {
      // Two devices per page and, as in the real service, without their patients.
      const from = Number(new URLSearchParams(path.slice("/devices?".length)).get("cursor") ?? 0);
      const all = [...service.devices.values()].map((known) => ({ ...shown(known), patient_id: null }));
      const next = from + 2 < all.length ? `${from + 2}` : null;
      return documented(method, "/devices", 200, all.slice(from, from + 2), { next_cursor: next });
    }
    if (!device) return problem(404, "Not found");
    if (method === "GET") return documented(method, "/devices/{device_id}", 200, shown(device));
    if (method === "POST" && what === "assignments") {
      device.patient = body["patient_id"] ?? null;
      device.startedAt = body["started_at"] ?? null;
      return documented(method, "/devices/{device_id}/assignments", 201, { device_id: device.id, patient_id: device.patient });
    }
    if (method === "POST" && what === "credentials") {
      const token = `ecd_${randomUUID()}`;
      service.credentials.set(token, device.id);
      const data = { device_id: device.id, credential_id: token.slice("ecd_".length), token };
      return documented(method, "/devices/{device_id}/credentials", 201, data);
    }
    if (method === "DELETE" && what === undefined) {
      device.isActive = false;
      for (const [token, id] of service.credentials) if (id === device.id) service.credentials.delete(token);
      return documented(method, "/devices/{device_id}", 200, { device_id: device.id });
    }
    if (method === "DELETE") {
      const credentialId = path.split("/").at(-1) ?? "";
      service.credentials.delete(`ecd_${credentialId}`);
      return documented(method, "/devices/{device_id}/credentials/{credential_id}", 200, { credential_id: credentialId });
    }
    return problem(404, "Not found");
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text === "" ? {} : JSON.parse(text);
    const { method = "GET", url = "" } = request;
    const path = url.replace("/api/v1", "");
    service.requests.push(`${method} ${path}`);
    for (const fault of findRequestFaults(method, path, text === "" ? undefined : body)) service.faults.add(fault);
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    const device = service.devices.get(service.credentials.get(token) ?? "");
    if (path === "/observations" && device) return observe(device, body, response);
    const [status, answer] = device ? streamWithoutUpgrade(path) : (publicly(path, body) ?? inside(token, method, path, body));
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  }

  function streamWithoutUpgrade(path: string): Reply {
    return path === "/observations/stream" ? problem(426, "Upgrade") : problem(404, "Not found");
  }

  function publicly(path: string, body: Record<string, string>): Reply | null {
    if (path === "/auth/login") {
      const right = body["email"] === "nurse@demo.com" && body["password"] === "password123";
      return right ? documented("POST", path, 200, pair()) : problem(401, "Invalid credentials");
    }
    if (path !== "/auth/refresh") return null;
    const known = refreshTokens.delete(body["refresh_token"] ?? "");
    return known ? documented("POST", path, 200, pair()) : problem(401, "Invalid refresh token");
  }

  function inside(token: string, method: string, path: string, body: Record<string, string>): Reply {
    if ((tokens.get(token) ?? 0) < Date.now()) return problem(401, "Missing or invalid access token");
    return staff(method, path, body);
  }

  function upgrade(request: IncomingMessage, socket: Duplex): void {
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    const device = service.devices.get(service.credentials.get(token) ?? "");
    socket.on("error", () => undefined);
    if (!device) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    // After the upgrade the HTTP server no longer closes the connection.
    open.add(socket);
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest("base64")}\r\n\r\n`,
    );
    const connection = sockets++;
    const mute = behaviour.mute?.(connection) ?? false;
    let upto = -1;
    let frames = 0;
    let rest = Buffer.alloc(0);
    const acknowledge = setInterval(() => {
      if (upto >= 0 && !mute) socket.write(textFrame(JSON.stringify({ type: "ack", upto })));
    }, behaviour.ackEveryMs ?? 100);
    socket.on("close", () => {
      clearInterval(acknowledge);
      open.delete(socket);
    });
    socket.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let frame = unmasked(rest); frame; frame = unmasked(rest)) {
        rest = rest.subarray(frame.length);
        if (frame.opcode === 8) socket.end(Buffer.from([0x88, 0]));
        if (frame.opcode !== 1 || socket.destroyed) return;
        if (mute) continue;
        const { samples, sent_at } = JSON.parse(frame.text);
        // The samples are stored although the connection is closed before the response.
        take(device, samples, sent_at ?? null);
        const reasons: Record<string, number> = {};
        for (const sample of samples) {
          const reason = behaviour.refused?.(sample) ?? null;
          if (reason !== null) reasons[reason] = (reasons[reason] ?? 0) + 1;
        }
        const total = Object.values(reasons).reduce((sum, n) => sum + n, 0);
        if (total > 0) socket.write(textFrame(JSON.stringify({ type: "refused", results: [], total, reasons })));
        upto = Math.max(upto, ...samples.map(({ seq }: WireSample) => seq));
        if (++frames === behaviour.cutAfterFrames && connection % 2 === 0) socket.destroy();
      }
    });
  }

  async function start(): Promise<void> {
    server = createServer((request, response) => void handle(request, response));
    server.on("upgrade", upgrade);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
    service.url = `http://127.0.0.1:${port}`;
  }

  async function stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    for (const socket of open) socket.destroy();
    await closed;
  }

  await start();
  return service;
}
