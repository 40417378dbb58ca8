// A push service for tests: takes requests to its origin, verifies the VAPID token and decrypts with an independent implementation.
import { createECDH, randomBytes } from "node:crypto";
import ece from "http_ece";
import { importJWK, jwtVerify } from "jose";
import { vi } from "vitest";
import { fromBase64Url, toBase64Url } from "../../src/platform/crypto.ts";

/** A browser's side of a subscription. */
export function newBrowser(origin = "https://push.example.com") {
  const ecdh = createECDH("prime256v1");
  const p256dh = ecdh.generateKeys();
  const auth = randomBytes(16);
  const endpoint = `${origin}/send/${randomBytes(12).toString("hex")}`;
  const subscription = { endpoint, keys: { p256dh: toBase64Url(p256dh), auth: toBase64Url(auth) } };
  const decrypt = (body: Uint8Array): unknown =>
    JSON.parse(
      ece
        .decrypt(Buffer.from(body), {
          version: "aes128gcm",
          privateKey: ecdh,
          authSecret: Buffer.from(auth).toString("base64url"),
        })
        .toString("utf8"),
    );
  return { ecdh, endpoint, subscription, decrypt };
}

export type Received = { endpoint: string; headers: Headers; body: Uint8Array };

/** Answers requests to the origin; all others go to the network. `stop()` ends it. */
export function startPushService(
  answer: (received: Received) => Response | Promise<Response> | undefined,
  origin = "https://push.example.com",
) {
  const received: Received[] = [];
  const network = globalThis.fetch;
  const spy = vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (new URL(request.url).origin !== origin) return network(input, init);
    const one = { endpoint: request.url, headers: request.headers, body: new Uint8Array(await request.arrayBuffer()) };
    received.push(one);
    return (await answer(one)) ?? new Response(null, { status: 201 });
  });
  return { received, stop: () => spy.mockRestore() };
}

/** The claims of a valid VAPID header, checked against the key that it names (RFC 8292). @throws Error if it is not valid */
export async function verifyVapid(authorization: string, audience: string) {
  const [, token = "", key = ""] = /^vapid t=([^,]+), ?k=(.+)$/.exec(authorization) ?? [];
  const point = fromBase64Url(key);
  if (point?.length !== 65) throw new Error("no VAPID key");
  const jwk = { kty: "EC", crv: "P-256", x: toBase64Url(point.slice(1, 33)), y: toBase64Url(point.slice(33)) };
  const { payload } = await jwtVerify(token, await importJWK(jwk, "ES256"), { audience, algorithms: ["ES256"] });
  return { payload, key };
}
