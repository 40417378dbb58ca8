// Words about who sees a record: consents, guardians, document requests, emergency access and reviews.
import type { KindTexts } from "./kind-text.ts";

export const TRUST_TEXTS: KindTexts = {
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
      sentence:
        "What the guardian granted holds until you revoke it. A login of theirs that is linked to your record sees it until the hospital unlinks it.",
    },
    hi: {
      title: "आपकी अभिभावकता समाप्त हुई",
      sentence:
        "अभिभावक की दी हुई सहमति आपके वापस लेने तक रहती है। यदि आपका रिकॉर्ड उसके लॉगिन से जुड़ा है, तो अस्पताल के हटाने तक वह उसे देखता है।",
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
      sentence:
        "Staff of a hospital opened your record in an emergency. Your access log in EdgeCare shows their role and hospital, when it was, and what they opened.",
    },
    hi: {
      title: "आपात स्थिति में आपका रिकॉर्ड खोला गया",
      sentence:
        "एक अस्पताल के कर्मचारी ने आपात स्थिति में आपका रिकॉर्ड खोला। EdgeCare में आपका एक्सेस लॉग उनकी भूमिका, अस्पताल, समय और क्या खोला गया, यह दिखाता है।",
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
};
