// Texts of the settings of wards.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const wards = defineMessages({
  en: {
    "wards.settings": "Settings",
    "wards.settings_title": "Settings of {name}",
    "wards.mode": "How patients are watched",
    "wards.mode.auto": "By their devices",
    "wards.mode.continuous": "Continuously",
    "wards.mode.spot": "Spot checks",
    "wards.mode_hint.auto": "Continuously while a bedside monitor or gateway sends, otherwise by spot checks.",
    "wards.mode_hint.continuous": "Values count for 30 minutes.",
    "wards.mode_hint.spot": "A score counts until the next set of observations is due (RCP 2017).",
    "wards.grace": "Minutes of grace",
    "wards.grace_hint": "After the due time of a set, before its score is overdue. Spot checks only.",
    "wards.overdue_alarm": "Alarm when a set is overdue",
    "wards.overdue_alarm_hint": "A low-priority alarm. The board and the work list show overdue sets in any case.",
    "wards.grace_range": "Enter a whole number from {min} to {max}.",
    "wards.profile": "When NEWS2 alarms sound",
    "wards.profile.rcp": "As the RCP's chart",
    "wards.profile.sustained": "Sustained scores (EdgeCare profile, not RCP)",
    "wards.profile_hint.rcp": "Every NEWS2 alarm sounds.",
    "wards.profile_hint.sustained":
      "7 or more sounds at once. 5 or more sounds when a second set or 15 minutes of monitoring confirm it. Three points in one " +
      "parameter make no sound by themselves. After spot checks, a first 5 or 3 sounds if no repeat set is charted within 30 minutes. " +
      "Alarms, their colour and their order stay the same.",
    "wards.profile_reason": "Reason",
    "wards.profile_reason_hint": "Why this ward uses a profile other than the RCP's. Staff of the hospital can read it.",
    "wards.profile_chosen": "Profile chosen by {name}, {time}",
    "wards.sustained_label": "EdgeCare profile, not RCP",
    "wards.trend_mark": "Show the trend mark (EdgeCare trend, not NEWS2)",
    "wards.trend_mark_hint":
      "Marks patients whose scores have been high for hours, or raised with a fever. It makes no sound, raises no alarm and changes no " +
      "order or colour.",
    "wards.trend_mark_reason": "Reason for the trend mark",
    "wards.trend_mark_reason_hint": "Why this ward shows it. Staff of the hospital can read it.",
    "wards.trend_mark_chosen": "Trend mark set by {name}, {time}",
    "wards.trend_mark_label": "EdgeCare trend, not NEWS2",
    "wards.changed_meanwhile": "Somebody else has changed this ward. Close this window and open it again.",
  },
  hi: {
    "wards.settings": "सेटिंग",
    "wards.settings_title": "{name} की सेटिंग",
    "wards.mode": "मरीज़ों की निगरानी कैसे होती है",
    "wards.mode.auto": "उपकरणों के अनुसार",
    "wards.mode.continuous": "लगातार",
    "wards.mode.spot": "समय-समय पर जाँच",
    "wards.mode_hint.auto": "जब तक बेडसाइड मॉनिटर या गेटवे आँकड़े भेजता है तब तक लगातार, वरना समय-समय पर जाँच।",
    "wards.mode_hint.continuous": "मान 30 मिनट तक मान्य रहते हैं।",
    "wards.mode_hint.spot": "स्कोर तब तक मान्य है जब तक अगली जाँच का समय नहीं आता (RCP 2017)।",
    "wards.grace": "छूट के मिनट",
    "wards.grace_hint": "जाँच का समय बीतने के बाद इतने मिनट तक स्कोर पुराना नहीं माना जाता। केवल समय-समय पर जाँच में।",
    "wards.overdue_alarm": "जाँच का समय निकलने पर अलार्म",
    "wards.overdue_alarm_hint": "कम प्राथमिकता का अलार्म। बोर्ड और कार्य-सूची में समय निकली जाँचें हर हाल में दिखती हैं।",
    "wards.grace_range": "{min} से {max} तक पूरी संख्या लिखें।",
    "wards.profile": "NEWS2 अलार्म कब बजे",
    "wards.profile.rcp": "RCP के चार्ट के अनुसार",
    "wards.profile.sustained": "स्कोर बना रहने पर (EdgeCare प्रोफ़ाइल, RCP का नहीं)",
    "wards.profile_hint.rcp": "हर NEWS2 अलार्म बजता है।",
    "wards.profile_hint.sustained":
      "7 या अधिक पर तुरंत बजता है। 5 या अधिक पर तब बजता है जब दूसरी जाँच या 15 मिनट की निगरानी उसकी पुष्टि करे। एक माप में तीन अंक अपने-आप नहीं " +
      "बजते। समय-समय पर जाँच में, पहले 5 या 3 के बाद 30 मिनट में दोबारा जाँच दर्ज न हो तो बजता है। अलार्म, उनका रंग और उनका क्रम वही रहते हैं।",
    "wards.profile_reason": "कारण",
    "wards.profile_reason_hint": "यह वार्ड RCP से अलग प्रोफ़ाइल क्यों रखता है। अस्पताल के कर्मचारी इसे पढ़ सकते हैं।",
    "wards.profile_chosen": "प्रोफ़ाइल चुना: {name}, {time}",
    "wards.sustained_label": "EdgeCare प्रोफ़ाइल, RCP का नहीं",
    "wards.trend_mark": "रुझान का निशान दिखाएँ (EdgeCare का रुझान, NEWS2 नहीं)",
    "wards.trend_mark_hint":
      "जिन मरीज़ों का स्कोर घंटों से ऊँचा है, या बुखार के साथ बढ़ा है, उन पर निशान लगता है। कोई आवाज़ या अलार्म नहीं होता, क्रम और रंग नहीं बदलते।",
    "wards.trend_mark_reason": "रुझान के निशान का कारण",
    "wards.trend_mark_reason_hint": "यह वार्ड इसे क्यों दिखाता है। अस्पताल के कर्मचारी इसे पढ़ सकते हैं।",
    "wards.trend_mark_chosen": "रुझान का निशान {name} ने तय किया, {time}",
    "wards.trend_mark_label": "EdgeCare का रुझान, NEWS2 नहीं",
    "wards.changed_meanwhile": "इस बीच किसी और ने यह वार्ड बदल दिया है। यह विंडो बंद करके फिर खोलें।",
  },
});
