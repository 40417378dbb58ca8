// A local service that receives webhooks or push messages of the server under test.
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";

export type Received = { path: string; headers: IncomingHttpHeaders; body: Buffer };

/** @param origin one that the server was started with, as WEBHOOK_TEST_ORIGINS or PUSH_TEST_ORIGINS */
export async function startReceiver(origin: string) {
  const requests: Received[] = [];
  const answer = { status: 200, text: "" };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(answer.status).end(answer.text);
  });
  server.listen(Number(new URL(origin).port), "127.0.0.1");
  await once(server, "listening");
  return { requests, answer, stop: () => new Promise((resolve) => server.close(resolve)) };
}
