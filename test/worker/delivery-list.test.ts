// The administrators' list of deliveries: why one waits, and the names of recipients.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { API, env, newPerson, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";
import { type Behaviour, consumeMessages, createDeliveries, createProvider, MESSAGES, onlyChannel } from "./deliveries-world.ts";

const DAY_MINUTES = 1_440;
const db = getDb(env.DB);
let world: World;
beforeAll(async () => {
  world = await newWorld();
});

type Listed = {
  delivery_id: string;
  status: string;
  next_attempt_at: string | null;
  is_held_by_quiet_hours: boolean;
  user_name: string | null;
};
async function list(as: Person, event: string): Promise<Listed[]> {
  const { data } = (await readJson(await sendRequest(`${API}/notifications/deliveries?limit=100`, { as }))) as { data: Listed[] };
  return data.filter(({ delivery_id }) => delivery_id.startsWith(event));
}

/** An hour before and after now, in UTC. */
async function setQuietNow({ id }: Person): Promise<void> {
  const minute = Math.floor(Date.now() / 60_000) % DAY_MINUTES;
  const [from, until] = [minute + DAY_MINUTES - 60, minute + 60].map((at) => at % DAY_MINUTES);
  await db.run(sql`INSERT INTO notification_settings (user_id, language, quiet_from, quiet_until, time_zone, updated_at)
    VALUES (${id}, 'en', ${from}, ${until}, 'UTC', 1)`);
}

/** One attempt at a delivery to the person. @returns the event */
async function sendTo({ id }: Person, hospitalId: string | null, behaviour: Behaviour): Promise<string> {
  const event = await createDeliveries({ hospitalId });
  await db.run(sql`UPDATE deliveries SET user_id = ${id} WHERE id LIKE ${`${event}%`}`);
  const { channel } = createProvider(() => behaviour, { retryDelays: [3_600_000] });
  await consumeMessages(MESSAGES, [{ event }], { channels: onlyChannel(channel) });
  return event;
}

describe("a delivery that waits", () => {
  it("is said to be held back by quiet hours only where they end at its next attempt", async () => {
    const [quiet, other] = [await newPerson("nurse", world.hospitalId), await newPerson("nurse", world.hospitalId)];
    await setQuietNow(quiet);
    const held = await sendTo(quiet, world.hospitalId, "ok");
    const retried = await sendTo(other, world.hospitalId, "500");
    // Its recipient's quiet hours began after the attempt that failed.
    await setQuietNow(other);
    const [[first], [second]] = [await list(world.manager, held), await list(world.manager, retried)];
    expect(first).toMatchObject({ status: "waiting", is_held_by_quiet_hours: true });
    expect(second).toMatchObject({ status: "waiting", is_held_by_quiet_hours: false });
    for (const delivery of [first, second]) expect(Date.parse(delivery?.next_attempt_at ?? "")).toBeGreaterThan(Date.now());
  });
});

describe("the name of a recipient", () => {
  it("is shown to platform administrators for a message of no hospital, which no hospital's managers see", async () => {
    const person = await newPerson("nurse", world.hospitalId);
    const { admin } = world;
    const account = await sendTo(person, null, "ok");
    const { data } = (await readJson(await sendRequest(`${API}/auth/me`, { as: person }))) as { data: { full_name: string } };
    expect(data.full_name).toBeTruthy();
    expect(await list(admin, account)).toMatchObject([{ user_name: data.full_name }]);
    expect(await list(world.manager, account)).toEqual([]);
    const ofHospital = await sendTo(person, world.hospitalId, "ok");
    expect(await list(world.manager, ofHospital)).toMatchObject([{ user_name: null }]);
  });
});
