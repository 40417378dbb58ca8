// On Pages: everything under /api is the Worker's, reached without leaving Cloudflare, on the portal's own origin.
type Api = { API: Fetcher };

export const onRequest: PagesFunction<Api> = ({ request, env }) => env.API.fetch(request);
