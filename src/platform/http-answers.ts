// What is read of the answers of other services: the beginning of the body, and how long they ask to wait.

/** @returns the first bytes as text; an answer that breaks off ends there. The rest is not read. */
export async function readBodyStart(response: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  for (let left = maxBytes; reader && left > 0; ) {
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    if (!value) break;
    text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
  }
  await reader?.cancel().catch(() => undefined);
  return text + decoder.decode();
}

/**
 * Retry-After in seconds or as a date (RFC 9110, section 10.2.3).
 * @returns milliseconds from `now`, at most `maxMs`; undefined without a header that can be read and names a later time
 */
export function readRetryAfterMs(headers: Headers, now: number, maxMs: number): number | undefined {
  const text = headers.get("Retry-After")?.trim() ?? "";
  const wait = /^[0-9]{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return wait > 0 ? Math.min(wait, maxMs) : undefined;
}
