// Answers as the form keeps them, and as they are sent.
import type { Answers, FormField, IntakeForm } from "./api.ts";

const LISTS: readonly FormField[] = ["symptoms", "allergies", "medications"];
export const isList = (field: FormField): boolean => LISTS.includes(field);

/** Texts by field; answers to the form's own questions by `answers.<key>`. */
export type Draft = Readonly<Record<string, string>>;

const toLines = (text: string): string[] => text.split("\n").flatMap((line) => line.trim() || []);

/** What was filled in. */
export function toAnswers({ fields, questions }: Pick<IntakeForm, "fields" | "questions">, draft: Draft): Answers {
  const filled = fields.flatMap((field) => {
    const text = draft[field]?.trim() ?? "";
    return text === "" ? [] : [[field, isList(field) ? toLines(text) : text] as const];
  });
  const others = questions.flatMap(({ key }) => {
    const text = draft[`answers.${key}`]?.trim() ?? "";
    return text === "" ? [] : [[key, text] as const];
  });
  return { ...Object.fromEntries(filled), ...(others.length > 0 && { answers: Object.fromEntries(others) }) };
}
