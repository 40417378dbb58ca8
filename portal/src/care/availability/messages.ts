// Texts of availability: weekly hours, absences, locations.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const availability = defineMessages({
  en: {},
  hi: {},
});
