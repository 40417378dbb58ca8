// The words of every kind of notification, in each language.

export type TextLanguage = "en" | "hi";
/** `title` in at most 60 characters; `sentence` in at most 160. */
export type KindText = { title: string; sentence: string };

export const TEXTS: Record<string, Record<TextLanguage, KindText>> = {
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
  "account.new_browser": {
    en: {
      title: "Sign-in from a new browser",
      sentence: "Your account was used in a browser that you have not used before. If it was not you, change your password.",
    },
    hi: {
      title: "नए ब्राउज़र से साइन-इन",
      sentence: "आपका खाता ऐसे ब्राउज़र में खोला गया जो आपने पहले इस्तेमाल नहीं किया। यदि यह आप नहीं थे, तो पासवर्ड बदलें।",
    },
  },
  "account.password_changed": {
    en: { title: "Password changed", sentence: "The password of your account was changed. If it was not you, reset it now." },
    hi: { title: "पासवर्ड बदला गया", sentence: "आपके खाते का पासवर्ड बदला गया। यदि यह आपने नहीं किया, तो उसे अभी रीसेट करें।" },
  },
  "account.email_changed": {
    en: {
      title: "E-mail address changed",
      sentence: "The e-mail address of your account was changed. If it was not you, tell your administrator.",
    },
    hi: { title: "ई-मेल पता बदला गया", sentence: "आपके खाते का ई-मेल पता बदला गया। यदि यह आपने नहीं किया, तो अपने व्यवस्थापक को बताएँ।" },
  },
  "account.channel_added": {
    en: {
      title: "New device or number for messages",
      sentence: "Messages of your account now also go to a new browser or phone number. If it was not you, change your password.",
    },
    hi: {
      title: "संदेशों के लिए नया डिवाइस या नंबर",
      sentence: "आपके खाते के संदेश अब एक नए ब्राउज़र या फ़ोन नंबर पर भी जाते हैं। यदि यह आपने नहीं किया, तो पासवर्ड बदलें।",
    },
  },
  "account.factor_added": {
    en: {
      title: "Sign-in method added",
      sentence: "A passkey or an authenticator app was added to your account. If it was not you, tell your administrator.",
    },
    hi: {
      title: "साइन-इन का तरीका जोड़ा गया",
      sentence: "आपके खाते में पासकी या प्रमाणक ऐप जोड़ा गया। यदि यह आपने नहीं किया, तो अपने व्यवस्थापक को बताएँ।",
    },
  },
  "account.factor_removed": {
    en: {
      title: "Sign-in method removed",
      sentence: "A passkey or an authenticator app was removed from your account. If it was not you, tell your administrator.",
    },
    hi: {
      title: "साइन-इन का तरीका हटाया गया",
      sentence: "आपके खाते से पासकी या प्रमाणक ऐप हटाया गया। यदि यह आपने नहीं किया, तो अपने व्यवस्थापक को बताएँ।",
    },
  },
  "account.factors_reset": {
    en: {
      title: "Second step reset",
      sentence: "An administrator removed the second step of your sign-in. Set up a new one in your account.",
    },
    hi: { title: "दूसरा चरण रीसेट किया गया", sentence: "एक व्यवस्थापक ने आपके साइन-इन का दूसरा चरण हटाया। अपने खाते में नया सेट करें।" },
  },
  "account.recovery_code_used": {
    en: {
      title: "Recovery code used",
      sentence: "A recovery code was used to sign in to your account. If it was not you, change your password.",
    },
    hi: {
      title: "रिकवरी कोड इस्तेमाल हुआ",
      sentence: "आपके खाते में साइन-इन के लिए रिकवरी कोड इस्तेमाल हुआ। यदि यह आप नहीं थे, तो पासवर्ड बदलें।",
    },
  },
  "account.recovery_codes_replaced": {
    en: {
      title: "Recovery codes replaced",
      sentence: "Your account has new recovery codes; the earlier ones no longer work. If it was not you, change your password.",
    },
    hi: {
      title: "रिकवरी कोड बदले गए",
      sentence: "आपके खाते के रिकवरी कोड नए हैं; पुराने अब काम नहीं करते। यदि यह आपने नहीं किया, तो पासवर्ड बदलें।",
    },
  },
  "account.second_step_required": {
    en: {
      title: "Second step required",
      sentence: "Your hospital requires a second step at sign-in, from a day that your account names. Set it up there.",
    },
    hi: {
      title: "दूसरा चरण अनिवार्य",
      sentence: "आपका अस्पताल साइन-इन में दूसरा चरण अनिवार्य करता है; किस दिन से, यह आपके खाते में लिखा है। इसे वहाँ सेट करें।",
    },
  },
  "consent.requested": {
    en: {
      title: "A hospital asks for your consent",
      sentence: "A hospital asks to see records of you elsewhere. You decide in EdgeCare.",
    },
    hi: {
      title: "एक अस्पताल आपकी सहमति माँगता है",
      sentence: "एक अस्पताल आपके दूसरे अस्पतालों के रिकॉर्ड देखना चाहता है। निर्णय आप EdgeCare में करते हैं।",
    },
  },
  "consent.answered": {
    en: {
      title: "Answer to a request for consent",
      sentence: "A person has answered a request of yours. Open EdgeCare to see it.",
    },
    hi: { title: "सहमति के अनुरोध का उत्तर", sentence: "एक व्यक्ति ने आपके अनुरोध का उत्तर दिया है। देखने के लिए EdgeCare खोलें।" },
  },
  "consent.shared": {
    en: {
      title: "A person shares records with you",
      sentence: "A person lets you read records of other hospitals. Open EdgeCare to see them.",
    },
    hi: {
      title: "एक व्यक्ति ने आपके साथ रिकॉर्ड साझा किए",
      sentence: "एक व्यक्ति आपको दूसरे अस्पतालों के रिकॉर्ड पढ़ने देता है। देखने के लिए EdgeCare खोलें।",
    },
  },
  "consent.code_used": {
    en: {
      title: "A hospital used your code",
      sentence: "A hospital used a code of yours and can now read what you share. You can end this in EdgeCare at any time.",
    },
    hi: {
      title: "एक अस्पताल ने आपके कोड का उपयोग किया",
      sentence: "एक अस्पताल ने आपके कोड का उपयोग किया और अब वह पढ़ सकता है जो आप साझा करते हैं। आप इसे EdgeCare में कभी भी समाप्त कर सकते हैं।",
    },
  },
  "consent.ended": {
    en: {
      title: "A consent has ended",
      sentence: "A consent, or a request for one, has ended because its time is over. Open EdgeCare to see it.",
    },
    hi: {
      title: "एक सहमति समाप्त हुई",
      sentence: "एक सहमति या उसका अनुरोध समाप्त हुआ, क्योंकि उसका समय पूरा हो गया। देखने के लिए EdgeCare खोलें।",
    },
  },
  "guardian.recorded": {
    en: {
      title: "A hospital names a guardian for you",
      sentence:
        "A hospital has recorded a guardian for you. A second member of its staff has to confirm it. Open EdgeCare to see it.",
    },
    hi: {
      title: "एक अस्पताल ने आपके लिए अभिभावक दर्ज किया",
      sentence: "एक अस्पताल ने आपके लिए अभिभावक दर्ज किया है। उसके दूसरे कर्मचारी की पुष्टि बाकी है। देखने के लिए EdgeCare खोलें।",
    },
  },
  "guardian.confirmed": {
    en: {
      title: "A guardian now decides for you",
      sentence: "A hospital has confirmed a guardian, who decides about your consents there. Open EdgeCare to see who it is.",
    },
    hi: {
      title: "अब एक अभिभावक आपके लिए निर्णय करता है",
      sentence: "एक अस्पताल ने अभिभावक की पुष्टि की है, जो वहाँ आपकी सहमतियों पर निर्णय करता है। देखने के लिए EdgeCare खोलें।",
    },
  },
  "guardian.ended": {
    en: {
      title: "A guardianship over you has ended",
      sentence: "The guardian no longer decides for you at this hospital. What they granted holds until you revoke it.",
    },
    hi: {
      title: "आपकी अभिभावकता समाप्त हुई",
      sentence: "अभिभावक अब इस अस्पताल में आपके लिए निर्णय नहीं करता। उसकी दी हुई सहमति तब तक रहती है, जब तक आप उसे वापस नहीं लेते।",
    },
  },
  "guardian.decided": {
    en: {
      title: "Your guardian decided about a consent",
      sentence: "A guardian has given, denied or ended a consent for you. Open EdgeCare to see who and what.",
    },
    hi: {
      title: "आपके अभिभावक ने एक सहमति पर निर्णय किया",
      sentence: "एक अभिभावक ने आपके लिए सहमति दी, अस्वीकार की या समाप्त की है। किसने और क्या, यह EdgeCare में देखें।",
    },
  },
  "guardianship.began": {
    en: {
      title: "You are now a guardian",
      sentence: "A hospital has confirmed you as guardian. You now decide about consents for this record in EdgeCare.",
    },
    hi: {
      title: "अब आप अभिभावक हैं",
      sentence: "एक अस्पताल ने आपको अभिभावक के रूप में पुष्ट किया है। इस रिकॉर्ड की सहमतियों पर अब आप EdgeCare में निर्णय करते हैं।",
    },
  },
  "guardianship.ended": {
    en: {
      title: "Your guardianship has ended",
      sentence: "You no longer decide about consents for a record of which you were guardian. Open EdgeCare to see it.",
    },
    hi: {
      title: "आपकी अभिभावक की भूमिका समाप्त हुई",
      sentence: "जिस रिकॉर्ड के आप अभिभावक थे, उसकी सहमतियों पर अब आप निर्णय नहीं करते। देखने के लिए EdgeCare खोलें।",
    },
  },
  "document_request.received": {
    en: {
      title: "Request for documents",
      sentence: "Another hospital asks yours for documents, with the consent of the person. Open EdgeCare to answer.",
    },
    hi: {
      title: "दस्तावेज़ों का अनुरोध",
      sentence: "एक दूसरा अस्पताल व्यक्ति की सहमति से आपके अस्पताल से दस्तावेज़ माँगता है। उत्तर देने के लिए EdgeCare खोलें।",
    },
  },
  "document_request.answered": {
    en: {
      title: "Answer to a request for documents",
      sentence: "A hospital has answered a request for documents. Open EdgeCare to see it.",
    },
    hi: {
      title: "दस्तावेज़ों के अनुरोध का उत्तर",
      sentence: "एक अस्पताल ने दस्तावेज़ों के अनुरोध का उत्तर दिया है। देखने के लिए EdgeCare खोलें।",
    },
  },
  "document_request.fulfilled": {
    en: { title: "Documents shared", sentence: "A hospital has shared the documents of a request. Open EdgeCare to see them." },
    hi: { title: "दस्तावेज़ साझा किए गए", sentence: "एक अस्पताल ने अनुरोध के दस्तावेज़ साझा किए हैं। देखने के लिए EdgeCare खोलें।" },
  },
  "document_request.ended": {
    en: {
      title: "Request for documents ended",
      sentence: "A request for documents has ended without documents. Open EdgeCare to see it.",
    },
    hi: {
      title: "दस्तावेज़ों का अनुरोध समाप्त",
      sentence: "दस्तावेज़ों का एक अनुरोध बिना दस्तावेज़ों के समाप्त हुआ। देखने के लिए EdgeCare खोलें।",
    },
  },
  "emergency.access": {
    en: {
      title: "Your record was opened in an emergency",
      sentence: "Staff of a hospital opened your record in an emergency. Who and why stands in your access log in EdgeCare.",
    },
    hi: {
      title: "आपात स्थिति में आपका रिकॉर्ड खोला गया",
      sentence: "एक अस्पताल के कर्मचारी ने आपात स्थिति में आपका रिकॉर्ड खोला। किसने और क्यों, यह EdgeCare में आपके एक्सेस लॉग में है।",
    },
  },
  "emergency.many": {
    en: {
      title: "Unusually many emergency accesses",
      sentence: "Records of your hospital were opened in emergencies unusually often today. Open EdgeCare to review them.",
    },
    hi: {
      title: "असामान्य रूप से अधिक आपात पहुँच",
      sentence: "आज आपके अस्पताल में रिकॉर्ड असामान्य रूप से बार-बार आपात स्थिति में खोले गए। समीक्षा के लिए EdgeCare खोलें।",
    },
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
  "letter.email_verification": {
    en: { title: "Confirm your e-mail address", sentence: "Open the link to confirm this address for your EdgeCare account." },
    hi: { title: "अपना ई-मेल पता पुष्ट करें", sentence: "अपने EdgeCare खाते के लिए इस पते की पुष्टि करने हेतु लिंक खोलें।" },
  },
  "letter.email_change": {
    en: { title: "Confirm your new e-mail address", sentence: "Open the link to use this address for your EdgeCare account." },
    hi: { title: "अपना नया ई-मेल पता पुष्ट करें", sentence: "अपने EdgeCare खाते के लिए यह पता इस्तेमाल करने हेतु लिंक खोलें।" },
  },
  "privacy.review_opened": {
    en: { title: "Access to review", sentence: "An access to a patient's data waits for your review. Open EdgeCare to see it." },
    hi: {
      title: "समीक्षा के लिए एक पहुँच",
      sentence: "किसी मरीज़ के डेटा तक एक पहुँच आपकी समीक्षा की प्रतीक्षा में है। देखने के लिए EdgeCare खोलें।",
    },
  },
  "privacy.question_answered": {
    en: {
      title: "Your question was answered",
      sentence: "Your question about an access was answered. Open EdgeCare to read the answer.",
    },
    hi: {
      title: "आपके प्रश्न का उत्तर मिला",
      sentence: "किसी पहुँच के बारे में आपके प्रश्न का उत्तर दिया गया है। पढ़ने के लिए EdgeCare खोलें।",
    },
  },
  "letter.email_changed": {
    en: {
      title: "E-mail address changed",
      sentence: "Your EdgeCare account now has another e-mail address. If it was not you, tell your administrator.",
    },
    hi: {
      title: "ई-मेल पता बदला गया",
      sentence: "आपके EdgeCare खाते का ई-मेल पता अब दूसरा है। यदि यह आपने नहीं किया, तो अपने व्यवस्थापक को बताएँ।",
    },
  },
  "letter.password_reset": {
    en: {
      title: "Set a new password",
      sentence: "Open the link within 30 minutes to set a new password. If you did not ask for it, ignore this mail.",
    },
    hi: {
      title: "नया पासवर्ड सेट करें",
      sentence: "नया पासवर्ड सेट करने के लिए 30 मिनट में लिंक खोलें। यदि आपने यह नहीं माँगा, तो इस मेल पर ध्यान न दें।",
    },
  },
  "letter.invitation": {
    en: { title: "Invitation to EdgeCare", sentence: "You are invited to EdgeCare. Open the link to create your account." },
    hi: { title: "EdgeCare का निमंत्रण", sentence: "आपको EdgeCare में आमंत्रित किया गया है। अपना खाता बनाने के लिए लिंक खोलें।" },
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
