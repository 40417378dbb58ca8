// Texts of encounters.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const encounters = defineMessages({
  en: {},
  hi: {},
});
