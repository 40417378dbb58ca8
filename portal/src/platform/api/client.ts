// The way to the API: Hono's typed clients over a fetch that carries the session, and problems as errors.
import type { ClientResponse } from "hono/client";
import { authorizedFetch } from "../../accounts/session/session.ts";
import { parseProblem, throwUnreachable } from "./problem.ts";

export const API_BASE = "/api/v1";
/** For `hc<typeof someRoutes>(API, OPTIONS)`. */
export const CLIENT_OPTIONS = { fetch: authorizedFetch };

type SuccessBody<R> =
  R extends ClientResponse<infer Body, infer Status, "json"> ? (Status extends 200 | 201 | 202 ? Body : never) : never;

/**
 * The body of a good answer.
 * @throws Problem what the API says, or `unreachable` where nothing answers
 */
export async function readBody<R extends ClientResponse<unknown, number, string>>(request: Promise<R>): Promise<SuccessBody<R>> {
  const response = await request.catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
  // An answer that breaks off is none.
  return (await response.json().catch(throwUnreachable)) as SuccessBody<R>;
}

/** `data` of a good answer. @throws as bodyOf */
export async function readData<R extends ClientResponse<unknown, number, string>>(
  request: Promise<R>,
): Promise<SuccessBody<R> extends { data: infer Data } ? Data : never> {
  const { data } = (await readBody(request)) as { data: unknown };
  return data as SuccessBody<R> extends { data: infer Data } ? Data : never;
}

/** `data` and the ETag, which the next change of it names in If-Match. */
export async function readVersioned<R extends ClientResponse<unknown, number, string>>(request: Promise<R>) {
  const response = await request.catch(throwUnreachable);
  if (!response.ok) throw await parseProblem(response);
  const { data } = (await response.json().catch(throwUnreachable)) as SuccessBody<R> & { data: unknown };
  return { data: data as SuccessBody<R> extends { data: infer Data } ? Data : never, etag: response.headers.get("ETag") ?? "" };
}

/** The ETag of an item of a list, whose version it tells. */
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
