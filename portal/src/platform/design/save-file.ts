// Saving a file that the page has in memory.

/** How long a browser may take to start reading the file, ms. */
const REVOKE_AFTER_MS = 10_000;

export function saveFile(file: Blob, fileName: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_AFTER_MS);
}
