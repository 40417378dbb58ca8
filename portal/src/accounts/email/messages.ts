// Texts of forgotten passwords, and of verifying and changing the e-mail address.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const email = defineMessages({
  en: {
    "email.forgot": "Forgotten password?",
    "email.forgot_title": "Reset your password",
    "email.forgot_text":
      "Enter the e-mail address of your account. If it is verified, a link to set a new password is sent to it.",
    "email.send_link": "Send the link",
    "email.forgot_sent":
      "If an account has this verified address, a link is on its way. It is valid for 30 minutes; another one is sent after 15 minutes at the earliest.",
    "email.forgot_other": "No mail? Look in the spam folder, or ask an administrator for a link.",
    "email.ask_again": "Ask for a new link",
    "email.verify_title": "Confirm your e-mail address",
    "email.verify_text": "Confirm that this e-mail address is yours.",
    "email.change_text": "Confirm this e-mail address for your account. You sign in with it from then on.",
    "email.confirm": "Confirm the address",
    "email.confirmed": "The e-mail address is confirmed.",
    "email.link_invalid": "This link is invalid, was used or has expired. You can ask for a new one on your account page.",
    "email.to_account": "Go to your account",
    "email.title": "E-mail address",
    "email.verified": "verified",
    "email.unverified": "not verified",
    "email.unverified_text":
      "No notices and no links to reset your password are sent to this address before you confirm it with the link in the mail.",
    "email.send_again": "Send the mail again",
    "email.sent_again": "The mail is on its way. The link is valid for 24 hours.",
    "email.too_often": "A mail was sent less than a minute ago, or five in a day. Try again later.",
    "email.already_verified": "The address is verified already.",
    "email.new_address": "New e-mail address",
    "email.change": "Change the address",
    "email.change_sent":
      "A link is sent to the new address, unless another account has it. The address changes when you open the link, within 24 hours.",
  },
  hi: {
    "email.forgot": "पासवर्ड भूल गए?",
    "email.forgot_title": "नया पासवर्ड रखें",
    "email.forgot_text": "अपने खाते का ई-मेल पता लिखें। अगर वह सत्यापित है, तो नया पासवर्ड रखने का लिंक उस पर भेजा जाएगा।",
    "email.send_link": "लिंक भेजें",
    "email.forgot_sent":
      "अगर किसी खाते का यह सत्यापित पता है, तो लिंक भेजा जा रहा है। वह 30 मिनट तक मान्य है; दूसरा लिंक 15 मिनट बाद ही भेजा जाता है।",
    "email.forgot_other": "ई-मेल नहीं आया? स्पैम फ़ोल्डर देखें, या प्रशासक से लिंक माँगें।",
    "email.ask_again": "नया लिंक माँगें",
    "email.verify_title": "अपने ई-मेल पते की पुष्टि करें",
    "email.verify_text": "पुष्टि करें कि यह ई-मेल पता आपका है।",
    "email.change_text": "अपने खाते के लिए इस ई-मेल पते की पुष्टि करें। इसके बाद आप इसी से साइन इन करेंगे।",
    "email.confirm": "पते की पुष्टि करें",
    "email.confirmed": "ई-मेल पते की पुष्टि हो गई।",
    "email.link_invalid": "यह लिंक मान्य नहीं है, उपयोग हो चुका है या इसका समय बीत गया है। अपने खाते के पेज पर नया लिंक माँगें।",
    "email.to_account": "अपने खाते पर जाएँ",
    "email.title": "ई-मेल पता",
    "email.verified": "सत्यापित",
    "email.unverified": "सत्यापित नहीं",
    "email.unverified_text": "जब तक आप ई-मेल में आए लिंक से पुष्टि नहीं करते, इस पते पर न सूचनाएँ भेजी जाती हैं, न नया पासवर्ड रखने के लिंक।",
    "email.send_again": "ई-मेल फिर से भेजें",
    "email.sent_again": "ई-मेल भेजा जा रहा है। लिंक 24 घंटे तक मान्य है।",
    "email.too_often": "एक मिनट के भीतर ई-मेल भेजा जा चुका है, या एक दिन में पाँच। बाद में फिर कोशिश करें।",
    "email.already_verified": "यह पता पहले से सत्यापित है।",
    "email.new_address": "नया ई-मेल पता",
    "email.change": "पता बदलें",
    "email.change_sent": "नए पते पर लिंक भेजा जाता है, अगर वह किसी और खाते का नहीं है। 24 घंटे के भीतर लिंक खोलने पर पता बदल जाता है।",
  },
});
