// Live view as server-sent events, where WebSockets do not pass. By fetch, which unlike EventSource sends the access token and
// reports the status of a refusal. Reading acknowledges.
import { authorizedFetch } from "../../accounts/session/session.ts";
import { API_BASE } from "../../platform/api/client.ts";
import { parseProblem, throwUnreachable } from "../../platform/api/problem.ts";
import { createEventParser } from "./event-stream.ts";
import {
  ACCESS_ENDED,
  endReason,
  getRequestedWaitMs,
  SILENCE_TIMEOUT_MS,
  type Transport,
  type TransportEvents,
  type TransportRequest,
  untilClosed,
} from "./transport.ts";

export function openStream({ target, since }: TransportRequest, listener: TransportEvents): Transport {
  const { events, close } = untilClosed(listener);
  const abort = new AbortController();

  async function read(): Promise<void> {
    const query = new URLSearchParams({ ...target, ...(since !== null && { since: String(since) }) });
    events.onAlive();
    const response = await authorizedFetch(`${API_BASE}/live/sse?${query}`, { signal: abort.signal }).catch(throwUnreachable);
    if (!response.ok) throw await parseProblem(response);
    if (!response.body) throw new TypeError("the response has no body");
    const parse = createEventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      events.onAlive();
      for (const { event, data } of parse(part.value)) {
        if (event === "end") return events.onEnd(data.includes(`"code":${ACCESS_ENDED}`) ? "stopped" : "failed");
        events.onFrame(data);
      }
    }
    events.onEnd("failed");
  }

  read().catch((error: unknown) => {
    const reason = endReason(error);
    const waitMs = getRequestedWaitMs(error);
    // A proxy that refuses the path looks like a network that is down: the next transport shows which it is.
    events.onEnd(reason === "unreachable" && waitMs === 0 ? "failed" : reason, waitMs);
    abort.abort();
  });
  return {
    kind: "stream",
    silenceMs: () => SILENCE_TIMEOUT_MS,
    everyMs: () => null,
    tick: () => undefined,
    acknowledge: () => undefined,
    // The stream ends with the token that opened it; the next one resumes after its last frame.
    renew: () => undefined,
    close() {
      close();
      abort.abort();
    },
  };
}
