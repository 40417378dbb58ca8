// Verhoeff's check digit over the dihedral group D5 (J. Verhoeff, Error Detecting Decimal Codes, 1969).

/** Multiplication in D5. */
const MULTIPLICATION = ["0123456789", "1234067895", "2340178956", "3401289567", "4012395678"].concat([
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
]);
/** The permutation of each position, which repeats every eight. */
const PERMUTATION = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/** True when a string of ASCII digits ends in the check digit of those before it. */
export function hasValidCheckDigit(digits: string): boolean {
  if (!/^[0-9]{2,}$/.test(digits)) return false;
  const sum = [...digits]
    .reverse()
    .reduce((check, digit, i) => Number(MULTIPLICATION[check]?.[Number(PERMUTATION[i % 8]?.[Number(digit)])]), 0);
  return sum === 0;
}
