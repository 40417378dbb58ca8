// Types of documents: LOINC codes with their display names.

/**
 * Codes of the FHIR value set http://hl7.org/fhir/ValueSet/c80-doc-typecodes with their names in LOINC, in the order in which a form
 * shows them.
 */
export const DOCUMENT_TYPE_NAMES = {
  "34109-9": "Note",
  "18842-5": "Discharge summary",
  "57133-1": "Referral note",
  "11488-4": "Consult note",
  "51845-6": "Outpatient Consult note",
  "34117-2": "History and physical note",
  "11506-3": "Progress note",
  "34133-9": "Summary of episode note",
  "60591-5": "Patient summary Document",
  "18761-7": "Transfer summary note",
  "28570-0": "Procedure note",
  "11504-8": "Surgical operation note",
  "11502-2": "Laboratory report",
  "18748-4": "Diagnostic imaging study",
  "11526-1": "Pathology study",
  "57833-6": "Prescription for medication",
  "11369-6": "History of Immunization note",
  "47420-5": "Functional status assessment note",
  "29299-5": "Reason for visit Narrative",
  "59284-0": "Consent Document",
} as const;

export type DocumentTypeCode = keyof typeof DOCUMENT_TYPE_NAMES;
export const DOCUMENT_TYPE_CODES = Object.keys(DOCUMENT_TYPE_NAMES) as [DocumentTypeCode, ...DocumentTypeCode[]];

const isTypeCode = (code: string): code is DocumentTypeCode => Object.hasOwn(DOCUMENT_TYPE_NAMES, code);

/** @param code of a row; one that is no longer in the table is its own name */
export const toDocumentType = (code: string) => ({ code, display: isTypeCode(code) ? DOCUMENT_TYPE_NAMES[code] : code });

/**
 * FHIR DocumentReference.category, from the value set http://hl7.org/fhir/us/core/ValueSet/us-core-documentreference-category (US Core
 * 6.1.0), whose only code is `clinical-note`. Prescriptions and consents are no notes.
 */
export const CATEGORY = {
  system: "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
  code: "clinical-note",
  display: "Clinical Note",
} as const;
const WITHOUT_CATEGORY: readonly string[] = ["57833-6", "59284-0"] satisfies DocumentTypeCode[];
export const toCategory = (code: string): typeof CATEGORY | null => (WITHOUT_CATEGORY.includes(code) ? null : CATEGORY);
