-- The country of a hospital, by which phone numbers are read, and the progress of making search tokens again (patients/reindex.ts).
ALTER TABLE `hospitals` ADD `country` text;--> statement-breakpoint
ALTER TABLE `hospitals` ADD `search_reindex_after` integer;--> statement-breakpoint
CREATE INDEX `hospitals_reindex` ON `hospitals` (`updated_at`) WHERE search_reindex_after is not null;
--> statement-breakpoint
UPDATE `hospitals` SET `country` = CASE `time_zone` WHEN 'Asia/Kolkata' THEN 'IN' WHEN 'Asia/Calcutta' THEN 'IN' WHEN 'Europe/London' THEN 'GB' END, `search_reindex_after` = 0 WHERE `id` <> '00000000-0000-7000-8000-000000000001' OR EXISTS (SELECT 1 FROM `patients` WHERE `hospital_id` = '00000000-0000-7000-8000-000000000001');
