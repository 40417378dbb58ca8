// The guards of access that `npm run guards` removes one at a time: each must be missed by a test.

const WORKER = "test/worker/";
const CONSENTED = "src/access/consented.ts";
const PATIENT = "src/access/patient-access.ts";
const COVERED = "src/access/covered-access.ts";
const PERSONS = "src/access/persons.ts";
const SHAREABLE = "src/consents/persons.ts";
const STATES = [`${WORKER}consent-states.test.ts`];
const CONSENTS = [`${WORKER}consents.test.ts`];
const GUARDIANS = [`${WORKER}guardians.test.ts`];
const GUARDIAN_SIDES = [`${WORKER}guardian-sides.test.ts`];
const END_GUARDIAN = "src/consents/end-guardian.ts";
const REQUEST_CONSENT = "src/consents/request-consent.ts";
const GUARDIAN_ROWS = "src/access/guardians.ts";
const REPORTS = [`${WORKER}consented-reports.test.ts`];
const LISTS = [`${WORKER}consented-lists.test.ts`];
const SAMPLES = [`${WORKER}consented-observations.test.ts`];
const OFFERS = [`${WORKER}consent-offers.test.ts`];
const REQUESTS = [`${WORKER}document-requests.test.ts`];
const ERASURES = [`${WORKER}erasures.test.ts`];
const MATRIX = [`${WORKER}authz.test.ts`];
const EMERGENCY = "src/access/emergency.ts";
const EMERGENCY_STATES = [`${WORKER}emergency-states.test.ts`];
const EMERGENCY_LIVE = [`${WORKER}emergency-live.test.ts`];
const EMERGENCY_ACCESS = [`${WORKER}emergency-access.test.ts`];
const WITHHELD = [`${WORKER}withheld-entries.test.ts`];

/**
 * @typedef {object} Guard
 * @property {string} name
 * @property {string} file
 * @property {string} text occurs once in the file
 * @property {string} without what stands there without the guard
 * @property {string[]} tests files of which at least one test must fail
 */

const guard = (name, file, tests, text, without = "") => ({ name, file, text, without, tests });

/** @type {readonly Guard[]} */
export const GUARDS = [
  guard(
    "one record: the consent is for the reader's hospital",
    CONSENTED,
    STATES,
    "WHERE r.patient_id = patients.id AND c.hospital_id = s.hospital_id AND",
    "WHERE r.patient_id = patients.id AND",
  ),
  guard(
    "one record: the consent is granted, and lives",
    CONSENTED,
    STATES,
    "c.hospital_id = s.hospital_id AND c.status = 'granted' AND c.expires_at > ${now}",
    "c.hospital_id = s.hospital_id AND ${now} > 0",
  ),
  guard(
    "one record: the consent lives",
    CONSENTED,
    STATES,
    "c.hospital_id = s.hospital_id AND c.status = 'granted' AND c.expires_at > ${now}",
    "c.hospital_id = s.hospital_id AND c.status = 'granted' AND ${now} > 0",
  ),
  guard(
    "one record: doctors see the hospital's own record",
    CONSENTED,
    STATES,
    "m.role = 'doctor' AND (h.doctor_scope = 'hospital' OR EXISTS (SELECT 1",
    "m.role = 'doctor' AND (1 OR EXISTS (SELECT 1",
  ),
  guard(
    "list: the consent is for the reader's hospital",
    CONSENTED,
    STATES,
    "AND c.hospital_id = ${hospitalId} AND c.status = 'granted' AND",
    "AND c.status = 'granted' AND",
  ),
  guard(
    "list: the consent is granted",
    CONSENTED,
    STATES,
    "AND c.hospital_id = ${hospitalId} AND c.status = 'granted' AND",
    "AND c.hospital_id = ${hospitalId} AND",
  ),
  guard(
    "list: the consent lives",
    CONSENTED,
    STATES,
    "AND c.hospital_id = ${hospitalId} AND c.status = 'granted' AND c.expires_at > ${now}",
    "AND c.hospital_id = ${hospitalId} AND c.status = 'granted' AND ${now} > 0",
  ),
  guard(
    "list: the time of the data",
    CONSENTED,
    LISTS,
    "AND ${row.at} BETWEEN c.data_from AND c.data_until AND",
    "AND ${row.at} > 0 AND",
  ),
  guard(
    "list: the kind of data",
    CONSENTED,
    LISTS,
    "instr(' ' || c.kinds || ' ', ' ' || ${row.kind} || ' ') > 0",
    "${row.kind} > ''",
  ),
  guard("list: doctors see the hospital's own record", CONSENTED, STATES, "AND ${seesOwnRecord}\n    ORDER BY", "\n    ORDER BY"),
  guard(
    "list: only of one record",
    "src/documents/reading/list.ts",
    LISTS,
    "  patient_id === undefined\n    ? sql`NULL`",
    "  false\n    ? sql`NULL`",
  ),
  guard(
    "list: reports that were entered in error",
    "src/reports/reading/list.ts",
    REPORTS,
    "(+${reports.status} <> 'entered-in-error' AND ${groundOf",
    "(1 AND ${groundOf",
  ),
  guard(
    "list: what was entered in error",
    "src/documents/reading/list.ts",
    LISTS,
    "(+documents.status <> 'entered-in-error' AND",
    "(1 AND",
  ),
  guard(
    "one item: the kind of data",
    CONSENTED,
    REPORTS,
    "kinds.includes(kind) &&\n      from <= at &&\n      at <= until &&",
    "from <= at &&\n      at <= until &&",
  ),
  guard(
    "one item: not before the granted time",
    CONSENTED,
    REPORTS,
    "kinds.includes(kind) &&\n      from <= at &&\n      at <= until &&",
    "kinds.includes(kind) &&\n      at <= until &&",
  ),
  guard(
    "one item: not after the granted time",
    CONSENTED,
    REPORTS,
    "kinds.includes(kind) &&\n      from <= at &&\n      at <= until &&",
    "kinds.includes(kind) &&\n      from <= at &&",
  ),
  guard(
    "samples: the kind of data",
    CONSENTED,
    SAMPLES,
    "kinds.includes(kind) && documents === null)",
    "kinds.length > 0 && documents === null)",
  ),
  guard("samples: not before the granted time", CONSENTED, SAMPLES, "from: Math.max(span.from, grant.from)", "from: span.from"),
  guard("samples: not after the granted time", CONSENTED, SAMPLES, "to: Math.min(span.to, grant.until)", "to: span.to"),
  guard("rollups: whole hours", COVERED, SAMPLES, "from: Math.ceil(part.from / unitMs) * unitMs", "from: part.from"),
  guard(
    "a route that did not opt in",
    PATIENT,
    REPORTS,
    "${byConsent ? selectGrants(now) : sql`NULL`} AS grants",
    "${byConsent ? selectGrants(now) : selectGrants(now)} AS grants",
  ),
  guard(
    "a report that was entered in error",
    "src/reports/reading/report.ts",
    REPORTS,
    'const isHidden = isBeyondRole(access) && row.status === "entered-in-error";',
    "const isHidden = false;",
  ),
  guard(
    "a document that was entered in error",
    "src/documents/reading/document.ts",
    LISTS,
    "!isBeyondRole(access) && accessAllows(",
    "accessAllows(",
  ),
  guard(
    "the check while a file is sent",
    COVERED,
    REPORTS,
    "isBeyondRole(access) ? () =>",
    "isBeyondRole(access) && false ? () =>",
  ),
  guard("one record: a consent for one practitioner", CONSENTED, OFFERS, "AND ${isForReader(sql`u.id`)} AND", "AND"),
  guard("list: a consent for one practitioner", CONSENTED, OFFERS, "AND ${isForReader(sql`${getActorId(actor)}`)} AND", "AND"),
  guard(
    "one document: of a request that names it",
    CONSENTED,
    REQUESTS,
    "(documents === null || (documentId !== undefined && documents.includes(documentId)))",
    "(documents === null || documentId !== undefined)",
  ),
  guard("list: documents of a request that names them", CONSENTED, REQUESTS, "(c.documents_only = 0 OR ${isOpened}) AND", ""),
  guard(
    "one record: a restricted one",
    PATIENT,
    ERASURES,
    'restricted_at !== null && role !== "patient"',
    'restricted_at === 0 && role !== "patient"',
  ),
  guard(
    "staff of another hospital",
    PATIENT,
    MATRIX,
    'return isSameHospital ? "staff" : null;',
    'return isSameHospital ? "staff" : "staff";',
  ),
  guard(
    "a doctor outside of the care team",
    PATIENT,
    MATRIX,
    'return isSameHospital && effectiveRole.doctorScope === "hospital" ? "staff" : null;',
    'return isSameHospital ? "staff" : null;',
  ),
  guard("a patient's own record", PATIENT, MATRIX, 'if (patient.linked) return "self";', 'return "self";'),
  guard(
    "a guardian's access to appointments",
    PATIENT,
    [`${WORKER}appointments.test.ts`, ...MATRIX],
    'return patient.guarded && patient.open ? "guardian" : null;',
    'return "guardian";',
  ),
  guard(
    "an appointment of the own patients or of the practitioner",
    "src/care/appointments/appointment.ts",
    [`${WORKER}appointments.test.ts`],
    "AND a.practitioner_id IN (SELECT o.id FROM practitioners o WHERE o.user_id = ${getActorId(actor)}",
    "AND a.practitioner_id IN (SELECT o.id FROM practitioners o WHERE ${getActorId(actor)} > ''",
  ),
  guard(
    "notes of an appointment are for staff",
    "src/care/appointments/appointment.ts",
    [`${WORKER}appointments.test.ts`],
    'unsealText(keys, id, "notes", isStaff ? row.notesSealed : null, onCorrupt)',
    'unsealText(keys, id, "notes", row.notesSealed, onCorrupt)',
  ),
  guard(
    "an intake of the own patients",
    "src/patients/intake/submissions.ts",
    [`${WORKER}intake.test.ts`],
    "sql`s.hospital_id = ${effectiveRole.hospitalId} AND (s.patient_id IS NULL",
    "sql`s.hospital_id = ${effectiveRole.hospitalId} AND (1",
  ),
  guard(
    "an intake link that was not used",
    "src/patients/intake/links.ts",
    [`${WORKER}intake.test.ts`],
    "sql`k.used_at IS NULL AND k.revoked_at IS NULL AND k.expires_at > ${now}`",
    "sql`k.revoked_at IS NULL AND k.expires_at > ${now}`",
  ),
  guard(
    "the person decides alone",
    "src/consents/decide-consent.ts",
    CONSENTS,
    "WHERE c.id = ${id} AND c.id IN (${selectConsentsOf(actor.userId, now)})`",
    "WHERE c.id = ${id} AND ${now} > 0`",
  ),
  guard(
    "the same number proves nothing unless staff saw it",
    PERSONS,
    CONSENTS,
    "AND person_a.patient_uid IS NOT NULL\n    AND person_a.uid_basis = 'staff' AND person_b.uid_basis = 'staff')`;",
    "AND person_a.patient_uid IS NOT NULL)`;",
  ),
  guard("records of two people", SHAREABLE, GUARDIANS, "AND NOT ${areDifferentPersons(sql`p.id`, ownId)})`", ")`"),
  guard(
    "a grant is never wider than the request",
    "src/consents/decide-consent.ts",
    CONSENTS,
    "[...findScopeErrors(scope, now), ...findWiderErrors(scope, asked)]",
    "[...findScopeErrors(scope, now), ...findWiderErrors(scope, scope)]",
  ),
  guard(
    "of two answers at once one counts",
    "src/consents/decide-consent.ts",
    CONSENTS,
    "id = ${row.id} AND version = ${row.version}\n  AND status = ${row.status}",
    "id = ${row.id}",
  ),
  guard("a guardian is confirmed", GUARDIAN_ROWS, GUARDIANS, "g.confirmed_at IS NOT NULL AND ${isOpen", "${isOpen"),
  guard("a guardianship has not ended", GUARDIAN_ROWS, GUARDIANS, "g.ended_at IS NULL AND g.valid_until", "g.valid_until"),
  guard("a guardianship lasts", GUARDIAN_ROWS, GUARDIANS, "AND g.valid_until > ${now}`", "AND ${now} > 0`"),
  guard(
    "a guardian's hospital is active",
    GUARDIAN_ROWS,
    GUARDIANS,
    "gp.id = g.patient_id AND gh.active = 1",
    "gp.id = g.patient_id",
  ),
  guard("of the guardian alone", GUARDIAN_ROWS, GUARDIANS, "sql`g.guardian_id = ${userId} AND", "sql`${userId} > '' AND"),
  guard(
    "of one record alone",
    GUARDIAN_ROWS,
    GUARDIANS,
    "(SELECT 1 FROM guardianships g WHERE g.patient_id = ${patientId} AND",
    "(SELECT 1 FROM guardianships g WHERE ${patientId} > '' AND",
  ),
  guard(
    "a guardian's own record gets nothing of the other's",
    SHAREABLE,
    GUARDIANS,
    " AND (${isGuardianOf(userId, ownId, now)} OR ${isSamePerson(sql`p.id`, ownId)}))",
    ")",
  ),
  guard(
    "a second member of staff confirms",
    "src/consents/guardians.ts",
    GUARDIANS,
    "row.recordedBy === actor.userId || row.guardianId",
    "row.guardianId",
  ),
  guard(
    "the guardian does not confirm",
    "src/consents/guardians.ts",
    GUARDIANS,
    "row.recordedBy === actor.userId || row.guardianId === actor.userId",
    "row.recordedBy === actor.userId",
  ),
  guard(
    "of two confirmations at once one counts",
    "src/consents/guardians.ts",
    GUARDIANS,
    "sql`g.confirmed_at IS NULL AND ${isOpenGuardianship(now)}`",
    "sql`${isOpenGuardianship(now)}`",
  ),
  guard(
    "of two ends at once one counts",
    END_GUARDIAN,
    GUARDIANS,
    '"ended", values, isOpenGuardianship(now)',
    '"ended", values, sql`1`',
  ),
  guard(
    "a guardianship of the hospital",
    "src/consents/guardians.ts",
    GUARDIANS,
    'sql`p.hospital_id = ${hospitalId ?? ""} AND',
    "sql`${hospitalId ?? \"\"} > '' AND",
  ),
  guard(
    "a person ends a guardianship over them alone",
    "src/consents/guardians.ts",
    GUARDIAN_SIDES,
    "OR ${isOverLogin(actor.userId)})",
    "OR 1)",
  ),
  guard("a person who cannot decide", END_GUARDIAN, GUARDIAN_SIDES, 'if (row.ground !== "minor") return false;', ""),
  guard("a person who is not of age", END_GUARDIAN, GUARDIAN_SIDES, "date.getUTCDate()) <= now", "date.getUTCDate()) > 0"),
  guard("a person ends what the law allows", END_GUARDIAN, GUARDIAN_SIDES, 'if (caller === "person" &&', "if (false &&"),
  guard(
    "a question about a guardianship over the caller",
    "src/privacy/questions/questions.ts",
    GUARDIAN_SIDES,
    "AND g.patient_id IN ${ownRecords(call)} AND",
    "AND",
  ),
  guard(
    "a share for one record",
    "src/consents/share-consent.ts",
    GUARDIAN_SIDES,
    "if (fits.length > 1)",
    "if (fits.length > 99)",
  ),
  guard(
    "a login of the same number",
    "src/consents/persons.ts",
    CONSENTS,
    "AND k.decided_by = l.user_id",
    "AND (k.status = 'requested' OR k.decided_by = l.user_id)",
  ),
  guard("requests after a denial", REQUEST_CONSENT, CONSENTS, "if (asked?.isTooOften) return", "if (false) return"),
  guard(
    "requests after a denial, at once",
    REQUEST_CONSENT,
    CONSENTS,
    "failsUnless(db, sql`NOT (SELECT",
    "failsUnless(db, sql`1 OR (SELECT",
  ),
  guard(
    "a guardian's code lasts 15 minutes",
    "src/consents/guardian-codes.ts",
    GUARDIANS,
    "AND k.valid_until > ${now}",
    "AND ${now} > 0",
  ),
  guard(
    "a guardian's code is used once",
    "src/consents/guardians.ts",
    GUARDIANS,
    "DELETE FROM guardian_codes WHERE code_hash = ${codeHash}",
    "DELETE FROM guardian_codes WHERE code_hash = ${codeHash} AND 0",
  ),
  guard(
    "the hospital of a list",
    "src/access/visibility.ts",
    MATRIX,
    'case "app":\n      return sql`${hospitalId} = ${effectiveRole.hospitalId}`;',
    'case "app":\n      return sql`${hospitalId} <> ""`;',
  ),
  guard(
    "in an emergency: the access is the reader's",
    EMERGENCY,
    EMERGENCY_STATES,
    "WHERE e.user_id = ${userId} AND e.patient_id = ${patientId}",
    "WHERE ${userId} <> '' AND e.patient_id = ${patientId}",
  ),
  guard(
    "in an emergency: the access is to the record",
    EMERGENCY,
    EMERGENCY_STATES,
    "WHERE e.user_id = ${userId} AND e.patient_id = ${patientId}",
    "WHERE e.user_id = ${userId} AND ${patientId} <> ''",
  ),
  guard(
    "in an emergency: the access is at the acting hospital",
    EMERGENCY,
    EMERGENCY_LIVE,
    "AND e.hospital_id = ${hospitalId}\n    AND e.ends_at",
    "AND ${hospitalId} <> ''\n    AND e.ends_at",
  ),
  guard(
    "in an emergency: the access lives",
    EMERGENCY,
    EMERGENCY_STATES,
    "AND e.ends_at > ${now} AND e.ended_at IS NULL",
    "AND ${now} > 0 AND e.ended_at IS NULL",
  ),
  guard("in an emergency: the access is not ended", EMERGENCY, EMERGENCY_STATES, "AND e.ended_at IS NULL", ""),
  guard(
    "in an emergency: the reach of the reader's hospital",
    EMERGENCY,
    EMERGENCY_STATES,
    "er.emergency_reach = 'any_hospital' AND eh.emergency_reach = 'any_hospital'\n        AND",
    "eh.emergency_reach = 'any_hospital' AND",
  ),
  guard(
    "in an emergency: the records are one person's still",
    EMERGENCY,
    EMERGENCY_STATES,
    "AND ${isSamePerson(sql`e.patient_id`, sql`e.own_patient_id`)})`",
    ")`",
  ),
  guard(
    "in an emergency: the record of the person at the reader's hospital",
    PERSONS,
    EMERGENCY_ACCESS,
    "AND y.uid_basis = 'staff' AND patients.uid_basis = 'staff' ORDER BY",
    "ORDER BY",
  ),
  guard(
    "in an emergency: a live view of one patient",
    "src/monitoring/live/visibility.ts",
    EMERGENCY_LIVE,
    "patientIds.length === 1 ? selectEmergencyOf",
    "patientIds.length > 0 ? selectEmergencyOf",
  ),
  guard(
    "in an emergency: no frame after the end",
    "src/monitoring/live/live-grant.ts",
    EMERGENCY_LIVE,
    "&& now < grantEndsAt(grant);",
    "&& now > 0;",
  ),
  guard(
    "in an emergency: the end by the user closes live views",
    "src/emergency-access/read.ts",
    EMERGENCY_LIVE,
    "await endLiveViews(env, id, [row.recordHospitalId]);",
  ),
  guard(
    "a delayed notice: the own log",
    "src/audit/withheld.ts",
    WITHHELD,
    "const shown = page.entries.filter((entry) => !isWithheld(entry));",
    "const shown = [...page.entries];",
  ),
  guard("a delayed notice: proofs", "src/audit/proofs.ts", WITHHELD, "!isWithheld(proof.entry) && isVisible(", "isVisible("),
  guard("a delayed notice: questions", "src/audit/proofs.ts", WITHHELD, "!== undefined && !isWithheld(entry)", "!== undefined"),
];

/**
 * The source without the guard. @param {Guard} guard  @param {string} source of its file
 * @throws Error unless the text occurs exactly once
 */
export function removeGuard({ name, file, text, without }, source) {
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`The guard "${name}" occurs ${parts.length - 1} times in ${file}, not once.`);
  return parts.join(without);
}
