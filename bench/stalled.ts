// Clients of the live view that open a socket and never read from it, and the resident memory of the server.
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** Opens a live view and stops reading after the handshake. */
export function openStalled(url: URL, token: string): Promise<Socket> {
  const socket = connect({ port: Number(url.port), host: url.hostname });
  const headers = {
    Host: url.host,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    Authorization: `Bearer ${token}`,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`GET /api/v1/live HTTP/1.1\r\n${lines.join("")}\r\n`);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (data) => {
      socket.pause();
      const [status = ""] = data.toString("latin1").split("\r\n");
      if (status.includes(" 101 ")) resolve(socket);
      else reject(new Error(status));
    });
  });
}

/** Resident memory of all workerd processes that this process has started, in bytes, without mapped files. Linux only. */
export function residentMemory(): number {
  let total = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const status = readStatus(pid);
    if (/^Name:\s+workerd$/m.test(status) && new RegExp(`^PPid:\\s+${process.pid}$`, "m").test(status)) {
      total += Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    }
  }
  return total;
}

/** Empty for a process that has ended. */
function readStatus(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}
