-- Words of prompt and completion are found whatever their case, and where JSON text has a line's end between them. What is stored
-- already gets the new indexes in the background; until then its words are looked for row by row.
ALTER TABLE spans DROP INDEX IF EXISTS input_index;
ALTER TABLE spans DROP INDEX IF EXISTS output_index;
ALTER TABLE spans ADD INDEX IF NOT EXISTS input_words input TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking', preprocessor = lowerUTF8(replaceAll(input, '\\n', ' ')));
ALTER TABLE spans ADD INDEX IF NOT EXISTS output_words output TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking', preprocessor = lowerUTF8(replaceAll(output, '\\n', ' ')));
ALTER TABLE spans MATERIALIZE INDEX input_words;
ALTER TABLE spans MATERIALIZE INDEX output_words;
