// API schemas of reports and of the filters of their lists.
import { z } from "@hono/zod-openapi";
import { pageQuery } from "../../http/pagination.ts";
import { EXAMPLES, Id, TimeInput, Timestamp } from "../../http/router.ts";
import { REPORT_KINDS, REPORT_STATUSES } from "../../platform/db/vocabulary.ts";
import { MAX_METRIC_FLAGS, METRIC_FLAG_CODES } from "../upload/metric-flags.ts";
import { MAX_METRICS_BYTES } from "../upload/metrics.ts";
import { QTC_LABEL } from "./qtc.ts";

export const Kind = z.enum(REPORT_KINDS);
const Status = z.enum(REPORT_STATUSES);
export const Report = z
  .object({
    report_id: Id,
    kind: Kind,
    status: Status,
    patient: z.object({
      patient_id: Id,
      patient_number: z.number().int(),
      name: z
        .string()
        .nullable()
        .openapi({ description: "In lists, null if the stored value is corrupt. Null for an app without patient:read" }),
      gender: z.string().nullable(),
      date_of_birth: z.string().nullable(),
    }),
    hospital_id: Id,
    encounter_id: Id.nullable().openapi({ description: "Null: there are no encounters yet" }),
    session_type: z.string().nullable(),
    confidence: z.number().nullable(),
    heart_rate: z.number().nullable().openapi({ description: "Beats per minute" }),
    effective_at: Timestamp,
    created_at: Timestamp,
    file_name: z.string().nullable().openapi({ description: "In lists, null if the stored value is corrupt" }),
    file_size: z.number().int().openapi({ description: "Bytes" }),
    sha256: z.string(),
    comment: z.string().nullable().openapi({ description: "Of staff. In lists, null if the stored value is corrupt" }),
    uploaded_by: z.object({ kind: z.enum(["user", "device", "app"]), id: Id }),
    file_url: z.string(),
    version: z.number().int(),
  })
  .openapi("DiagnosticReport");
export const exampleReport = {
  report_id: EXAMPLES.report,
  kind: "ecg" as const,
  status: "preliminary" as const,
  patient: {
    patient_id: EXAMPLES.patient,
    patient_number: 1042,
    name: "Asha Verma",
    gender: "female",
    date_of_birth: "1964-03-04",
  },
  hospital_id: EXAMPLES.hospital,
  encounter_id: null,
  session_type: null,
  confidence: 0.94,
  heart_rate: 72,
  effective_at: EXAMPLES.time,
  created_at: EXAMPLES.time,
  file_name: "ecg.pdf",
  file_size: 117_204,
  sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  comment: null,
  uploaded_by: { kind: "device" as const, id: EXAMPLES.device },
  file_url: `/api/v1/reports/${EXAMPLES.report}/file`,
  version: 1,
};
const linkFields = { download_url: z.string(), download_expires_at: Timestamp };
export const exampleLink = {
  download_url: `https://clinic.example.org/api/v1/reports/${EXAMPLES.report}/file?link=…`,
  download_expires_at: EXAMPLES.time,
};
/** What is doubtful about metrics; also in the answers to uploads. */
export const MetricFlags = z
  .array(
    z.object({
      name: z.string().max(MAX_METRICS_BYTES),
      code: z.enum(METRIC_FLAG_CODES),
    }),
  )
  .max(MAX_METRIC_FLAGS)
  .openapi({
    description:
      "Metrics that are kept as sent, but are not a number in the plausible range: not_measured (null or a blank such as --), " +
      "out_of_range, not_a_number, not_text, unknown (no name of this kind of report)",
  });
export const metricFields = {
  metrics: z
    .record(z.string(), z.unknown())
    .nullable()
    .openapi({ description: "As sent. Null: none were sent, or they are no JSON object" }),
  metrics_text: z.string().nullable().openapi({ description: "Metrics that are no JSON object, as sent" }),
  metric_flags: MetricFlags,
  metric_flags_omitted: z.number().int().openapi({ description: "Flags beyond the first hundred" }),
};
export const LinkedReport = Report.extend(linkFields).openapi("DiagnosticReportWithLink");
/** reports/reading/qtc.ts has the formulas. */
const ComputedQtc = z
  .object({
    label: z.literal(QTC_LABEL),
    qt_interval_ms: z.number(),
    rr_interval_ms: z.number(),
    rr_source: z.enum(["rr_interval_ms", "heart_rate"]),
    bazett_ms: z.number().int().openapi({ description: "QT / RR^(1/2), RR in seconds" }),
    fridericia_ms: z.number().int().openapi({ description: "QT / RR^(1/3), RR in seconds" }),
    differing: z
      .array(z.string())
      .openapi({ description: "Metrics of the machine that differ by more than 10 ms; qtc_interval_ms: from both formulas" }),
  })
  .openapi("ComputedQtc");
export const exampleQtc = {
  label: QTC_LABEL,
  qt_interval_ms: 388,
  rr_interval_ms: 833,
  rr_source: "heart_rate" as const,
  bazett_ms: 425,
  fridericia_ms: 412,
  differing: [],
};
const computed_qtc = ComputedQtc.nullable().openapi({
  description: "Null without a QT interval and an RR interval or heart rate",
});
const SentDetails = LinkedReport.extend(metricFields);
export const DetailedReport = SentDetails.extend({ computed_qtc }).openapi("DetailedReport");
/** To the device that sent the report: what it sent, and nothing about the patient. */
export const SentReport = SentDetails.omit({ patient: true, hospital_id: true, comment: true }).openapi("SentReport");
export const exampleLinkedReport = { ...exampleReport, ...exampleLink };

const heartRateParam = z
  .string()
  .regex(/^\d{1,4}(\.\d{1,3})?$/, "Must be a number (beats per minute)")
  .transform(Number)
  .optional()
  .openapi({ type: "number", example: 100 });
const timeParam = (description: string) => TimeInput.optional().openapi({ description });
export const reportQuery = z.strictObject({
  ...pageQuery,
  patient_id: Id.optional(),
  kind: Kind.optional(),
  status: Status.optional().openapi({ description: "Without it, reports that were entered in error are left out" }),
  session_type: z.string().max(60).optional(),
  device_id: Id.optional().openapi({ description: "Sent by this device", example: EXAMPLES.device }),
  uploaded_by: Id.optional().openapi({ description: "Sent by this person", example: EXAMPLES.user }),
  encounter_id: Id.optional(),
  hospital_id: Id.optional().openapi({ description: "For administrators", example: EXAMPLES.hospital }),
  from: timeParam("Received at or after"),
  to: timeParam("Received before"),
  effective_from: timeParam("Measured at or after"),
  effective_to: timeParam("Measured before"),
  heart_rate_min: heartRateParam,
  heart_rate_max: heartRateParam,
  sort: z
    .enum(["created", "-created", "effective", "-effective"])
    .default("-created")
    .openapi({ description: "Time of receipt or of measurement; a leading - sorts newest first" }),
});
export type ReportQuery = z.output<typeof reportQuery>;
