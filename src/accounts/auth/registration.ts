// Self-registration: creates account, patient record and session in one batch.
import { z } from "@hono/zod-openapi";
import type { Call, UserActor, UserEffectiveRole } from "../../access/actor.ts";
import { recordAuditEvent } from "../../access/audit.ts";
import { validationError } from "../../http/router.ts";
import { NewPatientBody, preparePatient } from "../../patients/new-patient.ts";
import { COUNTER_SCOPES, incrementCounters } from "../../platform/counters.ts";
import { batch, isUniqueViolation } from "../../platform/db/client.ts";
import { patientLinks, SELF_CARE_HOSPITAL_ID, users } from "../../platform/db/schema.ts";
import { Email } from "../../platform/email.ts";
import { ApiError } from "../../platform/errors.ts";
import { verificationStatements } from "../email/email-links.ts";
import type { SessionClient } from "../sessions/session-client.ts";
import { prepareSession, refreshToken } from "../sessions/sessions.ts";
import { FullName } from "../users/schemas.ts";
import { createUserRow } from "../users/users.ts";
import type { SessionTokens } from "./login.ts";
import { Password, Username } from "./login-names.ts";

const { first_name, last_name, phone, date_of_birth, gender, address, aadhaar_number, abha_number } = NewPatientBody.shape;

export const TokenTransport = z
  .enum(["json", "cookie"])
  .default("json")
  .openapi({ description: "Where the refresh token is returned" });

const registrationFields = {
  email: Email,
  username: Username.optional(),
  password: Password,
  full_name: FullName.optional(),
  first_name: first_name.optional(),
  last_name,
  phone,
  date_of_birth,
  gender,
  address,
  aadhaar_number,
  abha_number,
  transport: TokenTransport,
  role: z.string().max(40).optional().openapi({ description: "Ignored: self-registered users are patients" }),
};
const hasName = (body: {
  full_name?: string | undefined;
  first_name?: string | undefined;
  invitation_token?: string | undefined;
}) => body.full_name !== undefined || body.first_name !== undefined || body.invitation_token !== undefined;
const NAME_REQUIRED = { message: "full_name or first_name is required", path: ["full_name"] };

export const PatientRegistration = z
  .strictObject(registrationFields)
  .refine(hasName, NAME_REQUIRED)
  .openapi("PatientRegistration");
export const Registration = z
  .strictObject({
    ...registrationFields,
    invitation_token: z.string().max(200).optional().openapi({ description: "Creates a staff account instead" }),
  })
  .refine(hasName, NAME_REQUIRED)
  .openapi("Registration");
export type Registration = z.output<typeof PatientRegistration>;

export function resolveFullName({ full_name, first_name, last_name }: Registration): string | undefined {
  return full_name ?? (first_name && [first_name, last_name].filter(Boolean).join(" "));
}

/** Splits a full name: the first word is the first name, for records that have two fields. */
function toPatientInput(input: Registration) {
  const [first = "", ...rest] = (resolveFullName(input) ?? "").split(/\s+/);
  const { phone, date_of_birth, gender, address, aadhaar_number, abha_number, email } = input;
  const parsed = NewPatientBody.safeParse({
    first_name: input.first_name ?? first,
    last_name: input.first_name ? input.last_name : rest.join(" ") || null,
    ...{ phone, date_of_birth, gender, address, aadhaar_number, abha_number, email },
  });
  if (!parsed.success) throw validationError(parsed.error);
  return parsed.data;
}

/**
 * Sends a link to verify the address. Hashes the password first, and returns the same error for e-mail and user name, so that a caller cannot tell which of them
 * is taken.
 * @throws ApiError registration_refused, invalid_request (weak password, a name that does not fit)
 */
export async function registerPatient(
  anyCall: Call,
  input: Registration,
  client: SessionClient,
): Promise<SessionTokens & { patientId: string }> {
  const { email, username, password } = input;
  const patient = toPatientInput(input);
  const row = await createUserRow(anyCall, { email, username, full_name: resolveFullName(input) ?? "", password });
  const claimedRole: UserEffectiveRole = { role: "patient", hospitalId: null, doctorScope: "care_team" };
  const session = await prepareSession(anyCall, row.id, claimedRole, client);
  const actor: UserActor = { kind: "user", userId: row.id, sessionId: session.id, claimedRole, via: anyCall.actor.via };
  const call = { ...anyCall, actor };
  const { db, keys, now } = call;
  const { id: patientId, statements } = await preparePatient(call, patient, SELF_CARE_HOSPITAL_ID, "patient");
  const entity = { type: "user", id: row.id };
  try {
    await batch(db, [
      db.insert(users).values(row),
      incrementCounters(db, [{ scope: COUNTER_SCOPES.all, day: 0, name: "users", n: 1 }]),
      ...statements,
      db
        .insert(patientLinks)
        .values({ userId: row.id, patientId, method: "self_registration", verifiedBy: row.id, createdAt: now }),
      ...session.statements,
      ...(await verificationStatements(call, row.id, email)),
      ...recordAuditEvent(db, actor, now, { event: "user.register", action: "C", role: "patient", entity }),
    ]);
  } catch (error) {
    if (!isUniqueViolation(error, "users.")) throw error;
    const deniedEvent = { event: "user.register", action: "C", outcome: "denied", reason: "registration_refused" } as const;
    await batch(db, recordAuditEvent(db, anyCall.actor, now, deniedEvent));
    throw new ApiError("registration_refused");
  }
  return {
    userId: row.id,
    sessionId: session.id,
    claimedRole,
    refreshToken: await refreshToken(keys, row.id, session.id, 1),
    patientId,
  };
}
