-- Successors of a refresh token that were replaced because their response was lost.
ALTER TABLE `sessions` ADD `lost_successors` integer DEFAULT 0 NOT NULL;
