SELECT count() AS count FROM $spans WHERE $where
