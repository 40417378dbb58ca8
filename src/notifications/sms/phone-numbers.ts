// Sealed phone numbers of persons, and the codes that show whose they are.
import { z } from "zod";
import type { Keys } from "../../platform/config.ts";
import { computeBlindIndex, computeMac, constantTimeEqualText, sealValue } from "../../platform/crypto.ts";
import { readSealed } from "../../platform/sealed-documents.ts";

/** E.164. */
const Phone = z.string();
/** `notification_settings` of a person, or the pending number of `phone_codes`. */
type Place = { table: "notification_settings" | "phone_codes"; id: string };
const sealContext = ({ table, id }: Place) => ({ table, column: "phone", id });

export const sealPhone = (keys: Keys, place: Place, phone: string): Promise<string> =>
  sealValue(keys.fields, sealContext(place), phone);

/** @throws ApiError integrity_error */
export const unsealPhone = (keys: Keys, place: Place, sealed: string): Promise<string> =>
  readSealed(keys.fields, sealContext(place), sealed, Phone);

export const computePhoneIndex = (keys: Keys, phone: string): Promise<string> =>
  computeBlindIndex(keys.index, "sms_phone", phone);

const CODES = 1_000_000;

/** Six digits, derived from the id of the row, so that the code is stored nowhere. @param key one of the ring */
export async function derivePhoneCode(keys: Keys, id: string, key: CryptoKey = keys.link.current): Promise<string> {
  const mac = await computeMac(key, ["phone-code", id]);
  const number = new DataView(mac.buffer, mac.byteOffset, mac.byteLength).getUint32(0);
  return String(number % CODES).padStart(6, "0");
}

/** Also a code that was sent before the key was rotated. */
export async function isPhoneCode(keys: Keys, id: string, code: string): Promise<boolean> {
  const valid = await Promise.all(keys.link.all.map((key) => derivePhoneCode(keys, id, key)));
  return valid.some((text) => constantTimeEqualText(text, code));
}
