// The way to the API: Hono's typed clients over a fetch that carries the session, and problems as errors.
import type { ClientResponse } from "hono/client";
import { authorized } from "../session/session.ts";
import { problemOf, unreachable } from "./problem.ts";

export const API = "/api/v1";
/** For `hc<typeof someRoutes>(API, OPTIONS)`. */
export const OPTIONS = { fetch: authorized };

type Good<R> =
  R extends ClientResponse<infer Body, infer Status, "json"> ? (Status extends 200 | 201 | 202 ? Body : never) : never;

/**
 * The body of a good answer.
 * @throws Problem what the API says, or `unreachable` where nothing answers
 */
export async function bodyOf<R extends ClientResponse<unknown, number, string>>(asked: Promise<R>): Promise<Good<R>> {
  const response = await asked.catch(unreachable);
  if (!response.ok) throw await problemOf(response);
  // An answer that breaks off is none.
  return (await response.json().catch(unreachable)) as Good<R>;
}

/** `data` of a good answer. @throws as bodyOf */
export async function dataOf<R extends ClientResponse<unknown, number, string>>(
  asked: Promise<R>,
): Promise<Good<R> extends { data: infer Data } ? Data : never> {
  const { data } = (await bodyOf(asked)) as { data: unknown };
  return data as Good<R> extends { data: infer Data } ? Data : never;
}

/** `data` and the ETag, which the next change of it names in If-Match. */
export async function versionOf<R extends ClientResponse<unknown, number, string>>(asked: Promise<R>) {
  const response = await asked.catch(unreachable);
  if (!response.ok) throw await problemOf(response);
  const { data } = (await response.json().catch(unreachable)) as Good<R> & { data: unknown };
  return { data: data as Good<R> extends { data: infer Data } ? Data : never, etag: response.headers.get("ETag") ?? "" };
}

/** The ETag of an item of a list, whose version it tells. */
export const etagOf = (version: number): string => `"${version}"`;

/** A page of a list, for an infinite query: `next` is null at the end. */
export async function pageOf<R extends ClientResponse<unknown, number, string>>(asked: Promise<R>) {
  type Body =
    Good<R> extends { data: (infer Item)[]; meta: { pagination: infer Pagination } }
      ? { items: Item[]; pagination: Pagination }
      : never;
  const { data, meta } = (await bodyOf(asked)) as { data: unknown; meta: { pagination: unknown } };
  return { items: data, pagination: meta.pagination } as Body;
}
