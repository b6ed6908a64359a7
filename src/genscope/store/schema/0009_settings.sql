-- What a project sets for itself, each a JSON text: `retention`, `redaction`. The newest row of a name is the one that holds.
CREATE TABLE IF NOT EXISTS project_settings
(
    project_id String,
    name       String,
    value      String,
    updated    DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY (project_id, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- When a key was used last, written seldom and for many keys at once. Nothing depends on it, so no write waits for the disk.
CREATE TABLE IF NOT EXISTS key_uses
(
    public_key String,
    last_used  SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY public_key;

-- People who may log in. Of the password only an Argon2 hash is kept, of an invitation that was not taken up yet a SHA-256.
CREATE TABLE IF NOT EXISTS members
(
    email       String,
    password    String,
    subject     String,
    invitation  String,
    invited     Int64,
    logins      UInt64,
    removed     Bool,
    updated     DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY email
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What a member may do in a project; an empty role is none.
CREATE TABLE IF NOT EXISTS memberships
(
    project_id String,
    email      String,
    role       LowCardinality(String),
    updated    DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(updated)
ORDER BY (project_id, email)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
