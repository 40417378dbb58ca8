// WebSocket client for devices and staff, with a bearer token in its headers.

/**
 * Node's WebSocket takes headers as its second argument; the available type declaration is the browser's, which has none.
 * @param url with the scheme `http(s)` or `ws(s)`
 */
export function openWebSocket(url: URL, token: string): WebSocket {
  const address = url.href.replace(/^http/, "ws");
  return Reflect.construct(WebSocket, [address, { headers: { Authorization: `Bearer ${token}` } }]);
}
