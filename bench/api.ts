// Requests to the API of the measured product.

/** POST with a JSON body, otherwise GET. @param path below the origin, such as `/api/v1/patients` */
export function requestApi(origin: URL | string, token: string, path: string, json?: object): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, ...(json && { "Content-Type": "application/json" }) };
  return fetch(new URL(path, origin), { headers, ...(json && { method: "POST", body: JSON.stringify(json) }) });
}

/** @returns the body as text  @throws Error for a status other than 2xx */
export async function callApi(origin: URL, token: string, path: string, json?: object): Promise<string> {
  const response = await requestApi(origin, token, path, json);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}
