// Words about appointments and encounters.
import type { KindTexts } from "./kind-text.ts";

export const APPOINTMENT_TEXTS: KindTexts = {
  "appointment.requested": {
    en: {
      title: "Request for an appointment",
      sentence: "A person asks for an appointment. Open EdgeCare to confirm or decline it.",
    },
    hi: {
      title: "अपॉइंटमेंट का अनुरोध",
      sentence: "एक व्यक्ति अपॉइंटमेंट चाहता है। उसे पुष्ट या अस्वीकार करने के लिए EdgeCare खोलें।",
    },
  },
  "appointment.booked": {
    en: { title: "Appointment booked", sentence: "An appointment is booked. Open EdgeCare to see when and where." },
    hi: { title: "अपॉइंटमेंट तय हुआ", sentence: "एक अपॉइंटमेंट तय हुआ है। कब और कहाँ, यह देखने के लिए EdgeCare खोलें।" },
  },
  "appointment.changed": {
    en: { title: "Appointment changed", sentence: "The time or place of an appointment has changed. Open EdgeCare to see it." },
    hi: {
      title: "अपॉइंटमेंट बदला गया",
      sentence: "एक अपॉइंटमेंट का समय या स्थान बदल गया है। देखने के लिए EdgeCare खोलें।",
    },
  },
  "appointment.cancelled": {
    en: { title: "Appointment cancelled", sentence: "An appointment is cancelled. Open EdgeCare to see which one." },
    hi: { title: "अपॉइंटमेंट रद्द हुआ", sentence: "एक अपॉइंटमेंट रद्द हुआ है। कौन-सा, यह देखने के लिए EdgeCare खोलें।" },
  },
  "appointment.reminder": {
    en: { title: "Appointment soon", sentence: "You have an appointment soon. Open EdgeCare to see when and where." },
    hi: { title: "अपॉइंटमेंट जल्द है", sentence: "आपका अपॉइंटमेंट जल्द है। कब और कहाँ, यह देखने के लिए EdgeCare खोलें।" },
  },
  "waiting_list.offer": {
    en: {
      title: "A time became free",
      sentence: "An appointment from the waiting list is held for you for a short time. Open EdgeCare to confirm or decline it.",
    },
    hi: {
      title: "एक समय खाली हुआ",
      sentence: "प्रतीक्षा सूची से एक अपॉइंटमेंट थोड़े समय के लिए आपके लिए रखा गया है। पुष्ट या अस्वीकार करने के लिए EdgeCare खोलें।",
    },
  },
  "encounter.finished": {
    en: { title: "Consultation finished", sentence: "A consultation has ended." },
    hi: { title: "परामर्श समाप्त", sentence: "एक परामर्श समाप्त हुआ।" },
  },
};
