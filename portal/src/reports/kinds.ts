// The kinds of reports that the API knows.
export const KINDS = ["ecg", "cpap", "bipap", "oxygen", "consultation", "other"] as const;
export type Kind = (typeof KINDS)[number];
export const isKind = (text: string | null | undefined): text is Kind => KINDS.some((kind) => kind === text);
