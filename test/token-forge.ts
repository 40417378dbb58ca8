// Access tokens forged by an attacker or by a holder of the signing key, and the expected rejection.
import { expect, vi } from "vitest";
import { toBase64Url } from "../src/platform/crypto.ts";
import { env, readJson } from "./world.ts";

export type Jwk = JsonWebKey & { kid: string };
type Json = Record<string, unknown>;

export const base64url = (text: string): string => toBase64Url(new TextEncoder().encode(text));

/** The private keys of an Env, the signing one first. */
export function readSigningKeys(of: Env = env): Jwk[] {
  return JSON.parse(of.JWT_KEYS);
}

export async function createJwk(kid: string): Promise<Jwk> {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("no key pair");
  const jwk = await crypto.subtle.exportKey("jwk", pair.privateKey);
  if (!("kty" in jwk)) throw new Error("no JWK");
  return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, d: jwk.d, kid };
}

/** ES256 over header and claims exactly as given, with our own key unless another is given. */
export async function signToken(header: string, claims: string, jwk: Jwk | undefined = readSigningKeys()[0]): Promise<string> {
  if (!jwk) throw new Error("no key to sign with");
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
  const input = `${base64url(header)}.${base64url(claims)}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, new TextEncoder().encode(input));
  return `${input}.${toBase64Url(new Uint8Array(signature))}`;
}

export function decodeToken(token: string): { header: Json; claims: Json; input: string } {
  const [header = "", claims = ""] = token.split(".");
  const parse = (text: string): Json => JSON.parse(Buffer.from(text, "base64url").toString());
  return { header: parse(header), claims: parse(claims), input: `${header}.${claims}` };
}

/** The token with changed members; `undefined` removes a member. Signed with our own key unless `by` is given. */
export async function forgeToken(token: string, change: { header?: Json; claims?: Json; by?: Jwk }): Promise<string> {
  const { header, claims } = decodeToken(token);
  const text = (value: Json) => JSON.stringify(value);
  return signToken(text({ ...header, ...change.header }), text({ ...claims, ...change.claims }), change.by);
}

/** The response is exactly this problem: RFC 9457, a request id, and for 401 a challenge. */
export async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  const { status: got, headers } = response;
  const body = await readJson(response);
  expect({ status: got, code: body.code }).toEqual({ status, code });
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(headers.get("x-request-id")).toBe(body.request_id);
  expect(headers.get("www-authenticate")).toBe(status === 401 ? 'Bearer realm="edgecare"' : null);
}

/** The log output of the code under test from now on, as text; ends with `vi.restoreAllMocks()`. */
export function captureLogs(): () => string {
  const spy = vi.spyOn(console, "log").mockImplementation(() => undefined);
  return () => spy.mock.calls.map((line) => JSON.stringify(line)).join("\n");
}
