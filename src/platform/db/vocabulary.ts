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
export const DEVICE_KINDS = ["ecg", "cpap", "bipap", "oxygen", "wearable", "bedside_monitor", "gateway"] as const;
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
