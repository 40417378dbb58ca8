// A client of the live socket for tests: records every frame, acknowledges by default, and waits without sleeping.
import { runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import type { WardFeed } from "../../src/monitoring/live/ward-feed.ts";
import type { PatientFrame } from "../../src/monitoring/patient-object/contract.ts";
import { API, env, newLogin, newPerson, type RequestOptions, readJson, sendRequest, uniqueText } from "../world.ts";

// biome-ignore lint/suspicious/noExplicitAny: messages are asserted field by field.
type Frame = any;
export type LiveSocket = {
  socket: WebSocket;
  frames: Frame[];
  closed: Promise<{ code: number; reason: string }>;
  /** Resolves with the first matching frame, whether received already or later. */
  until: (fits: (frame: Frame) => boolean) => Promise<Frame>;
  close: () => void;
};
type Options = RequestOptions & { acks?: boolean };

const UPGRADE = { Upgrade: "websocket" };

/** The handshake only. */
export const sendHandshake = (path: string, options: RequestOptions = {}) =>
  sendRequest(path, { ...options, headers: { ...UPGRADE, ...options.headers } });

export function acceptSocket(response: Response, acks = true): LiveSocket {
  const socket = response.webSocket;
  if (!socket) throw new Error(`no socket but ${response.status}`);
  const frames: Frame[] = [];
  const waiting: { fits: (frame: Frame) => boolean; found: (frame: Frame) => void; lost: (error: Error) => void }[] = [];
  let owed = 0;
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    const frame: Frame = data === "pong" ? { type: "pong" } : JSON.parse(String(data));
    frames.push(frame);
    owed += 1;
    if (acks && (owed >= 100 || frame.type === "beat") && socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify({ type: "ack", seq: frame.seq, beat: frame.beat }));
      owed = 0;
    }
    for (const waiter of waiting.filter(({ fits }) => fits(frame))) waiter.found(frame);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener("close", ({ code, reason }) => {
      for (const { lost } of waiting) lost(new Error(`closed with ${code} ${reason}`));
      resolve({ code, reason });
    });
  });
  const until = (fits: (frame: Frame) => boolean) =>
    new Promise<Frame>((found, lost) => {
      const known = frames.find(fits);
      if (known) found(known);
      else waiting.push({ fits, found, lost });
    });
  return { socket, frames, closed, until, close: () => socket.close(1000) };
}

/** Opens a socket with a bearer token; resolves when the view is complete. */
export async function openLiveView(as: { token: string }, query = "", { acks, ...options }: Options = {}): Promise<LiveSocket> {
  const live = acceptSocket(await sendHandshake(`${API}/live${query}`, { as, ...options }), acks);
  await live.until(({ type }) => type === "view");
  return live;
}

export async function createTicket(as: { token: string }, json: object = {}): Promise<string> {
  const answer = await readJson(await sendRequest(`${API}/live/tickets`, { as, json }));
  return answer.data.ticket;
}

/** The live feed of a hospital, as a patient's object calls it. */
export const getFeed = (hospitalId: string) => env.WARD_FEED.getByName(hospitalId);

/** A frame of one sample, identified by its value. */
export function createSampleFrame(patientId: string, value: number): PatientFrame {
  const at = new Date().toISOString();
  const sample = {
    observation_id: uniqueText(),
    code: "8867-4",
    name: "heart_rate",
    value,
    unit: "/min",
    effective_at: at,
    received_at: at,
    device_id: null,
    performer_id: null,
    status: "final" as const,
  };
  const news2 = { status: "incomplete" as const, missing: [], stale: [] };
  const due = { mode: "spot", status: "never", due_at: null, overdue_at: null, last_attempt: null, pause: null } as const;
  return { type: "samples", patient_id: patientId, samples: [sample], news2, observations: due, trend_mark: null };
}

export const publish = (hospitalId: string, patientId: string, ...values: number[]) =>
  getFeed(hospitalId).publish(
    patientId,
    values.map((value) => createSampleFrame(patientId, value)),
  );

/** The messages about a patient, in order of receipt. */
export const receivedValues = (live: LiveSocket, patientId: string): number[] =>
  live.frames
    .filter(({ type, patient_id }) => type === "samples" && patient_id === patientId)
    .map(({ samples }) => samples[0].value);

export const hasValue =
  (value: number) =>
  ({ type, samples }: Frame): boolean =>
    type === "samples" && samples[0].value === value;

export async function startMonitoring(...patientIds: string[]): Promise<void> {
  for (const id of patientIds) await env.DB.prepare("UPDATE patients SET monitoring = 'ward' WHERE id = ?").bind(id).run();
}

export const typesOf = ({ frames }: LiveSocket) => frames.map(({ type }) => type);
export const numbersOf = ({ frames }: LiveSocket): number[] => frames.map(({ seq }) => seq).filter((seq) => seq !== undefined);
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Closes the socket. @returns its last number */
export async function leave(live: LiveSocket): Promise<number> {
  live.close();
  await live.closed;
  return Math.max(...numbersOf(live));
}

/** A frame of about 100,000 characters. */
export function createHeavyFrame(patientId: string, value: number): PatientFrame {
  const frame = createSampleFrame(patientId, value);
  if (frame.type === "samples") for (const sample of frame.samples) sample.observation_id = "x".repeat(100_000);
  return frame;
}

export const acknowledge = ({ socket }: LiveSocket, seq: number) => socket.send(JSON.stringify({ type: "ack", seq }));
/** Waits until everything sent so far has arrived. */
export async function drain(live: LiveSocket): Promise<void> {
  const before = live.frames.length;
  live.socket.send("ping");
  await live.until((frame) => frame.type === "pong" && live.frames.indexOf(frame) >= before);
}
export const lastSeq = (live: LiveSocket) => Math.max(...numbersOf(live));
export const typesAfter = (live: LiveSocket, seq: number) =>
  live.frames.flatMap((frame) => (frame.seq > seq ? [frame.type] : []));
/** Lets the feed's alarm run as if so much time had passed. */
export async function runAlarmAfter(hospitalId: string, ms: number): Promise<void> {
  vi.useFakeTimers({ now: Date.now() + ms, toFake: ["Date"] });
  await runInDurableObject(getFeed(hospitalId), (feed: WardFeed) => feed.alarm());
  vi.useRealTimers();
}

/** Sessions of nurses, two of each, who may have ten live views per session. */
export async function newSessions(hospitalId: string, count: number): Promise<{ token: string }[]> {
  const nurses = await Promise.all(range(1, Math.ceil(count / 2)).map(() => newPerson("nurse", hospitalId)));
  const standing = { role: "nurse" as const, hospitalId, doctorScope: "care_team" as const };
  const second = await Promise.all(nurses.map(({ id }) => newLogin(id, standing)));
  return [...nurses, ...second].slice(0, count);
}
