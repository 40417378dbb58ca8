// Which words an exported document needs, per language (words-en.ts, words-hi.ts).

import type { LANGUAGES } from "../../platform/db/vocabulary.ts";
import type { SignatureFault } from "../../reports/written/content.ts";

export type ExportLanguage = (typeof LANGUAGES)[number];

export type ExportWords = {
  report: (patientNumber: string) => string;
  record: (patientNumber: string) => string;
  kinds: Record<string, string>;
  statuses: Record<string, string>;
  genders: Record<string, string>;
  metrics: Record<string, string>;
  patientNumber: string;
  dateOfBirth: string;
  gender: string;
  about: string;
  kind: string;
  status: string;
  measuredAt: string;
  receivedAt: string;
  file: string;
  sha256: string;
  comment: string;
  confidence: string;
  measurements: string;
  interpretation: string;
  computed: string;
  notMeasured: string;
  conclusion: string;
  recommendations: string;
  reason: string;
  signature: string;
  signedBy: (name: string, role: string) => string;
  registration: (number: string) => string;
  signedAt: (time: string) => string;
  key: (kid: string) => string;
  roles: Record<string, string>;
  notSigned: string;
  notAsSigned: Record<SignatureFault, string>;
  preliminary: string;
  enteredInError: string;
  decisionSupport: string;
  missingCharacters: string;
  createdAt: (time: string) => string;
  withoutName: string;
  recordNotice: string;
  medicalHistory: string;
  symptoms: string;
  moreRows: (count: string) => string;
  sections: Record<string, string>;
  columns: Record<
    | "measured"
    | "kind"
    | "status"
    | "comment"
    | "started"
    | "complaint"
    | "reason"
    | "raised"
    | "priority"
    | "date"
    | "title"
    | "file"
    | "code"
    | "count"
    | "lowest"
    | "highest"
    | "mean",
    string
  >;
};
