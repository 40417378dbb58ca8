// A receiver of webhooks for tests in workerd: it keeps what it gets, and answers as a test asks it to.
import { createServer, type IncomingMessage } from "node:http";

/** How the receiver of one name answers; without a plan 204. */
export type ReceiverPlan = { status?: number; headers?: Record<string, string>; body?: string; fails?: "hang" | "close" };
export type Received = { headers: Record<string, string>; body: string };

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/**
 * Starts on the port of WEBHOOK_RECEIVER_PORT. `PUT /plan/<name>` sets a plan, `POST /hook/<name>` is the webhook, `GET /hook/<name>`
 * lists what it received.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const plans = new Map<string, ReceiverPlan>();
  const received = new Map<string, Received[]>();
  const server = createServer(async (request, response) => {
    const [, kind, name = ""] = (request.url ?? "").split("/");
    const body = await readBody(request);
    if (kind === "plan") {
      plans.set(name, JSON.parse(body));
      return response.end();
    }
    if (request.method === "GET") return response.end(JSON.stringify(received.get(name) ?? []));
    const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
    received.set(name, [...(received.get(name) ?? []), { headers, body }]);
    const plan = plans.get(name) ?? {};
    if (plan.fails === "close") return request.socket.destroy();
    if (plan.fails === "hang") return;
    response.writeHead(plan.status ?? 204, plan.headers).end(plan.body);
  });
  await new Promise<void>((resolve) => server.listen(Number(process.env["WEBHOOK_RECEIVER_PORT"]), "127.0.0.1", resolve));
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}
