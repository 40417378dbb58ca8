// Enumerations of report, upload and device columns. In a file without imports, because the portal imports it.

export const REPORT_KINDS = ["ecg", "cpap", "bipap", "oxygen", "consultation", "other"] as const;
/** FHIR R4 DiagnosticReport.status. An upload starts `preliminary`. */
export const REPORT_STATUSES = [
  "registered",
  "partial",
  "preliminary",
  "final",
  "amended",
  "corrected",
  "appended",
  "cancelled",
  "entered-in-error",
  "unknown",
] as const;
/** What a person changes of a report after the upload. */
export const REPORT_CHANGES = ["corrected", "moved", "entered_in_error", "restored"] as const;
export const DEVICE_KINDS = ["ecg", "cpap", "bipap", "oxygen", "wearable", "bedside_monitor", "gateway"] as const;
/** What became of quarantined samples. */
export const HELD_STATES = ["held", "filed", "discarded"] as const;
/** Why a device's file is in quarantine. */
export const QUARANTINE_REASONS = [
  /** The device was assigned to nobody, or named a patient that is not its own. */
  "not_found",
  "not_pdf",
  "record_closed",
  /** Sent without a time by a device that has changed patients since it may have gone offline. */
  "binding_changed",
  /** Measured while the device was assigned to nobody. */
  "not_bound_then",
  /** The assignment at the time of measurement ended too long ago. */
  "binding_ended",
  "in_the_future",
  /** A time of measurement that cannot be read, or that a clock change of the hospital skips or repeats. */
  "time_unclear",
  /** The hospital has the same file as a report of another patient. */
  "same_file_elsewhere",
] as const;
export const UPLOAD_OUTCOMES = [
  "stored",
  "duplicate",
  "replayed",
  "quarantined",
  "refused",
  "failed",
  "assigned",
  "discarded",
  "awaiting",
  "expired",
] as const;
