-- A merge writes every column through buffers of its own. Made as large as they may ever be from the start, they took 440 MB a merge; growing with
-- what they hold they take 135 MB.
ALTER TABLE spans MODIFY SETTING min_columns_to_activate_adaptive_write_buffer = 1;
