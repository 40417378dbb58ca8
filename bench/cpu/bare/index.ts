// A Hono Worker with one route: the minimum cost of a request.
import { Hono } from "hono";

export default new Hono().get("/", (c) => c.json({ ok: true }));
