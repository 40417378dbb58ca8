// The words of exported documents.

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

const en: ExportWords = {
  report: (number) => `Report of patient ${number}`,
  record: (number) => `Record of patient ${number}`,
  kinds: {
    ecg: "ECG",
    cpap: "CPAP therapy",
    bipap: "BiPAP therapy",
    oxygen: "Oxygen therapy",
    consultation: "Consultation",
    other: "Other report",
  },
  statuses: {
    registered: "Draft",
    partial: "Partial",
    preliminary: "Preliminary",
    final: "Final",
    amended: "Amended",
    corrected: "Corrected",
    appended: "Appended",
    cancelled: "Cancelled",
    "entered-in-error": "Entered in error",
    unknown: "Unknown",
  },
  genders: { male: "Male", female: "Female", other: "Other", unknown: "Unknown" },
  metrics: {
    heart_rate: "Heart rate",
    rr_interval_ms: "RR interval",
    p_duration_ms: "P duration",
    pr_interval_ms: "PR interval",
    qrs_duration_ms: "QRS duration",
    qt_interval_ms: "QT interval",
    qtc_bazett_ms: "QTc (Bazett)",
    qtc_fridericia_ms: "QTc (Fridericia)",
    qtc_interval_ms: "QTc",
    p_axis_deg: "P axis",
    qrs_axis_deg: "QRS axis",
    t_axis_deg: "T axis",
    ahi: "Apnoea–hypopnoea index",
    usage_hours: "Usage",
    pressure_cmh2o: "Pressure",
    leak_l_min: "Leak",
    ipap_cmh2o: "Inspiratory pressure",
    epap_cmh2o: "Expiratory pressure",
    respiratory_rate: "Respiratory rate",
    tidal_volume_ml: "Tidal volume",
    spo2_percent: "Oxygen saturation",
    flow_l_min: "Flow",
    fio2_percent: "Inspired oxygen",
    pulse_rate: "Pulse rate",
  },
  patientNumber: "Patient number",
  dateOfBirth: "Date of birth",
  gender: "Gender",
  about: "About this report",
  kind: "Kind",
  status: "Status",
  measuredAt: "Measured",
  receivedAt: "Received",
  file: "File",
  sha256: "SHA-256 of the file",
  comment: "Comment",
  confidence: "Confidence",
  measurements: "Measurements",
  interpretation: "Interpretation of the device",
  computed: "Computed from the measurements",
  notMeasured: "not measured",
  conclusion: "Conclusion",
  recommendations: "Recommendations",
  reason: "Reason for the amendment",
  signature: "Signature",
  signedBy: (name, role) => `${name}, ${role}`,
  registration: (number) => `Registration number ${number}`,
  signedAt: (time) => `Signed ${time}`,
  key: (kid) => `Key ${kid}`,
  roles: { doctor: "doctor", nurse: "nurse", hospital_admin: "hospital manager", admin: "administrator", patient: "patient" },
  notSigned: "This report is not signed.",
  notAsSigned: {
    bytes: "NOT AS SIGNED: the text differs from what was signed.",
    signature: "NOT AS SIGNED: the signature does not match.",
    unreadable: "NOT AS SIGNED: the signed text cannot be read.",
    file: "NOT AS SIGNED: the file differs from the one that was signed.",
  },
  preliminary: "Preliminary: a doctor has not signed this report yet.",
  enteredInError: "This report was entered in error. Do not use it.",
  decisionSupport: "Decision support: values of a device or a program. A doctor decides.",
  missingCharacters: "Some characters cannot be printed; a box stands for each.",
  createdAt: (time) => `Created ${time}`,
  withoutName: "Patient",
  recordNotice:
    "Extract of the record at this hospital, newest entries first. The JSON file of the same export has all entries; single samples of vital signs and files of other hospitals are not part of it.",
  medicalHistory: "Medical history",
  symptoms: "Symptoms",
  moreRows: (count) => `${count} older entries are in the JSON file only.`,
  sections: {
    reports: "Reports",
    encounters: "Consultations",
    appointments: "Appointments",
    alerts: "Alerts",
    documents: "Documents",
    vitals: "Vital signs",
  },
  columns: {
    measured: "Measured",
    kind: "Kind",
    status: "Status",
    comment: "Comment",
    started: "Time",
    complaint: "Complaint",
    reason: "Reason",
    raised: "Raised",
    priority: "Priority",
    date: "Date",
    title: "Title",
    file: "File",
    code: "LOINC code",
    count: "Values",
    lowest: "Lowest",
    highest: "Highest",
    mean: "Mean",
  },
};

const hi: ExportWords = {
  report: (number) => `रोगी ${number} की रिपोर्ट`,
  record: (number) => `रोगी ${number} का अभिलेख`,
  kinds: {
    ecg: "ईसीजी",
    cpap: "सीपैप चिकित्सा",
    bipap: "बाइपैप चिकित्सा",
    oxygen: "ऑक्सीजन चिकित्सा",
    consultation: "परामर्श",
    other: "अन्य रिपोर्ट",
  },
  statuses: {
    registered: "मसौदा",
    partial: "आंशिक",
    preliminary: "प्रारंभिक",
    final: "अंतिम",
    amended: "संशोधित",
    corrected: "सुधारित",
    appended: "परिवर्धित",
    cancelled: "रद्द",
    "entered-in-error": "गलती से दर्ज",
    unknown: "अज्ञात",
  },
  genders: { male: "पुरुष", female: "महिला", other: "अन्य", unknown: "अज्ञात" },
  metrics: {
    heart_rate: "हृदय गति",
    rr_interval_ms: "आरआर अंतराल",
    p_duration_ms: "पी अवधि",
    pr_interval_ms: "पीआर अंतराल",
    qrs_duration_ms: "क्यूआरएस अवधि",
    qt_interval_ms: "क्यूटी अंतराल",
    qtc_bazett_ms: "क्यूटीसी (बाज़ेट)",
    qtc_fridericia_ms: "क्यूटीसी (फ्रिडेरिसिया)",
    qtc_interval_ms: "क्यूटीसी",
    p_axis_deg: "पी अक्ष",
    qrs_axis_deg: "क्यूआरएस अक्ष",
    t_axis_deg: "टी अक्ष",
    ahi: "एपनिया–हाइपोपनिया सूचकांक",
    usage_hours: "उपयोग",
    pressure_cmh2o: "दाब",
    leak_l_min: "रिसाव",
    ipap_cmh2o: "अंतःश्वसन दाब",
    epap_cmh2o: "निःश्वसन दाब",
    respiratory_rate: "श्वसन दर",
    tidal_volume_ml: "श्वसन आयतन",
    spo2_percent: "ऑक्सीजन संतृप्ति",
    flow_l_min: "प्रवाह",
    fio2_percent: "अंतःश्वसित ऑक्सीजन",
    pulse_rate: "नाड़ी दर",
  },
  patientNumber: "रोगी संख्या",
  dateOfBirth: "जन्म तिथि",
  gender: "लिंग",
  about: "इस रिपोर्ट के बारे में",
  kind: "प्रकार",
  status: "स्थिति",
  measuredAt: "मापन का समय",
  receivedAt: "प्राप्ति का समय",
  file: "फ़ाइल",
  sha256: "फ़ाइल का SHA-256",
  comment: "टिप्पणी",
  confidence: "विश्वसनीयता",
  measurements: "मापन",
  interpretation: "उपकरण की व्याख्या",
  computed: "मापनों से गणना",
  notMeasured: "नहीं मापा गया",
  conclusion: "निष्कर्ष",
  recommendations: "सुझाव",
  reason: "संशोधन का कारण",
  signature: "हस्ताक्षर",
  signedBy: (name, role) => `${name}, ${role}`,
  registration: (number) => `पंजीकरण संख्या ${number}`,
  signedAt: (time) => `हस्ताक्षर का समय ${time}`,
  key: (kid) => `कुंजी ${kid}`,
  roles: { doctor: "चिकित्सक", nurse: "नर्स", hospital_admin: "अस्पताल प्रबंधक", admin: "प्रशासक", patient: "रोगी" },
  notSigned: "इस रिपोर्ट पर हस्ताक्षर नहीं हैं।",
  notAsSigned: {
    bytes: "हस्ताक्षरित रूप में नहीं: पाठ हस्ताक्षरित पाठ से भिन्न है।",
    signature: "हस्ताक्षरित रूप में नहीं: हस्ताक्षर मेल नहीं खाता।",
    unreadable: "हस्ताक्षरित रूप में नहीं: हस्ताक्षरित पाठ पढ़ा नहीं जा सकता।",
    file: "हस्ताक्षरित रूप में नहीं: फ़ाइल हस्ताक्षरित फ़ाइल से भिन्न है।",
  },
  preliminary: "प्रारंभिक: चिकित्सक ने अभी इस रिपोर्ट पर हस्ताक्षर नहीं किए हैं।",
  enteredInError: "यह रिपोर्ट गलती से दर्ज हुई। इसका उपयोग न करें।",
  decisionSupport: "निर्णय सहायता: उपकरण या प्रोग्राम के मान। निर्णय चिकित्सक का है।",
  missingCharacters: "कुछ अक्षर मुद्रित नहीं हो सकते; हर एक के स्थान पर एक चौखाना है।",
  createdAt: (time) => `निर्मित ${time}`,
  withoutName: "रोगी",
  recordNotice:
    "इस अस्पताल के अभिलेख का सार, नवीनतम प्रविष्टियाँ पहले। इसी निर्यात की JSON फ़ाइल में सभी प्रविष्टियाँ हैं; जीवन-लक्षणों के एकल मान और अन्य अस्पतालों की फ़ाइलें इसमें नहीं हैं।",
  medicalHistory: "चिकित्सा इतिहास",
  symptoms: "लक्षण",
  moreRows: (count) => `${count} पुरानी प्रविष्टियाँ केवल JSON फ़ाइल में हैं।`,
  sections: {
    reports: "रिपोर्टें",
    encounters: "परामर्श",
    appointments: "अपॉइंटमेंट",
    alerts: "चेतावनियाँ",
    documents: "दस्तावेज़",
    vitals: "जीवन-लक्षण",
  },
  columns: {
    measured: "मापन",
    kind: "प्रकार",
    status: "स्थिति",
    comment: "टिप्पणी",
    started: "समय",
    complaint: "शिकायत",
    reason: "कारण",
    raised: "समय",
    priority: "प्राथमिकता",
    date: "दिनांक",
    title: "शीर्षक",
    file: "फ़ाइल",
    code: "LOINC कोड",
    count: "मानों की संख्या",
    lowest: "न्यूनतम",
    highest: "अधिकतम",
    mean: "औसत",
  },
};

const WORDS: Partial<Record<string, ExportWords>> = { en, hi };

/** English for a language that has no words yet. */
export const exportWords = (language: string): ExportWords => WORDS[language] ?? en;
