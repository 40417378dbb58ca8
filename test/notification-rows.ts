// Rows of notifications and deliveries for tests of their routes.
import { uuidv7 } from "../src/platform/ids.ts";
import { env, type Person } from "./world.ts";

/** An unread notification. @param refs JSON of the ids that it names  @returns its id */
export async function newNotification({ id: userId }: Pick<Person, "id">, refs = "{}", hospitalId: string | null = null) {
  const id = uuidv7();
  await env.DB.prepare(
    `INSERT INTO notifications (user_id, id, hospital_id, kind, priority, refs, created_at)
     VALUES (?, ?, ?, 'account.new_browser', 'security', ?, ?)`,
  )
    .bind(userId, id, hospitalId, refs, Date.now())
    .run();
  return id;
}

/** A delivery that has failed. @returns its id */
export async function newFailedDelivery(hospitalId: string | null, refs = "{}", status = "failed"): Promise<string> {
  const id = `${uuidv7()}.sms.${uuidv7()}`;
  await env.DB.prepare(
    `INSERT INTO deliveries (id, hospital_id, channel, target_id, kind, priority, refs, status, attempts, answer_status, created_at,
       attempted_at, settled_at)
     VALUES (?, ?, 'sms', 'nobody', 'alert.raised', 'normal', ?, ?, 5, 500, ?, ?, ?)`,
  )
    .bind(id, hospitalId, refs, status, Date.now(), Date.now(), Date.now())
    .run();
  return id;
}
