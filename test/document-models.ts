// Document models for tests of the renderer.
import type { DocumentBlock, DocumentModel } from "../src/care/exports/document-model.ts";

export const HINDI_PARAGRAPH =
  "रोगी को हृदय की धड़कन में अनियमितता की शिकायत है। विद्युत-हृदयलेख में कोई तीव्र परिवर्तन नहीं दिखता। " +
  "क्षमता, ज्ञान, श्रृंखला, स्त्री, कर्तव्य, विद्यार्थी और निर्णय शब्द संयुक्ताक्षरों के उदाहरण हैं।";

/** One paragraph per script, each with what its shaping reorders or joins. */
export const SCRIPTS: Record<string, string> = {
  latin: "Café, naïve, Łódź, Việt Nam, 37.2 °C – “normal” ₹500",
  devanagari: HINDI_PARAGRAPH,
  tamil: "தமிழ் கொடு வணக்கம் க்ஷேத்திரம் ஸ்ரீ மருத்துவர்",
  kannada: "ಕನ್ನಡ ಸ್ತ್ರೀ ಕೊಡು ಹೃದಯ ಚಿಕಿತ್ಸೆ",
  malayalam: "മലയാളം കൊടുക്കുക ഹൃദയം ക്രിയ ചികിത്സ",
  bengali: "কোলকাতা বাংলা হৃদয় চিকিৎসা",
  gujarati: "ગુજરાતી હૃદય ચિકિત્સા",
  gurmukhi: "ਪੰਜਾਬੀ ਦਿਲ ਇਲਾਜ",
  telugu: "స్త్రీ హృదయం చికిత్స",
  greek: "καρδιά",
  cyrillic: "сердце",
};

export function documentModel(changes: Partial<DocumentModel> = {}): DocumentModel {
  return {
    language: "hi",
    dir: "ltr",
    title: "रिपोर्ट 1042",
    letterhead: {
      name: "श्री साई अस्पताल",
      address: "12, महात्मा गांधी मार्ग, पुणे 411001",
      phone: "+91 20 1234 5678",
      email: "info@example.org",
    },
    patient: { number: "1042", name: "अनन्या क्षत्रिय", date_of_birth: "14 मार्च 1961", sex: "महिला" },
    blocks: [
      { type: "heading", level: 1, text: "मापन" },
      { type: "key_values", items: [{ key: "हृदय गति", value: "72 /min" }] },
      { type: "table", columns: ["समय", "मान"], rows: [["10:15", "72"]] },
      { type: "heading", level: 2, text: "निष्कर्ष" },
      { type: "paragraph", text: HINDI_PARAGRAPH },
      { type: "list", ordered: true, items: ["एस्पिरिन 75 mg प्रतिदिन", "दो सप्ताह बाद पुनः जाँच"] },
    ],
    signature: { title: "हस्ताक्षर", lines: ["डॉ. मीरा राव, चिकित्सक", "30 नवंबर 2026, 10:15"] },
    as_signed: true,
    footer: "EdgeCare",
    decision_support: null,
    missing_characters: "कुछ अक्षर मुद्रित नहीं हो सके।",
    created_at: "2026-11-30T04:45:00.000Z",
    time_zone: "Asia/Kolkata",
    ...changes,
  };
}

const STEMS = ["हृदय", "परीक्षण", "चिकित्स", "निर्णय", "श्वसन", "रक्तचाप", "स्पन्दन", "विद्युत", "अनियमित", "क्षमत", "संक्रमण", "प्रतिक्रिय"];
const ENDINGS = ["ा", "ों", "ीय", "कता", "ित", "्य", "ाओं", "ेक्षण", "ार्थी", "ृत्ति", "िक", "ूल"];

/** Some ten pages of text and tables, with few words twice. */
export function longModel(): DocumentModel {
  let next = 0;
  const word = () => {
    next++;
    const [first, second, end] = [STEMS[next % 12], STEMS[Math.floor(next / 12) % 12], ENDINGS[Math.floor(next / 144) % 12]];
    return `${first}${second}${end}`;
  };
  const words = (count: number) => Array.from({ length: count }, word).join(" ");
  const section = (i: number): DocumentBlock[] => [
    { type: "heading", level: 1, text: `अनुभाग ${i}` },
    ...Array.from({ length: 5 }, (): DocumentBlock => ({ type: "paragraph", text: words(30) })),
    {
      type: "table",
      columns: ["समय", "मान", "टिप्पणी"],
      rows: Array.from({ length: 14 }, (_, k) => [`10:${10 + k}`, String(60 + k), words(2)]),
    },
  ];
  return documentModel({ blocks: Array.from({ length: 10 }, (_, i) => section(i + 1)).flat() });
}
