// Presigned PUT URLs for the report bucket (AWS SigV4 for R2's S3 API), for deployments with S3 credentials.
import { AwsV4Signer } from "aws4fetch";
import { ApiError } from "../../platform/errors.ts";

export type PresignedPut = { url: string; headers: Record<string, string> };
type PutConstraints = { contentType: string; size: number; sha256: string; seconds: number };

/**
 * Creates a URL that stores exactly the announced bytes under the key, once: length, type, digest and If-None-Match are signed.
 * @param sha256 hexadecimal  @throws ApiError direct_uploads_off
 */
export async function presignPut(
  env: Env,
  key: string,
  { contentType, size, sha256, seconds }: PutConstraints,
): Promise<PresignedPut> {
  const { R2_S3_ENDPOINT, R2_S3_BUCKET, R2_S3_ACCESS_KEY_ID, R2_S3_SECRET_ACCESS_KEY } = env;
  if (!R2_S3_ENDPOINT || !R2_S3_BUCKET || !R2_S3_ACCESS_KEY_ID || !R2_S3_SECRET_ACCESS_KEY) {
    throw new ApiError("direct_uploads_off");
  }
  const headers = {
    "content-type": contentType,
    "content-length": String(size),
    "if-none-match": "*",
    "x-amz-checksum-sha256": Buffer.from(sha256, "hex").toString("base64"),
  };
  const signed = await new AwsV4Signer({
    method: "PUT",
    url: `${R2_S3_ENDPOINT.replace(/(?<!\/)\/+$/, "")}/${R2_S3_BUCKET}/${key}?X-Amz-Expires=${seconds}`,
    headers,
    accessKeyId: R2_S3_ACCESS_KEY_ID,
    secretAccessKey: R2_S3_SECRET_ACCESS_KEY,
    service: "s3",
    region: "auto",
    signQuery: true,
    allHeaders: true,
  }).sign();
  return { url: signed.url.toString(), headers };
}
