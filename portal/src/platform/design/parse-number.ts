// Parses typed numbers.

/** Accepts Devanagari digits. @returns null when it is not a number */
export function parseNumber(text: string): number | null {
  const latinDigits = text.replace(/[०-९]/g, (digit) => String(digit.charCodeAt(0) - 0x966)).trim();
  return /^[+-]?\d+([.,]\d+)?$/.test(latinDigits) ? Number(latinDigits.replace(",", ".")) : null;
}
