// People who register themselves: an account, a record of their own making in self-care, and a session, in one batch.
import { z } from "@hono/zod-openapi";
import type { Call, UserActor, UserStanding } from "../../access/actor.ts";
import { audit } from "../../access/audit.ts";
import { invalid } from "../../http/router.ts";
import { NewPatientBody, newPatient } from "../../patients/new-patient.ts";
import { count, scopes } from "../../platform/counters.ts";
import { batch, isConflict } from "../../platform/db/client.ts";
import { patientLinks, SELF_CARE, users } from "../../platform/db/schema.ts";
import { ApiError } from "../../platform/errors.ts";
import { type Client, newSession, refreshToken } from "../sessions/sessions.ts";
import { FullName } from "../users/shapes.ts";
import { prepareUser } from "../users/users.ts";
import type { Login } from "./login.ts";
import { Email, Password, Username } from "./names.ts";

const { first_name, last_name, phone, date_of_birth, gender, address, aadhaar_number } = NewPatientBody.shape;

export const Transport = z.enum(["json", "cookie"]).default("json").openapi({ description: "Where the refresh token goes" });

const fields = {
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
  transport: Transport,
  role: z.string().max(40).optional().openapi({ description: "Taken and passed over: who registers is a patient" }),
};
const isNamed = (body: {
  full_name?: string | undefined;
  first_name?: string | undefined;
  invitation_token?: string | undefined;
}) => body.full_name !== undefined || body.first_name !== undefined || body.invitation_token !== undefined;
const UNNAMED = { message: "Give full_name or first_name", path: ["full_name"] };

export const PatientRegistration = z.strictObject(fields).refine(isNamed, UNNAMED).openapi("PatientRegistration");
export const Registration = z
  .strictObject({
    ...fields,
    invitation_token: z.string().max(200).optional().openapi({ description: "Makes a member of staff instead" }),
  })
  .refine(isNamed, UNNAMED)
  .openapi("Registration");
export type Registration = z.output<typeof PatientRegistration>;

export function fullNameOf({ full_name, first_name, last_name }: Registration): string | undefined {
  return full_name ?? (first_name && [first_name, last_name].filter(Boolean).join(" "));
}

/** Of one line, the first word is the first name: how the record's two fields are filled where only the line is known. */
function patientOf(input: Registration) {
  const [first = "", ...rest] = (fullNameOf(input) ?? "").split(/\s+/);
  const { phone, date_of_birth, gender, address, aadhaar_number, email } = input;
  const parsed = NewPatientBody.safeParse({
    first_name: input.first_name ?? first,
    last_name: input.first_name ? input.last_name : rest.join(" ") || null,
    ...{ phone, date_of_birth, gender, address, aadhaar_number, email },
  });
  if (!parsed.success) throw invalid(parsed.error);
  return parsed.data;
}

/**
 * The hash comes first, and one refusal serves both names, so that an onlooker cannot tell an address from a user name.
 * @throws ApiError registration_refused, invalid_request (weak password, a name that does not fit)
 */
export async function register(anyCall: Call, input: Registration, client: Client): Promise<Login & { patientId: string }> {
  const { email, username, password } = input;
  const patient = patientOf(input);
  const row = await prepareUser(anyCall, { email, username, full_name: fullNameOf(input) ?? "", password });
  const claimed: UserStanding = { role: "patient", hospitalId: null, doctorScope: "care_team" };
  const session = await newSession(anyCall, row.id, claimed, client);
  const actor: UserActor = { kind: "user", userId: row.id, sessionId: session.id, claimed, via: anyCall.actor.via };
  const call = { ...anyCall, actor };
  const { db, keys, now } = call;
  const { id: patientId, statements } = await newPatient(call, patient, SELF_CARE, "patient");
  const entity = { type: "user", id: row.id };
  try {
    await batch(db, [
      db.insert(users).values(row),
      count(db, [{ scope: scopes.all, day: 0, name: "users", n: 1 }]),
      ...statements,
      db
        .insert(patientLinks)
        .values({ userId: row.id, patientId, method: "self_registration", verifiedBy: row.id, createdAt: now }),
      ...session.statements,
      ...audit(db, actor, now, { event: "user.register", action: "C", role: "patient", entity }),
    ]);
  } catch (error) {
    if (!isConflict(error, "users.")) throw error;
    const refused = { event: "user.register", action: "C", outcome: "denied", reason: "registration_refused" } as const;
    await batch(db, audit(db, anyCall.actor, now, refused));
    throw new ApiError("registration_refused");
  }
  return {
    userId: row.id,
    sessionId: session.id,
    claimed,
    refreshToken: await refreshToken(keys, row.id, session.id, 1),
    patientId,
  };
}
