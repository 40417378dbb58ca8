// Reads a file that the service streams: of any length, as long as data keeps coming.
import { parseProblem, throwUnreachable } from "./problem.ts";

/** A stream without data for this long counts as broken off, ms. */
const MAX_SILENCE_MS = 60_000;

type StreamResponse = {
  ok: boolean;
  status: number;
  headers: Pick<Headers, "get">;
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  json: () => Promise<unknown>;
};

/**
 * The whole file; nothing of one that breaks off.
 * @param send starts the request with a signal that also ends a silent stream
 * @throws Problem the API's problem, or `unreachable` when the stream breaks off or is cancelled
 */
export async function readStreamedFile(
  send: (signal: AbortSignal) => Promise<StreamResponse>,
  cancel: AbortSignal,
): Promise<Blob> {
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expectData = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), MAX_SILENCE_MS);
  };
  expectData();
  try {
    const response = await send(AbortSignal.any([cancel, silence.signal])).catch(throwUnreachable);
    if (!response.ok) throw await parseProblem(response);
    const parts = response.body ? await readParts(response.body, expectData).catch(throwUnreachable) : [];
    return new Blob(parts, { type: response.headers.get("Content-Type") ?? "application/octet-stream" });
  } finally {
    clearTimeout(timer);
  }
}

async function readParts(body: ReadableStream<Uint8Array<ArrayBuffer>>, onData: () => void) {
  const reader = body.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return parts;
    onData();
    parts.push(value);
  }
}
