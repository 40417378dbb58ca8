// Rows of document requests, without the requests that lead to them.

import { getKeys } from "../src/platform/config.ts";
import { sealValue } from "../src/platform/crypto.ts";
import { getDb } from "../src/platform/db/client.ts";
import { consentRecords, consents, documentRequests } from "../src/platform/db/schema.ts";
import { uuidv7 } from "../src/platform/ids.ts";
import { env, newPatient, type Person } from "./world.ts";

const DAY_MS = 86_400_000;

type Shared = { patientId: string; hospitalId: string };

/**
 * A request for a patient of a hospital. @param shared the record that the person has consented to share; null: not yet answered
 */
export async function newRequestRow(
  { patientId, hospitalId }: Shared,
  by: string,
  shared: Shared | null = null,
  status: "requested" | "approved" = "requested",
): Promise<string> {
  const db = getDb(env.DB);
  const now = Date.now();
  const [id, consentId] = [uuidv7(), uuidv7()];
  const made = { patientId, hospitalId, requestedBy: by, createdAt: now, updatedAt: now };
  const times = {
    dataFrom: 0,
    dataUntil: now + DAY_MS,
    answerUntil: now + DAY_MS,
    expiresAt: now + DAY_MS,
    eraseAt: now + DAY_MS,
  };
  await db.insert(consents).values({
    ...{ id: consentId, status: shared ? "granted" : "requested", purpose: "CAREMGT", kinds: "documents", documentsOnly: 1 },
    ...made,
    ...times,
  });
  if (shared) await db.insert(consentRecords).values({ consentId, patientId: shared.patientId });
  const { fields } = await getKeys(env);
  const descriptionSealed = await sealValue(
    fields,
    { table: "document_requests", column: "description", id },
    "Discharge summary",
  );
  const asked = { askedHospitalId: shared?.hospitalId ?? null };
  await db
    .insert(documentRequests)
    .values({ ...made, ...asked, id, consentId, status, descriptionSealed, expiresAt: now + DAY_MS });
  return id;
}

/** A request of another hospital for the documents of a record, which its person has consented to share. */
export async function newIncoming(
  shared: Shared,
  otherHospitalId: string,
  by: Person,
  status: "requested" | "approved" = "requested",
): Promise<string> {
  const other = await newPatient(otherHospitalId, by);
  return newRequestRow({ patientId: other.id, hospitalId: otherHospitalId }, by.id, shared, status);
}
