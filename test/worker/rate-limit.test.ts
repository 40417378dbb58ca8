// One hundred requests per minute and person, whatever their headers; devices and apps are counted separately.
import { env as bindings } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { interceptStores } from "../stores.ts";
import { API, env, newDevice, newPerson, newWorld, readJson, sendRequest, withinOneMinute } from "../world.ts";

function limited() {
  const puts: unknown[] = [];
  const counted = interceptStores({ ...env, RATE_PERSON: bindings.RATE_TEST }, (call, run) => {
    if (call.store === "KV" && call.op === "put") puts.push(call.k);
    return run();
  });
  return { env: counted, puts };
}

describe("the limit of a person", () => {
  it("is 100 a minute; the next is 429 with Retry-After, whatever address it claims; the verdict is written once", async () => {
    const { statuses, refused, puts, person } = await withinOneMinute(async () => {
      const person = await newPerson("patient");
      const { env: limitedEnv, puts } = limited();
      const statuses: number[] = [];
      for (let i = 0; i < 100; i++) statuses.push((await sendRequest(`${API}/reports`, { as: person, env: limitedEnv })).status);
      const refused: Response[] = [];
      for (let i = 0; i < 6; i++) {
        const headers = {
          "X-Forwarded-For": `198.51.100.${i}`,
          Forwarded: `for=198.51.100.${i}`,
          "True-Client-IP": "198.51.100.9",
        };
        refused.push(await sendRequest(`${API}/reports`, { as: person, env: limitedEnv, headers, ip: `192.0.2.${i}` }));
      }
      return { statuses, refused, puts, person };
    });
    expect(new Set(statuses)).toEqual(new Set([200]));
    for (const response of refused) {
      expect(response.status).toBe(429);
      const wait = Number(response.headers.get("retry-after"));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect(response.headers.get("ratelimit-policy")).toBe('"person";q=100;w=60');
      expect(await readJson(response)).toMatchObject({ code: "rate_limited", status: 429, errors: [] });
    }
    expect(puts).toHaveLength(1);
    const { keys } = await env.KV.list();
    expect(keys.length).toBeGreaterThan(0);
    for (const { name } of keys) expect(name).toMatch(/^blocked:[0-9a-f]{32}$/);
    expect(keys.map(({ name }) => name).join()).not.toContain(person.id);

    // Other users are not limited, and the verdict holds where the rate limit binding has no count.
    const other = await newPerson("patient");
    expect((await sendRequest(`${API}/reports`, { as: other, env: limited().env })).status).toBe(200);
    expect((await sendRequest(`${API}/reports`, { as: person })).status).toBe(429);
  });

  it("does not count machines", async () => {
    const world = await newWorld();
    const device = await newDevice(world.nurse, world.patient.id);
    const { env: limitedEnv } = limited();
    const path = `${API}/reports/${world.patient.id}`;
    const statuses = new Set<number>();
    for (let i = 0; i < 105; i++) {
      const response = await sendRequest(path, { as: device, env: limitedEnv });
      statuses.add(response.status);
      expect(response.headers.get("ratelimit-policy")).toBe('"machine";q=6000;w=60');
    }
    expect(statuses).toEqual(new Set([404]));
  });

  it("counts callers without a token by their address, IPv6 by its network", async () => {
    const from = (ip: string) => sendRequest(`${API}/patients`, { env: { ...env, RATE_ADDRESS: bindings.RATE_TEST }, ip });
    const statuses = await withinOneMinute(async () => {
      const network = `2001:db8:${Math.floor(Math.random() * 65_535).toString(16)}:7`;
      const statuses: number[] = [];
      for (let i = 1; i <= 101; i++) statuses.push((await from(`${network}::${i.toString(16)}`)).status);
      statuses.push((await from(`${network.slice(0, -1)}8::1`)).status);
      return statuses;
    });
    expect(new Set(statuses.slice(0, 100))).toEqual(new Set([401]));
    expect(statuses.slice(100)).toEqual([429, 401]);
  });
});
