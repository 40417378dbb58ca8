// On Pages: how the service is, for the page that shows it.
export { onRequest } from "../api/[[path]].ts";
