// What a doctor writes and signs: the content of a report, the bytes that are signed, and what a reader learns of the signature.
import { canonicalJson } from "../../audit-log/tree/canonical-json.ts";

export type ReportSection = { heading: string; text: string };

/** Version `n` of a report, as signed. */
export type ReportContent = {
  format: 1;
  report_id: string;
  n: number;
  patient_id: string;
  encounter_id: string | null;
  kind: string;
  /** BCP 47. */
  language: string;
  title: string;
  /** At most 30. */
  sections: readonly ReportSection[];
  conclusion: string | null;
  recommendations: string | null;
  /** 0 to 1. */
  confidence: number | null;
  decision_support: string | null;
  author: { user_id: string; name: string };
  /** SHA-256 (hex) of the file that the report is about; null for a report without one. */
  file_sha256: string | null;
};

/** UTF-8 of the canonical JSON (RFC 8785). @throws TypeError for text with a lone surrogate */
export const canonicalBytes = (content: ReportContent): Uint8Array => new TextEncoder().encode(canonicalJson(content));

/** Why a version is not as it was signed. */
export type SignatureFault = "bytes" | "signature" | "unreadable" | "file";

/** The signature of a version, as answered. */
export type SignatureView = {
  n: number;
  status: "final" | "amended";
  as_signed: boolean;
  /** Null where `as_signed`. */
  reason: SignatureFault | null;
  signed_at: string;
  signed_by: { user_id: string; name: string; role: string; registration_number: string | null };
  /** SHA-256 (hex) of the signed bytes. */
  sha256: string;
  file_sha256: string | null;
  /** The signed text. */
  statement: string;
  /** Of Ed25519, base64. */
  signature: string;
  /** Id of the public key. */
  kid: string;
};
