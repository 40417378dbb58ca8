// The error class, the table of error codes with statuses and titles, and the error details that may be logged.

const PROBLEMS_BY_CODE = {
  invalid_request: [400, "Invalid request"],
  malformed_json: [400, "Malformed JSON body"],
  not_supported: [400, "Not supported"],
  invalid_cursor: [400, "Invalid cursor for this list"],
  offset_too_large: [400, "Offset exceeds 10,000; use the cursor"],
  invalid_idempotency_key: [400, "Invalid Idempotency-Key"],
  length_mismatch: [400, "Body length does not match the declared length"],
  digest_mismatch: [400, "Body does not match the declared SHA-256"],
  digest_required: [400, "SHA-256 digest is required"],
  unauthenticated: [401, "Missing or invalid access token"],
  invalid_credentials: [401, "Invalid credentials"],
  second_step_required: [401, "A second step is required to sign in"],
  invalid_code: [401, "Code is incorrect or was used"],
  invalid_ticket: [401, "Sign-in has expired or was finished; start again"],
  invalid_passkey: [401, "Passkey was not accepted"],
  step_up_required: [401, "A recent sign-in is required"],
  invalid_refresh_token: [401, "Invalid refresh token"],
  wrong_password: [403, "Current password is incorrect"],
  https_required: [403, "HTTPS is required"],
  enrolment_required: [403, "A second step is required; enrol one or use it"],
  forbidden: [403, "Insufficient permissions"],
  origin_forbidden: [403, "Origin is not allowed"],
  link_invalid: [403, "Invalid link"],
  code_invalid: [403, "Invalid code"],
  not_found: [404, "Not found"],
  method_not_allowed: [405, "Method not allowed"],
  request_timeout: [408, "Request body timed out"],
  conflict: [409, "Conflict with the current state of the resource"],
  already_exists: [409, "Resource already exists"],
  possible_duplicate: [409, "A similar patient is registered"],
  claim_proof_missing: [409, "The record has neither a whole birth date nor a phone number"],
  recipient_unavailable: [409, "The hospital has no record of yours, or the practitioner does not work there"],
  recipient_ambiguous: [409, "Several records at the hospital fit; name one with patient_id"],
  hospital_decides: [409, "The hospital decides about this; ask its privacy officers"],
  limit_reached: [409, "Maximum number of records reached"],
  password_given: [409, "Change the password set by an administrator first"],
  score_changed: [409, "The score of the set differs from the confirmed one"],
  scale_changed: [409, "The SpO2 scale of the patient was changed"],
  already_bootstrapped: [409, "An administrator already exists"],
  registration_refused: [409, "Registration is not possible"],
  idempotency_key_reused: [409, "Idempotency-Key was used with a different request"],
  slot_taken: [409, "The time is taken"],
  not_bookable: [409, "The time cannot be booked"],
  illegal_transition: [409, "Not possible in the current state"],
  report_signed: [409, "The report is signed"],
  record_merged: [409, "The record was merged into another"],
  merge_blocked: [409, "The records cannot be merged now"],
  undo_expired: [409, "The merge can no longer be undone"],
  report_moved: [409, "Report was moved to another record"],
  patient_ambiguous: [409, "Several records are linked to this account; specify patient_id"],
  storage_full: [409, "Storage ceiling reached"],
  import_grant_ended: [409, "Import grant has ended"],
  link_expired: [410, "Link has expired"],
  length_required: [411, "Content-Length is required"],
  precondition_failed: [412, "Resource has changed since it was read"],
  note_conflict: [412, "The note was changed elsewhere"],
  too_large: [413, "Request body is too large"],
  export_too_large: [413, "The record is too large to export"],
  unsupported_media_type: [415, "Unsupported media type"],
  not_pdf: [415, "File is not a PDF"],
  unsupported_document: [415, "File is not a PDF, JPEG, PNG, DOCX or plain text"],
  range_not_satisfiable: [416, "Range is outside the file"],
  account_locked: [423, "Too many failed attempts; try again later"],
  upgrade_required: [426, "WebSocket upgrade is required"],
  precondition_required: [428, "If-Match header is required"],
  rate_limited: [429, "Too many requests"],
  asked_too_often: [429, "The person has denied a request of the hospital; ask again later"],
  quota_exceeded: [429, "Daily storage quota exceeded"],
  internal_error: [500, "Internal server error"],
  integrity_error: [500, "Stored data failed its integrity check"],
  direct_uploads_off: [501, "Direct uploads are not configured"],
  push_off: [501, "Web Push is not configured"],
  sms_off: [501, "Text messages are not configured"],
  video_off: [501, "Video is not configured"],
  payments_off: [501, "Payments are not configured"],
  render_unavailable: [503, "Documents cannot be made at the moment"],
  unavailable: [503, "Service is temporarily unavailable"],
  misconfigured: [503, "Service is not configured correctly"],
} as const;

export type ErrorCode = keyof typeof PROBLEMS_BY_CODE;
export type FieldError = { path: string; message: string; code: string };

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  readonly headers: Record<string, string>;
  /** Further members of the problem (RFC 9457, section 3.2). */
  readonly members: Record<string, unknown>;

  /** `detail` is sent to the caller: say what to do, never repeat input. */
  constructor(
    code: ErrorCode,
    detail?: string,
    extra: { errors?: FieldError[]; headers?: Record<string, string>; members?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(detail ?? PROBLEMS_BY_CODE[code][1], { cause: extra.cause });
    this.code = code;
    this.errors = extra.errors ?? [];
    this.headers = extra.headers ?? {};
    this.members = extra.members ?? {};
  }

  get title() {
    return PROBLEMS_BY_CODE[this.code][1];
  }

  get status() {
    return PROBLEMS_BY_CODE[this.code][0];
  }

  /** The detail sent to the caller; only the title for server errors. */
  get publicDetail(): string {
    return this.status >= 500 ? PROBLEMS_BY_CODE[this.code][1] : this.message;
  }
}

/** A change found another version than the one that it had read, and is to run again. */
export class LostRace extends Error {}

/** Error class names for the log: messages can contain values, class names and codes cannot. */
export function describeCause(error: unknown): string {
  const names: string[] = [];
  for (let current: unknown = error; names.length < 5; current = current.cause) {
    if (!(current instanceof Error)) {
      names.push(typeof current);
      break;
    }
    const name = current.name === "Error" ? current.constructor.name : current.name;
    const sqlite = /SQLITE_[A-Z_]+/.exec(current.message)?.[0];
    names.push(sqlite ? `${name}(${sqlite})` : name);
    if (current.cause === undefined) break;
  }
  return names.join(" < ");
}

/** Function names and positions of the stack without its first line, which holds the message. */
export function stackFrames(error: unknown): string | undefined {
  if (!(error instanceof Error) || !error.stack) return undefined;
  const frames = error.stack.split("\n").filter((line) => line.startsWith("    at "));
  return frames.slice(0, 4).join(" ").replace(/\s+/g, " ").trim();
}
