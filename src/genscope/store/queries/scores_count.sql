SELECT count() AS count FROM scores FINAL WHERE $where
