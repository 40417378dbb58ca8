// Live view over a WebSocket.
import { hc } from "hono/client";
import type { liveTicketRoutes } from "../../../../src/monitoring/live/routes.ts";
import { API_BASE, CLIENT_OPTIONS, readData } from "../../platform/api/client.ts";
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

const api = hc<typeof liveTicketRoutes>(API_BASE, CLIENT_OPTIONS);
const PING_INTERVAL_MS = 2_000;

export function openSocket({ target, since }: TransportRequest, listener: TransportEvents): Transport {
  const { events, isClosed, close } = untilClosed(listener);
  let socket: WebSocket | null = null;
  let pingedAt = 0;
  const send = (message: string) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(message);
  };

  async function open(): Promise<void> {
    const { ticket } = await readData(api.live.tickets.$post({ json: target }));
    if (isClosed()) return;
    // On the page's own origin, which the policy requires: the ticket's `url` names the service's public origin.
    const url = new URL(`${API_BASE}/live`, window.location.href);
    url.searchParams.set("ticket", ticket);
    if (since !== null) url.searchParams.set("since", String(since));
    events.onAlive();
    socket = new WebSocket(url.href.replace(/^http/, "ws"));
    socket.onmessage = ({ data }) => {
      events.onAlive();
      if (data !== "pong") events.onFrame(String(data));
    };
    socket.onclose = ({ code }) => events.onEnd(code === ACCESS_ENDED ? "stopped" : "failed");
  }

  open().catch((error: unknown) => events.onEnd(endReason(error), getRequestedWaitMs(error)));
  return {
    kind: "socket",
    silenceMs: () => SILENCE_TIMEOUT_MS,
    everyMs: () => null,
    tick(now) {
      if (now - pingedAt < PING_INTERVAL_MS) return;
      pingedAt = now;
      send("ping");
    },
    acknowledge: (seq, beat) => send(JSON.stringify({ type: "ack", seq, beat })),
    renew: (token) => send(JSON.stringify({ type: "token", access_token: token })),
    close() {
      close();
      socket?.close(1000);
    },
  };
}
