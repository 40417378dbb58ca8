// Pure rules for the choice of the transport and the times of new attempts.

/** In order of preference; a proxy may refuse WebSockets, or hold back the response of a stream until it ends. */
const TRANSPORTS = ["socket", "stream", "poll"] as const;
export type TransportKind = (typeof TRANSPORTS)[number];

/** `failures`: attempts in a row that never became live. */
export type TransportChoice = { kind: TransportKind; failures: number };
export const FIRST_CHOICE: TransportChoice = { kind: "socket", failures: 0 };

/** One failure may be an accident; after the second the next transport is tried, after the last the first again. */
const MAX_FAILURES = 2;
const MIN_RETRY_MS = 500;
const MAX_RETRY_MS = 10_000;
const MIN_PROBE_MS = 30_000;
const MAX_PROBE_MS = 300_000;

export function chooseAfterFailure({ kind, failures }: TransportChoice): TransportChoice {
  if (failures + 1 < MAX_FAILURES) return { kind, failures: failures + 1 };
  return { kind: TRANSPORTS[(TRANSPORTS.indexOf(kind) + 1) % TRANSPORTS.length] ?? "socket", failures: 0 };
}

/** Doubles with each attempt up to a bound; the last half is random, because all other clients reconnect too. */
const backOff = (minMs: number, maxMs: number, attempt: number, random: number) =>
  Math.min(maxMs, minMs * 2 ** attempt) * (0.5 + random / 2);

/** Delay of the next connection. @param attempt failed ones since the view was last live @param random from 0 to 1 */
export const retryDelayMs = (attempt: number, random: number): number => backOff(MIN_RETRY_MS, MAX_RETRY_MS, attempt, random);

/** Delay until the socket is tried again beside another transport that works. @param probes failed ones so far */
export const probeDelayMs = (probes: number, random: number): number => backOff(MIN_PROBE_MS, MAX_PROBE_MS, probes, random);
