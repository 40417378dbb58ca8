// Privacy officers and reviews for tests of their routes, made past the routes.
import { batch, getDb } from "../src/platform/db/client.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { openReview } from "../src/privacy/reviews/open-review.ts";
import { createCall, env, type Person } from "./world.ts";

/** Makes a member of a hospital a privacy officer there. */
export async function makeOfficer({ id }: Pick<Person, "id">, isOfficer = true): Promise<void> {
  await env.DB.prepare("UPDATE memberships SET privacy_officer = CAST(? AS INTEGER) WHERE user_id = ?")
    .bind(Number(isOfficer), id)
    .run();
}

/** An open review of emergency access by nobody whom the test knows. @returns its id */
export async function newReview(hospitalId: string, patientId: string, by: Person): Promise<string> {
  const call = await createCall(by, { role: "nurse", hospitalId, doctorScope: "care_team" });
  const review = { kind: "emergency", refId: uuidv7(), hospitalId, patientId, subjectUserId: uuidv7() } as const;
  const { id, statements } = await openReview(call, { ...review, text: "An emergency of the test", event: null });
  // Nobody is notified.
  await batch(getDb(env.DB), statements.slice(0, 1));
  return id;
}
