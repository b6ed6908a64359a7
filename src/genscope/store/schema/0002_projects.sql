-- A project is the unit of isolation; every API key opens exactly one. The newest row of an id is the one that holds.
CREATE TABLE IF NOT EXISTS projects
(
    id      String,
    name    String,
    updated DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Of the secret only a hash is kept.
CREATE TABLE IF NOT EXISTS api_keys
(
    public_key  String,
    secret_hash String,
    project_id  String,
    name        String,
    created     DateTime64(6, 'UTC'),
    revoked     Bool,
    updated     DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY public_key
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Values that a server makes for itself once, such as the key that signs its cookies.
CREATE TABLE IF NOT EXISTS server_values
(
    name    String,
    value   String,
    updated DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
