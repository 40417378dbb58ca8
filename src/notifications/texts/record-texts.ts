// Words about signed reports, and about a record as a whole: exports, intake forms, merges.
import type { KindTexts } from "./kind-text.ts";

export const RECORD_TEXTS: KindTexts = {
  "report.signed": {
    en: { title: "Report signed", sentence: "A doctor has signed a report. Open EdgeCare to read it." },
    hi: { title: "रिपोर्ट पर हस्ताक्षर हुए", sentence: "एक डॉक्टर ने रिपोर्ट पर हस्ताक्षर किए हैं। पढ़ने के लिए EdgeCare खोलें।" },
  },
  "report.amended": {
    en: { title: "Report amended", sentence: "A doctor has amended a signed report. Open EdgeCare to read what is new." },
    hi: {
      title: "रिपोर्ट संशोधित हुई",
      sentence: "एक डॉक्टर ने हस्ताक्षरित रिपोर्ट में संशोधन किया है। नया क्या है, यह पढ़ने के लिए EdgeCare खोलें।",
    },
  },
  "report.to_sign": {
    en: { title: "Report to sign", sentence: "A colleague asks you to sign a report. Open EdgeCare to read it." },
    hi: {
      title: "हस्ताक्षर के लिए रिपोर्ट",
      sentence: "एक सहकर्मी चाहते हैं कि आप एक रिपोर्ट पर हस्ताक्षर करें। पढ़ने के लिए EdgeCare खोलें।",
    },
  },
  "export.ready": {
    en: { title: "Export ready", sentence: "The export that you asked for is ready. Download it in EdgeCare within seven days." },
    hi: { title: "निर्यात तैयार है", sentence: "आपका माँगा हुआ निर्यात तैयार है। उसे सात दिन के भीतर EdgeCare में डाउनलोड करें।" },
  },
  "export.failed": {
    en: { title: "Export failed", sentence: "The export that you asked for could not be made. Open EdgeCare to see why." },
    hi: { title: "निर्यात विफल रहा", sentence: "आपका माँगा हुआ निर्यात नहीं बन सका। कारण देखने के लिए EdgeCare खोलें।" },
  },
  "intake.submitted": {
    en: { title: "Intake form received", sentence: "An intake form that you sent is filled in. Open EdgeCare to review it." },
    hi: {
      title: "प्रवेश फ़ॉर्म मिला",
      sentence: "आपका भेजा हुआ प्रवेश फ़ॉर्म भर दिया गया है। समीक्षा के लिए EdgeCare खोलें।",
    },
  },
  "record.merged": {
    en: {
      title: "Two records of you were merged",
      sentence: "A hospital has merged two records of you into one. If one of them is not yours, tell the hospital.",
    },
    hi: {
      title: "आपके दो रिकॉर्ड मिलाए गए",
      sentence: "एक अस्पताल ने आपके दो रिकॉर्ड एक में मिलाए हैं। यदि उनमें से एक आपका नहीं है, तो अस्पताल को बताएँ।",
    },
  },
  "record.unmerged": {
    en: {
      title: "Your records were separated again",
      sentence: "A hospital has undone the merge of two records. Open EdgeCare to see what your record has now.",
    },
    hi: {
      title: "आपके रिकॉर्ड फिर अलग किए गए",
      sentence: "एक अस्पताल ने दो रिकॉर्ड का मिलान वापस लिया है। आपके रिकॉर्ड में अब क्या है, यह EdgeCare में देखें।",
    },
  },
};
