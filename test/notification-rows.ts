// Rows of notifications and deliveries for tests of their routes.
import { getDb } from "../src/platform/db/client.ts";
import { deliveries, notifications } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { env, type Person } from "./world.ts";

/** An unread notification. @param refs JSON of the ids that it names  @returns its id */
export async function newNotification({ id: userId }: Pick<Person, "id">, refs = "{}", hospitalId: string | null = null) {
  const id = uuidv7();
  const kind = { kind: "account.new_browser", priority: "security" } as const;
  await getDb(env.DB)
    .insert(notifications)
    .values({ userId, id, hospitalId, ...kind, refs, createdAt: Date.now() });
  return id;
}

/** A delivery that has failed, or has another status. @returns its id */
export async function newFailedDelivery(
  hospitalId: string | null,
  refs = "{}",
  status: (typeof deliveries.$inferInsert)["status"] = "failed",
): Promise<string> {
  const id = `${uuidv7()}.sms.${uuidv7()}`;
  const now = Date.now();
  await getDb(env.DB).insert(deliveries).values({
    id,
    hospitalId,
    channel: "sms",
    targetId: "nobody",
    kind: "alert.raised",
    priority: "normal",
    refs,
    status,
    attempts: 5,
    answerStatus: 500,
    createdAt: now,
    attemptedAt: now,
    settledAt: now,
  });
  return id;
}
