// What bounds the cost of each operation, with the test that holds it; `npm run docs:bounds` writes the table of docs/performance.md.
import { PATH_ALIASES } from "../../src/http/path-aliases.ts";
import { ROW_LIMITS } from "../../src/platform/db/row-limits.ts";

/** Counts round trips, rows, object calls, R2 and KV operations; test/node/bounds.test.ts checks that the operation has a case. */
export const BUDGET = "test/worker/budgets.test.ts › the budget of";
const PAGES = "test/worker/paged-lists.test.ts › refuses a page, an offset and a cursor beyond the maximum";
const WALKED = "test/worker/paged-lists.test.ts › a list is complete page by page";
const NO_MATCH = "test/worker/list-cost.test.ts › a filter that matches nothing reads no more than a page";
const LIMIT = "test/worker/row-limits.test.ts › the last row fits, and one more gets 409 limit_reached";
const HASHES = "test/worker/auth-lockout.test.ts › cost exactly five hashes when all are wrong";
const ROW = "one row by its key";

const rowLimit = (...names) => names.map((name) => ROW_LIMITS[name].detail.split(";")[0].replace(/\.$/, "")).join("; ");

/** Paths are below /api/v1 unless the operation has another one. */
export const BOUNDS = [
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /hospitals", "GET /wards", "GET /practitioners", "GET /users"] },
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /admin/users", "GET /admin/reports", "GET /users/invitations"] },
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /hospitals/{hospital_id}/members", "GET /api-keys"] },
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /patients", "GET /patients/list", "GET /reports"] },
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /reports/list", "GET /ecg/reports"] },
  {
    bound: "a page of 100 rows",
    test: PAGES,
    operations: ["GET /devices/{device_id}/assignments", "GET /observations/quarantine"],
  },
  { bound: "a page of 100 rows; each filter has an index", test: NO_MATCH, operations: ["GET /alerts"] },
  { bound: "a page of 100 rows; each filter has an index", test: NO_MATCH, operations: ["GET /devices", "GET /uploads"] },
  { bound: "a page of 100 rows; each filter has an index", test: NO_MATCH, operations: ["GET /uploads/quarantine"] },
  {
    bound: "a page of 100 rows; 8 words, 200 entries per word to find the rarest",
    test: "test/worker/patient-search.test.ts › one round trip and the rows of a page, however many match",
    operations: ["GET /patients/search"],
  },
  { bound: "a page of 100 rows, of 1,000 notifications", test: BUDGET, operations: ["GET /notifications"] },
  { bound: "1,000 notifications", test: BUDGET, operations: ["GET /notifications/unread-count", "POST /notifications/read-all"] },
  { bound: "a page of 100 rows, of 1,000 that are looked at", test: BUDGET, operations: ["GET /notifications/deliveries"] },
  { bound: ROW, test: BUDGET, operations: ["POST /notifications/{notification_id}/read"] },
  { bound: ROW, test: BUDGET, operations: ["POST /notifications/deliveries/{delivery_id}/resend"] },
  { bound: "a page of 100 rows, of 10 sessions", test: WALKED, operations: ["GET /auth/sessions"] },
  { bound: "a page of 100 rows, of 1,000 intakes", test: WALKED, operations: ["GET /patients/{patient_id}/intake"] },
  { bound: "a page of 100 rows, of 200 changes", test: WALKED, operations: ["GET /reports/{report_id}/changes"] },
  { bound: "a page of 100 rows", test: WALKED, operations: ["GET /patients/{patient_id}/moved-reports"] },
  { bound: "a page of 100 rows, of 200 members", test: WALKED, operations: ["GET /patients/{patient_id}/care-team"] },
  { bound: "a page of 100 rows, of 100 logins", test: WALKED, operations: ["GET /patients/{patient_id}/links"] },
  { bound: "a page of 100 rows, of 1,000 changes", test: WALKED, operations: ["GET /patients/{patient_id}/changes"] },
  { bound: "20 codes per patient", test: WALKED, operations: ["GET /patients/{patient_id}/claim-codes"] },
  { bound: "a page of 100 rows, of 500 credentials", test: WALKED, operations: ["GET /devices/{device_id}/credentials"] },
  { bound: "a page of 100 rows, of one per ward and vital", test: WALKED, operations: ["GET /alert-rules"] },
  { bound: "a page of 100 rows, of the catalogue's vitals", test: WALKED, operations: ["GET /alert-rules/defaults"] },
  {
    bound: "31 days; a page of 1,000 rows, which reads as many hours",
    test: "test/worker/paged-lists.test.ts › a page of hours reads as many hours as it has rows",
    operations: ["GET /patients/{patient_id}/observations/rollups"],
  },
  {
    bound: "7 days; 20,000 patient hours; a page of 1,000 rows",
    test: "test/worker/vitals-analytics.test.ts › say so when there is too much to count at once",
    operations: ["GET /analytics/hourly-stats"],
  },
  {
    bound: "a page of 1,000 samples, 64 windows or 2 MiB of blocks; 1,000 buckets of 366 days",
    test: "test/worker/object-bounds.test.ts › costs a bounded number of SQL steps in any range, and all pages together are the range",
    operations: ["GET /patients/{patient_id}/observations", "GET /patients/{patient_id}/history"],
  },
  {
    bound: "a page of 1,000 samples",
    test: "test/worker/vitals-analytics.test.ts › costs one round trip to D1, or two with hours of D1, and one call of the object",
    operations: ["GET /wearables/metrics/recent"],
  },
  { bound: "90 days, one row per hour", test: BUDGET, operations: ["GET /wearables/summary"] },
  { bound: "366 days, one row per hour", test: BUDGET, operations: ["GET /analytics/patients/{patient_id}/summary"] },
  {
    bound: "40 patients; 10 object calls at a time, 1.5 s for each and 3 s for all; then a patient is shown as unknown",
    test: "test/worker/ward-of-2000.test.ts › shows forty, asks forty objects, and reads each patient of the ward three times at most",
    operations: ["GET /wards/{ward_id}/board", "GET /wards/{ward_id}/observations-due", "GET /wards/{ward_id}/trends"],
  },
  { bound: "one snapshot of one object", test: BUDGET, operations: ["GET /patients/{patient_id}/observations/latest"] },
  { bound: "one snapshot of one object", test: BUDGET, operations: ["GET /patients/{patient_id}/scores/news2"] },
  { bound: "one row by its key; its newest 500 events", test: BUDGET, operations: ["GET /alerts/{alert_id}"] },
  { bound: "one per vital of the catalogue", test: BUDGET, operations: ["GET /patients/{patient_id}/alert-rules"] },
  { bound: "366 days of counters", test: BUDGET, operations: ["GET /reports/stats"] },
  { bound: "counters of the deployment", test: BUDGET, operations: ["GET /admin/stats"] },
  { bound: "one row per table and kind of file", test: BUDGET, operations: ["GET /admin/keys"] },
  {
    bound: "counters of the patient, one row of each kind",
    test: "test/worker/patient-records.test.ts › counts what exists of the patient and nothing of others",
    operations: ["GET /patients/{patient_id}/summary"],
  },
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /hospitals/{hospital_id}/unreachable-members"] },
  { bound: ROW, test: BUDGET, operations: ["GET /push/key", "GET /notification-settings"] },
  { bound: "one row per kind and channel", test: BUDGET, operations: ["GET /notification-preferences"] },
  { bound: "one row per kind and channel", test: BUDGET, operations: ["PUT /notification-preferences"] },
  {
    bound: "one row per role and channel",
    test: BUDGET,
    operations: ["GET /hospitals/{hospital_id}/required-channels", "PUT /hospitals/{hospital_id}/required-channels"],
  },
  {
    bound: "10 browsers per person; the one renewed longest ago is removed",
    test: "test/worker/push.test.ts › are at most ten, also when they come at once: the one renewed longest ago goes",
    operations: ["GET /push/subscriptions", "POST /push/subscriptions"],
  },
  {
    bound: "20 messages per channel and 24 hours, 5 per minute",
    test: "test/worker/message-preferences.test.ts › are at most twenty per channel and day",
    operations: ["POST /notification-settings/test"],
  },
  { bound: ROW, test: BUDGET, operations: ["PATCH /notification-settings", "DELETE /push/subscriptions/{push_subscription_id}"] },
  { bound: ROW, test: BUDGET, operations: ["GET /auth/me", "GET /users/{user_id}", "GET /hospitals/{hospital_id}"] },
  { bound: ROW, test: BUDGET, operations: ["GET /wards/{ward_id}", "GET /practitioners/{practitioner_id}"] },
  { bound: ROW, test: BUDGET, operations: ["GET /patients/{patient_id}", "GET /patients/{patient_id}/monitoring"] },
  { bound: ROW, test: BUDGET, operations: ["GET /devices/{device_id}", "GET /uploads/{upload_id}"] },
  { bound: `${ROW}, and one object of R2`, test: BUDGET, operations: ["GET /reports/{report_id}"] },
  {
    bound: `${ROW}, and one object of R2`,
    test: "test/worker/report-lists.test.ts › is the same under the legacy paths",
    operations: ["GET /ecg/reports/{report_id}"],
  },
  { bound: "the samples of one request, at most 1,000", test: BUDGET, operations: ["GET /observations/quarantine/{held_id}"] },
  {
    bound: "10 entries, one object call and 1,000 samples each",
    test: "test/worker/held-observations.test.ts › of a device and a time are filed ten at a time",
    operations: ["POST /observations/quarantine/file", "POST /observations/quarantine/discard"],
  },
  { bound: "one file, streamed", test: BUDGET, operations: ["GET /reports/{report_id}/file", "GET /uploads/{upload_id}/file"] },
  { bound: "one file, streamed", test: BUDGET, operations: ["GET /documents/{document_id}/file"] },
  {
    bound: "200 blocks and 1 MiB of text, within 10 s",
    test: "test/worker/report-export.test.ts › is refused for more text than a document may have",
    operations: ["GET /reports/{report_id}/export"],
  },
  { bound: rowLimit("openRecordExports", "dailyRecordExports"), test: LIMIT, operations: ["POST /patients/{patient_id}/export"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /patients/{patient_id}/export"] },
  { bound: ROW, test: BUDGET, operations: ["GET /patients/{patient_id}/export/{export_id}"] },
  { bound: "one file, streamed", test: BUDGET, operations: ["GET /patients/{patient_id}/export/{export_id}/file"] },
  { bound: "a page of 100 rows; filters are for one patient", test: BUDGET, operations: ["GET /documents"] },
  { bound: "50 versions", test: BUDGET, operations: ["GET /documents/{document_id}", "DELETE /documents/{document_id}"] },
  { bound: ROW, test: BUDGET, operations: ["POST /documents/{document_id}/link"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /consents", "GET /consents/offers"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /guardianships", "GET /patients/{patient_id}/guardians"] },
  { bound: ROW, test: BUDGET, operations: ["GET /consents/{consent_id}", "DELETE /consents/offers/{offer_id}"] },
  { bound: "200 consents, those that hold first", test: BUDGET, operations: ["GET /consents/check"] },
  { bound: rowLimit("openConsentRequests"), test: LIMIT, operations: ["POST /consents"] },
  { bound: rowLimit("liveConsents"), test: LIMIT, operations: ["POST /consents/share", "POST /consents/redeem"] },
  { bound: rowLimit("openConsentOffers"), test: LIMIT, operations: ["POST /consents/offers"] },
  { bound: "one code per person", test: BUDGET, operations: ["POST /guardian-codes"] },
  { bound: rowLimit("recordGuardians"), test: LIMIT, operations: ["POST /patients/{patient_id}/guardians"] },
  {
    bound: ROW,
    test: BUDGET,
    operations: ["POST /guardianships/{guardianship_id}/confirm", "POST /guardianships/{guardianship_id}/end"],
  },
  { bound: "one answer per request, 20 records", test: BUDGET, operations: ["POST /consents/{consent_id}/grant"] },
  { bound: ROW, test: BUDGET, operations: ["POST /consents/{consent_id}/deny", "POST /consents/{consent_id}/revoke"] },
  {
    bound: ROW,
    test: BUDGET,
    operations: ["GET /hospitals/{hospital_id}/retention", "PUT /hospitals/{hospital_id}/retention"],
  },
  { bound: "1,000 rows per kind", test: BUDGET, operations: ["GET /hospitals/{hospital_id}/retention/preview"] },
  { bound: "a page of 100 rows", test: PAGES, operations: ["GET /erasures", "GET /patient-holds"] },
  { bound: ROW, test: BUDGET, operations: ["GET /erasures/{erasure_id}", "GET /erasures/{erasure_id}/certificate"] },
  { bound: ROW, test: BUDGET, operations: ["POST /erasures/{erasure_id}/reject", "POST /patients/{patient_id}/hold/release"] },
  {
    bound: "the months of 150 years, each by its key",
    test: BUDGET,
    operations: ["POST /erasures/{erasure_id}/approve"],
  },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /admin/erasures"] },
  { bound: "20 certificates", test: BUDGET, operations: ["POST /admin/erasures/apply"] },
  { bound: rowLimit("erasureRequests"), test: LIMIT, operations: ["POST /patients/{patient_id}/erasure"] },
  { bound: rowLimit("patientHolds"), test: LIMIT, operations: ["POST /patients/{patient_id}/hold"] },

  { bound: rowLimit("hospitals"), test: LIMIT, operations: ["POST /hospitals"] },
  { bound: rowLimit("wards"), test: LIMIT, operations: ["POST /wards"] },
  { bound: `${rowLimit("members")}; one hash`, test: LIMIT, operations: ["POST /users", "POST /auth/invitations/accept"] },
  { bound: rowLimit("members"), test: LIMIT, operations: ["PUT /hospitals/{hospital_id}/members/{user_id}"] },
  { bound: rowLimit("members"), test: LIMIT, operations: ["POST /auth/invitations/join"] },
  { bound: rowLimit("recentInvitations"), test: LIMIT, operations: ["POST /users/invite"] },
  { bound: rowLimit("devices", "currentOwnDevices", "ownDevices"), test: LIMIT, operations: ["POST /devices"] },
  {
    bound: rowLimit("validDeviceCredentials", "deviceCredentials"),
    test: LIMIT,
    operations: ["POST /devices/{device_id}/credentials", "POST /devices/claim"],
  },
  {
    bound: rowLimit("recentPatientAssignments", "deviceAssignments"),
    test: LIMIT,
    operations: ["POST /devices/{device_id}/assignments"],
  },
  { bound: rowLimit("apiKeys"), test: LIMIT, operations: ["POST /api-keys", "POST /api-keys/{api_key_id}/rotate"] },
  { bound: rowLimit("webhooks"), test: LIMIT, operations: ["POST /webhooks"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /webhooks", "GET /webhooks/{webhook_id}/deliveries"] },
  { bound: ROW, test: BUDGET, operations: ["GET /webhooks/{webhook_id}", "PATCH /webhooks/{webhook_id}"] },
  { bound: ROW, test: BUDGET, operations: ["DELETE /webhooks/{webhook_id}", "POST /webhooks/{webhook_id}/enable"] },
  { bound: "two secrets of one row", test: BUDGET, operations: ["POST /webhooks/{webhook_id}/rotate-secret"] },
  { bound: "one delivery", test: BUDGET, operations: ["POST /webhooks/{webhook_id}/test"] },
  { bound: ROW, test: BUDGET, operations: ["POST /webhooks/{webhook_id}/deliveries/{message_id}/resend"] },
  { bound: rowLimit("intakes"), test: LIMIT, operations: ["POST /patients/{patient_id}/intake"] },
  {
    bound: rowLimit("currentCareTeam"),
    test: LIMIT,
    operations: ["PUT /patients/{patient_id}/care-team/{user_id}"],
  },
  {
    bound: rowLimit("currentCareTeam", "patientChanges"),
    test: LIMIT,
    operations: ["PATCH /patients/{patient_id}"],
  },
  { bound: rowLimit("patientLogins", "accountRecords"), test: LIMIT, operations: ["POST /patients/claim"] },
  {
    bound: rowLimit("reportChanges"),
    test: LIMIT,
    operations: ["PATCH /reports/{report_id}", "POST /reports/{report_id}/move"],
  },
  { bound: `25 MiB; ${rowLimit("documentVersions")}`, test: LIMIT, operations: ["POST /documents/{document_id}/versions"] },
  {
    bound: "25 MiB; the storage quotas",
    test: "test/worker/document-types.test.ts › is stored, and one of a byte more is refused",
    operations: ["POST /documents"],
  },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /document-requests", "GET /document-requests/hospitals"] },
  {
    bound: ROW,
    test: BUDGET,
    operations: [
      "GET /document-requests/{document_request_id}",
      "POST /document-requests/{document_request_id}/approve",
      "POST /document-requests/{document_request_id}/reject",
      "POST /document-requests/{document_request_id}/cancel",
    ],
  },
  {
    bound: "20 documents",
    test: "test/worker/document-requests.test.ts › takes current documents of the shared record, dated within the grant",
    operations: ["POST /document-requests/{document_request_id}/fulfil"],
  },
  { bound: rowLimit("openConsentRequests"), test: LIMIT, operations: ["POST /document-requests"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /locations", "GET /appointments"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /intake-links", "GET /intake-submissions"] },
  {
    bound: "31 days of 100 practitioners; 1,000 free times",
    test: "test/worker/availability.test.ts › are paged, bounded, and of the practitioners whom the caller sees",
    operations: ["GET /appointments/slots"],
  },
  {
    bound: ROW,
    test: BUDGET,
    operations: [
      "GET /locations/{location_id}",
      "PATCH /locations/{location_id}",
      "GET /hospitals/{hospital_id}/care-settings",
      "PUT /hospitals/{hospital_id}/care-settings",
      "DELETE /practitioners/{practitioner_id}/availability/exceptions/{exception_id}",
      "DELETE /hospitals/{hospital_id}/closures/{exception_id}",
      "GET /appointments/{appointment_id}",
      "PATCH /appointments/{appointment_id}",
      "DELETE /appointments/{appointment_id}",
      "POST /appointments/{appointment_id}/confirm",
      "POST /appointments/{appointment_id}/cancel",
      "POST /appointments/{appointment_id}/no-show",
      "POST /appointments/{appointment_id}/reschedule",
      "DELETE /intake-links/{intake_link_id}",
      "POST /intake/open",
      "POST /intake/submit",
      "GET /intake-submissions/{submission_id}",
      "POST /intake-submissions/{submission_id}/reject",
    ],
  },
  {
    bound: "20 schedules of 50 windows, 1,000 exceptions",
    test: "test/worker/availability.test.ts › are replaced as a whole, by the practitioner or a manager, and of two at once one counts",
    operations: ["GET /practitioners/{practitioner_id}/availability", "PUT /practitioners/{practitioner_id}/availability"],
  },
  { bound: rowLimit("locations"), test: LIMIT, operations: ["POST /locations"] },
  {
    bound: rowLimit("scheduleExceptions"),
    test: LIMIT,
    operations: ["POST /practitioners/{practitioner_id}/availability/exceptions", "POST /hospitals/{hospital_id}/closures"],
  },
  { bound: rowLimit("openAppointments", "practitionerAppointments"), test: LIMIT, operations: ["POST /appointments"] },
  { bound: rowLimit("openIntakeLinks"), test: LIMIT, operations: ["POST /intake-links"] },
  { bound: rowLimit("openSubmissions", "patientSubmissions"), test: LIMIT, operations: ["POST /intake-submissions"] },
  { bound: rowLimit("intakes"), test: LIMIT, operations: ["POST /intake-submissions/{submission_id}/take"] },
  { bound: rowLimit("alertComments"), test: LIMIT, operations: ["POST /alerts/{alert_id}/comment"] },
  {
    bound: "20 amendments per sample, 5,000 amended samples per patient",
    test: "test/worker/row-limits.test.ts › amended samples of one patient",
    operations: ["PATCH /observations/{observation_id}"],
  },
  {
    bound: "100 assignments and snoozes per alert",
    test: "test/worker/row-limits.test.ts › assignments and snoozes of one alert",
    operations: ["POST /alerts/{alert_id}/assign", "POST /alerts/{alert_id}/snooze"],
  },
  {
    bound: "one event per state of the alert",
    test: "test/worker/alerts-api.test.ts › keeps its first acknowledgement; a cleared one is a conflict",
    operations: ["POST /alerts/{alert_id}/acknowledge", "POST /alerts/{alert_id}/resolve"],
  },
  {
    bound: "one row per ward and vital",
    test: "test/worker/alert-rules.test.ts › needs the version that is there, and of two at once one counts",
    operations: ["PUT /wards/{ward_id}/alert-rules/{code}", "DELETE /wards/{ward_id}/alert-rules/{code}"],
  },
  {
    bound: "one row per hospital and ward; 3 tiers of 20 entries",
    test: BUDGET,
    operations: [
      "GET /hospitals/{hospital_id}/escalation",
      "PUT /hospitals/{hospital_id}/escalation",
      "DELETE /hospitals/{hospital_id}/escalation",
      "GET /wards/{ward_id}/escalation",
      "PUT /wards/{ward_id}/escalation",
      "DELETE /wards/{ward_id}/escalation",
    ],
  },
  { bound: "100 people per ward", test: BUDGET, operations: ["GET /wards/{ward_id}/staff", "PUT /wards/{ward_id}/staff"] },
  {
    bound: "one row per patient and vital",
    test: BUDGET,
    operations: ["PUT /patients/{patient_id}/alert-rules/{code}", "DELETE /patients/{patient_id}/alert-rules/{code}"],
  },
  { bound: "24 hours of one vital", test: BUDGET, operations: ["POST /patients/{patient_id}/alert-rules/preview"] },
  { bound: "one row per member of the hospital", test: BUDGET, operations: ["POST /practitioners"] },
  {
    bound: "one open code per patient; it replaces the former, and 20 are kept",
    test: "test/worker/patient-records.test.ts › ends when it expires, when a new one is made",
    operations: ["POST /patients/{patient_id}/claim-codes"],
  },
  {
    bound: "one open code per device; it replaces the former",
    test: BUDGET,
    operations: ["POST /devices/{device_id}/claim-code"],
  },
  {
    bound: "20 links per account; a new one deletes the oldest",
    test: "test/worker/row-limits.test.ts › password reset links of an account",
    operations: ["POST /users/{user_id}/password-reset"],
  },
  {
    bound: "one hash; 10 valid and 100 ended sessions per account; 5 failures lock the account",
    test: "test/worker/row-limits.test.ts › ended sessions of an account",
    operations: ["POST /auth/login", "POST /api/token"],
  },
  { bound: "one hash; 5 failures lock the account", test: HASHES, operations: ["POST /auth/password/change"] },
  {
    bound: "one hash; one link per minute, five per day",
    test: "test/worker/email-change.test.ts › can be asked for once a minute and five times a day",
    operations: ["POST /auth/email/change"],
  },
  {
    bound: "one link per minute, five per day",
    test: "test/worker/email-verification.test.ts › can be asked for again, once a minute and five times a day",
    operations: ["POST /auth/email/verification"],
  },
  {
    bound: "one mail per account and 15 minutes; 20 per minute, name and address",
    test: "test/worker/forgotten-password.test.ts › send one mail per quarter of an hour, and leave the link in the mailbox valid",
    operations: ["POST /auth/password/forgot"],
  },
  { bound: "the links of one account", test: BUDGET, operations: ["POST /auth/email/verify"] },
  {
    bound: "one hash or code; 5 failures lock the account",
    test: "test/worker/factors-totp.test.ts › locks the account after five wrong codes, and a right password between them changes nothing",
    operations: ["POST /auth/login/second-step", "POST /auth/step-up"],
  },
  {
    bound: "nothing is stored; 300 per minute and address",
    test: "test/worker/factors-passkeys.test.ts › stores nothing for options that nobody uses",
    operations: ["POST /auth/passkey/options"],
  },
  {
    bound: rowLimit("passkeys"),
    test: "test/worker/factors-passkeys.test.ts › is refused for a passkey that another account has, and beyond twenty",
    operations: ["POST /auth/passkeys", "GET /auth/passkeys", "GET /auth/mfa"],
  },
  {
    bound: "20 passkeys, one row per use",
    test: BUDGET,
    operations: ["POST /auth/passkey/login", "POST /auth/passkeys/options"],
  },
  { bound: "20 passkeys", test: BUDGET, operations: ["POST /auth/step-up/options", "PATCH /auth/passkeys/{passkey_id}"] },
  { bound: "20 passkeys, 10 recovery codes", test: BUDGET, operations: ["DELETE /auth/passkeys/{passkey_id}"] },
  {
    bound: "20 passkeys, 10 recovery codes",
    test: BUDGET,
    operations: ["POST /auth/mfa/recovery-codes", "DELETE /auth/mfa/totp"],
  },
  { bound: "20 passkeys, 10 recovery codes", test: BUDGET, operations: ["POST /users/{user_id}/factors/reset"] },
  { bound: ROW, test: BUDGET, operations: ["POST /auth/mfa/totp/enroll", "POST /auth/mfa/totp/confirm"] },
  { bound: "one row per role", test: BUDGET, operations: ["GET /hospitals/{hospital_id}/factor-policy"] },
  { bound: "one row per role; 200 notices", test: BUDGET, operations: ["PUT /hospitals/{hospital_id}/factor-policy"] },
  {
    bound: "one hash; 20 per minute and address",
    test: "test/worker/device-claims.test.ts › is tried as often as people sign up, and no oftener",
    operations: ["POST /auth/register", "POST /auth/register/patient", "POST /auth/password/reset"],
  },
  {
    bound: "one row in all",
    test: "test/worker/auth-bootstrap.test.ts › makes one of twelve who ask at once",
    operations: ["POST /auth/bootstrap"],
  },
  { bound: ROW, test: BUDGET, operations: ["POST /auth/refresh", "POST /auth/logout", "POST /auth/switch-hospital"] },
  {
    bound: "5 codes per person and 10 per number in 24 hours, 5 attempts per code",
    test: "test/worker/phone.test.ts › are sent once a minute and a bounded number of times per person",
    operations: ["PUT /notification-settings/phone", "POST /notification-settings/phone/verify"],
  },
  { bound: ROW, test: BUDGET, operations: ["GET /notification-settings/phone", "DELETE /notification-settings/phone"] },
  {
    bound: "one row by its key; a form of 2,000 characters per field",
    test: "test/worker/sms.test.ts › is refused without a valid signature",
    operations: ["POST /sms/status"],
  },
  { bound: ROW, test: BUDGET, operations: ["PATCH /auth/me", "PATCH /users/{user_id}", "DELETE /users/{user_id}"] },
  { bound: ROW, test: BUDGET, operations: ["PATCH /hospitals/{hospital_id}", "DELETE /hospitals/{hospital_id}"] },
  { bound: ROW, test: BUDGET, operations: ["DELETE /wards/{ward_id}", "PATCH /practitioners/{practitioner_id}"] },
  { bound: ROW, test: BUDGET, operations: ["PATCH /patients/{patient_id}/monitoring", "DELETE /devices/{device_id}"] },
  { bound: ROW, test: BUDGET, operations: ["PATCH /devices/{device_id}"] },
  {
    bound: ROW,
    test: "test/worker/auth-sessions.test.ts › ends one of the caller's sessions",
    operations: ["DELETE /auth/sessions/{session_id}"],
  },
  {
    bound: "the 10 valid sessions of one account",
    test: "test/worker/users.test.ts › logs people out where they act for the hospital",
    operations: ["DELETE /users/{user_id}/sessions"],
  },
  {
    bound: ROW,
    test: "test/worker/auth-lockout.test.ts › is removed only by the hospital's administrator",
    operations: ["POST /users/{user_id}/unlock"],
  },
  {
    bound: ROW,
    test: "test/worker/invitations.test.ts › can be seen and revoked by its own hospital's managers alone",
    operations: ["DELETE /users/invitations/{invitation_id}"],
  },
  {
    bound: ROW,
    test: "test/worker/wards.test.ts › are made, read, renamed, closed and deleted",
    operations: ["PATCH /wards/{ward_id}"],
  },
  {
    bound: ROW,
    test: "test/worker/practitioners.test.ts › a removal deletes the profile",
    operations: ["DELETE /practitioners/{practitioner_id}"],
  },
  {
    bound: "one membership, with the member's sessions and care teams at the hospital",
    test: "test/worker/members.test.ts › an end and a new role",
    operations: ["DELETE /hospitals/{hospital_id}/members/{user_id}"],
  },
  {
    bound: "one row with its search tokens and codes",
    test: "test/worker/patient-records.test.ts › goes with its tokens, codes and team",
    operations: ["DELETE /patients/{patient_id}"],
  },
  { bound: "one row with its search tokens; 100 requests per minute and person", test: BUDGET, operations: ["POST /patients"] },
  {
    bound: ROW,
    test: "test/worker/patient-records.test.ts › leaves a link that the desk sees and can take away",
    operations: ["DELETE /patients/{patient_id}/links/{user_id}"],
  },
  {
    bound: ROW,
    test: "test/worker/patients.test.ts › cannot be changed by doctors, and ends access at once",
    operations: ["DELETE /patients/{patient_id}/care-team/{user_id}"],
  },
  {
    bound: ROW,
    test: "test/worker/api-keys.test.ts › falls with its revocation",
    operations: ["DELETE /api-keys/{api_key_id}"],
  },
  {
    bound: ROW,
    test: "test/worker/observations.test.ts › refuses a revoked credential at once",
    operations: ["DELETE /devices/{device_id}/credentials/{credential_id}"],
  },
  {
    bound: ROW,
    test: "test/worker/device-claims.test.ts › follow each other without overlap",
    operations: ["DELETE /devices/{device_id}/assignments/current"],
  },

  { bound: "10 MiB as a form, 25 MiB as raw bytes; 2 GiB per device and day", test: BUDGET, operations: ["POST /reports"] },
  {
    bound: "10 MiB as a form, 25 MiB as raw bytes; 2 GiB per device and day",
    test: "test/worker/idempotency.test.ts › is the same over both paths and both forms of an upload",
    operations: ["POST /ecg/reports/upload", "POST /reports/raw"],
  },
  {
    bound: "100 files, three round trips per file",
    test: "test/worker/upload-batch.test.ts › accepts 100 files, and rejects 101 before any work",
    operations: ["POST /reports/batch"],
  },
  {
    bound: "100 MiB, sent to R2; one hour to confirm",
    test: BUDGET,
    operations: ["POST /reports/direct", "POST /reports/direct/{upload_id}/confirm"],
  },
  {
    bound: "one file and one row",
    test: BUDGET,
    operations: ["POST /uploads/{upload_id}/assign", "POST /uploads/{upload_id}/discard"],
  },
  {
    bound: "a page of 100 events; 100 logs; 20 R2 reads",
    test: "test/worker/audit-lists.test.ts › reads the whole log of the patient in pages of at most 20 reads",
    operations: ["GET /audit-events"],
  },
  {
    bound: "100,000 events, read 500 at a time",
    test: "test/worker/audit-routes.test.ts › as %s shows each reader what the list shows",
    operations: ["GET /audit-events/export"],
  },
  {
    bound: "40 checkpoints, or 20,000 events and 1,000 open rows",
    test: "test/worker/audit-verifier.test.ts › is accepted as a whole, in small parts, and without keys",
    operations: ["GET /audit-events/verify"],
  },
  { bound: "one event; tiles of four levels", test: BUDGET, operations: ["GET /audit-events/{event_id}/proof"] },
  {
    bound: rowLimit("openQuestions", "questions"),
    test: LIMIT,
    operations: ["POST /privacy-questions"],
  },
  { bound: "a page of 100 rows, of 1,000 questions per record", test: BUDGET, operations: ["GET /privacy-questions"] },
  {
    bound: "a page of 100 rows",
    test: "test/worker/privacy-reviews.test.ts › is listed page by page without a gap",
    operations: ["GET /privacy-reviews"],
  },
  { bound: ROW, test: BUDGET, operations: ["GET /privacy-reviews/{review_id}"] },
  { bound: "one row by its key; 200 notices", test: BUDGET, operations: ["POST /privacy-reviews/{review_id}/close"] },
  {
    bound: "50 accesses per person and UTC day; 200 notices",
    test: "test/worker/emergency-bounds.test.ts › are at most 50 per person and day",
    operations: ["POST /emergency-access"],
  },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /emergency-access"] },
  {
    bound: ROW,
    test: BUDGET,
    operations: [
      "GET /emergency-access/{emergency_access_id}",
      "POST /emergency-access/{emergency_access_id}/end",
      "GET /patients/{patient_id}/notice-delay",
      "PUT /patients/{patient_id}/notice-delay",
      "DELETE /patients/{patient_id}/notice-delay",
    ],
  },
  { bound: "20 privacy officers", test: BUDGET, operations: ["GET /hospitals/{hospital_id}/privacy-officers"] },
  {
    bound: rowLimit("privacyOfficers"),
    test: LIMIT,
    operations: ["PUT /hospitals/{hospital_id}/privacy-officers/{user_id}"],
  },
  { bound: ROW, test: BUDGET, operations: ["DELETE /hospitals/{hospital_id}/privacy-officers/{user_id}"] },
  {
    bound: "one state row of the log",
    test: BUDGET,
    operations: ["GET /audit-events/checkpoint", "GET /audit-events/retention"],
  },
  {
    bound: "one row per hospital",
    test: BUDGET,
    operations: ["PUT /hospitals/{hospital_id}/legal-hold", "DELETE /hospitals/{hospital_id}/legal-hold"],
  },
  { bound: "six counters", test: BUDGET, operations: ["GET /hospitals/{hospital_id}/storage"] },
  { bound: "a page of 100 rows", test: BUDGET, operations: ["GET /hospitals/{hospital_id}/import-grants"] },
  {
    bound: ROW,
    test: BUDGET,
    operations: ["POST /hospitals/{hospital_id}/import-grants", "DELETE /hospitals/{hospital_id}/import-grants/{grant_id}"],
  },
  { bound: "1,000 samples, one object call", test: BUDGET, operations: ["POST /observations", "POST /wearables/sync"] },
  {
    bound: "20 samples, each code once, one object call",
    test: BUDGET,
    operations: ["POST /patients/{patient_id}/observation-sets"],
  },
  {
    bound: "one pause per patient, of 24 hours or at the end of life a week; one object call",
    test: BUDGET,
    operations: ["PUT /patients/{patient_id}/observation-pause", "DELETE /patients/{patient_id}/observation-pause"],
  },
  {
    bound: "frames of 64 KiB, 100 per second; 3,000 samples that are not acknowledged, 256 KiB of answers that are not read",
    test: "test/worker/device-stream.test.ts › sent again and again by a device that reads nothing closes its socket at 256 KiB, and not one that answers heartbeats",
    operations: ["GET /observations/stream"],
  },
  {
    bound:
      "1,000 patients; 10 views per session, 20 per user, 5 per patient's account; 500 frames or 384 KiB that are not acknowledged",
    test: "test/worker/live-credit.test.ts › holds, with a hundred others, no more than the sum of their bounds, and memory is free when they are closed",
    operations: ["GET /live", "GET /live/sse"],
  },
  { bound: "100 named patients; valid for 30 seconds", test: BUDGET, operations: ["POST /live/tickets"] },

  {
    bound: "one call of each store",
    test: "test/worker/http-surface.test.ts › keeps /health to status and latency",
    operations: ["GET /health", "GET /health/ready"],
  },
  { bound: "a constant", test: "test/worker/openapi.test.ts › all work as written", operations: ["GET /"] },
  {
    bound: "the key ring",
    test: "test/worker/key-rotation.test.ts › shows the whole ring, in its order, at every stage",
    operations: ["GET /.well-known/jwks.json"],
  },
  {
    bound: "counters, and counts of at most 10,001 rows; limited by address",
    test: "test/worker/service-metrics.test.ts › of the outbox say how much waits and for how long, and stop counting at 10,001",
    operations: ["GET /metrics"],
  },
];

const METHODS = ["get", "post", "put", "patch", "delete"];
const isAlias = (path) => PATH_ALIASES.some((alias) => path === alias.path || path.startsWith(`${alias.path}/`));

/** @returns {string[]} the operations of the document, without those under alias paths, which have the same handlers */
export const listOperations = (document) =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item && !isAlias(path)).map(
      (method) => `${method.toUpperCase()} ${path.replace(/^\/api\/v1(?=\/)/, "")}`,
    ),
  );

/** @returns {{operation: string, bound: string, test: string}[]} */
export const listBounds = (groups = BOUNDS) =>
  groups.flatMap(({ bound, test, operations }) => operations.map((operation) => ({ operation, bound, test })));

/**
 * @param readTitles titles of a test file; null if there is none
 * @returns {string[]} one sentence per operation without a row, row without an operation, and test that does not exist
 */
export function findBoundProblems(document, rows, readTitles) {
  const operations = listOperations(document);
  const named = rows.map(({ operation }) => operation);
  return [
    ...operations.filter((operation) => !named.includes(operation)).map((o) => `${o} has no bound in scripts/lib/bounds.mjs`),
    ...named.filter((operation) => !operations.includes(operation)).map((o) => `${o} has a bound but is no operation`),
    ...named.filter((operation, i) => named.indexOf(operation) !== i).map((o) => `${o} has two bounds`),
    ...rows.flatMap(({ operation, test }) => {
      const [file = "", title = ""] = test.split(" › ");
      const titles = readTitles(file);
      if (titles === null) return [`${operation} names ${file}, which does not exist`];
      const exists = title !== "" && titles.some((text) => text.includes(title));
      return exists ? [] : [`${operation}: ${file} has no test titled "${title}"`];
    }),
  ];
}

/** Lists of the document that do not page: one sentence each. Other methods answer about the items of their request. */
export function findUnpagedLists(document) {
  const found = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      for (const response of Object.values(item[method]?.responses ?? {})) {
        const { data, meta } = response.content?.["application/json"]?.schema?.properties ?? {};
        const list = [data, ...(data?.anyOf ?? [])].find((schema) => schema?.type === "array");
        if (!list) continue;
        const name = `${method.toUpperCase()} ${path}`;
        if (method !== "get") {
          if (!(list.maxItems > 0)) found.push(`${name}: the array in data has no maxItems`);
          continue;
        }
        const parameters = (item[method].parameters ?? []).map(({ name: parameter }) => parameter);
        if (!meta?.properties?.pagination) found.push(`${name}: data is an array without meta.pagination`);
        for (const wanted of ["limit", "cursor"]) {
          if (!parameters.includes(wanted)) found.push(`${name}: data is an array, but there is no parameter ${wanted}`);
        }
      }
    }
  }
  return found;
}

/** The table, with padded columns. */
export function renderBounds(document, rows = listBounds()) {
  const byOperation = new Map(rows.map((row) => [row.operation, row]));
  const cells = listOperations(document).map((operation) => {
    const { bound = "", test = "" } = byOperation.get(operation) ?? {};
    return [`\`${operation}\``, bound, `\`${test}\``];
  });
  const table = [["operation", "bound", "test"], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column].length)));
  const toLine = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [head, ...body] = table.map(toLine);
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n");
}

const START = "<!-- bounds: written by npm run docs:bounds -->\n\n";
const END = "\n\n<!-- end of bounds -->";

/** The page with the table in its place. @throws Error if the page has no place for it */
export function replaceTable(page, table) {
  const [before, rest] = page.split(START);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error("the page has no place for the table of bounds");
  return before + START + table + END + after;
}
