SELECT count() AS count FROM spans FINAL WHERE $where
