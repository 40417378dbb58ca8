// API client: Hono's typed clients over a fetch that carries the session; problem responses become errors.
import type { ClientResponse } from "hono/client";
import { authorizedFetch, noteSecondStepDemand } from "../../accounts/session/session.ts";
import { sendRead } from "./back-off.ts";
import { parseProblem, throwUnreachable } from "./problem.ts";
import { requestStepUp, type StepUp } from "./step-up.ts";

export const API_BASE = "/api/v1";
/** For `hc<typeof someRoutes>(API, OPTIONS)`. */
export const CLIENT_OPTIONS = { fetch: fetchWhenAllowed };

/** Reads wait together when the service refuses one for its rate or does not answer. @throws Problem while they wait */
async function fetchWhenAllowed(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const send = () => authorizedFetch(input, init);
  return sendWithStepUp(() => ((init.method ?? "GET") === "GET" ? sendRead(send, init.signal) : send()));
}

/** A request that needs a recent sign-in is sent once more after the person has proved who they are. */
async function sendWithStepUp(send: () => Promise<Response>): Promise<Response> {
  const sentAt = performance.now();
  const response = await send();
  if (response.status !== 401 && response.status !== 403) return response;
  const { code, members } = await parseProblem(response.clone());
  if (code === "enrolment_required") noteSecondStepDemand();
  if (code !== "step_up_required") return response;
  const stepUp: StepUp = members["step_up"] === "second_step" ? "second_step" : "sign_in";
  return (await requestStepUp(stepUp, sentAt)) ? send() : response;
}

type SuccessBody<R> =
  R extends ClientResponse<infer Body, infer Status, "json"> ? (Status extends 200 | 201 | 202 ? Body : never) : never;

/**
 * The body of a successful response.
 * @throws Problem the API's problem, or `unreachable` when there is no response
 */
export async function readBody<R extends ClientResponse<unknown, number, string>>(request: Promise<R>): Promise<SuccessBody<R>> {
  const response = await request.catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
  // A response that breaks off counts as no response.
  return (await response.json().catch(throwUnreachable)) as SuccessBody<R>;
}

/** `data` of a successful response. @throws as bodyOf */
export async function readData<R extends ClientResponse<unknown, number, string>>(
  request: Promise<R>,
): Promise<SuccessBody<R> extends { data: infer Data } ? Data : never> {
  const { data } = (await readBody(request)) as { data: unknown };
  return data as SuccessBody<R> extends { data: infer Data } ? Data : never;
}

/** `data` and the ETag, which the next change sends in If-Match. */
export async function readVersioned<R extends ClientResponse<unknown, number, string>>(request: Promise<R>) {
  const response = await request.catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
  const { data } = (await response.json().catch(throwUnreachable)) as SuccessBody<R> & { data: unknown };
  return { data: data as SuccessBody<R> extends { data: infer Data } ? Data : never, etag: response.headers.get("ETag") ?? "" };
}

/** The ETag of a list item, from its version. */
export const formatEtag = (version: number): string => `"${version}"`;

/** A page of a list, for an infinite query: `next` is null at the end. */
export async function readPage<R extends ClientResponse<unknown, number, string>>(request: Promise<R>) {
  type Body =
    SuccessBody<R> extends { data: (infer Item)[]; meta: { pagination: infer Pagination } }
      ? { items: Item[]; pagination: Pagination }
      : never;
  const { data, meta } = (await readBody(request)) as { data: unknown; meta: { pagination: unknown } };
  return { items: data, pagination: meta.pagination } as Body;
}
