-- A rotated API key expires, at once if its caller wants that: the hospital's feed closes the views that the key has open.
-- test/node/facts-triggers.test.ts derives the columns from the code. The model is 0004_changes.sql.
DROP TRIGGER `changed_app`;
--> statement-breakpoint
CREATE TRIGGER `changed_app` AFTER UPDATE OF revoked_at, expires_at, scopes ON `credentials` WHEN NEW.kind = 'app' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT 'feed:' || NEW.hospital_id, 'feed', NEW.hospital_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE 1 ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
