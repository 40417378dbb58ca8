// Every kind has words in both languages, which are short and say nothing clinical.
import { expect, test } from "vitest";
import { LETTER_KINDS, NOTIFICATION_KINDS, WEBHOOK_EVENTS } from "../../src/notifications/kinds.ts";
import { TEXT_KINDS, textOf } from "../../src/notifications/text.ts";

const KINDS = [...new Set<string>([...Object.keys(NOTIFICATION_KINDS), ...LETTER_KINDS, ...WEBHOOK_EVENTS])].sort();

test("kinds and words are the same set", () => {
  expect([...TEXT_KINDS].sort()).toEqual(KINDS);
});

test.each(KINDS)("%s has short words in English and Hindi", (kind) => {
  const [english, hindi] = [textOf(kind, "en"), textOf(kind, "hi")];
  for (const { title, sentence } of [english, hindi]) {
    expect(title.length).toBeLessThanOrEqual(60);
    expect(sentence.length).toBeLessThanOrEqual(160);
  }
  expect(hindi.title + hindi.sentence).toMatch(/[ऀ-ॿ]/);
  expect(english.title + english.sentence).not.toMatch(/\b(heart|pulse|oxygen|sepsis|blood|NEWS|ECG|fever|mmHg)\b/i);
});

test("a kind of a later version has general words", () => {
  expect(textOf("care.later", "en").title).toBe("Message from EdgeCare");
});
