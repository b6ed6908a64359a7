-- Views of a project's pages that were given a name. The newest row of a name is the one that holds; a view that was removed stays as its
-- tombstone.
CREATE TABLE IF NOT EXISTS saved_views
(
    project_id String,
    name       String,
    url        String,
    removed    Bool,
    updated    DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY (project_id, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
