// Words about accounts: what changed, and letters with a link.
import type { KindTexts } from "./kind-text.ts";

export const ACCOUNT_TEXTS: KindTexts = {
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
  "letter.email_verification": {
    en: { title: "Confirm your e-mail address", sentence: "Open the link to confirm this address for your EdgeCare account." },
    hi: { title: "अपना ई-मेल पता पुष्ट करें", sentence: "अपने EdgeCare खाते के लिए इस पते की पुष्टि करने हेतु लिंक खोलें।" },
  },
  "letter.email_change": {
    en: { title: "Confirm your new e-mail address", sentence: "Open the link to use this address for your EdgeCare account." },
    hi: { title: "अपना नया ई-मेल पता पुष्ट करें", sentence: "अपने EdgeCare खाते के लिए यह पता इस्तेमाल करने हेतु लिंक खोलें।" },
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
};
