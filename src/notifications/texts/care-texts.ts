// Words about alarms, what arrived, and messages of the service.
import type { KindTexts } from "./kind-text.ts";

export const CARE_TEXTS: KindTexts = {
  "alert.raised": {
    en: { title: "New alarm", sentence: "A patient in your care has a new alarm. Open EdgeCare to see it." },
    hi: { title: "नया अलार्म", sentence: "आपकी देखभाल में एक मरीज़ का नया अलार्म है। देखने के लिए EdgeCare खोलें।" },
  },
  "alert.escalated": {
    en: { title: "Alarm escalated to you", sentence: "Nobody has acknowledged an alarm yet. Open EdgeCare to take it over." },
    hi: { title: "अलार्म आप तक पहुँचाया गया", sentence: "किसी अलार्म को अब तक किसी ने स्वीकार नहीं किया है। उसे लेने के लिए EdgeCare खोलें।" },
  },
  "alert.repeated": {
    en: { title: "Alarm still open", sentence: "An alarm is still not acknowledged. Open EdgeCare to see it." },
    hi: { title: "अलार्म अब भी खुला है", sentence: "एक अलार्म अब भी स्वीकार नहीं हुआ है। देखने के लिए EdgeCare खोलें।" },
  },
  "webhook.disabled": {
    en: {
      title: "Webhook switched off",
      sentence: "A webhook of your hospital failed for too long, or its address is gone. Open its settings to see why.",
    },
    hi: {
      title: "वेबहुक बंद किया गया",
      sentence: "आपके अस्पताल का एक वेबहुक बहुत समय विफल रहा, या उसका पता अब नहीं है। कारण देखने के लिए उसकी सेटिंग खोलें।",
    },
  },
  "notification.test": {
    en: { title: "Test message", sentence: "You asked for this message to try how you are reached." },
    hi: { title: "परीक्षण संदेश", sentence: "आपने यह जाँचने के लिए यह संदेश माँगा कि आप तक संदेश कैसे पहुँचते हैं।" },
  },
  "report.created": {
    en: { title: "New report", sentence: "A report was stored." },
    hi: { title: "नई रिपोर्ट", sentence: "एक रिपोर्ट सहेजी गई।" },
  },
  "document.created": {
    en: { title: "New document", sentence: "A document was stored." },
    hi: { title: "नया दस्तावेज़", sentence: "एक दस्तावेज़ सहेजा गया।" },
  },
  "alert.cleared": {
    en: { title: "Alarm ended", sentence: "An alarm has ended." },
    hi: { title: "अलार्म समाप्त", sentence: "एक अलार्म समाप्त हुआ।" },
  },
  "upload.quarantined": {
    en: { title: "Upload needs a patient", sentence: "A file arrived that belongs to no known patient yet." },
    hi: { title: "अपलोड को मरीज़ चाहिए", sentence: "एक फ़ाइल आई जो अभी किसी ज्ञात मरीज़ की नहीं है।" },
  },
};
