// A Hono Worker with one route: what a request costs at least.
import { Hono } from "hono";

export default new Hono().get("/", (c) => c.json({ ok: true }));
