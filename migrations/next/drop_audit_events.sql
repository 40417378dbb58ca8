-- Not applied yet: becomes a migration in the release after 0022_audit_events_move, whose background job empties both tables.
-- Fails with the name of the constraint, and changes nothing, while a row is left.
CREATE TABLE `audit_events_left` (
	`rows` integer CONSTRAINT `audit_events_wait_for_their_logs` CHECK (`rows` = 0)
) STRICT;
--> statement-breakpoint
INSERT INTO `audit_events_left` SELECT EXISTS (SELECT 1 FROM `audit_events`) + EXISTS (SELECT 1 FROM `audit_subjects`);
--> statement-breakpoint
DROP TABLE `audit_events_left`;--> statement-breakpoint
DROP TABLE `audit_subjects`;--> statement-breakpoint
DROP TABLE `audit_events`;
