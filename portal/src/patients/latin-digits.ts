// Digits of Devanagari as the Latin digits that the API accepts.
export const toLatinDigits = (text: string): string => text.replace(/[०-९]/g, (digit) => String(digit.charCodeAt(0) - 0x966));
