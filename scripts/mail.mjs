// `npm run mail`: the mail that the running `npm start` has sent, newest last. `npm run mail -- ADDRESS` shows what went to an address.
import { requireDevelopment, runningServer, stateFolder } from "./lib/development.mjs";

requireDevelopment();
const server = runningServer(stateFolder());
if (!server) {
  console.error("No server is running: start it with npm start.");
  process.exit(1);
}
const [address] = process.argv.slice(2);
const list = `${server.url}/cdn-cgi/local/explorer/api/local/email/sending`;

async function read(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return (await response.json()).result;
}

const mails = (await read(`${list}?per_page=100`)).filter(({ to }) => address === undefined || to.includes(address)).reverse();
for (const { messageId } of mails) {
  const { sentAt, to, subject, text } = await read(`${list}?email_id=${encodeURIComponent(messageId)}`);
  console.log(`${sentAt}  ${to.join(", ")}\n${subject}\n\n${text ?? ""}\n${"-".repeat(80)}`);
}
const whose = address === undefined ? "" : ` to ${address}`;
if (mails.length === 0) console.log(`None of the newest 100 mails since the server started was sent${whose}.`);
