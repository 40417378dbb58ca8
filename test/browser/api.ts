// An API client for tests: sets up data before a page is opened, and acts as other users meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import { productUrl } from "./product.ts";

export type Login = { email: string; password: string };
type Verb = {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  json?: object;
  headers?: Record<string, string>;
  body?: BodyInit;
};
// biome-ignore lint/suspicious/noExplicitAny: the test asserts the response field by field.
type Answer = any;

export type Caller = { ask: (path: string, verb?: Verb) => Promise<Answer> };

/** Retries after the delay that the server asks for: tests send requests faster than people. */
async function send(token: string, path: string, { method, json, headers, body }: Verb = {}): Promise<Response> {
  for (;;) {
    const response = await fetch(`${productUrl()}/api/v1${path}`, {
      method: method ?? (json || body ? "POST" : "GET"),
      headers: {
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(json && { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(json ? { body: JSON.stringify(json) } : body !== undefined && { body }),
    });
    if (response.status !== 429) return response;
    await response.body?.cancel();
    await sleep(1_000 * Number(response.headers.get("Retry-After") ?? 1));
  }
}

/** @throws for a status other than 2xx */
async function read(path: string, response: Response): Promise<Answer> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

/** A device token, which does not expire. */
export const withToken = (token: string): Caller => ({
  ask: async (path, verb) => read(path, await send(token, path, verb)),
});

/** Stays logged in: tests last longer than an access token. */
export async function logIn({ email, password }: Login): Promise<Caller> {
  const login = async (): Promise<string> => {
    const { data } = await read("/auth/login", await send("", "/auth/login", { json: { email, password } }));
    return data.access_token;
  };
  let token = await login();
  const ask: Caller["ask"] = async (path, verb) => {
    const first = await send(token, path, verb);
    if (first.status !== 401) return read(path, first);
    token = await login();
    return read(path, await send(token, path, verb));
  };
  return { ask };
}

/** Ends all sessions of a person, including the browser's; the calling session ends last. */
export async function endSessions(login: Login): Promise<void> {
  const caller = await logIn(login);
  const sessions: { session_id: string; current: boolean }[] = (await caller.ask("/auth/sessions")).data;
  for (const { session_id } of sessions.toSorted((a, b) => Number(a.current) - Number(b.current))) {
    await caller.ask(`/auth/sessions/${session_id}`, { method: "DELETE" });
  }
}
