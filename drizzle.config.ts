// drizzle-kit configuration: generates migrations/ from src/platform/db/schema.ts.
import { defineConfig } from "drizzle-kit";

export default defineConfig({ dialect: "sqlite", schema: "./src/platform/db/schema.ts", out: "./migrations" });
